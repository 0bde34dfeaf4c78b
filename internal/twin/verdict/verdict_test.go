package verdict

import (
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
		v := Decide(losses(c.lengths, c.gain, c.noise), 1)
		if v.Live != c.live || v.Unproven != c.unproven || v.Units != c.units || v.Unit != c.unit {
			t.Errorf("%s: %+v", name, v)
		}
		if v.Why == "" || !v.Live && !strings.Contains(v.Why, "the base with your passages serves") {
			t.Errorf("%s: it does not say what serves: %q", name, v.Why)
		}
		if v.Gain.Low > v.Gain.Mean || v.Gain.Mean > v.Gain.High {
			t.Errorf("%s: the interval is %+v", name, v.Gain)
		}
		if again := Decide(losses(c.lengths, c.gain, c.noise), 1); again != v {
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
	if v := Decide(l, 1); !v.Live || v.Gain.High-v.Gain.Low > 0.001 {
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
