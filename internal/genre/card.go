package genre

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const schema = 1

// Card says what a genre is, what it was made from and what it is worth. It holds
// nothing that another build of the same would not have, such as a date.
type Card struct {
	Schema     int               `json:"schema"`
	Name       string            `json:"name"`
	For        string            `json:"for"`
	Language   string            `json:"language,omitempty"` // ISO 639-1
	Licence    string            `json:"licence"`            // of the adapter
	Base       Base              `json:"base"`
	Rank       int               `json:"rank"`
	Bytes      int64             `json:"bytes"`                // of the adapter's files
	Kernel     string            `json:"kernel,omitempty"`     // kind that it was made with: another has other bits
	Arithmetic string            `json:"arithmetic,omitempty"` // of training: f32 or bf16
	Recipe     *Recipe           `json:"recipe,omitempty"`     // nil where it was added
	Added      string            `json:"added,omitempty"`      // where an adapter was added from
	Start      *Start            `json:"start,omitempty"`      // nil where it began at nothing
	Documents  int               `json:"documents"`            // trained on
	Words      int               `json:"words"`                // trained on
	Tokens     int               `json:"train_tokens"`         // through the base, in all epochs
	Epoch      int               `json:"epoch"`                // that was taken
	Sources    []Source          `json:"sources"`
	Figures    *Figures          `json:"figures,omitempty"` // nil where nothing was measured
	Samples    []Sample          `json:"samples,omitempty"`
	Limits     []string          `json:"limits,omitempty"`
	Files      map[string]string `json:"files"`            // SHA-256 of each file of the adapter
	Prints     []byte            `json:"prints,omitempty"` // by which text that it has learnt is known again; none where nothing is known of it
}

// Base is the base that a genre belongs to.
type Base struct {
	Name         string `json:"name"`            // in the catalog, or the name of a file or folder
	Model        string `json:"model,omitempty"` // the model's own name on the hub
	Architecture string `json:"architecture"`
	Bytes        int64  `json:"bytes"`  // of its weights
	SHA256       string `json:"sha256"` // of its file; of a folder, of its list of hashes
}

// Public is the name that others know the base by: the hub's, where it has one.
func (b *Base) Public() string { return cmp.Or(b.Model, b.Name) }

// Start is the genre that another went on from.
type Start struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of its weights
}

// Figures are what a genre is worth on documents that it was neither trained on
// nor chosen by.
type Figures struct {
	Documents int     `json:"documents"`
	Words     int     `json:"words"`  // in them
	Tokens    int     `json:"tokens"` // scored
	Base      float64 `json:"base"`   // nats per token of the bare base
	Genre     float64 `json:"genre"`  // with the genre
	Gain      Gain    `json:"gain"`   // over documents, or with fewer than eight over blocks of them

	Start     float64 `json:"start,omitempty"`      // nats per token with the genre alone that it went on from
	OverStart *Gain   `json:"over_start,omitempty"` // what it saves over that
}

// Gain is what is saved, in nats per token, with its interval at 95 %.
type Gain struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Sample is a paragraph by the genre and one by the bare base from the same
// opening and seed.
type Sample struct {
	Opening string `json:"opening"`
	Genre   string `json:"genre"`
	Base    string `json:"base"`
}

