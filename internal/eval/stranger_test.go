package eval

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestStudentTail(t *testing.T) {
	// From the tables of Student's distribution.
	for _, c := range []struct {
		t       float64
		freedom int
		p       float64
	}{{6.3138, 1, .05}, {2.9200, 2, .05}, {2.3534, 3, .05}, {2.1318, 4, .05}, {2.0150, 5, .05}, {2.5706, 5, .025}, {3.1427, 6, .01}, {0, 4, .5}, {-2.0150, 5, .95}} {
		if p := studentTail(c.t, c.freedom); math.Abs(p-c.p) > 1e-4 {
			t.Errorf("%g with %d degrees of freedom: %g, and it is %g", c.t, c.freedom, p, c.p)
		}
	}
}

// TestStranger holds that for one more draw like the controls the chance is
// uniform, and that one far beyond them is found.
func TestStranger(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var null []float64
	found := 0
	for range 500 {
		controls := make([]Control, 6)
		draw := func(mean float64) []Gain {
			x := mean + 0.01*rng.NormFloat64()
			return []Gain{{Group: "a", Saved: 100 * x, Tokens: 100}, {Group: "b", Saved: 100 * x, Tokens: 100}}
		}
		for i := range controls {
			controls[i].Gains = draw(0.02)
		}
		s, err := Specify(draw(0.02), controls, 20, 1)
		if err != nil {
			t.Fatal(err)
		}
		null = append(null, s.Stranger)
		if s, err = SpecifyAt(0.9, draw(0.07), controls, 20, 1); err != nil {
			t.Fatal(err)
		}
		if s.Stranger < 0.05 {
			found++
		}
	}
	uniform(t, "one more control", null)
	if found < 450 {
		t.Errorf("one that is five deviations beyond was found in %d of 500 trials", found)
	}
	one, err := Specify([]Gain{{Saved: 5, Tokens: 10}}, []Control{{Gains: []Gain{{Saved: 1, Tokens: 10}}}}, 20, 1)
	if err != nil || one.Stranger != 1 {
		t.Errorf("of one control nothing is known: %v, %v", one.Stranger, err)
	}
}
