package twin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/testkit"
)

// halves copies the beginnings of files of writers into one folder, a folder each.
func halves(t *testing.T, writers ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, w := range writers {
		files, err := filepath.Glob(filepath.Join(testkit.Shared(t, filepath.FromSlash(w)), "*.md"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		to := filepath.Join(dir, filepath.Base(w))
		if err := os.Mkdir(to, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to, filepath.Base(f)), b[:min(len(b), 20_000)], 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestTwoWriters trains on a folder with the files of two writers: that is told, with
// whose files are whose, and asked where there is somebody; no leaves nothing behind.
func TestTwoWriters(t *testing.T) {
	both := halves(t, "reference/wollstonecraft", "reference/london")
	look := func(o Options) (found []stroke.WritersEvent, err error) {
		t.Helper()
		o.Name, o.To = "x", filepath.Join(t.TempDir(), "twin")
		r, done, err := o.prepare(context.Background(), func(e stroke.Event) {
			if w, ok := e.(stroke.WritersEvent); ok {
				found = append(found, w)
			}
		})
		if r != nil {
			done()
		}
		if _, e := os.Stat(o.To); err != nil && e == nil {
			t.Error("something is left behind")
		}
		return found, err
	}
	found, err := look(Options{Source: both, DryRun: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("told is %+v, %v", found, err)
	}
	for _, s := range found[0].Sides {
		if len(s.Files) == 0 || s.Words < 1000 {
			t.Fatalf("a side is %+v", s)
		}
		for _, f := range s.Files {
			if strings.Contains(f, "#") || filepath.Dir(f) != filepath.Dir(s.Files[0]) {
				t.Errorf("%s is beside %s", f, s.Files[0])
			}
		}
	}
	if found[0].Hint == "" || len(found[0].Tells) == 0 {
		t.Errorf("it does not say what to do or why: %+v", found[0])
	}
	asked := ""
	_, err = look(Options{Source: both, Ask: func(_ context.Context, q string) (bool, error) { asked = q; return false, nil }})
	if stroke.CodeOf(err) != stroke.CodeInterrupted || stroke.HintOf(err) == "" || asked == "" {
		t.Errorf("after no to %q: %v", asked, err)
	}
	for _, one := range []string{"reference/wollstonecraft", "reference/london"} {
		if found, err := look(Options{Source: halves(t, one), DryRun: true}); err != nil || len(found) != 0 {
			t.Errorf("%s: told is %+v, %v", one, found, err)
		}
	}
	for source, want := range map[string]string{"a.md": "a.md", "b/a.md#12": "b/a.md", "c#.md": "c#.md", "#4": "#4", "c#.md#3": "c#.md"} {
		if got := fileOf(source); got != want {
			t.Errorf("%q is of the file %q", source, got)
		}
	}
}
