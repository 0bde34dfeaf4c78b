package verdict

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestOrdered lets text without any order pass as often as it says, and text that leans
// to how it is written always.
func TestOrdered(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	draw := func(n, dealt int, lean float64) [][]float64 {
		out := make([][]float64, n)
		for i := range out {
			text := 300 + 50*rng.NormFloat64()
			for range 1 + dealt {
				out[i] = append(out[i], text+6*rng.NormFloat64())
			}
			out[i][0] -= lean
		}
		return out
	}
	for n, dealt := range map[int]int{fewStretches: 7, 8: 4, 20: 1} {
		passed := 0
		const trials = 400
		for range trials {
			if Ordered(draw(n, dealt, 0)).Pass() {
				passed++
			}
		}
		// Three standard deviations above a chance of 0.05.
		if passed > 33 {
			t.Errorf("%d stretches: %d of %d without order pass", n, passed, trials)
		}
	}
	if o := Ordered(draw(12, 2, 15)); !o.Pass() || o.Mean < 5 {
		t.Errorf("%+v", o)
	}
	for name, nats := range map[string][][]float64{"too few": draw(fewStretches-1, 7, -15), "nothing": nil, "never dealt": draw(20, 0, 0)} {
		if o := Ordered(nats); o != nil || !o.Pass() {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestDecideOrder refuses what learnt from text without order, however much it gains.
func TestDecideOrder(t *testing.T) {
	e := Evidence{Losses: losses(many(10, 150), 0.1, 0.3), Order: [][]float64{{9, 0}, {0, 11}, {4, 0}, {0, 6}, {2, 0}, {0, 3}, {5, 0}, {0, 21}}}
	v := Decide(e, 1)
	if v.Live || !strings.Contains(v.Why, "could not be shown") || v.Order == nil || v.Order.Stretches != 8 {
		t.Errorf("%+v", v)
	}
	e.Order = [][]float64{{1, 9}, {1, 11}, {2, 6}, {1, 7}, {0, 2}, {3, 0}, {4, 9}, {0, 1}}
	if v := Decide(e, 1); !v.Live || strings.Contains(v.Why, "order") {
		t.Errorf("%+v", v)
	}
	e.Order = nil
	if v := Decide(e, 1); !v.Live || v.Order != nil {
		t.Errorf("%+v", v)
	}
}
