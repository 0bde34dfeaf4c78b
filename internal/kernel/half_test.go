package kernel

import (
	"slices"
	"testing"
)

// TestAddHalf: the bits of AddNN, whatever fills up the last panel.
func TestAddHalf(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(31)
		for _, s := range []shape{{1, 16, 16}, {1, 1, 1}, {2, 15, 3}, {3, 17, 16}, {8, 576, 16}, {4, 100, 33}, {1, 64, 4}, {0, 16, 4}, {2, 0, 4}, {2, 20, 0}, {2, 80, 16}, {6, 144, 16}, {7, 81, 5}, {1, 81, 16}} {
			ldc, ldh := ld(r, s.n), ld(r, s.k)
			c, h, b := randMat(r, s.m, s.n, ldc), randMat(r, s.m, s.k, ldh), make([]float32, s.k*s.n)
			panels := (s.n + HalfCols - 1) / HalfCols
			half := randQuant(r, F16, panels*HalfCols*s.k)
			wide := make([]float32, panels*HalfCols*s.k)
			Widen(wide, half, F16)
			for p := range s.k {
				for j := range s.n {
					b[p*s.n+j] = wide[j/HalfCols*HalfCols*s.k+p*HalfCols+j%HalfCols]
				}
			}
			want := slices.Clone(c.x)
			AddNN(want, ldc, h.x, ldh, b, s.n, s.m, s.n, s.k)
			AddHalf(c.x, ldc, h.x, ldh, half, s.m, s.n, s.k)
			c.checkGaps(t, s.String(), s.m, s.n, ldc)
			for i := range s.m {
				if got := c.x[i*ldc : i*ldc+s.n]; !slices.EqualFunc(got, want[i*ldc:i*ldc+s.n], sameBits) {
					t.Fatalf("%v: row %d is %v, not %v", s, i, got, want[i*ldc:i*ldc+s.n])
				}
			}
		}
	})
}
