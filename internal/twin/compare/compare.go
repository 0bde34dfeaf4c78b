// Package compare holds what was measured of the ways to make a base write as
// somebody does, side by side: its bare self, the writer's passages in its
// prompt, an adapter, weights of its own. It sets them in tables for a terminal
// ([Comparison.Tables]), for Markdown ([Comparison.Markdown]) and as a page that
// needs nothing else ([Comparison.HTML]). It measures nothing; package twin does.
package compare

import (
	"time"

	"github.com/getstroke/stroke/internal/eval"
)

// Name is a method.
type Name string

// The methods, in the order of the tables.
const (
	Base         Name = "base"          // as it is
	Examples     Name = "examples"      // with the writer's passages in its prompt
	LoRA         Name = "lora"          // with an adapter
	LoRAExamples Name = "lora+examples" // with both
	Partial      Name = "partial"       // some of its weights trained
	Full         Name = "full"          // all of them
)

// Names are all methods, in order.
func Names() []Name { return []Name{Base, Examples, LoRA, LoRAExamples, Partial, Full} }

// Trains says which method is trained for this one; empty for none.
func (n Name) Trains() Name {
	switch n {
	case LoRA, LoRAExamples:
		return LoRA
	case Partial, Full:
		return n
	}
	return ""
}

// Prompts says whether the writer's passages stand in the prompt.
func (n Name) Prompts() bool { return n == Examples || n == LoRAExamples }

// Chooses says whether settings of the method are tried. Those of an adapter with
// examples are the adapter's, and as many amounts of passages.
func (n Name) Chooses() bool { return n == Examples || n != "" && n.Trains() == n }

// Comparison is everything that was measured. What could not be is null.
type Comparison struct {
	Writer      string    `json:"writer"`  // name of the twin or the folder
	Made        time.Time `json:"made"`    // that it was put together
	Program     string    `json:"program"` // that put it together: its version, or the commit that it was built from
	Machine     Machine   `json:"machine"`
	Base        string    `json:"base"`
	Bytes       int64     `json:"base_bytes"` // of its weights
	Licence     string    `json:"licence,omitempty"`
	Words       Words     `json:"words"`
	Tokens      int       `json:"tokens"`       // of judge documents that were scored
	Loss        float64   `json:"loss"`         // nats per token of the bare base on them
	Units       int       `json:"units"`        // that the intervals stand on
	Unit        string    `json:"unit"`         // [Documents], [DocumentParts] or [Blocks]
	OneDocument bool      `json:"one_document"` // all that judges is cut from one
	Settings    int       `json:"settings"`     // of one kind that were tried of a method, at the most
	Texts       int       `json:"texts"`        // that each method wrote, for leakage
	Controls    []string  `json:"controls"`     // adapters by other writers, for specificity
	Price       *Price    `json:"price"`        // null where none was given
	Watts       float64   `json:"watts"`        // that the machine draws, as it was given; 0 where it was not
	Parts       []Part    `json:"parts"`        // that it is made from
	Methods     []Method  `json:"methods"`
	LeftOut     []LeftOut `json:"left_out"`
	Lost        []Lost    `json:"lost"`
	Curve       []Point   `json:"curve"` // by amount of text; empty where it was not asked for
}

// The units that intervals stand on.
const (
	Documents     = "documents"
	DocumentParts = "parts of one document"
	Blocks        = "blocks"
)

// Machine is where it was measured.
type Machine struct {
	Processor string `json:"processor"` // its name, empty where the system does not say
	System    string `json:"system"`    // as linux/amd64
	Kernel    string `json:"kernel"`    // in use
	Workers   int    `json:"workers"`   // that compute
}

// Part is a training, a method or a point of a curve, measured by itself and kept.
type Part struct {
	Name    Name      `json:"method"`
	Doing   string    `json:"doing"`             // "train", "measure" or "curve"
	Setting string    `json:"setting,omitempty"` // that was trained
	Made    time.Time `json:"made"`
	Program string    `json:"program"` // that measured it
}

// Words are the writer's by what they were used for.
type Words struct {
	Train  int `json:"train"`
	Select int `json:"select"`
	Judge  int `json:"judge"`
}

// Price is that of energy.
type Price struct {
	KWh      float64 `json:"kwh"` // of a kilowatt-hour
	Currency string  `json:"currency"`
}

// Method is one row.
type Method struct {
	Name     Name     `json:"method"`
	Setting  string   `json:"setting"`   // that was taken
	ChosenBy string   `json:"chosen_by"` // "select", or "recipe" where there was nothing to choose from
	Tried    []Tried  `json:"tried"`     // settings, rates first, in order
	Takes    Takes    `json:"takes"`     //
	Leaves   Leaves   `json:"leaves"`    //
	Serves   Serves   `json:"serves"`    //
	Likeness Likeness `json:"likeness"`  //
	// Needs is the amount of train text from which on it predicted the writer
	// better than examples of the same text did; null where no curve was asked
	// for, or none of its amounts was enough.
	Needs *int `json:"words_needed"`
}

