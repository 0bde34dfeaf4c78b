package twin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/testkit"
)

// inFiles writes the texts of a writer as so many long files, of which one makes several
// blocks.
func inFiles(t *testing.T, n int) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(writing(t, filepath.Join(t.TempDir(), "writing"), func(i int) bool { return i < 16 }), "*.md"))
	if err != nil || len(files) < n {
		t.Fatal(files, err)
	}
	dir := t.TempDir()
	for k := range n {
		var whole strings.Builder
		fmt.Fprintf(&whole, "# Number %d\n\n", k)
		for _, f := range files[k*len(files)/n : (k+1)*len(files)/n] {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			whole.WriteString(strings.ReplaceAll(string(b), "# ", "") + "\n\n")
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.md", k)), []byte(whole.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestFewDocuments wants it said of text that is one file or few, and of no other.
func TestFewDocuments(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"many": {writing(t, filepath.Join(t.TempDir(), "writing"), func(i int) bool { return i < 16 }), ""},
		"one":  {inFiles(t, 1), "cut from one document"},
		"five": {inFiles(t, 5), "cut from 5 documents"},
	} {
		o := options(t, c.source)
		r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		r.emit = func(e stroke.Event) {
			if n, ok := e.(stroke.NoteEvent); ok {
				said += n.Text
			}
		}
		r.fewDocuments(r.all())
		if (said != "") != (c.want != "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %q is said", name, said)
		}
		// Blocks of a document are dealt to one fold, but where there is one alone.
		at, parted := map[string]int{}, false
		for k, f := range folds(r.all(), r.ledger) {
			if len(f) == 0 {
				t.Errorf("%s: fold %d is empty", name, k)
			}
			for _, d := range f {
				e, _ := r.ledger.Entry(d.Hash)
				if before, ok := at[e.Parent]; ok && e.Parent != "" && before != k {
					parted = true
				}
				at[e.Parent] = k
			}
		}
		if parted != (name == "one") {
			t.Errorf("%s: blocks of one document stand in several folds: %v", name, parted)
		}
		done()
	}
}

// TestFoldsOfWholes deals documents of a few blocks each: whole, where no fold is left
// with next to nothing.
func TestFoldsOfWholes(t *testing.T) {
	for name, c := range map[string]struct {
		of    []int // words of the blocks of each document
		parts int   // blocks of each
		whole bool
	}{
		"three":                 {[]int{500, 500, 500}, 4, true},
		"two":                   {[]int{500, 500}, 4, false},
		"two and a note":        {[]int{500, 500, 15}, 4, false},
		"one large, many small": {[]int{2000, 100, 100, 100, 100}, 3, false},
	} {
		var docs []stroke.Document
		l := &corpus.Ledger{}
		for i, words := range c.of {
			for k := range c.parts {
				hash := stroke.HashText(fmt.Sprint(i, " ", k))
				docs = append(docs, stroke.Document{Hash: hash, Words: words})
				l.Entries = append(l.Entries, corpus.Entry{Hash: hash, Parent: fmt.Sprint("document ", i), Index: k})
			}
		}
		whole := true
		for _, f := range folds(docs, l) {
			if 6*wordsOf(f) < wordsOf(docs) {
				t.Errorf("%s: a fold has %d of %d words", name, wordsOf(f), wordsOf(docs))
			}
			for _, d := range f {
				for _, s := range l.Siblings(d.Hash) {
					whole = whole && slices.ContainsFunc(f, func(x stroke.Document) bool { return x.Hash == s })
				}
			}
		}
		if whole != c.whole {
			t.Errorf("%s: whole documents: %v", name, whole)
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
