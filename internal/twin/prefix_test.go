package twin

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/getstroke/stroke/internal/engine"
)

// TestPrefixes writes the same opening in one process after another: what was
// computed of the passages is found, damaged or not the text is the same, old
// files go, and with a twin all of them.
func TestPrefixes(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 14 }))
	o.Change = func(r *Recipe) {
		small(r)
		r.Prompt.Choose = nil // the toy would choose none
	}
	f, _ := trained(t, o)
	home, err := Home()
	if err != nil {
		t.Fatal(err)
	}
	kept := func() []string {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(home, prefixesDir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	write := func(opening string, keep bool) (string, engine.Stats) {
		t.Helper()
		v, err := OpenVoice(context.Background(), f.Dir, VoiceOptions{Keep: keep}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		s := &Speech{Sampling: DefaultSampling(), Max: 5, Strength: 1, Passages: true}
		written := ""
		if _, err := v.Write(context.Background(), opening, s, func(t string) error { written += t; return nil }); err != nil {
			t.Fatal(err)
		}
		return written, v.engine.Stats()
	}
	want, first := write("It rained", false)
	if len(kept()) != 0 || first.Read < prefixLeast {
		t.Fatalf("%v are kept without being asked for; %d tokens were read", kept(), first.Read)
	}
	again := func(what string, cached bool) {
		t.Helper()
		got, s := write("It rained", true)
		if got != want || (s.Read < prefixLeast) != cached {
			t.Errorf("%s: %q and not %q, with %d tokens read", what, got, want, s.Read)
		}
		if len(kept()) != 1 {
			t.Errorf("%s: %v are kept", what, kept())
		}
	}
	again("the first time", false)
	again("the second time", true)
	path := kept()[0]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(filepath.Base(o.Base))) {
		t.Error("the path of the base can be read in what is kept")
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	again("damaged", false)
	again("after that", true)
	for _, opening := range []string{"The boiler", "Snow on the roof", "A letter came", "My uncle"} {
		write(opening, true)
	}
	if n := len(kept()); n < 2 || n > prefixesKept {
		t.Errorf("after five openings %d are kept", n)
	}
	if err := Remove(f.Dir); err != nil {
		t.Fatal(err)
	}
	if len(kept()) != 0 {
		t.Errorf("the twin is deleted, and %v are kept", kept())
	}
}
