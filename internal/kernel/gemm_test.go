package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

type shape struct{ m, n, k int }

func (s shape) String() string { return fmt.Sprintf("m=%d n=%d k=%d", s.m, s.n, s.k) }

// shapes are odd ones all over 1 to 40, and some that need several chunks,
// blocks and panels.
func shapes(r *rand.Rand) []shape {
	s := []shape{
		{1, 1, 1}, {3, 4, 8}, {6, 16, 16}, {1, 64, 100}, {2, 33, 50}, {3, 70, 49}, {1, 200, 5},
		{13, 17, 767}, {4, 5, 769}, {7, 9, 1536}, {100, 7, 1600}, {97, 50, 65}, {20, 300, 270},
		{101, 275, 33}, {5, 600, 300}, {40, 33, 520}, {200, 40, 300},
	}
	for i := 1; i <= 40; i++ {
		s = append(s, shape{i, 1 + r.IntN(40), 1 + r.IntN(40)}, shape{1 + r.IntN(40), i, 1 + r.IntN(40)}, shape{1 + r.IntN(40), 1 + r.IntN(40), i})
	}
	return s
}

// ld is a leading dimension for so many columns: tight, or with a gap.
func ld(r *rand.Rand, cols int) int { return cols + r.IntN(2)*r.IntN(20) }

func TestMulNT(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(1)
		for _, s := range shapes(r) {
			ldc, lda, ldb := ld(r, s.n), ld(r, s.k), ld(r, s.k)
			a, b, c := randMat(r, s.m, s.k, lda), randMat(r, s.n, s.k, ldb), randMat(r, s.m, s.n, ldc)
			MulNT(c.x, ldc, a.x, lda, b.x, ldb, s.m, s.n, s.k)
			c.checkGaps(t, s.String(), s.m, s.n, ldc)
			for i := range s.m {
				for j := range s.n {
					var want, size float64
					for p := range s.k {
						v := float64(a.x[i*lda+p]) * float64(b.x[j*ldb+p])
						want += v
						size += math.Abs(v)
					}
					near(t, fmt.Sprintf("%v: c[%d,%d]", s, i, j), c.x[i*ldc+j], want, size, 1e-6)
				}
			}
		}
	})
}

// laneDot is the sum of MulNT spelled out, with the rounding of the kind in use.
func laneDot(a, b []float32) float32 {
	fused := func(x, y, z float32) float32 { return float32(math.FMA(float64(x), float64(y), float64(z))) }
	if Name() == "go" {
		fused = func(x, y, z float32) float32 { return z + x*y }
	}
	k := len(a)
	parts := (k + 767) / 768
	chunk := ((k+parts-1)/parts + 31) / 32 * 32
	var sum float32
	for p := 0; p < k; p += chunk {
		var l [16]float32
		for i := p; i < min(p+chunk, k); i++ {
			l[i%cur.lanes] = fused(a[i], b[i], l[i%cur.lanes])
		}
		for i := range 8 {
			l[i] += l[i+8]
		}
		sum += ((l[0] + l[1]) + (l[2] + l[3])) + ((l[4] + l[5]) + (l[6] + l[7]))
	}
	return sum
}

// TestMulNTTree holds the order of additions that the documentation promises. On
// small integers times a power of two the fused products of this test, rounded
// through float64, are exact in either way, and sums still round.
func TestMulNTTree(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(2)
		for _, k := range []int{1, 7, 8, 9, 31, 64, 100, 576, 767, 768, 769, 1000, 1536, 2305} {
			a, b := make([]float32, k), make([]float32, k)
			for i := range k {
				a[i] = float32(r.IntN(1<<12)-1<<11) * float32(int(1)<<r.IntN(14))
				b[i] = float32(r.IntN(1<<12) - 1<<11)
			}
			want := laneDot(a, b)
			if got := Dot(a, b); got != want {
				t.Errorf("k=%d: Dot = %v, want %v", k, got, want)
			}
			var c [1]float32
			MulNT(c[:], 1, a, k, b, k, 1, 1, k)
			if c[0] != want {
				t.Errorf("k=%d: MulNT = %v, want %v", k, c[0], want)
			}
		}
	})
}

// TestMulNTBits cuts one product into random parts: not one bit may change.
func TestMulNTBits(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(3)
		for _, s := range []shape{{40, 40, 64}, {23, 31, 577}, {110, 13, 37}, {17, 9, 1537}} {
			a, b, c := randMat(r, s.m, s.k, s.k), randMat(r, s.n, s.k, s.k), randMat(r, s.m, s.n, s.n)
			MulNT(c.x, s.n, a.x, s.k, b.x, s.k, s.m, s.n, s.k)
			for range 60 {
				i0, j0 := r.IntN(s.m), r.IntN(s.n)
				m, n := 1+r.IntN(s.m-i0), 1+r.IntN(s.n-j0)
				part := randMat(r, m, n, n)
				MulNT(part.x, n, a.x[i0*s.k:], s.k, b.x[j0*s.k:], s.k, m, n, s.k)
				for i := range m {
					for j := range n {
						if got, want := part.x[i*n+j], c.x[(i0+i)*s.n+j0+j]; !sameBits(got, want) {
							t.Fatalf("%v: element (%d,%d) is %v in all, %v in rows %d+%d, columns %d+%d", s, i0+i, j0+j, want, got, i0, m, j0, n)
						}
					}
				}
			}
		}
	})
}

// outer is AddNN or AddTN, with A given untransposed.
type outer struct {
	name string
	mul  func(c []float32, ldc int, a []float32, b []float32, ldb int, s shape)
}

