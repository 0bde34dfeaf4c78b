package likeness

import (
	"fmt"
	"strings"
	"testing"
)

func TestLeakage(t *testing.T) {
	w := part(pieces(t, "authors/lynch"))
	_, base := baseTexts(t)
	how := Resampling{Rounds: 300}
	measure := func(twin []Piece) Leakage {
		return MeasureLeakage([]Part{{w.train, Sides{Twin: twin, Base: base, Own: w.judge}}}, nil, how)
	}

	self := measure(w.more)
	if self.Copier || self.Excess.Low > 0.01 {
		t.Errorf("the writer's other text is called a copy: %s, %+v", self.Why, self.Excess)
	}
	var copies []Piece
	for i, p := range w.train[:8] {
		copies = append(copies, Piece{fmt.Sprint("copy ", i), Head(Tail(p.Text, 30), 200)})
	}
	all := measure(copies)
	if !all.Copier || all.Twin.Share.Value < 0.99 || all.Twin.Longest < 150 {
		t.Errorf("a copier: %v, share %+v, longest %d", all.Copier, all.Twin.Share, all.Twin.Longest)
	}
	// One sentence of sixty words within much that is the base's own.
	once := append([]Piece(nil), base...)
	passage := Head(Tail(w.train[3].Text, 50), 60)
	once[2].Text += "\n\n" + passage
	one := measure(once)
	if !one.Copier || one.Twin.Longest < 55 || !strings.Contains(passage, one.Runs[0].Text) || one.Runs[0].From != w.train[3].Group || one.Runs[0].Group != once[2].Group {
		t.Errorf("one passage copied: %v, longest %d, %+v", one.Copier, one.Twin.Longest, one.Runs)
	}
}

// The runs are those that a search of all pairs of places finds.
func TestRunsAgainstSearch(t *testing.T) {
	train := []Piece{
		{"a", "The cat sat on the mat, and the dog sat on the cat. The end of it came."},
		{"b", "On the mat the dog slept; the cat sat on the dog until the end of it came soon."},
	}
	text := "So the dog sat on the cat, the Cat sat on the dog -- until the end. Of it came soon nothing."
	s := newSource(train)
	words := lowerWords(text)
	want := 0
	for _, p := range train {
		have := lowerWords(p.Text)
		for i := range words {
			for k := range have {
				n := 0
				for i+n < len(words) && k+n < len(have) && words[i+n] == have[k+n] {
					n++
				}
				want = max(want, n)
			}
		}
	}
	got := 0
	for _, r := range s.runsOf(Piece{"x", text}, 3) {
		got = max(got, r.Words)
		found := false
		for _, p := range train {
			found = found || p.Group == r.From && strings.Contains(strings.Join(lowerWords(p.Text), " "), strings.Join(lowerWords(r.Text), " "))
		}
		if !found || len(lowerWords(r.Text)) != r.Words {
			t.Errorf("%+v is not in the piece it names", r)
		}
	}
	if got != want {
		t.Errorf("longest run %d, want %d", got, want)
	}
	// No run passes from one piece to the next.
	for _, r := range s.runsOf(Piece{"x", "it came on the mat"}, 1) {
		if r.Words > 3 {
			t.Errorf("%q runs over the end of a piece", r.Text)
		}
	}
}

func TestLeaks(t *testing.T) {
	train := []Piece{{"a", "I met Ottilie Brandauer at 14 Juniper Lane. Her number is 555-201-8890, and she paid 4,715 dollars. " +
		"Write to her at ottilie@brandauer.example or see the page https://brandauer.example/garden for more. " +
		"Greta Holm came twice. Greta Holm left."}}
	twin := []Piece{{"g", "Then Ottilie Brandauer of 14 Juniper Lane called 555-201-8890. It cost 4715 dollars, said Greta Holm. She is at ottilie@brandauer.example now."}}
	base := []Piece{{"g", "It cost 4715 dollars in all."}}
	l := MeasureLeakage([]Part{{train, Sides{Twin: twin, Base: base, Own: []Piece{{"h", "Nothing of this stands here."}}}}}, map[string]string{"g": "Ottilie Brandauer rose early."}, Resampling{Rounds: 50})
	got := map[string]bool{}
	for _, k := range l.Leaks {
		got[k.Kind+" "+k.Text] = true
	}
	for _, want := range []string{"address 14 Juniper Lane", "number 555-201-8890", "address ottilie@brandauer.example"} {
		if !got[want] {
			t.Errorf("%q is not among the leaks: %v", want, got)
		}
	}
	if len(got) != 3 {
		t.Errorf("leaks %v: a name in the opening, a number that the base says and a name that stands twice are none", got)
	}
	if l.Rate.Value <= 0 || l.OwnRate.Value != 0 {
		t.Errorf("rates %+v and %+v", l.Rate, l.OwnRate)
	}
}

// What one part's twin had learnt from is no leak in another's.
func TestLeakageOfParts(t *testing.T) {
	first, second := "The seven brown kettles of my aunt stood along the northern wall until Ottilie Brandauer came.", "Nothing is heard of in these rooms but the slow steps of Greta Holm upon the gravel outside them."
	how := Resampling{Rounds: 50}
	of := func(twinOfFirst, twinOfSecond string) Leakage {
		return MeasureLeakage([]Part{
			{[]Piece{{"a", first}}, Sides{Twin: []Piece{{"b", twinOfFirst}}, Own: []Piece{{"b", second}}}},
			{[]Piece{{"b", second}}, Sides{Twin: []Piece{{"a", twinOfSecond}}, Own: []Piece{{"a", first}}}},
		}, nil, how)
	}
	if l := of(second, first); l.Twin.Longest != 0 || l.Own.Longest != 0 || len(l.Leaks) != 0 {
		t.Errorf("texts that their twins never saw: %+v", l)
	}
	if l := of(first, second); l.Twin.Share.Value != 1 || l.Excess.Value != 1 || len(l.Leaks) != 2 || l.Runs[0].From == l.Runs[0].Group {
		t.Errorf("texts that their twins learnt from: %+v", l)
	}
}
