package kernel

import (
	"math"
	"slices"
	"testing"
)

// refTiles is the reference of MulTiles in the kind in use.
func refTiles() func(c []float32, ldc int, a []uint16, ka int, b []uint16, m, n, kt int, add bool) {
	if Name() == "avx512bf16" {
		return mulPairs
	}
	return mulTiles
}

// mulPairs is mulTiles with the additions of VDPBF16PS in their order.
func mulPairs(c []float32, ldc int, a []uint16, ka int, b []uint16, m, n, kt int, add bool) {
	wide := func(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }
	for i := range m {
		for j := range n {
			var sum float32
			if add {
				sum = flush(c[i*ldc+j])
			}
			for p := range kt {
				row, tile := a[(i/16*ka+p)*512+i%16*32:], b[(j/16*kt+p)*512+j%16*2:]
				for r := range 16 {
					sum = fusedTiny(wide(row[2*r+1]), wide(tile[r*32+1]), sum)
					sum = fusedTiny(wide(row[2*r]), wide(tile[r*32]), sum)
				}
			}
			c[i*ldc+j] = sum
		}
	}
}

// TestMulTiles holds the packing and the products of every kind to the bits of
// the reference, and those to the product itself.
func TestMulTiles(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(11)
		for _, s := range append(shapes(r), shape{64, 96, 576}, shape{70, 33, 1536}, shape{512, 64, 192}, shape{64, 16, 576}, shape{150, 16, 1000}, shape{130, 48, 64}) {
			lda, ldb, ldt, ldc := ld(r, s.k), ld(r, s.n), ld(r, s.k), ld(r, s.n)
			a, b := randMat(r, s.m, s.k, lda), randMat(r, s.k, s.n, ldb)
			bt := randMat(r, s.n, s.k, ldt)
			for j := range s.n {
				for p := range s.k {
					bt.x[j*ldt+p] = b.x[p*ldb+j]
				}
			}
			left, right, rightT := make([]uint16, TilesLen(s.m, s.k)), make([]uint16, TilesLen(s.n, s.k)), make([]uint16, TilesLen(s.n, s.k))
			want := slices.Clone(left)
			PackLeft(left, a.x, lda, s.m, s.k)
			packLeft(want, a.x, lda, s.m, s.k)
			if !slices.Equal(left, want) {
				t.Fatalf("%v: the left operand is packed otherwise", s)
			}
			want = slices.Clone(right)
			PackRight(right, b.x, ldb, s.k, s.n)
			packRight(want, b.x, ldb, s.k, s.n)
			if !slices.Equal(right, want) {
				t.Fatalf("%v: the right operand is packed otherwise", s)
			}
			PackRightT(rightT, bt.x, ldt, s.n, s.k)
			if !slices.Equal(rightT, want) {
				t.Fatalf("%v: the transposed right operand is packed otherwise", s)
			}
			for _, add := range []bool{false, true} {
				c := randMat(r, s.m, s.n, ldc)
				ref := slices.Clone(c.x)
				before := slices.Clone(c.x)
				MulTiles(c.x, ldc, left, right, s.m, s.n, s.k, add)
				c.checkGaps(t, s.String(), s.m, s.n, ldc)
				refTiles()(ref, ldc, left, (s.k+31)/32, right, s.m, s.n, (s.k+31)/32, add)
				for i := range s.m {
					for j := range s.n {
						if got, want := c.x[i*ldc+j], ref[i*ldc+j]; math.Float32bits(got) != math.Float32bits(want) {
							t.Fatalf("%v, add %v: c[%d,%d] is %v where the reference has %v", s, add, i, j, got, want)
						}
						var want, size float64
						if add {
							want = float64(before[i*ldc+j])
							size = math.Abs(want)
						}
						for p := range s.k {
							v := float64(a.x[i*lda+p]) * float64(b.x[p*ldb+j])
							want += v
							size += math.Abs(v)
						}
						near(t, s.String(), c.x[i*ldc+j], want, size, 1.0/128)
					}
				}
			}
		}
	})
}

// TestMulTilesTiny: what is below the least normal number becomes zero alike, and
// infinities and NaN stay what they are.
func TestMulTilesTiny(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(12)
		const m, n, k = 48, 32, 64
		a, b := randMat(r, m, k, k), randMat(r, k, n, n)
		for i := range a.x {
			a.x[i] *= float32(math.Ldexp(1, -64-r.IntN(40)))
		}
		for i := range b.x {
			b.x[i] *= float32(math.Ldexp(1, -30-r.IntN(40)))
		}
		a.x[5] = math.Float32frombits(0x00400000)
		b.x[7] = float32(math.Inf(1))
		left, right := make([]uint16, TilesLen(m, k)), make([]uint16, TilesLen(n, k))
		PackLeft(left, a.x, k, m, k)
		PackRight(right, b.x, n, k, n)
		c, want := make([]float32, m*n), make([]float32, m*n)
		MulTiles(c, n, left, right, m, n, k, false)
		refTiles()(want, n, left, k/32, right, m, n, k/32, false)
		for i := range c {
			if c[i] != want[i] && !(c[i] != c[i] && want[i] != want[i]) {
				t.Fatalf("c[%d] is %v where the reference has %v", i, c[i], want[i])
			}
		}
		if !math.IsInf(float64(c[7]), 0) && c[7] == c[7] {
			t.Errorf("an infinite operand gave %v", c[7])
		}
	})
}

