package twin

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestBlindPlaces: a test that was begun goes on where it was, with openings that none of
// its pairs has, whatever their order was then; these come round when all were used.
func TestBlindPlaces(t *testing.T) {
	at := func(name string) opening { return opening{doc: stroke.Document{Hash: name[:1]}, text: name} }
	var all []opening
	for _, name := range strings.Fields("a1 b1 a2 b2") {
		all = append(all, at(name))
	}
	for _, c := range []struct {
		pairs, want string
		wanted      int
	}{
		{"", "a1 b1", 2},
		{"a2 gone", "a2 gone a1 b1 b2", 5},
		{"b1", "b1 a1 a2 b2 a1 b1", 6},
		{"a1 b1 a2 b2", "a1 b1 a2 b2 a1", 5},
		{"a1 b1 a2", "a1 b1 a2", 2},
	} {
		b := &Blind{file: blindFile{Wanted: c.wanted}}
		for _, name := range strings.Fields(c.pairs) {
			b.file.Pairs = append(b.file.Pairs, BlindPair{Document: name[:1], Opening: name})
		}
		var got []string
		for _, o := range b.places(all) {
			got = append(got, o.text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("after %q, %d pairs begin at %v, not %s", c.pairs, c.wanted, got, c.want)
		}
	}
}

// TestBlindUnanswered has no share while nothing is answered.
func TestBlindUnanswered(t *testing.T) {
	for _, c := range []struct {
		answer Choice
		null   bool
	}{{"", true}, {ChoseTwin, false}} {
		b := blindFile{Pairs: []BlindPair{{Answer: c.answer}}}
		got, err := json.Marshal(b.result("me"))
		if err != nil || strings.Contains(string(got), `"share":null`) != c.null {
			t.Errorf("answered %q: %s, %v", c.answer, got, err)
		}
	}
}

// TestBlindOtherBase goes on with a test where its base has been moved, and not where
// another lies at its path.
func TestBlindOtherBase(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 14 }))
	f, _ := trained(t, o)
	open := func(base string, more bool) error {
		b, err := OpenBlind(context.Background(), BlindOptions{Name: f.Dir, Base: base, Pairs: 1, Words: 6, More: more}, nil)
		if err == nil {
			b.Close()
		}
		return err
	}
	if err := open("", false); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "moved.gguf")
	if err := os.Rename(o.Base, moved); err != nil {
		t.Fatal(err)
	}
	if err := testkit.WriteToy(o.Base, testkit.ToyShape{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	err := open("", true)
	if code(t, err, stroke.CodeInput); !strings.Contains(err.Error(), "other numbers now") || stroke.HintOf(err) == "" {
		t.Errorf("on another base at the same path: %v", err)
	}
	if err := open(moved, true); err != nil {
		t.Errorf("on the base where it lies now: %v", err)
	}
}
