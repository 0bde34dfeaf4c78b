package twin

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
)

// TestTryGenresByTwin tries genres on the documents that training would look at: by the
// roles of the folder's twin or of the one that is named, and never on what judges there.
func TestTryGenresByTwin(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	source := writing(t, filepath.Join(t.TempDir(), "notes"), func(i int) bool { return i < 14 })
	reading, err := corpus.Read(context.Background(), source, corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drawn := &corpus.Ledger{}
	docs, err := corpus.Assign(drawn, reading.Documents, corpus.AssignOptions{Clusters: reading.Clusters})
	if err != nil {
		t.Fatal(err)
	}
	// The twins have other roles than would be drawn anew.
	home, err := Home()
	if err != nil {
		t.Fatal(err)
	}
	ledgers := map[string]*corpus.Ledger{"new": drawn}
	for by, name := range map[int]string{3: "notes", 7: "other"} {
		f, err := create(filepath.Join(home, "twins", name), name)
		if err != nil {
			t.Fatal(err)
		}
		l := &corpus.Ledger{}
		for i, e := range drawn.Entries {
			e.Role = drawn.Entries[(i+by)%len(drawn.Entries)].Role
			l.Entries = append(l.Entries, e)
		}
		if err := f.saveLedger(ledgerFile, l); err != nil {
			t.Fatal(err)
		}
		ledgers[name] = l
	}
	for _, c := range []struct{ source, name, twin string }{{source, "", "notes"}, {source, "other", "other"}, {filepath.Join(t.TempDir(), "new"), "", "new"}} {
		own, err := twinFor(c.source, c.name)
		if err != nil {
			t.Fatal(err)
		}
		tried, by, err := own.tryOn(reading, func(stroke.Event) {})
		if err != nil || by != "select and train" {
			t.Fatalf("by %q: %v", by, err)
		}
		l := ledgers[c.twin]
		if judges := byRole(docs, l, stroke.RoleJudge); len(tried) != len(docs)-len(judges) {
			t.Errorf("of %d documents, %d of which judge, %d are looked at", len(docs), len(judges), len(tried))
		}
		for _, d := range tried {
			if l.Role(d.Hash) == stroke.RoleJudge {
				t.Errorf("by the twin %s %s is looked at, which judges", c.twin, d.Source)
			}
		}
	}
	// Of what is too little to be given roles it is not known what judges.
	reading.Documents = reading.Documents[:1]
	own, err := twinFor(source, "")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = own.tryOn(reading, nil)
	code(t, err, stroke.CodeInput)
}
