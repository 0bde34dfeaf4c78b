package twin

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
)

// TestCrossFitOtherRun stops a cross-fitted run behind its first fold and goes on with
// other text: that is refused before anything is trained or written, and with the text of
// the run it goes on.
func TestCrossFitOtherRun(t *testing.T) {
	o := crossed(t)
	o.To = filepath.Join(t.TempDir(), "twin [me") // no pattern
	// stop trains into the part behind the first fold.
	stop := func() {
		t.Helper()
		r := &run{f: &Folder{Dir: o.To}}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		err := Train(ctx, o, func(e stroke.Event) {
			if _, ok := e.(stroke.StepEvent); !ok {
				return
			}
			if _, err := os.Stat(r.foldFile(0)); err == nil {
				cancel()
			}
		})
		code(t, err, stroke.CodeInterrupted)
	}
	stop()
	left := func() map[string]string {
		out := map[string]string{}
		root := os.DirFS(filepath.Join(o.To, runDir))
		if err := fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := fs.ReadFile(root, path)
			out[path] = string(b)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	was := left()
	o.Resume = true
	added := filepath.Join(o.Source, "more.txt")
	if err := os.WriteFile(added, []byte(strings.Repeat("Nobody had told the gardener that the gate would be shut before the rain. ", 20)), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Train(context.Background(), o, func(e stroke.Event) {
		if s, ok := e.(stroke.StepEvent); ok {
			t.Fatalf("with other text it trains: %+v", s)
		}
	})
	if code(t, err, stroke.CodeInput); !strings.Contains(err.Error(), "of another run") || !strings.Contains(stroke.HintOf(err), "--afresh") {
		t.Errorf("with other text: %v, %q", err, stroke.HintOf(err))
	}
	if now := left(); !maps.Equal(now, was) {
		t.Error("with other text something of the run was written over")
	}
	if err := os.Remove(added); err != nil {
		t.Fatal(err)
	}
	stop()
	if now := left(); now["fold-1.json"] != was["fold-1.json"] {
		t.Error("the first fold was judged again")
	}

	// Folds that were dealt otherwise are no hindrance where nobody asked for that run.
	fold := filepath.Join(o.To, runDir, "fold-1.json")
	if err := os.WriteFile(fold, []byte(strings.Replace(was["fold-1.json"], `"key":"`, `"key":"0`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Resume = false
	told := ""
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err = Train(ctx, o, func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.NoteEvent:
			told += e.Text + "\n"
		case stroke.StepEvent:
			cancel()
		}
	})
	if code(t, err, stroke.CodeInterrupted); !strings.Contains(told, "of another run") || !strings.Contains(told, "begun again") || !strings.Contains(told, "fold 1 of") {
		t.Errorf("with folds that were dealt otherwise it tells %q", told)
	}
}
