package genre

import (
	"hash/fnv"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/getstroke/stroke/internal/testkit"
)

// runWords is the length of the runs of words by which two texts are compared:
// so many in a row are a quotation or the same text.
const runWords = 8

// wordRuns calls f with a hash of every run of runWords words.
func wordRuns(text string, f func(uint64)) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i := 0; i+runWords <= len(words); i++ {
		h := fnv.New64a()
		for _, w := range words[i : i+runWords] {
			h.Write([]byte(w))
			h.Write([]byte{' '})
		}
		f(h.Sum64())
	}
}

// texts calls f with each file of text below dir.
func texts(t *testing.T, dir string, f func(name, text string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		switch path.Ext(name) {
		case ".md", ".dj", ".txt":
			b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				return err
			}
			f(name, string(b))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// there says whether the folder of a source lies below data.
func there(data string, s *Source) bool {
	_, err := os.Stat(filepath.Join(data, filepath.FromSlash(s.Folder)))
	return err == nil
}

// TestSourcesAreOthers looks for text of the writers that genres are measured on
// in the sources of the library's recipes: no writer may be in both. What two
// books share are phrases and quotations, below one run in twenty; a text that is in
// both shares nearly all.
func TestSourcesAreOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads five million words")
	}
	data := []string{testkit.Shared(t, "genres")}
	if more := os.Getenv("STROKE_TEST_GENRES"); more != "" {
		data = append(data, more)
	}
	recipes, err := Recipes()
	if err != nil {
		t.Fatal(err)
	}
	runs := map[uint64]bool{}
	done := map[string]bool{}
	for _, r := range recipes {
		for i := range r.Sources {
			s := &r.Sources[i]
			in := data
			for len(in) > 0 && !there(in[0], s) {
				in = in[1:]
			}
			if len(in) == 0 {
				t.Logf("left out: %s is not in %s; STROKE_TEST_GENRES can name a folder that holds it", s.Origin, strings.Join(data, ", "))
				continue
			}
			if err := s.Sum(in[0]); err != nil {
				t.Error(err)
				continue
			}
			if done[s.SHA256] {
				continue
			}
			done[s.SHA256] = true
			texts(t, filepath.Join(in[0], filepath.FromSlash(s.Folder)), func(name, text string) {
				if s.Match(name) {
					wordRuns(text, func(h uint64) { runs[h] = true })
				}
			})
		}
	}
	if len(runs) < 1_000_000 {
		t.Fatalf("%d runs of words in the sources: they were not read", len(runs))
	}
	for _, part := range []string{"authors", "reference"} {
		files := 0
		texts(t, testkit.Shared(t, part), func(name, text string) {
			files++
			all, both := 0, 0
			wordRuns(text, func(h uint64) {
				all++
				if runs[h] {
					both++
				}
			})
			if all > 200 && both*20 > all {
				t.Errorf("%s/%s: %d of its %d runs of %d words are in the sources of a genre", part, name, both, all, runWords)
			}
		})
		if files < 19 {
			t.Fatalf("%d files in %s", files, part)
		}
	}
}
