package twin

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/testkit"
)

// baseWrote are texts that the bare base wrote.
func baseWrote(t *testing.T) []stroke.Document {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "likeness", "testdata", "base.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var docs []stroke.Document
	for line := range strings.Lines(string(b)) {
		var x struct{ Text string }
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, stroke.Document{Hash: stroke.HashText(x.Text), Source: "base" + stroke.HashText(x.Text)[:4] + ".md", Text: x.Text})
	}
	return docs
}

// TestGenerated wants what the base wrote told of, among a writer's pieces too, and
// no piece of a writer's.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("scores with the real base")
	}
	path := testkit.Base(t)
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	notebook, err := corpus.Read(t.Context(), filepath.Join(testkit.Root(t), "examples", "notebook"), corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	base := baseWrote(t)
	for name, c := range map[string]struct {
		docs []stroke.Document
		want string
	}{
		"a writer": {notebook.Documents[:8], ""},
		"the base": {base[:4], "4 of the 4 pieces"},
		"both":     {append(base[4:5:5], notebook.Documents[8:11]...), "1 of the 4 pieces"},
	} {
		said := ""
		r := &run{b: b, o: &Options{}, recipe: DefaultRecipe(1000), emit: func(e stroke.Event) { said += e.(stroke.NoteEvent).Text }}
		if err := r.tellGenerated(context.Background(), c.docs); err != nil {
			t.Fatal(err)
		}
		if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: said %q", name, said)
		}
	}
}

func TestFresh(t *testing.T) {
	l := &corpus.Ledger{Entries: []corpus.Entry{{Hash: "a"}}}
	if f := fresh(l, []stroke.Document{{Hash: "a"}, {Hash: "b"}}); len(f) != 1 || f[0].Hash != "b" {
		t.Errorf("%v", f)
	}
}

// TestGeneratedInterrupted holds that a run that was stopped while it looked knows
// nothing yet, so that the next one looks again, and that the twin is free for it.
func TestGeneratedInterrupted(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(int) bool { return true }))
	ctx, cancel := context.WithCancel(context.Background())
	err := Train(ctx, o, func(e stroke.Event) {
		if _, ok := e.(stroke.BaseEvent); ok {
			cancel()
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted || !strings.Contains(err.Error(), "may have written") {
		t.Fatalf("stopped: %v", err)
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	l, err := f.Ledger()
	if err != nil || len(l.Entries) > 0 {
		t.Errorf("%d documents are known, %v", len(l.Entries), err)
	}
	trained(t, o)
}
