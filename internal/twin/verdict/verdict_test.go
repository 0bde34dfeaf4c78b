package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/eval"
)

// losses are those of pieces of the given lengths where both saves gain nats a
// token over examples, give or take noise.
func losses(lengths []int, gain, noise float64) [Conditions][]eval.Loss {
	rng := rand.New(rand.NewPCG(1, 2))
	var out [Conditions][]eval.Loss
	for _, n := range lengths {
		var l [Conditions]eval.Loss
		for range n {
			base := 3 + rng.Float64()
			for c := range Conditions {
				x := base
				if c == Both {
					x -= gain + noise*rng.NormFloat64()
				}
				l[c].Each = append(l[c].Each, float32(x))
				l[c].Nats += float64(float32(x))
				l[c].Tokens++
			}
		}
		for c := range Conditions {
			out[c] = append(out[c], l[c])
		}
	}
	return out
}

func many(n, each int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = each
	}
	return out
}

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		lengths        []int
		gain, noise    float64
		live, unproven bool
		units          int
		unit           string
	}{
		"better":                       {many(10, 150), 0.1, 0.3, true, false, 10, "documents"},
		"worse":                        {many(10, 150), -0.1, 0.3, false, false, 10, "documents"},
		"better, within chance":        {many(10, 20), 0.01, 2, false, false, 10, "documents"},
		"just enough documents":        {many(8, 100), 0.1, 0.1, true, false, 8, "documents"},
		"few documents, many blocks":   {many(4, 600), 0.1, 0.3, true, false, 12, "blocks"},
		"few documents, few blocks":    {many(7, 210), 0.1, 0.3, true, true, 7, "blocks"},
		"few blocks, and worse":        {many(2, 500), -0.1, 0.1, false, true, 4, "blocks"},
		"few blocks, no gain":          {many(2, 500), 0, 0, false, true, 4, "blocks"},
		"few documents, and worse":     {many(4, 600), -0.1, 0.1, false, false, 12, "blocks"},
		"nothing to judge by":          {nil, 0, 0, false, true, 0, "blocks"},
		"documents without any tokens": {[]int{0, 0}, 0, 0, false, true, 0, "blocks"},
	} {
		v := Decide(Evidence{Losses: losses(c.lengths, c.gain, c.noise)}, 1)
		if v.Live != c.live || v.Unproven != c.unproven || v.Units != c.units || v.Unit != c.unit {
			t.Errorf("%s: %+v", name, v)
		}
		if v.Live != (v.Units > 0 && v.BeatsExamples()) {
			t.Errorf("%s: live is %v, and better than examples %v", name, v.Live, v.BeatsExamples())
		}
		if v.Why == "" {
			t.Errorf("%s: it does not say what serves: %q", name, v.Why)
		}
		if v.Gain.Low > v.Gain.Mean || v.Gain.Mean > v.Gain.High {
			t.Errorf("%s: the interval is %+v", name, v.Gain)
		}
		if again := Decide(Evidence{Losses: losses(c.lengths, c.gain, c.noise)}, 1); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", v) {
			t.Errorf("%s: %+v, and once more %+v", name, v, again)
		}
	}
}

// TestPaired holds that what documents cost in themselves does not blur the
// comparison, since each is compared with itself.
func TestPaired(t *testing.T) {
	l := losses(many(9, 100), 0.02, 0)
	for i := range l[Base] {
		for c := range Conditions {
			for j := range l[c][i].Each {
				l[c][i].Each[j] += float32(i)
			}
			l[c][i].Nats += float64(100 * i)
		}
	}
	if v := Decide(Evidence{Losses: l}, 1); !v.Live || v.Gain.High-v.Gain.Low > 0.001 {
		t.Errorf("%+v", v)
	}
}

func TestPool(t *testing.T) {
	var l [Conditions][]eval.Loss
	for c := range Conditions {
		l[c] = []eval.Loss{{Nats: 10 * float64(c+1), Tokens: 10}, {Nats: 90, Tokens: 30}}
	}
	want := Figures{Tokens: 40, Base: 2.5, Examples: 2.75, Adapter: 3, Both: 3.25}
	if got := Pool(l); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := Pool([Conditions][]eval.Loss{}); got != (Figures{}) {
		t.Errorf("of nothing: %+v", got)
	}
	for c := range Conditions {
		passages, adapter := c.Uses()
		if passages != (c == Examples || c == Both) || adapter != (c == Adapter || c == Both) {
			t.Errorf("%s uses %v, %v", c, passages, adapter)
		}
	}
}

// shifted are losses of pieces like those of l that are better by gain nats a
// token, give or take noise.
func shifted(l []eval.Loss, gain, noise float64, seed uint64) []eval.Loss {
	rng := rand.New(rand.NewPCG(seed, 3))
	var out []eval.Loss
	for _, x := range l {
		var y eval.Loss
		for _, e := range x.Each {
			e -= float32(gain + noise*rng.NormFloat64())
			y.Each = append(y.Each, e)
			y.Nats += float64(e)
			y.Tokens++
		}
		out = append(out, y)
	}
	return out
}

// evidence is of an adapter that gains own over its start and as much over the
// examples, beside controls of the given gains.
func evidence(pieces []int, own float64, controls ...float64) Evidence {
	e := Evidence{Losses: losses(pieces, 0.1, 0.05)}
	e.Start = shifted(e.Losses[Base], 0.1, 0, 1)
	e.Losses[Adapter] = shifted(e.Start, own, 0.05, 2)
	for i, g := range controls {
		e.Controls = append(e.Controls, Control{Name: "c", Losses: shifted(e.Start, g, 0.05, uint64(10+i))})
	}
	return e
}

