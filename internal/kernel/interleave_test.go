package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestInterleaved holds products with interleaved weights to the bits of the reference,
// for weights and activations of any bits, in all orders and in parts.
func TestInterleaved(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(31)
		some := false
		for _, typ := range Int16.types() {
			if InterleavedLen(typ, 64, 256) == 0 {
				continue
			}
			some = true
			for _, s := range []shape{{1, 16, 32}, {1, 48, 576}, {2, 16, 64}, {3, 64, 96}, {4, 32, 1536}, {5, 48, 96}, {7, 16, 32}, {8, 48, 64}, {16, 32, 96}, {21, 16, 64}, {9, 32, 1056}, {18, 16, 800}} {
				elems, _ := typ.Block()
				s.k = (s.k + elems - 1) / elems * elems
				for which := range 4 {
					for _, hostile := range []bool{false, true} {
						order, stored := rowOrder(r, which, s.n)
						w := randQuant(r, typ, stored*s.k)
						x := randMat(r, s.m, s.k, s.k)
						if hostile {
							for i := range w {
								w[i] = byte(r.Uint32())
							}
							for i := range x.x {
								x.x[i] = float32(math.Ldexp(float64(x.x[i]), r.IntN(12)))
							}
						}
						b := packed(t, Int16, x.x, s.k, s.m, s.k)
						g, dst := guardedBytes(InterleavedLen(typ, s.n, s.k), 3)
						in := Interleaving(dst, typ, s.n, s.k)
						for j := 0; j < s.n; j += in.lanes {
							part := w
							var some []int32
							if order == nil {
								part = w[j*typ.RowBytes(s.k):]
							} else {
								some = order[j : j+in.lanes]
							}
							in.Fill(part, some, j, in.lanes)
						}
						g.check(t, "Fill")
						ldc := ld(r, s.n)
						c := randMat(r, s.m, s.n, ldc)
						want := slices.Clone(c.x)
						half := s.n / 32 * 16
						MulInterleaved(c.x, ldc, b, in, 0, s.m, half, in.Rows(0, half), in.Rows(half, s.n))
						MulInterleaved(c.x[half:], ldc, b, in, half, s.m, s.n-half, nil, nil)
						what := fmt.Sprintf("%v %v order %d", typ, s, which)
						c.checkGaps(t, what, s.m, s.n, ldc)
						mulIntegers(Int16, want, ldc, b, w, typ, order, s.m, s.n, s.k)
						for i := range s.m {
							for j := range s.n {
								got, ref := c.x[i*ldc+j], want[i*ldc+j]
								if !sameBits(got, ref) && !(got == 0 && ref == 0) && !(got != got && ref != ref) {
									t.Fatalf("%s: c[%d,%d] is %v where the reference has %v", what, i, j, got, ref)
								}
							}
						}
					}
				}
			}
			if n := InterleavedLen(typ, 20, 256); n != 0 {
				t.Errorf("20 rows of %s, which are no whole groups, interleaved in %d bytes", typ, n)
			}
		}
		if some != FastIntegers() && Name() != "neon" {
			t.Errorf("kind %s: loops for interleaved weights: %v", Name(), some)
		}
	})
}

// TestInterleavedKinds: what one kind has laid out, another with groups of another size
// does not read.
func TestInterleavedKinds(t *testing.T) {
	var made []*Interleaved
	eachKind(t, func(t *testing.T) {
		for _, in := range made {
			if in.Serves(1) != (cur.mulInterleaved != nil && cur.interleavedLanes == in.lanes) {
				t.Errorf("groups of %d rows: read by %s: %v", in.lanes, Name(), in.Serves(1))
			}
		}
		if n := InterleavedLen(Q4_1, 16, 32); n > 0 {
			made = append(made, Interleaving(make([]byte, n), Q4_1, 16, 32))
		}
	})
	if (*Interleaved)(nil).Serves(1) {
		t.Error("a matrix that there is not is read")
	}
}
