package likeness

import (
	"math"
	"testing"
)

func TestRewriting(t *testing.T) {
	w := part(pieces(t, "authors/wodehouse"))
	r := recogniser(t, "wodehouse", w, 0)
	var same, unmoved, lost []Rewritten
	for i, p := range w.judge {
		original := Head(p.Text, Unit)
		plain := Plain(original)
		same = append(same, Rewritten{p.Group, original, plain, original})
		unmoved = append(unmoved, Rewritten{p.Group, original, plain, plain})
		lost = append(lost, Rewritten{p.Group, original, plain, Head(w.judge[(i+1)%len(w.judge)].Text, Unit)})
	}
	how := Resampling{Rounds: 300}
	a := r.MeasureRewriting(same, how)
	if math.Abs(a.Nearer.Value-1) > 1e-9 || a.Names.Value < 0.9 || a.Numbers.Value < 0.95 || a.Claims.Value < 0.85 {
		t.Errorf("the original itself: %+v", a)
	}
	b := r.MeasureRewriting(unmoved, how)
	if b.Nearer.Value != 0 || b.Claims.Value != 1 || b.Names.Value != 1 || b.Added.Value != 0 {
		t.Errorf("the plain text itself: %+v", b)
	}
	c := r.MeasureRewriting(lost, how)
	if c.Claims.Value > 0.2 || c.Added.Value < 0.5 {
		t.Errorf("another passage: %+v", c)
	}
	t.Logf("nearer %+v, %d passages, claim %v %s", a.Nearer, a.Passages, a.Claim, a.Why)
}

func TestKept(t *testing.T) {
	source := "Miss Byng paid 1,500 pounds for three horses. She did not trust the dealer from Exeter. The stable roof leaked badly in the winter."
	for _, c := range []struct {
		text                   string
		names, numbers, claims int
		added                  int
	}{
		{source, 2, 2, 3, 0},
		{"For 3 horses Byng had paid 1500 pounds. The dealer from Exeter she did not trust. In winter the roof of the stable leaked, and badly.", 2, 2, 3, 0},
		{"She trusted the dealer from Exeter.", 1, 0, 0, 0}, // the negation is gone
		{"Nothing of this was said in Bodmin by 12 men.", 0, 0, 0, 2},
	} {
		k := KeptOf(source, c.text)
		if k.Names != (Count{2, c.names}) || k.Numbers != (Count{2, c.numbers}) || k.Claims != (Count{3, c.claims}) || len(k.Added) != c.added {
			t.Errorf("%q keeps %+v", c.text, k)
		}
	}
}

func TestPlain(t *testing.T) {
	for _, c := range [][2]string{
		{"I can't say it was really very good!", "I cannot say it was good."},
		{"He left; she stayed.", "He left. She stayed."},
		{"The tea was cold -- it was always cold -- and we drank it.", "The tea was cold. It was always cold, and we drank it."},
		{"He left---she stayed.", "He left. She stayed."},
		{"He left----a pity -- with a dog.", "He left, a pity, with a dog."},
		{"Perhaps they'll come.\n\nIt isn't far.", "They will come. It is not far."},
		{"It was not very far, rather than near.", "It was not very far, rather than near."},
	} {
		if got := Plain(c[0]); got != c[1] {
			t.Errorf("%q made plain is %q, want %q", c[0], got, c[1])
		}
	}
}
