package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	stroke "github.com/getstroke/stroke"
)

// shared is a folder of the real material beside the repository.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
	p := filepath.Join(append([]string{dir, "..", "shared", "data"}, path...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("%s is not there: this test reads real writing kept beside the repository", p)
	}
	return p
}

// TestRealWriters reads the files of three writers as they keep them: novels
// of one file each, a blog of Hugo, a blog of Djot.
func TestRealWriters(t *testing.T) {
	for _, c := range []struct {
		name           string
		least, most    int // documents
		words          int // least, in all
		dated, titled  bool
		never          []string // what no text holds
		withheldWithin [2]float64
	}{
		{"wodehouse", 76, 76, 268_000, false, true, []string{"CHAPTER ", "Title:", "\nChapter "}, [2]float64{0.18, 0.22}},
		{"lynch", 245, 252, 470_000, true, true, []string{"{{<", "](http", "\n<div", "\n<script", "banner_image:", "\n> "}, [2]float64{0.18, 0.22}},
		{"matklad", 198, 201, 215_000, true, true, []string{"\n:::", "]{.", "](http", "\n> "}, [2]float64{0.18, 0.22}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Read(t.Context(), shared(t, "authors", c.name), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(r.Documents); n < c.least || n > c.most {
				t.Errorf("%d documents, want %d to %d", n, c.least, c.most)
			}
			if r.Words() < c.words {
				t.Errorf("%d words, want %d", r.Words(), c.words)
			}
			if lang, share := r.Language(); lang != "en" || share < 0.95 {
				t.Errorf("language %q, %.2f", lang, share)
			}
			for _, d := range r.Documents {
				if c.dated && d.Date.IsZero() || c.titled && d.Title == "" {
					t.Errorf("%s: title %q, date %v", d.Source, d.Title, d.Date)
				}
				for _, s := range c.never {
					if strings.Contains(d.Text, s) {
						t.Errorf("%s holds %q", d.Source, s)
					}
				}
			}
			l := &Ledger{}
			docs, err := Assign(l, r.Documents, AssignOptions{Clusters: r.Clusters})
			if err != nil {
				t.Fatal(err)
			}
			withheld, judge, n := shares(l, docs)
			if withheld < c.withheldWithin[0] || withheld > c.withheldWithin[1] || judge < 0.6 || judge > 0.73 {
				t.Errorf("%.3f of the words withheld, %.3f of them for the judge: %v", withheld, judge, n)
			}
		})
	}
}

// TestRealParagraphsAreWhole compares the texts of one writer's books with
// the words of the files themselves.
func TestRealParagraphsAreWhole(t *testing.T) {
	dir := shared(t, "authors", "wodehouse")
	r, err := Read(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	bySource := map[string][]stroke.Document{}
	for _, d := range r.Documents {
		file, _ := sourceParts(d.Source)
		bySource[file] = append(bySource[file], d)
	}
	for file, docs := range bySource {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		flat := strings.Join(strings.Fields(string(raw)), " ")
		kept, whole := 0, 0
		for _, d := range docs {
			for para := range strings.SplitSeq(d.Text, "\n\n") {
				whole++
				if strings.Contains(flat, strings.Join(strings.Fields(para), " ")) {
					kept++
				}
			}
		}
		// The others hold emphasis, whose marks are taken away.
		if kept*100 < whole*90 {
			t.Errorf("%s: %d of %d paragraphs are in the file as they are", file, kept, whole)
		}
	}
}

// TestRealChats holds that no export of a chat is taken for prose.
func TestRealChats(t *testing.T) {
	r, err := Read(t.Context(), shared(t, "fixtures", "chat"), Options{})
	if err == nil || len(r.Documents) != 0 {
		t.Errorf("%d documents of chats, %v", len(r.Documents), err)
	}
}
