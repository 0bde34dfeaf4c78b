package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// guardedBytes is memory of n bytes with guard words on either side.
func guardedBytes(n, off int) (g guarded, b []byte) {
	g = newGuarded((n+3)/4, off)
	return g, bytesOf(g.x)[:n]
}

// sizesOfIntegers are all of them.
var sizesOfIntegers = []Integers{Int8, Int16}

// types are those that Mul knows.
func (s Integers) types() (ts []DType) {
	for t := range numDTypes {
		if s.Has(t) {
			ts = append(ts, t)
		}
	}
	return ts
}

// eachInteger runs a test with each kind and size.
func eachInteger(t *testing.T, test func(t *testing.T, s Integers)) {
	eachKind(t, func(t *testing.T) {
		for _, s := range sizesOfIntegers {
			t.Run(s.String(), func(t *testing.T) { test(t, s) })
		}
	})
}

// packed is x [m,k] packed by the kind in use, checked against the reference.
func packed(t *testing.T, s Integers, x []float32, ldx, m, k int) []byte {
	t.Helper()
	g, b := guardedBytes(s.Len(m, k), 3)
	s.Pack(b, x, ldx, m, k)
	g.check(t, "Pack")
	want := make([]byte, s.Len(1, k))
	for i := range m {
		packIntegers(s, want, x[i*ldx:i*ldx+k])
		if got := b[i*len(want) : (i+1)*len(want)]; !bytes.Equal(got, want) {
			t.Fatalf("row %d of %d, k=%d: packed as\n%v, the reference\n%v", i, m, k, got, want)
		}
	}
	return b
}

// TestPackIntegers: what is packed is near, its bits are the reference's, and numbers
// that are none are not lost.
func TestPackIntegers(t *testing.T) {
	eachInteger(t, func(t *testing.T, s Integers) {
		r := newRand(21)
		for _, blocks := range []int{0, 1, 2, 3, 18, 48} {
			const m = 3
			k := 32 * blocks
			x := randMat(r, m, k, k+5)
			for i := 0; i < len(x.x); i += 7 {
				x.x[i] *= float32(math.Ldexp(1, r.IntN(12)-6))
			}
			b := packed(t, s, x.x, k+5, m, k)
			for i := range m {
				for p := range k {
					block := b[s.Len(i, k)+p/32*s.Len(1, 32):]
					most := 0.0
					for _, v := range x.x[i*(k+5)+p/32*32:][:32] {
						most = max(most, math.Abs(float64(v)))
					}
					d := math.Float32frombits(binary.LittleEndian.Uint32(block[integersBlock[s].tail:]))
					near(t, "an activation", d*float32(packedInt(s, block, p%32)), float64(x.x[i*(k+5)+p]), most, 0.502/float64(mostInt[s]))
				}
			}
		}
		// Halves go to the even number; the largest is ±127.
		x := make([]float32, 32)
		for i := range x {
			x[i] = float32(i) - 15.5
		}
		x[3], x[20] = -mostInt[s], 126.5
		if b := packed(t, s, x, 32, 1, 32); packedInt(s, b, 3) != int32(-mostInt[s]) || packedInt(s, b, 20) != 126 || packedInt(s, b, 0) != -16 || packedInt(s, b, 31) != 16 {
			t.Errorf("halves are rounded to %v", b[:32])
		}
		odd := []float32{0, float32(math.Copysign(0, -1)), 1e-38, math.SmallestNonzeroFloat32, float32(math.Ldexp(1, -100)), -float32(math.Ldexp(1, -100)), float32(math.Ldexp(1, -101)), math.MaxFloat32,
			float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Float32frombits(0xffc00001)}
		for i, v := range odd {
			for at := range 32 {
				x := make([]float32, 64)
				fill(r, x[32:])
				x[at] = v
				b := packed(t, s, x, 64, 1, 64)
				w := randQuant(r, Q8_0, 64)
				var c [1]float32
				s.Mul(c[:], 1, b, w, Q8_0, nil, 1, 1, 64)
				if isNaN := c[0] != c[0]; isNaN != (i >= 8) {
					t.Errorf("a row with %v makes a product of %v", v, c[0])
				}
			}
		}
	})
}

// TestMulIntegers holds every kind to the bits of the reference, for all tails, with
// orders of all sorts, and the reference to the product itself.
func TestMulIntegers(t *testing.T) {
	eachInteger(t, func(t *testing.T, size Integers) {
		r := newRand(22)
		for _, typ := range size.types() {
			for _, s := range []shape{{1, 1, 32}, {1, 8, 32}, {1, 16, 64}, {1, 17, 96}, {2, 16, 576}, {3, 40, 64}, {4, 23, 160}, {5, 33, 96}, {7, 15, 32},
				{8, 48, 64}, {9, 64, 128}, {16, 35, 96}, {13, 128, 64}, {1, 100, 1536}, {20, 7, 64}, {27, 48, 96}, {19, 50, 1056}, {1, 64, 0}, {0, 5, 32}, {3, 0, 32}} {
				elems, _ := typ.Block()
				s.k = (s.k + elems - 1) / elems * elems
				for kindOf := range 4 {
					testMulIntegers(t, r, size, typ, s, kindOf)
				}
			}
		}
	})
}

