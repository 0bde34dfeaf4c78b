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

// TestHalfRows: MulNTHalf and AddNNHalf have the bits of Widen and MulNT, and of Widen
// and AddNN, wherever columns begin and however many rows there are.
func TestHalfRows(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(33)
		for _, s := range []shape{{1, 64, 64}, {2, 64, 64}, {3, 64, 64}, {4, 7, 64}, {5, 61, 128}, {6, 32, 16}, {7, 96, 80}, {8, 66, 256}, {9, 64, 64}, {3, 5, 40}, {3, 80, 64}, {2, 16, 64}, {1, 16, 64}, {4, 48, 64}, {1, 112, 64}, {3, 64, 7}, {2, 4, 800}, {1, 1, 64}, {1, 0, 64}, {0, 4, 64}, {3, 64, 0}} {
			ldc, lda := ld(r, s.n), ld(r, s.k)
			c, a := randMat(r, s.m, s.n, ldc), randMat(r, s.m, s.k, lda)
			half, wide := randQuant(r, F16, s.n*s.k), make([]float32, s.n*s.k)
			Widen(wide, half, F16)
			then := randQuant(r, F16, 64) // asked for, and far too short
			want := slices.Clone(c.x)
			MulNT(want, ldc, a.x, lda, wide, s.k, s.m, s.n, s.k)
			MulNTHalf(c.x, ldc, a.x, lda, half, then, s.m, s.n, s.k)
			c.checkGaps(t, "MulNTHalf "+s.String(), s.m, s.n, ldc)
			if !slices.EqualFunc(c.x, want, sameBits) {
				t.Fatalf("MulNTHalf %v: %v, not %v", s, c.x, want)
			}

			ldb := s.n + 32
			half, wide = randQuant(r, F16, ldb*s.k), make([]float32, ldb*s.k)
			Widen(wide, half, F16)
			for _, from := range []int{0, 32} {
				want := slices.Clone(c.x)
				b, h := wide[min(from, len(wide)):], half[min(2*from, len(half)):]
				AddNN(want, ldc, a.x, lda, b, ldb, s.m, s.n, s.k)
				AddNNHalf(c.x, ldc, a.x, lda, h, half, ldb, s.m, s.n, s.k)
				c.checkGaps(t, "AddNNHalf "+s.String(), s.m, s.n, ldc)
				if !slices.EqualFunc(c.x, want, sameBits) {
					t.Fatalf("AddNNHalf %v from %d: %v, not %v", s, from, c.x, want)
				}
			}
		}
	})
}
