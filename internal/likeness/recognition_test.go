package likeness

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"

	stroke "github.com/getstroke/stroke"
)

func TestRecognition(t *testing.T) {
	lynch := part(pieces(t, "authors/lynch"))
	stranger := part(pieces(t, "authors/matklad"))
	_, base := baseTexts(t)
	how := Resampling{Seed: 1}

	var first Recognition
	for seed := range uint64(2) {
		r := recogniser(t, "lynch", lynch, seed)
		if n := len(r.Classes()); n < others+18 {
			t.Fatalf("%d classes: at least eighteen other writers are needed", n)
		}
		how.Seed = seed
		self := Recognise([]Asked{{r, Sides{Twin: lynch.more, Base: base, Own: lynch.judge}}}, how)
		t.Logf("seed %d: self %+v", seed, self)
		if !self.Claim || !self.Value.Contains(1) && math.Abs(self.Value.Value-1) > 0.15 || self.P > 0.01 {
			t.Errorf("the writer's other text: value %+v, p %.3f, claim %v %s; want near 1", self.Value, self.P, self.Claim, self.Why)
		}
		if self.Taken[0].ID != "writer" || self.Accuracy.Writer.Value < 0.7 || self.Accuracy.Others.Value > 0.05 {
			t.Errorf("taken %+v, accuracy %+v", self.Taken, self.Accuracy)
		}
		bare := Recognise([]Asked{{r, Sides{Twin: base, Base: base, Own: lynch.judge}}}, how)
		if bare.Value.Value != 0 || bare.P < 0.5 {
			t.Errorf("the base itself: value %+v, p %.3f; want 0", bare.Value, bare.P)
		}
		other := Recognise([]Asked{{r, Sides{Twin: stranger.judge, Base: base, Own: lynch.judge}}}, how)
		if other.Value.High > 0.35 || other.Taken[0].ID != "matklad" || other.Taken[0].Share < 0.7 {
			t.Errorf("a stranger: value %+v, taken %+v", other.Value, other.Taken)
		}
		if seed == 0 {
			first = self
		} else if !first.Value.Contains(self.Value.Value) || !self.Value.Contains(first.Value.Value) {
			t.Errorf("two seeds disagree: %+v and %+v", first.Value, self.Value)
		}
	}
}

// A mixture of the writer's text and the base's lies between them.
func TestRecognitionBetween(t *testing.T) {
	lynch := part(pieces(t, "authors/lynch"))
	_, base := baseTexts(t)
	r := recogniser(t, "lynch", lynch, 0)
	half := append(append([]Piece(nil), lynch.more[:8]...), base[:16]...)
	got := Recognise([]Asked{{r, Sides{Twin: half, Base: base, Own: lynch.judge}}}, Resampling{})
	if got.Value.Value < 0.25 || got.Value.Value > 0.75 || !(got.Lean.Value > 0.25) {
		t.Errorf("half writer, half base: value %+v, lean %+v", got.Value, got.Lean)
	}
}

// Probabilities mean what they say on passages that no part of the model saw.
func TestCalibration(t *testing.T) {
	lynch := part(pieces(t, "authors/lynch"))
	matklad := part(pieces(t, "authors/matklad"))
	wodehouse := part(pieces(t, "authors/wodehouse"))
	r := recogniser(t, "lynch", lynch, 0)
	right, sure, n := 0.0, 0.0, 0.0
	for id, list := range map[string][]Piece{"writer": append(lynch.judge, lynch.more...), "matklad": matklad.judge, "wodehouse": wodehouse.judge} {
		for _, p := range Cut(list, Unit, 0) {
			a := r.Attribute(p.Text)
			if s := floats.Sum(a.Probability); math.Abs(s-1) > 1e-9 {
				t.Fatalf("probabilities sum to %g", s)
			}
			best := floats.MaxIdx(a.Probability)
			if r.classes[best].ID == id {
				right++
			}
			sure += a.Probability[best]
			n++
		}
	}
	if right/n < 0.7 || math.Abs(right/n-sure/n) > 0.12 {
		t.Errorf("right in %.2f of %v, and sure in %.2f", right/n, n, sure/n)
	}
}

func TestNoClaimOnLittleText(t *testing.T) {
	lynch := part(pieces(t, "authors/lynch"))
	_, base := baseTexts(t)
	r := recogniser(t, "lynch", lynch, 0)
	got := Recognise([]Asked{{r, Sides{Twin: lynch.more[:2], Base: base, Own: lynch.judge}}}, Resampling{})
	if got.Claim || got.Why == "" {
		t.Errorf("a claim from %d passages", got.Passages)
	}
	none := Recognise([]Asked{{r, Sides{Base: base, Own: lynch.judge}}}, Resampling{})
	if none.Claim || !math.IsNaN(none.Value.Value) || none.P != 1 {
		t.Errorf("nothing written: %+v", none)
	}
}

// Of two parts each is judged by its own recogniser, and the figures are over both.
func TestRecognitionOfParts(t *testing.T) {
	lynch := part(pieces(t, "authors/lynch"))
	_, base := baseTexts(t)
	r := recogniser(t, "lynch", lynch, 0)
	how := Resampling{Rounds: 100}
	sides := func(lo, hi int) Sides {
		return Sides{Twin: lynch.more[lo:hi], Base: base[lo:hi], Own: lynch.judge[lo:hi]}
	}
	n := min(len(lynch.more), len(base), len(lynch.judge))
	whole := Recognise([]Asked{{r, sides(0, n)}}, how)
	parts := Recognise([]Asked{{r, sides(0, 7)}, {r, sides(7, n)}}, how)
	if parts.Passages < whole.Passages-2 || math.Abs(parts.Value.Value-whole.Value.Value) > 0.1 || parts.Accuracy.Others.Value != whole.Accuracy.Others.Value || !parts.Claim {
		t.Errorf("in two parts %+v, in one %+v", parts, whole)
	}
	few := *r
	few.passages = 1
	if a := Recognise([]Asked{{r, sides(0, 7)}, {&few, sides(7, n)}}, how).Accuracy; a.Train != 1 {
		t.Errorf("the fewest passages that one learnt from are %d", a.Train)
	}
}

func TestRecogniserNeedsText(t *testing.T) {
	base, _ := baseTexts(t)
	_, err := NewRecogniser(Known{Writer: []Piece{{"a", "Too little."}}, Base: base})
	if stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
		t.Errorf("error %v, code %s, hint %q", err, stroke.CodeOf(err), stroke.HintOf(err))
	}
}