// TestPackRightQ: packing of quantized weights is that of the widened ones.
func TestPackRightQ(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(13)
		for _, typ := range allTypes() {
			for _, rows := range []int{45, 96} {
				const cols = 768
				w := randQuant(r, typ, rows*cols)
				order := make([]int32, rows)
				for i := range order {
					order[i] = int32((i*7 + 3) % rows)
				}
				wide := make([]float32, rows*cols)
				for i := range rows {
					Widen(wide[i*cols:(i+1)*cols], storedRow(w, order, typ.RowBytes(cols), i), typ)
				}
				got, want := make([]uint16, TilesLen(rows, cols)), make([]uint16, TilesLen(rows, cols))
				PackRightTQ(got, w, typ, order, rows, cols)
				PackRightT(want, wide, cols, rows, cols)
				if !slices.Equal(got, want) {
					t.Errorf("%s: the transpose is packed otherwise", typ)
				}
				PackLeftQ(got, w, typ, order, rows, cols)
				PackLeft(want, wide, cols, rows, cols)
				if !slices.Equal(got, want) {
					t.Errorf("%s: the left operand is packed otherwise", typ)
				}
				got, want = make([]uint16, TilesLen(256, rows)), make([]uint16, TilesLen(256, rows))
				PackRightQ(got, w, typ, order, cols, 256, 256, rows)
				PackRight(want, wide[256:], cols, rows, 256)
				if !slices.Equal(got, want) {
					t.Errorf("%s: it is packed otherwise", typ)
				}
			}
		}
	})
}

// TestPackLeftQ: rows of an odd number of blocks, and few of them.
func TestPackLeftQ(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(15)
		for _, typ := range allTypes() {
			if n, _ := typ.Block(); n > 32 {
				continue
			}
			for _, s := range []shape{{n: 1, k: 32}, {n: 3, k: 96}, {n: 16, k: 160}, {n: 33, k: 64}} {
				w := randQuant(r, typ, s.n*s.k)
				wide := make([]float32, s.n*s.k)
				Widen(wide, w, typ)
				got, want := make([]uint16, TilesLen(s.n, s.k)), make([]uint16, TilesLen(s.n, s.k))
				for i := range got {
					got[i] = 0x7fc1
				}
				PackLeftQ(got, w, typ, nil, s.n, s.k)
				PackLeft(want, wide, s.k, s.n, s.k)
				if !slices.Equal(got, want) {
					t.Errorf("%s, %v: it is packed otherwise", typ, s)
				}
			}
		}
	})
}

// TestMulFew: the product of few columns is that of packed operands.
func TestMulFew(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(16)
		for _, typ := range allTypes() {
			for _, s := range []shape{{m: 3, n: 5, k: 256}, {m: 16, n: 130, k: 768}, {m: 1, n: 64, k: 512}} {
				w := randQuant(r, typ, s.n*s.k)
				order := shuffled(r, s.n, s.n)
				x := randMat(r, s.m, s.k, s.k)
				right, left := make([]uint16, TilesLen(16, s.k)), make([]uint16, TilesLen(s.n, s.k))
				PackRightT(right, x.x, s.k, s.m, s.k)
				for _, o := range [][]int32{nil, order} {
					got, want := make([]float32, 16*s.n), make([]float32, 16*s.n)
					MulFew(got, 16, w, typ, o, right, s.n, s.k)
					PackLeftQ(left, w, typ, o, s.n, s.k)
					MulTiles(want, 16, left, right, s.n, 16, s.k, false)
					for i := range got {
						if !sameBits(got[i], want[i]) && (got[i] == got[i] || want[i] == want[i]) {
							t.Fatalf("%s, %v: c[%d] is %v and not %v", typ, s, i, got[i], want[i])
						}
					}
				}
			}
		}
	})
}

// TestMulTilesPart: a part of k is the product of that part.
func TestMulTilesPart(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(14)
		const m, n, k, k0, part = 70, 50, 200, 64, 100
		a, b := randMat(r, m, k, k), randMat(r, part, n, n)
		whole, cut, right := make([]uint16, TilesLen(m, k)), make([]uint16, TilesLen(m, part)), make([]uint16, TilesLen(n, part))
		PackRight(right, b.x, n, part, n)
		for i := range m {
			clear(a.x[i*k+k0+part : (i+1)*k])
		}
		PackLeft(whole, a.x, k, m, k)
		PackLeft(cut, a.x[k0:], k, m, part)
		got, want := make([]float32, m*n), make([]float32, m*n)
		MulTilesPart(got, n, whole, k, k0, right, m, n, part, false)
		MulTiles(want, n, cut, right, m, n, part, false)
		if !slices.Equal(got, want) {
			t.Error("it is another")
		}
	})
}
