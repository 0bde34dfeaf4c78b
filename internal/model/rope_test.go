package model

import (
	"math"
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