// Of returns how many settings of a kind were tried.
func (m *Method) Of(k Kind) int {
	n := 0
	for _, t := range m.Tried {
		if t.Kind == k {
			n++
		}
	}
	return n
}

// Tried is a setting that was tried.
type Tried struct {
	Kind    Kind    `json:"kind"`
	Setting string  `json:"setting"`
	Loss    float64 `json:"loss"` // nats per token on select documents
	Epoch   int     `json:"epoch,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
}

// Kind is what differs between settings.
type Kind string

// The kinds of settings. One rate and one amount of passages are taken, each for
// itself.
const (
	Rate     Kind = "rate"     // of learning
	Passages Kind = "passages" // in the prompt
)

// Takes is what it takes until the method is ready, with the setting taken.
type Takes struct {
	Seconds         float64  `json:"seconds"`           // training, and choosing an epoch; indexing of passages
	Choosing        float64  `json:"choosing_seconds"`  // with all settings that were tried, of learning and of the prompt
	Processor       float64  `json:"processor_seconds"` // of all cores, this setting alone; 0 where the system does not say
	WattHours       *float64 `json:"watt_hours"`        // null where nobody can tell
	Money           *float64 `json:"money"`             // null where energy or price is not known
	Memory          int64    `json:"memory_bytes"`      // resident at the most
	Planned         bool     `json:"memory_planned"`    // it was not measured, but planned
	Disk            int64    `json:"disk_bytes"`        // beside the base, at the most
	Tokens          int      `json:"tokens"`            // through the base
	TokensPerSecond float64  `json:"tokens_per_second"`
	Parameters      int      `json:"parameters"` // that were trained
	Article         float64  `json:"article_seconds"`
}

// Leaves is what there is then.
type Leaves struct {
	Bytes int64  `json:"bytes"` // beside the base's own
	What  string `json:"what"`  // whose it is and what it is
	Runs  string `json:"runs"`  // where
}

// Serves is how the method writes one text, on this machine.
type Serves struct {
	TokensPerSecond float64 `json:"tokens_per_second"` // of what is written
	First           float64 `json:"first_seconds"`     // until the first token
	Prompt          int     `json:"prompt_tokens"`     // that are read before it
	Memory          int64   `json:"memory_bytes"`      // resident at the most; 0 where the system does not say
}

// Likeness is how well the method predicts the writer's judge documents, in nats
// per token, and what it copies.
type Likeness struct {
	Gain         eval.Interval  `json:"gain"`          // over the bare base
	Over         eval.Interval  `json:"over_examples"` // over examples
	WithExamples *eval.Interval `json:"with_examples"` // over the bare base, with the passages in its prompt too; of weights alone
	Specificity  *eval.Interval `json:"specificity"`   // above the controls; null where there are none
	Leakage      *Leakage       `json:"leakage"`       // null where no texts were written
}

// Leakage is what a method repeats of the train text in what it writes.
type Leakage struct {
	Share   float64  `json:"share"`   // of the words, in long runs of the train text
	Own     float64  `json:"own"`     // the same of the writer's judge pieces
	Longest int      `json:"longest"` // words of the longest run
	Leaks   int      `json:"leaks"`   // names, addresses and numbers that stand once in the train text
	Words   int      `json:"words"`   // looked at
	Copier  bool     `json:"copier"`  // more than chance and the writer's own ways allow
	Runs    []string `json:"runs"`    // the longest
}

// LeftOut is a method that was not measured.
type LeftOut struct {
	Name Name   `json:"method"`
	Why  string `json:"why"`
	Hint string `json:"hint,omitempty"`
}

// Lost is a training that came to nothing, and is chosen among no more.
type Lost struct {
	Name    Name    `json:"method"`
	Setting string  `json:"setting"`
	Why     string  `json:"why"`
	Seconds float64 `json:"seconds"` // until then
}

// Point is a method at an amount of train text.
type Point struct {
	Words   int           `json:"words"`
	Name    Name          `json:"method"`
	Gain    eval.Interval `json:"gain"`          // over the bare base
	Over    eval.Interval `json:"over_examples"` // over examples of the same text
	Seconds float64       `json:"seconds"`       // of training
}

// Needs is the amount of text from which on a method beat examples beyond
// chance, at it and at every larger one that was asked for; 0 for none. lost is the
// largest amount at which its training came to nothing.
func Needs(points []Point, n Name, lost int) int {
	needs := 0
	for _, p := range points { // by growing amounts
		if p.Name != n || p.Words <= lost {
			continue
		}
		switch {
		case !(p.Over.Low > 0):
			needs = 0
		case needs == 0:
			needs = p.Words
		}
	}
	return needs
}
