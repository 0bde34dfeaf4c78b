package twin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/index"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestThoughtOthers holds that text by others has none of the writer's own, neither a
// document of which the ledger has blocks nor an edited one.
func TestThoughtOthers(t *testing.T) {
	reading, err := corpus.Read(context.Background(), filepath.Join(testkit.Root(t), "examples", "notebook"), corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := func(docs []stroke.Document) string {
		var texts []string
		for _, d := range docs {
			texts = append(texts, d.Text)
		}
		return strings.Join(texts, "\n\n")
	}
	all := reading.Documents
	cut, edited, theirs := text(all[:4]), text(all[4:8]), text(all[8:12])
	dir := t.TempDir()
	for name, s := range map[string]string{"cut.txt": cut, "edited.txt": edited, "theirs.txt": theirs} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := &corpus.Ledger{}
	read, err := corpus.Read(context.Background(), filepath.Join(dir, "cut.txt"), corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range read.Documents {
		l.Entries = append(l.Entries, corpus.Entry{Hash: strings.Repeat("1", 64), Parent: d.Hash, Index: 1})
	}
	was := strings.Replace(edited, "e", "a", 1)
	p := &reporter{o: ReportOptions{Others: dir}, measured: &measured{ledger: l, judge: []stroke.Document{{Hash: stroke.HashText(was), Text: was}}}}
	others, err := p.others(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{"a document that was cut": cut, "one that was edited": edited, "one by others": theirs} {
		hits := others.Search(s, 1, index.SearchOptions{})
		if len(hits) == 0 {
			t.Fatalf("%s: nothing is found", name)
		}
		if !strings.Contains(theirs, hits[0].Passage.Text) {
			t.Errorf("%s: it finds %q", name, hits[0].Passage.Text)
		}
	}
}
