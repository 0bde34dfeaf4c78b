package likeness

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestMarks plants a word, a turn and a run, and finds them, and nothing of what
// English has anyway, of one piece alone, or of the base's.
func TestMarks(t *testing.T) {
	var train []Piece
	for i := range 4 {
		train = append(train, Piece{Group: fmt.Sprint(i), Text: strings.Repeat("The house was quiet and the street was long. ", 6) +
			fmt.Sprintf("Presumably number %d was empty. I should say that it rained, presumably. One of the men was there with Harold. ", i) +
			strings.Repeat("The kettle sang. ", 3*(i/3))})
	}
	train[0].Text += "My uncle kept his seven letters under the bread in a tin with a blue lid."
	m, err := NewMarker(train, []Piece{{Group: "b", Text: "One of the men went home."}})
	if err != nil {
		t.Fatal(err)
	}
	text := "He came late, presumably. I should say that it was Harold. One of the men laughed. The kettle was there; " +
		"my uncle kept his seven letters under the bread, as I knew."
	got := map[string]MarkKind{}
	last := 0
	for _, k := range m.Marks(text) {
		if k.Lo < last || k.Hi <= k.Lo {
			t.Errorf("marks overlap or are out of order: %+v", k)
		}
		last = k.Hi
		got[text[k.Lo:k.Hi]] = k.Kind
	}
	want := map[string]MarkKind{"presumably": MarkWord, "I should say that it": MarkTurn, "my uncle kept his seven letters under the bread": MarkRun}
	for w, kind := range want {
		if got[w] != kind {
			t.Errorf("%q is marked %q, want %q: %v", w, got[w], kind, got)
		}
	}
	for g := range got {
		if strings.Contains(g, "kettle") || strings.Contains(g, "Harold") || strings.Contains(g, "of the men") {
			t.Errorf("%q is marked", g)
		}
	}
	if len(m.Marks("")) != 0 {
		t.Error("nothing is marked")
	}
	how := Resampling{Seed: 1, Rounds: 50}
	own := Density([]*Marker{m, m}, [][]Piece{{{"x", "Presumably she slept."}}, {{"y", "We went home, presumably, to bed."}}}, how)
	other := Density([]*Marker{m}, [][]Piece{{{"x", "Rain fell on every roof by day."}}}, how)
	if want := 100 * 2.0 / 9; math.Abs(own.Value-want) > 1e-9 || other.Value != 0 {
		t.Errorf("densities %+v and %+v, want %.1f and 0", own, other, want)
	}
}

// TestMarksOfWriters demands that writers have more of their own marks in what
// they went on to write than others have.
func TestMarksOfWriters(t *testing.T) {
	base, _ := baseTexts(t)
	lynch, wodehouse := part(pieces(t, "authors/lynch")), part(pieces(t, "authors/wodehouse"))
	for _, c := range []struct {
		name       string
		own, other writer
	}{{"lynch", lynch, wodehouse}, {"wodehouse", wodehouse, lynch}} {
		m, err := NewMarker(c.own.train, base)
		if err != nil {
			t.Fatal(err)
		}
		how := Resampling{Seed: 1, Rounds: 200}
		own, other := Density([]*Marker{m}, [][]Piece{c.own.judge}, how), Density([]*Marker{m}, [][]Piece{c.other.judge}, how)
		t.Logf("%s: %.1f marks in a hundred words, another writer %.1f", c.name, own.Value, other.Value)
		if own.Low <= other.High {
			t.Errorf("%s: %+v, and another writer has %+v", c.name, own, other)
		}
	}
}
