package likeness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// folder deals a writer's pieces as files of a folder, so many words in all.
func folder(name string, all []Piece, words int) []Piece {
	var out []Piece
	for i, p := range all {
		if words <= 0 || countWords(p.Text) < 2*Unit {
			continue
		}
		p = Piece{fmt.Sprintf("%s/%02d.md", name, i), Head(p.Text, min(1000, words))}
		words -= countWords(p.Text)
		out = append(out, p)
	}
	return out
}

// TestFindWriters looks at folders of one writer and of two.
func TestFindWriters(t *testing.T) {
	a, b := pieces(t, "reference/wollstonecraft"), pieces(t, "reference/london")
	without := []string{"wollstonecraft", "london"}
	find := func(p []Piece) *Writers {
		t.Helper()
		w, err := FindWriters(context.Background(), p, without)
		if err != nil {
			t.Fatal(err)
		}
		if w == nil {
			t.Fatal("nothing is said")
		}
		return w
	}
	for name, p := range map[string][]Piece{"wollstonecraft": a, "london": b} {
		if w := find(folder("x", p, 10_000)); w.Two {
			t.Errorf("%s is taken for two writers: %.3f, bound %.3f", name, w.Margin, w.Bound)
		}
	}
	mixed := append(folder("a", a, 6000), folder("b", b, 5000)...)
	w := find(mixed)
	if !w.Two {
		t.Fatalf("two writers are not found: %.3f, bound %.3f", w.Margin, w.Bound)
	}
	for side, begins := range []string{"a/", "b/"} {
		for _, f := range w.Sides[side] {
			if !strings.HasPrefix(f, begins) {
				t.Errorf("%s is on the side of %s", f, begins)
			}
		}
	}
	if w.Words[0] < w.Words[1] || w.Words[0]+w.Words[1] != 11_000 {
		t.Errorf("the sides have %v words", w.Words)
	}
	if len(w.Tells) == 0 || w.Tells[0].Rate[0] == w.Tells[0].Rate[1] {
		t.Errorf("what tells them apart is %+v", w.Tells)
	}
	// Other names in another order change nothing but the order.
	slices.Reverse(mixed)
	if again := find(mixed); again.Margin != w.Margin || !slices.Equal(again.Sides[0], w.Sides[0]) {
		t.Errorf("in another order it is %.6f and not %.6f", again.Margin, w.Margin)
	}
}

// TestFindWritersLittle says nothing where nothing can be said.
func TestFindWritersLittle(t *testing.T) {
	text := strings.Repeat("It rained all week, and nobody said so. ", 400)
	for name, p := range map[string][]Piece{
		"no file":      nil,
		"one file":     {{"a.md", text}},
		"short files":  {{"a.md", Head(text, 150)}, {"b.md", Head(text, 150)}},
		"little text":  {{"a.md", Head(text, 500)}, {"b.md", Head(text, 500)}},
		"a small part": {{"a.md", text}, {"b.md", Head(text, 300)}},
	} {
		w, err := FindWriters(context.Background(), p, nil)
		if err != nil || w != nil {
			t.Errorf("%s: %+v, %v", name, w, err)
		}
	}
	// The same text in two files is no two writers.
	w, err := FindWriters(context.Background(), []Piece{{"a.md", text}, {"b.md", text}}, nil)
	if err != nil || w == nil || w.Two {
		t.Errorf("the same text twice: %+v, %v", w, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := FindWriters(ctx, []Piece{{"a.md", text}, {"b.md", text}}, nil); err == nil {
		t.Error("it goes on when it is stopped")
	}
}
