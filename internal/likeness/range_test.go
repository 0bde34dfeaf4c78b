package likeness

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

// monotone keeps of a writer's text what is of middling length, in paragraphs
// of three sentences: every sentence is theirs, and the variety is gone.
func monotone(from []Piece) []Piece {
	var all []string
	for _, p := range from {
		for _, q := range prose.Paragraphs(p.Text) {
			for _, s := range prose.Sentences(p.Text, q) {
				if n := len(prose.WordsIn(p.Text, s)); n >= 14 && n <= 17 && !strings.ContainsAny(s.Of(p.Text), "?!;—\n") {
					all = append(all, s.Of(p.Text))
				}
			}
		}
	}
	var out []Piece
	for group := range slices.Chunk(all, 27) {
		var text []string
		for part := range slices.Chunk(group, 3) {
			text = append(text, strings.Join(part, " "))
		}
		out = append(out, Piece{fmt.Sprint("monotone ", len(out)), strings.Join(text, "\n\n")})
	}
	return out
}

func TestRange(t *testing.T) {
	all := pieces(t, "authors/wodehouse")
	w := part(all)
	_, base := baseTexts(t)
	how := Resampling{Rounds: 300}
	measure := func(twin []Piece) *Range {
		t.Helper()
		r, err := MeasureRange(w.train, Sides{Twin: twin, Base: base, Own: w.judge}, Unit, how)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	self := measure(w.more)
	if self.Monotone || self.Twin.Distance.Value > 0.05 || self.Twin.P < 0.01 || math.Abs(self.Twin.Spread.Value-1) > 0.15 {
		t.Errorf("the writer's other text: monotone %v %s, distance %+v, p %.3f, spread %+v", self.Monotone, self.Why, self.Twin.Distance, self.Twin.P, self.Twin.Spread)
	}
	if self.Nearer.Low <= 0 || math.Abs(self.Nearer.Value-(self.Base.Distance.Value-self.Twin.Distance.Value)) > 1e-12 {
		t.Errorf("the writer's other text is %+v nearer than the base: %+v and %+v", self.Nearer, self.Twin.Distance, self.Base.Distance)
	}
	if none := measure(base); none.Nearer.Low > 0 || none.Nearer.High < 0 {
		t.Errorf("the base is %+v nearer than itself", none.Nearer)
	}
	if self.Base.Distance.Low <= self.Own.Distance.High || self.Base.P > 0.05 {
		t.Errorf("the base is at %+v (p %.3f), the writer at %+v", self.Base.Distance, self.Base.P, self.Own.Distance)
	}
	flat := measure(monotone(all))
	if !flat.Monotone || flat.Twin.Habits[habitSentence].Spread.High > 0.5 || flat.Twin.Habits[habitSentence].P > 0.02 {
		t.Errorf("sentences of one length: monotone %v, spread %+v, sentence length %+v", flat.Monotone, flat.Twin.Spread, flat.Twin.Habits[habitSentence])
	}
	// A loop: the same paragraph again and again.
	var loop []Piece
	for _, p := range w.more {
		first := Head(p.Text, 50)
		loop = append(loop, Piece{p.Group, strings.Repeat(first+".\n\n", 9)})
	}
	if r := measure(loop); !r.Monotone || r.Repetition[OfTwin].Within.Value < 0.6 || r.Repetition[OfTwin].Loops.Value < 0.5 {
		t.Errorf("a loop: monotone %v, %+v", r.Monotone, r.Repetition[OfTwin])
	}
	// The same text from every opening.
	var same []Piece
	for _, p := range w.more {
		same = append(same, Piece{p.Group, w.more[0].Text})
	}
	if r := measure(same); !r.Monotone || r.Repetition[OfTwin].Between.Value < 0.4 {
		t.Errorf("one text for all: monotone %v, %+v", r.Monotone, r.Repetition[OfTwin])
	}
	if none := measure(nil); !math.IsNaN(none.Twin.Distance.Value) || none.Twin.P != 1 {
		t.Errorf("nothing written: %+v", none.Twin.Distance)
	}
}

// Distances of distributions whose values are known.
func TestEnergy(t *testing.T) {
	one := func(habit int, bins ...int) side {
		var s side
		for _, b := range bins {
			u := &unit{bins: newHistogram()}
			u.bins[habit][b] = 10
			u.close()
			s.groups = append(s.groups, u)
		}
		return s
	}
	at := func(habit int, a, b side) float64 {
		ones := [][]float64{{1, 1, 1, 1}, {1, 1, 1, 1}}
		w, between := spreads(habit, a, b, nil, ones)
		return energy(w, between)
	}
	if d := at(habitSentence, one(habitSentence, 3, 3, 3, 3), one(habitSentence, 9, 9, 9, 9)); d != 1 {
		t.Errorf("two points apart: %g, want 1", d)
	}
	if d := at(habitSentence, one(habitSentence, 5, 5, 5, 5), one(habitSentence, 5, 5, 5, 5)); d != 0 {
		t.Errorf("one point: %g, want 0", d)
	}
	// X is 4 or 6, Y is 5: |x−y| is 1 on average. Of the 12 ordered pairs of
	// different groups of X 8 are 2 apart, 4/3 on average. (2·1 − 4/3)/(2·1) = 1/3.
	if d := at(habitSentence, one(habitSentence, 4, 4, 6, 6), one(habitSentence, 5, 5, 5, 5)); math.Abs(d-1.0/3) > 1e-12 {
		t.Errorf("spread against a point: %g, want 1/3", d)
	}
	// Kinds: how far apart their numbers are has no say.
	if a, b := at(habitPerson, one(habitPerson, 0, 0, 0, 0), one(habitPerson, 1, 1, 1, 1)), at(habitPerson, one(habitPerson, 0, 0, 0, 0), one(habitPerson, 5, 5, 5, 5)); a != b || a != 1 {
		t.Errorf("kinds: %g and %g, want 1", a, b)
	}
}

// The flattest text there is, one sentence with other words in it, is monotone by habits
// that do not vary at all in it, and so it is with two sentences more.
func TestRangeOfNoVariety(t *testing.T) {
	w := part(pieces(t, "authors/lynch"))
	words := strings.Fields("cold dark tall grey broad small quiet green plain narrow open wide")
	things := strings.Fields("house river garden window table road field bridge church market school harbour")
	var flat, more []Piece
	for i := range 8 {
		var text []string
		for k := range 6 + i%4 {
			text = append(text, fmt.Sprintf("The %s %s was near the %s of the %s %s.", words[(i*5+k)%12], things[(i+k*7)%12], things[(i*3+k)%12], words[(i+k*5)%12], things[(i*7+k*3+1)%12]))
		}
		flat = append(flat, Piece{fmt.Sprint("t", i), strings.Join(text, " ")})
		if i < 2 {
			text = append([]string{"I will perhaps go, she said; why?"}, text...)
		}
		more = append(more, Piece{fmt.Sprint("t", i), strings.Join(text, " ")})
	}
	var own []Piece
	for i, p := range w.judge[:8] {
		own = append(own, Piece{fmt.Sprint("o", i), Head(p.Text, 100)})
	}
	for name, twin := range map[string][]Piece{"flat": flat, "nearly flat": more} {
		r, err := MeasureRange(w.train, Sides{Twin: twin, Own: own}, 100, Resampling{Rounds: 300, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Monotone {
			t.Errorf("%s: spread %+v, that of the writer's other pieces %+v", name, r.Twin.Spread, r.Own.Spread)
		}
	}
}

// Where texts go on from the writer's documents, none is set against its own: parts
// of documents that are each of their own kind are as far apart as the documents.
func TestRangeTogether(t *testing.T) {
	w := part(pieces(t, "authors/lynch"))
	_, base := baseTexts(t)
	how := Resampling{Rounds: 100, Seed: 1}
	var whole, parts, bare []Piece
	for i, p := range w.judge {
		whole = append(whole, p)
		parts = append(parts, Piece{p.Group, Tail(p.Text, Unit)})
		bare = append(bare, Piece{p.Group, base[i%len(base)].Text})
	}
	r, err := MeasureRange(whole, Sides{Twin: parts, Base: bare, Own: parts}, Unit, how)
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Own.Distance; !d.Contains(0) && math.Abs(d.Value) > 0.01 || r.Own.P < 0.05 {
		t.Errorf("parts of the writer's documents are %+v from the others, p %.3f", d, r.Own.P)
	}
	if r.Base.Distance.Low <= r.Own.Distance.High || r.Base.P > 0.05 {
		t.Errorf("the base is at %+v (p %.3f), the writer at %+v", r.Base.Distance, r.Base.P, r.Own.Distance)
	}

	point := func(group string, bin int) *unit {
		u := &unit{group: group, document: group, bins: newHistogram()}
		u.bins[habitSentence][bin] = 10
		u.close()
		return u
	}
	a, b := side{[]*unit{point("x", 3), point("y", 9)}}, side{[]*unit{point("x", 3), point("y", 9)}}
	ones := [][]float64{{1, 1}, {1, 1}}
	if _, between := spreads(habitSentence, a, b, ofOneDocument(a, b), ones); between != 6 {
		t.Errorf("between documents of their own kinds %g, want the 6 steps of every pair of two documents", between)
	}
	if _, between := spreads(habitSentence, a, b, nil, ones); between != 3 {
		t.Errorf("over all pairs %g, want 3", between)
	}
}

// TestDashes counts a dash once, however it is typed.
func TestDashes(t *testing.T) {
	for text, want := range map[string]float64{
		"He left—she stayed": 1, "He left – she stayed": 1, "He left - she stayed": 1, "He left--she stayed": 1, "He left---she stayed": 1,
		"He left -- she stayed --- all day": 2, "A ------ of a man": 1, "A well-known man": 0,
	} {
		h := newHistogram()
		h.marks(text)
		at := slices.Index(habits[habitMarks].Labels, "—")
		if got := h[habitMarks][at]; got != want {
			t.Errorf("%q has %g dashes, want %g", text, got, want)
		}
	}
}

func TestHabitRules(t *testing.T) {
	for _, c := range []struct {
		text  string
		habit int
		bin   string
	}{
		{"I walked home.", habitOpening, "I or we"},
		{"But nobody came.", habitOpening, "and, but or so"},
		{"Suddenly the lamp went out.", habitOpening, "an adverb"},
		{"Walking is good for you.", habitOpening, "an -ing form"},
		{"There was a storm.", habitOpening, "there"},
		{"Wodehouse laughed.", habitOpening, "a name"},
		{"What do you want?", habitOpening, "a question word"},
		{"We shall see.", habitPerson, "we"},
		{"The door was shut.", habitPerson, "none"},
		{"It will rain.", habitTense, "future or modal"},
		{"She has gone out.", habitTense, "perfect"},
		{"She went out.", habitTense, "past"},
		{"She is out.", habitTense, "present"},
		{"Perhaps it rains.", habitHedge, "hedged"},
		{"It is certainly cold.", habitHedge, "stressed"},
		{"He ran like a hare.", habitFigure, "simile"},
		{"The stone was as cold as a key.", habitFigure, "simile"},
		{"We had bread, cheese, and wine.", habitFigure, "triad"},
		{"We had bread, cheese and wine.", habitFigure, "triad"},
		{"It was not the rain but the wind.", habitFigure, "not X but Y"},
		{"Big brown bears live here.", habitFigure, "alliteration"},
		{"He left--so they say--at noon.", habitFigure, "aside"},
		{"He left---so they say---at noon.", habitFigure, "aside"},
		{"The house stood by the water.", habitFigure, "no figure"},
		{"He left----she stayed at home.", habitFigure, "no figure"},
		{"He left; she stayed.", habitMarks, ";"},
		{"He left -- she stayed.", habitMarks, "—"},
	} {
		p, err := Profiles([]Piece{{"", c.text}})
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.Index(habits[c.habit].Labels, c.bin); i < 0 || p[c.habit].Shares[i] == 0 {
			t.Errorf("%q: %s is not %q: %v", c.text, habits[c.habit].Name, c.bin, p[c.habit].Shares)
		}
	}
	p, err := Profiles([]Piece{{"", "One two three four five six seven eight. One two three four five six seven eight."}})
	if err != nil {
		t.Fatal(err)
	}
	if p[habitSentence].Middle != 8 || p[habitSentence].Count != 2 {
		t.Errorf("middle %g of %g sentences, want 8 of 2", p[habitSentence].Middle, p[habitSentence].Count)
	}
}
