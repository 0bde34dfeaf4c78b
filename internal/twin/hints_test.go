package twin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestOneDocument wants it said of text that is one file, and of no other.
func TestOneDocument(t *testing.T) {
	dir := writing(t, filepath.Join(t.TempDir(), "writing"), func(i int) bool { return i < 16 })
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var whole strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		whole.WriteString(string(b) + "\n\n")
	}
	one := filepath.Join(t.TempDir(), "one.md")
	if err := os.WriteFile(one, []byte("# One\n\n"+strings.ReplaceAll(whole.String(), "# ", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]bool{dir: false, one: true} {
		o := options(t, source)
		r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		said := false
		r.emit = func(e stroke.Event) {
			n, ok := e.(stroke.NoteEvent)
			said = said || ok && strings.Contains(n.Text, "cut from one document")
		}
		r.oneDocument(r.judge)
		done()
		if said != want {
			t.Errorf("%s: it is said: %v", source, said)
		}
	}
}

// TestTooEasy wants it said where the judge text costs far less than plain prose.
func TestTooEasy(t *testing.T) {
	path := testkit.Toy(t, testkit.ToyShape{})
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	for perToken, want := range map[float64]bool{0: false, 0.5: true, 50: false} {
		said := false
		r := &run{b: b, o: &Options{Exact: true}, recipe: DefaultRecipe(100), ledger: &corpus.Ledger{}, emit: func(e stroke.Event) {
			n, ok := e.(stroke.NoteEvent)
			said = said || ok && strings.Contains(n.Text, "suspiciously easy")
		}}
		if err := r.tooEasy(context.Background(), perToken); err != nil {
			t.Fatal(err)
		}
		if said != want {
			t.Errorf("%g nats a token: it is said: %v", perToken, said)
		}
	}
}

// TestQuotationHints wants it said where most of what was read is by others.
func TestQuotationHints(t *testing.T) {
	reading := func(own, quoted int, text string) *corpus.Reading {
		return &corpus.Reading{Documents: []stroke.Document{{Text: text, Words: own}}, Left: []corpus.LeftOut{{Source: "a.md", Reason: "quotations of others", Words: quoted}}}
	}
	speech := "“" + strings.Repeat("word ", 60) + "”"
	for _, c := range []struct {
		reading *corpus.Reading
		want    string
	}{
		{reading(1000, 900, "word"), ""},
		{reading(1000, 1100, "word"), "1100 words, which are left out, beside 1000"},
		{reading(1000, 0, speech+"\n\n"+strings.Repeat("word ", 30)), "put > before each of their lines"},
		{reading(1000, 0, speech+"\n\n"+strings.Repeat("word ", 90)), ""},
	} {
		got := strings.Join(quotationHints(c.reading), "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("said %q, want %q", got, c.want)
		}
	}
}