// rowOrder is one of several orders of n rows and how many are stored.
func rowOrder(r *rand.Rand, which, n int) (order []int32, stored int) {
	switch which {
	case 0:
		return nil, n
	case 1: // as a GGUF file has heads: even and odd rows
		for i := range n {
			order = append(order, int32(i/32*32+i%16*2+i/16%2))
		}
		return order, (n + 31) &^ 31
	case 2: // backwards
		for i := range n {
			order = append(order, int32(n-1-i))
		}
		return order, n
	}
	for _, p := range r.Perm(n) {
		order = append(order, int32(p+2))
	}
	return order, n + 3
}

func testMulIntegers(t *testing.T, r *rand.Rand, size Integers, typ DType, s shape, which int) {
	t.Helper()
	order, stored := rowOrder(r, which, s.n)
	lda, ldc := ld(r, s.k), ld(r, s.n)
	x := randMat(r, s.m, s.k, lda)
	b := packed(t, size, x.x, lda, s.m, s.k)
	w := append(make([]byte, 1), randQuant(r, typ, stored*s.k)...)[1:]
	c := randMat(r, s.m, s.n, ldc)
	size.Mul(c.x, ldc, b, w, typ, order, s.m, s.n, s.k)
	what := fmt.Sprintf("%v %v %v order %d", size, typ, s, which)
	c.checkGaps(t, what, s.m, s.n, ldc)
	want := slices.Clone(c.x)
	mulIntegers(size, want, ldc, b, w, typ, order, s.m, s.n, s.k)
	wide := make([]float32, s.k)
	for j := range s.n {
		if s.k > 0 {
			Widen(wide, storedRow(w, order, typ.RowBytes(s.k), j), typ)
		}
		for i := range s.m {
			if got, ref := c.x[i*ldc+j], want[i*ldc+j]; !sameBits(got, ref) && !(got == 0 && ref == 0) {
				t.Fatalf("%s: c[%d,%d] is %v where the reference has %v", what, i, j, got, ref)
			}
			sum, whole := 0.0, 0.0
			for p, v := range wide {
				a := float64(x.x[i*lda+p])
				sum += a * float64(v)
				whole += (math.Abs(a) + 4) * math.Abs(float64(v))
			}
			near(t, what, c.x[i*ldc+j], sum, whole, 1.27/float64(mostInt[size]))
		}
	}
}

// TestMulIntegersExtremes: the largest integers there are, in all places.
func TestMulIntegersExtremes(t *testing.T) {
	eachInteger(t, func(t *testing.T, size Integers) {
		for _, typ := range size.types() {
			const n, k = 16, 512
			_, step := typ.Block()
			for _, low := range []byte{0x00, 0xff, 0x80, 0x7f, 0x0f, 0xf0} {
				w := make([]byte, typ.RowBytes(n*k))
				for i := range w {
					w[i] = low
				}
				for at := 0; at < len(w); at += step {
					for _, s := range scaleAt[typ] {
						w[at+s], w[at+s+1] = 0, 0x3c // 1
					}
				}
				for _, v := range []float32{1, -1} {
					x := make([]float32, k)
					for i := range x {
						x[i] = v
						if low == 0x7f && i%2 == 0 {
							x[i] = -v
						}
					}
					b := packed(t, size, x, k, 1, k)
					c, want := make([]float32, n), make([]float32, n)
					size.Mul(c, n, b, w, typ, nil, 1, n, k)
					mulIntegers(size, want, n, b, w, typ, nil, 1, n, k)
					if !slices.Equal(c, want) {
						t.Fatalf("%v of bytes %#x times %v: %v, the reference %v", typ, low, v, c, want)
					}
				}
			}
		}
	})
}

// TestMulIntegersHostile: weights and activations of any bits, among them numbers
// that are none, have the bits of the reference.
func TestMulIntegersHostile(t *testing.T) {
	eachInteger(t, func(t *testing.T, size Integers) {
		r := newRand(26)
		for _, typ := range size.types() {
			for round := range 40 {
				const m, n, k = 5, 19, 768
				w := make([]byte, typ.RowBytes(n*k))
				for i := range w {
					w[i] = byte(r.Uint32())
				}
				x := make([]float32, m*k)
				for i := range x {
					x[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(12)))
					if round%2 > 0 {
						x[i] = math.Float32frombits(r.Uint32())
					}
				}
				if round%4 > 0 { // scales of all sizes, but finite
					_, step := typ.Block()
					for at := 0; at < len(w); at += step {
						for _, s := range scaleAt[typ] {
							w[at+s+1] &^= 1 << (2 + r.IntN(5))
						}
					}
				}
				b := packed(t, size, x, k, m, k)
				c, want := make([]float32, m*n), make([]float32, m*n)
				size.Mul(c, n, b, w, typ, nil, m, n, k)
				mulIntegers(size, want, n, b, w, typ, nil, m, n, k)
				for i := range c {
					if !sameBits(c[i], want[i]) && !(c[i] == 0 && want[i] == 0) && !(c[i] != c[i] && want[i] != want[i]) {
						t.Fatalf("%v %v: element %d is %v where the reference has %v", size, typ, i, c[i], want[i])
					}
				}
			}
		}
	})
}

