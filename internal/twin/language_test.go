package twin

import (
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

// TestUnknownLanguage wants it said which language a base was not made for, and
// which base was.
func TestUnknownLanguage(t *testing.T) {
	const (
		english  = "It was the best of times, it was the worst of times, and nobody in the house had been told which of the two it would be."
		german   = "Als er am Morgen aus dem Haus ging, war die Straße noch leer, und es war nicht zu sehen, ob sie auch so bleiben würde."
		georgian = "იყო და არა იყო რა, იყო ერთი გლეხი, რომელსაც სამი ვაჟი ჰყავდა."
		nobodys  = "Zug zag zog zeg zyg brim bram brum brom bram zag zig zug."
	)
	reading := func(texts ...string) *corpus.Reading {
		r := &corpus.Reading{}
		for _, s := range texts {
			r.Documents = append(r.Documents, stroke.Document{Text: s, Words: 100})
		}
		return r
	}
	for _, c := range []struct {
		reading *corpus.Reading
		knows   []string
		want    []string
	}{
		{reading(english, english), []string{"en"}, nil},
		{reading(german, german), []string{"en"}, []string{"200 of the 200", "German", "English", "--base "}},
		{reading(german), []string{"de", "en"}, nil},
		{reading(german), nil, nil},
		{reading(english, german), []string{"en"}, []string{"100 of the 200", "German"}},
		{reading(english, english, english, english, english, english, english, english, english, english, english, german), []string{"en"}, nil},
		{reading(georgian), []string{"en"}, []string{"Georgian", "--base FILE.gguf"}},
		{reading(nobodys), []string{"en"}, []string{"cannot be told", "stroke base list"}},
		{reading(english, english, nobodys), []string{"en"}, nil},
	} {
		got := unknownLanguage(c.reading, "small", c.knows)
		if (got == "") != (c.want == nil) {
			t.Errorf("said %q, want %q", got, c.want)
		}
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("said %q without %q", got, w)
			}
		}
	}
}

// TestLanguageCodes reads what files of bases have.
func TestLanguageCodes(t *testing.T) {
	for _, c := range []struct{ have, want []string }{
		{[]string{"en", "de"}, []string{"en", "de"}},
		{[]string{"zho", "eng", "fra", "ger"}, []string{"zh", "en", "fr", "de"}},
		{[]string{"en-US", "nb"}, []string{"en", "no"}},
		{[]string{"en", "multilingual"}, nil},
		{[]string{"en", "mul"}, nil},
		{nil, nil},
	} {
		if got := languageCodes(c.have); !slices.Equal(got, c.want) {
			t.Errorf("of %q: %q, want %q", c.have, got, c.want)
		}
	}
}

// TestDryRunTellsLanguage wants a dry run to say of a base what a run says, and to
// need none of the catalog for it.
func TestDryRunTellsLanguage(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	dir := t.TempDir()
	for i := range 12 {
		var text strings.Builder
		for k := range 4 {
			fmt.Fprintf(&text, "Als er am %d. Morgen aus dem Haus %d ging, war die Straße noch leer, und es war nicht zu sehen, ob sie auch so bleiben würde. Die Nachbarin stand am Fenster %d und sah ihm nach.\n\n", k+1, 31*i+k, 17*i+7*k)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.txt", i)), []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	toy := testkit.Toy(t, testkit.ToyShape{})
	for _, only := range []bool{false, true} {
		for base, want := range map[string]bool{"smollm2-135m-instruct": true, "qwen3-0.6b": false, toy: false} {
			told := false
			err := Train(t.Context(), Options{Source: dir, Name: "de", Base: base, DryRun: true, ExamplesOnly: only}, func(e stroke.Event) {
				if n, ok := e.(stroke.NoteEvent); ok {
					told = told || strings.Contains(n.Text, "in German, which the base "+base+" was not made for")
				}
			})
			if err != nil || told != want {
				t.Errorf("on %s: told %t, want %t (%v)", base, told, want, err)
			}
		}
	}
}

// TestRealLanguages holds that no real writer of English is told of another.
func TestRealLanguages(t *testing.T) {
	dirs := []string{filepath.Join(testkit.Root(t), "examples", "notebook")}
	for _, of := range []string{"authors", "reference"} {
		more, err := filepath.Glob(filepath.Join(testkit.Shared(t, of), "*"))
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, more...)
	}
	for _, dir := range dirs {
		r, err := corpus.Read(t.Context(), dir, corpus.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s := unknownLanguage(r, "small", []string{"en"}); s != "" {
			t.Errorf("%s: said %q", dir, s)
		}
	}
}