func TestSpecificity(t *testing.T) {
	copier, monotone, late := evidence(many(10, 150), 0.08, 0, 0.01, 0.005), evidence(many(10, 150), 0.08, 0, 0.01, 0.005), evidence(many(10, 150), 0.04, 0, 0.015, 0.005)
	copier.Copier, monotone.Monotone = "it repeats", "it drones"
	late.Look = 20
	few := evidence(many(10, 150), 0.08, 0, 0.01, 0.005)
	for i := range few.Controls {
		few.Controls[i].Losses = few.Controls[i].Losses[:6]
	}
	nothing := evidence(many(10, 150), 0.08)
	nothing.Start = nil
	for name, c := range map[string]struct {
		e    Evidence
		live bool
		says string
	}{
		"its writer's":              {evidence(many(10, 150), 0.08, 0, 0.01, 0.005), true, "than adapters of other writers do"},
		"a stranger's":              {evidence(many(10, 150), 0.01, 0, 0.012, 0.007), false, "what any text would have taught"},
		"one more like them":        {evidence(many(10, 150), 0.04, -0.05, 0.03, -0.01), false, "may be another's"},
		"nothing over its start":    {evidence(many(10, 150), -0.01, -0.05, -0.06, -0.055), false, "adds nothing to what it stands on"},
		"little over its start":     {evidence(many(10, 20), 0.0035, -0.05, -0.06, -0.055), true, "may be chance"},
		"beside one control":        {evidence(many(10, 150), 0.08, 0), true, "than the adapter of another writer"},
		"without controls":          {evidence(many(10, 150), 0.08), true, ""},
		"nothing but the four":      {nothing, true, ""},
		"a copier":                  {copier, false, "it copies: it repeats"},
		"monotone":                  {monotone, false, "it is monotone: it drones"},
		"the twentieth on one text": {late, false, "may be another's"},
		"controls on fewer pieces":  {few, true, "held against are too few to prove it"},
	} {
		v := Decide(c.e, 1)
		if v.Live != c.live || !strings.Contains(v.Why, c.says) || v.Unproven != (name == "controls on fewer pieces" || name == "little over its start") {
			t.Errorf("%s: %+v", name, v)
		}
		if s := v.Specificity; s != nil {
			started := c.e.Start == nil || s.BeatsStart()
			if all := v.BeatsExamples() && started && s.BeatsControls(v.Look) && v.Copier == "" && v.Monotone == ""; all != c.live {
				t.Errorf("%s: live is %v, and by each criterion alone %v, %v, %v", name, c.live, v.BeatsExamples(), started, s.BeatsControls(v.Look))
			}
		}
		if name == "nothing but the four" != (v.Specificity == nil) {
			t.Errorf("%s: specificity %+v", name, v.Specificity)
		}
	}
	sum := 0.0
	for n := 1; n < 5000; n++ {
		sum += (1 - Level(n)) / 2
		if Level(n+1) <= Level(n) {
			t.Fatalf("verdict %d is no stricter than the one before it", n+1)
		}
	}
	if sum > Alpha || math.Abs(sum-Alpha) > 1e-4 || Level(1) != 0.95 || Level(0) != 0.95 {
		t.Errorf("5,000 verdicts together take %g, and the first is at %g", sum, Level(1))
	}
}

// TestUnlooked: what nobody looked at for copies is live and unproven.
func TestUnlooked(t *testing.T) {
	v := Decide(Evidence{Losses: losses(many(10, 150), 0.1, 0.3), Unlooked: true}, 1)
	if !v.Live || !v.Unproven || !strings.Contains(v.Why, "whether it copies was not looked at") {
		t.Errorf("live %v, unproven %v: %s", v.Live, v.Unproven, v.Why)
	}
}

// TestDecidePieces counts documents where several pieces are of one: few of them are
// judged by blocks, and of many each is one unit.
func TestDecidePieces(t *testing.T) {
	e := Evidence{Losses: losses(many(12, 500), 0.1, 0.3)}
	e.Start, e.Losses[Adapter] = e.Losses[Base], e.Losses[Both]
	for _, c := range []struct {
		documents, units int
		unit             string
	}{{2, 24, "blocks"}, {4, 24, "blocks"}, {12, 12, "documents"}} {
		e.Groups = nil
		for i := range 12 {
			e.Groups = append(e.Groups, fmt.Sprint(i%c.documents))
		}
		v := Decide(e, 1)
		if v.Units != c.units || v.Unit != c.unit || !v.Live || v.Unproven {
			t.Errorf("%d documents: %d %s, live %t, unproven %t", c.documents, v.Units, v.Unit, v.Live, v.Unproven)
		}
		if s := v.Specificity; s.Units != c.units || s.Unit != c.unit {
			t.Errorf("%d documents: start by %d %s", c.documents, s.Units, s.Unit)
		}
	}
	// Ten documents of two pieces each are ten.
	e = Evidence{Losses: losses(many(20, 300), 0.1, 0.3)}
	for i := range 20 {
		e.Groups = append(e.Groups, fmt.Sprint(i/2))
	}
	if v := Decide(e, 1); v.Units != 10 || v.Unit != "documents" {
		t.Errorf("ten documents in twenty pieces: %d %s", v.Units, v.Unit)
	}
}