// Markdown is the card with the fields of a hub's model card before it, and with
// what was measured beside other genres, which may be nil.
func (c *Card) Markdown(m *Measured) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("---")
	line("license: %s", strings.ToLower(c.Licence))
	line("base_model: %s", c.Base.Public())
	if c.Compact() {
		line("library_name: stroke")
	} else {
		line("library_name: peft")
	}
	line("pipeline_tag: text-generation")
	if c.Language != "" {
		line("language: %s", c.Language)
	}
	line("tags:\n- lora\n- stroke\n- genre")
	line("---\n\n# %s\n", c.Name)
	line("%s\n", sentence(c.For))
	format := "in PEFT's format"
	if c.Compact() {
		format = fmt.Sprintf("in whole numbers of eight bits; `stroke genre export %s FOLDER` writes the same adapter in PEFT's format", c.Name)
	}
	line("A LoRA adapter of rank %d for %s (%s, %d bytes of weights, SHA-256 `%s`), %d bytes in all, %s. Licence: %s.\n", c.Rank, c.Base.Name, c.Base.Architecture, c.Base.Bytes, c.Base.SHA256, c.Bytes, format, c.Licence)
	line("    stroke write --genre %s \"An opening\"\n    stroke train FOLDER --genre %s\n", c.Name, c.Name)
	line("## What it is worth\n")
	if f := c.Figures; f != nil {
		line("On text of its sources that it was neither trained on nor chosen by (documents: %d, words: %d, tokens: %d) the base needs %.3f nats a token, and with this adapter %.3f: a head start of %.3f (95 %%: %.3f to %.3f).\n",
			f.Documents, f.Words, f.Tokens, f.Base, f.Genre, f.Gain.Mean, f.Gain.Low, f.Gain.High)
		if c.Start != nil && f.OverStart != nil {
			line("Over %s, which it went on from and which needs %.3f there, it saves %.3f (%.3f to %.3f).\n", c.Start.Name, f.Start, f.OverStart.Mean, f.OverStart.Low, f.OverStart.High)
		}
	} else {
		line("Nothing was measured.\n")
	}
	if m != nil {
		b.WriteString(m.markdown(c.Name))
	}
	line("## What it was made from\n")
	if c.Added != "" {
		line("It was added from %s; nothing is known of its text.\n", c.Added)
	}
	if len(c.Sources) > 0 {
		taken := 0
		for _, s := range c.Sources {
			taken += s.Documents
		}
		line("%d words of %d documents were trained on; %d of %d documents were withheld.\n", c.Words, c.Documents, taken-c.Documents, taken)
		line("| source | terms | attribution | files | words taken | SHA-256 of the list of hashes |\n| --- | --- | --- | --- | --- | --- |")
		for _, s := range c.Sources {
			line("| %s | %s | %s | %d | %d | `%s` |", cell(s.Origin), cell(s.Terms), cell(s.Attribution), s.Count, s.Taken, s.SHA256)
		}
		line("")
	}
	if r := c.Recipe; r != nil {
		if c.Start != nil {
			line("It went on from the genre %s (SHA-256 of its weights `%s`).\n", c.Start.Name, c.Start.SHA256)
		}
		line("Rank %d, alpha %g, rate %g, %d epochs of which the %s was taken, seed %d, steps of %d tokens, sequences of %d, raw continuation alone; %d tokens through the base, with the kernel %s in %s. The same recipe, sources, base and kernel give the same bytes.\n",
			r.Rank, r.Alpha, r.Rate, r.Epochs, ordinal(c.Epoch), r.Seed, r.TokensPerStep, r.Length, c.Tokens, c.Kernel, c.Arithmetic)
	}
	if len(c.Samples) > 0 {
		line("## Samples\n")
		for _, s := range c.Samples {
			line("**%s** …\n", s.Opening)
			line("With the genre:\n\n%s\n", quoted(s.Genre))
			line("The bare base, with the same seed:\n\n%s\n", quoted(s.Base))
		}
	}
	line("## Limits\n")
	for _, l := range c.Limits {
		line("- %s", l)
	}
	return b.String()
}

func sentence(s string) string {
	if s == "" {
		return "It is not said what it is for."
	}
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[n:], ".") + "."
}

// cell keeps a text within its cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}

func quoted(s string) string {
	return "> " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n> ")
}

func ordinal(n int) string {
	switch n {
	case 1:
		return "first"
	case 2:
		return "second"
	case 3:
		return "third"
	}
	return fmt.Sprintf("%dth", n)
}
