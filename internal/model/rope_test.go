package model

import (
	"math"
	"strings"
	"testing"
)

// TestDivisors takes what frequencies can be divided by, and refuses the rest.
func TestDivisors(t *testing.T) {
	for d, ok := range map[float32]bool{
		1: true, 0.5: true, 1e30: true, 0: false, -1: false,
		float32(math.Inf(1)): false, float32(math.NaN()): false,
	} {
		r := &Rope{Theta: 10000, Divide: []float32{1, d}}
		f, _, err := r.frequencies(4)
		if ok != (err == nil) {
			t.Errorf("a divisor of %g: %v", d, err)
		}
		if want := 0.01 / float64(d); ok && math.Abs(f[1]/want-1) > 1e-12 {
			t.Errorf("a divisor of %g makes the frequency %g, want %g", d, f[1], want)
		}
	}
}

// TestFiniteRope refuses settings from which no finite tables follow, and takes those at
// the edge of them.
func TestFiniteRope(t *testing.T) {
	yarn := func(change func(r *Rope)) *Rope {
		r := &Rope{Theta: 10000, Scaling: "yarn", Factor: 4, Origin: 2048, Fast: 32, Slow: 1}
		change(r)
		return r
	}
	for name, c := range map[string]struct {
		rope *Rope
		says string // empty where it is taken
	}{
		"yarn":               {yarn(func(*Rope) {}), ""},
		"yarn, attention":    {yarn(func(r *Rope) { r.Attn = 1.5 }), ""},
		"yarn, infinite":     {yarn(func(r *Rope) { r.Factor = math.Inf(1) }), "multiplies by +Inf"},
		"yarn, a base of 1":  {yarn(func(r *Rope) { r.Theta = 1 }), "frequency 0 is NaN"},
		"yarn, no attention": {yarn(func(r *Rope) { r.Attn = math.NaN() }), "multiplies by NaN"},
		"yarn, loud":         {yarn(func(r *Rope) { r.Attn = 1e300 }), "multiplies by 1e+300"},
		"linear":             {&Rope{Theta: 10000, Scaling: "linear", Factor: 1e-30}, ""},
		"linear, infinite":   {&Rope{Theta: 10000, Scaling: "linear", Factor: 1e-320}, "frequency 0 is +Inf"},
		"linear, fast":       {&Rope{Theta: 10000, Scaling: "linear", Factor: 1e-306}, "frequency 0 is 1e+306"},
		"no base":            {&Rope{Theta: 1e-320}, "frequency 1 is 9.7"},
		"no divisor":         {&Rope{Theta: 10000, Divide: make([]float32, 4)}, "the entry 0"},
	} {
		const size, context = 8, 16
		cos, sin := make([]float32, size/2*context), make([]float32, size/2*context)
		err := c.rope.tables(cos, sin, size, context)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasSuffix(err.Error(), ": the file is damaged") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range cos {
			if x := float64(cos[i]) + float64(sin[i]); x-x != 0 {
				t.Errorf("%s: the tables have %g and %g", name, cos[i], sin[i])
			}
		}
	}
}