func outers() []outer {
	return []outer{
		{"AddNN", func(c []float32, ldc int, a []float32, b []float32, ldb int, s shape) {
			AddNN(c, ldc, a, s.k, b, ldb, s.m, s.n, s.k)
		}},
		{"AddTN", func(c []float32, ldc int, a []float32, b []float32, ldb int, s shape) {
			lda := s.m + 3
			at := make([]float32, s.k*lda)
			for i := range s.m {
				for p := range s.k {
					at[p*lda+i] = a[i*s.k+p]
				}
			}
			AddTN(c, ldc, at, lda, b, ldb, s.m, s.n, s.k)
		}},
	}
}

func TestAddNN(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(4)
		for _, s := range shapes(r) {
			for _, o := range outers() {
				ldc, ldb := ld(r, s.n), ld(r, s.n)
				a, b, c := randMat(r, s.m, s.k, s.k), randMat(r, s.k, s.n, ldb), randMat(r, s.m, s.n, ldc)
				before := append([]float32(nil), c.x...)
				o.mul(c.x, ldc, a.x, b.x, ldb, s)
				what := o.name + " " + s.String()
				c.checkGaps(t, what, s.m, s.n, ldc)
				for i := range s.m {
					for j := range s.n {
						want := float64(before[i*ldc+j])
						size := math.Abs(want)
						for p := range s.k {
							v := float64(a.x[i*s.k+p]) * float64(b.x[p*ldb+j])
							want += v
							size += math.Abs(v)
						}
						near(t, fmt.Sprintf("%s: c[%d,%d]", what, i, j), c.x[i*ldc+j], want, size, 1e-6)
					}
				}
			}
		}
	})
}

// TestAddNNBits cuts m, n and k at random.
func TestAddNNBits(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(5)
		for _, s := range []shape{{40, 40, 64}, {23, 90, 577}, {110, 33, 37}, {17, 300, 300}, {40, 16, 130}} {
			for _, o := range outers() {
				a, b, c := randMat(r, s.m, s.k, s.k), randMat(r, s.k, s.n, s.n), randMat(r, s.m, s.n, s.n)
				before := append([]float32(nil), c.x...)
				o.mul(c.x, s.n, a.x, b.x, s.n, s)
				for range 20 {
					i0, j0 := r.IntN(s.m), r.IntN(s.n)
					m, n := 1+r.IntN(s.m-i0), 1+r.IntN(s.n-j0)
					part := make([]float32, m*n)
					for i := range m {
						copy(part[i*n:i*n+n], before[(i0+i)*s.n+j0:])
					}
					for p := 0; p < s.k; {
						k := 1 + r.IntN(s.k-p)
						sub := make([]float32, m*k)
						for i := range m {
							copy(sub[i*k:i*k+k], a.x[(i0+i)*s.k+p:])
						}
						o.mul(part, n, sub, b.x[p*s.n+j0:], s.n, shape{m, n, k})
						p += k
					}
					for i := range m {
						for j := range n {
							if got, want := part[i*n+j], c.x[(i0+i)*s.n+j0+j]; !sameBits(got, want) {
								t.Fatalf("%s %v: element (%d,%d) is %v in all, %v in parts", o.name, s, i0+i, j0+j, want, got)
							}
						}
					}
				}
			}
		}
	})
}

func TestGemmEmpty(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		c := []float32{1, 2, 3, 4, 5, 6}
		MulNT(nil, 0, nil, 0, nil, 0, 0, 0, 0)
		MulNT(c, 3, nil, 0, nil, 0, 0, 3, 0)
		AddNN(c, 3, nil, 0, nil, 3, 2, 3, 0)
		AddTN(c, 3, nil, 2, nil, 3, 2, 3, 0)
		for i, v := range c {
			if v != float32(i+1) {
				t.Fatalf("an empty product changed c to %v", c)
			}
		}
		MulNT(c, 3, nil, 0, nil, 0, 2, 3, 0)
		for _, v := range c {
			if v != 0 {
				t.Fatalf("MulNT over k = 0 left %v", c)
			}
		}
	})
}

func TestGemmNaN(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(6)
		s := shape{9, 21, 19}
		for range 30 {
			a, b := randMat(r, s.m, s.k, s.k), randMat(r, s.n, s.k, s.k)
			i, p := r.IntN(s.m), r.IntN(s.k)
			a.x[i*s.k+p] = float32(math.NaN())
			c := make([]float32, s.m*s.n)
			MulNT(c, s.n, a.x, s.k, b.x, s.k, s.m, s.n, s.k)
			d := make([]float32, s.m*s.n)
			bt := make([]float32, s.k*s.n)
			Transpose(bt, s.n, b.x, s.k, s.n, s.k)
			AddNN(d, s.n, a.x, s.k, bt, s.n, s.m, s.n, s.k)
			for e := range c {
				if in := e/s.n == i; (c[e] != c[e]) != in || (d[e] != d[e]) != in {
					t.Fatalf("NaN in row %d of A: element %d is %v and %v", i, e, c[e], d[e])
				}
			}
		}
	})
}

func TestPeak(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		if g := PeakFMA(0.001); !(g > 0.01 && g < 1e4) {
			t.Errorf("PeakFMA = %v GFLOP/s", g)
		}
		if g := ReadBandwidth(make([]float32, 1<<16+3), 0.001); !(g > 0.01 && g < 1e5) {
			t.Errorf("ReadBandwidth = %v GB/s", g)
		}
		x := make([]float32, 259)
		for i := range x {
			x[i] = float32(i)
		}
		if s := cur.readSum(x); s != 259*258/2 {
			t.Errorf("the bandwidth loop read a sum of %v, want %v", s, 259*258/2)
		}
	})
}