// TestMulIntegersRows: a row's bits depend on the row alone.
func TestMulIntegersRows(t *testing.T) {
	eachInteger(t, func(t *testing.T, size Integers) {
		r := newRand(23)
		const m, n, k = 21, 50, 768
		for _, typ := range size.types() {
			x, w := randMat(r, m, k, k), randQuant(r, typ, n*k)
			b := packed(t, size, x.x, k, m, k)
			all := make([]float32, m*n)
			size.Mul(all, n, b, w, typ, nil, m, n, k)
			one := make([]float32, n)
			for i := range m {
				rows := 1 + i%min(5, m-i)
				part := make([]float32, rows*n)
				size.Mul(part, n, b[size.Len(i, k):], w, typ, nil, rows, n, k)
				size.Mul(one[:n-7], n, b[size.Len(i, k):], w[typ.RowBytes(7*k):], typ, nil, 1, n-7, k)
				if !slices.Equal(part[:n], all[i*n:(i+1)*n]) || !slices.Equal(one[:n-7], all[i*n+7:(i+1)*n]) {
					t.Fatalf("%v: row %d has other bits alone", typ, i)
				}
			}
		}
	})
}

// TestFused knows what a single rounding gives where two would give another.
func TestFused(t *testing.T) {
	r := newRand(24)
	for range 200000 {
		x, y, z := math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
		if r.IntN(2) == 0 { // of like size, where rounding is close
			x, y = float32(1+r.IntN(1<<24)), float32(1+r.IntN(1<<24))
			z = float32(math.Ldexp(float64(1+r.IntN(1<<24)), r.IntN(60)-10)) * float32(1-2*r.IntN(2))
		}
		got, want := fused(x, y, z), exactFused(x, y, z)
		if !sameBits(got, want) && !(got != got && want != want) && !(got == 0 && want == 0) {
			t.Fatalf("%v·%v+%v = %v, want %v", x, y, z, got, want)
		}
	}
}

// exactFused rounds the exact x·y+z.
func exactFused(x, y, z float32) float32 {
	if s := float64(x)*float64(y) + float64(z); math.IsInf(s, 0) || s != s {
		return float32(s)
	}
	f := func(v float32) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(float64(v)) }
	s := f(x)
	s.Mul(s, f(y)).Add(s, f(z))
	got, _ := s.Float32()
	return got
}

// TestMulAhead: what is asked for behind the weights does not show in the product.
func TestMulAhead(t *testing.T) {
	eachInteger(t, func(t *testing.T, size Integers) {
		r := newRand(25)
		const n, k = 48, 256
		for _, m := range []int{1, 3, 8} {
			x := randMat(r, m, k, k)
			b := packed(t, size, x.x, k, m, k)
			for _, typ := range size.types() {
				w, other := randQuant(r, typ, n*k), randQuant(r, typ, k)
				want, got := make([]float32, m*n), make([]float32, m*n)
				size.Mul(want, n, b, w, typ, nil, m, n, k)
				for _, rest := range []int{0, typ.RowBytes(k), len(w)} {
					size.MulLaid(got, n, b, nil, w, typ, nil, m, n, k, w[:rest], other)
					if !slices.EqualFunc(got, want, sameBits) {
						t.Errorf("%v, %d rows: with %d bytes and others after them it is another product", typ, m, rest)
					}
				}
			}
		}
	})
}

// TestMulLaid: rows laid out in parts have the bits of Mul.
func TestMulLaid(t *testing.T) {
	eachInteger(t, func(t *testing.T, size Integers) {
		r := newRand(24)
		const n, k = 80, 256
		for _, m := range []int{1, 8, 9, 16, 24, 25, 32} {
			x := randMat(r, m, k, k)
			b := packed(t, size, x.x, k, m, k)
			g, laid := guardedBytes(size.LaidLen(m, k), 1)
			for _, part := range [][2]int{{3, 8}, {0, 2}, {2, 3}} {
				size.Lay(laid, b, m, k, part[0], part[1])
			}
			g.check(t, "Lay")
			for _, typ := range size.types() {
				w := randQuant(r, typ, n*k)
				want, got := make([]float32, m*n), make([]float32, m*n)
				size.Mul(want, n, b, w, typ, nil, m, n, k)
				size.MulLaid(got, n, b, laid, w, typ, nil, m, n, k, nil, nil)
				if !slices.EqualFunc(got, want, sameBits) {
					t.Errorf("%v, %d rows: laid out they make another product", typ, m)
				}
			}
		}
	})
}
