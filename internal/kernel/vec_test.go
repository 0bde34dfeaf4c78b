package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// ulps is how far got is from want in units in the last place of a float32,
// subnormal ones included.
func ulps(got float32, want float64) float64 {
	_, e := math.Frexp(want)
	unit := math.Ldexp(1, max(e-24, -149))
	return math.Abs(float64(got)-want) / unit
}

func TestExp(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(21)
		x := make([]float32, 1<<16)
		for i := range x {
			switch i % 4 {
			case 0:
				x[i] = float32(r.NormFloat64())
			case 1:
				x[i] = float32(r.Float64()*193 - 104)
			case 2:
				x[i] = float32(r.NormFloat64()) * 1e-4
			default: // around the halves of ln 2, where n changes
				x[i] = float32((float64(r.IntN(250)-125) + 0.5) * math.Ln2 * (1 + (r.Float64()-0.5)*1e-5))
			}
		}
		y := make([]float32, len(x))
		Exp(y, x)
		for i, got := range y {
			want := math.Exp(float64(x[i]))
			if want > math.MaxFloat32 {
				continue
			}
			if u := ulps(got, want); !(u <= 2) {
				t.Fatalf("Exp(%v) = %v, want %v: off by %v units in the last place", x[i], got, want, u)
			}
		}
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, c := range []struct{ x, want float32 }{
			{0, 1}, {inf, inf}, {-inf, 0}, {nan, nan}, {88.73, inf}, {1e30, inf}, {-1e30, 0}, {-104, 0}, {float32(math.Copysign(0, -1)), 1},
		} {
			y := []float32{c.x, c.x, c.x, c.x, c.x, c.x, c.x, c.x, c.x}
			Exp(y, y)
			for i, got := range y {
				if got != c.want && !(got != got && c.want != c.want) {
					t.Errorf("Exp(%v) at %d = %v, want %v", c.x, i, got, c.want)
				}
			}
		}
	})
}

func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func gelu64(g float64) float64 {
	return g / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g)))
}

func silu64(g float64) float64 { return g * sigmoid64(g) }

// slope64 is the derivative of f by central differences.
func slope64(f func(float64) float64, x float64) float64 {
	const h = 1e-5
	return (f(x+h) - f(x-h)) / (2 * h)
}

// mapOp is an operation that makes out[i] of the in[i] alone, with its reference
// and the tolerance relative to the size that the reference returns beside.
type mapOp struct {
	name    string
	in, out int
	inPlace bool // outputs begin as the first inputs
	run     func(out, in [][]float32)
	want    func(in []float64) (out []float64, size []float64)
	tol     float64
}

func same(vs ...float64) (out, size []float64) {
	for _, v := range vs {
		size = append(size, max(math.Abs(v), 1e-30))
	}
	return vs, size
}

func one(v, size float64) (out, sizes []float64) { return []float64{v}, []float64{size} }

const testD, testScale, testS = float32(0.3), float32(0.125), float32(-1.7)

func mapOps() []mapOp {
	gateWant := func(f func(float64) float64) func(in []float64) (out, size []float64) {
		return func(in []float64) (out, size []float64) {
			return one(f(in[0])*in[1], math.Abs(f(in[0])*in[1])+1e-6*math.Abs(in[0]*in[1]))
		}
	}
	gradWant := func(f func(float64) float64) func(in []float64) (out, size []float64) {
		return func(in []float64) (out, size []float64) {
			d, g, u := in[0], in[1], in[2]
			return []float64{d * u * slope64(f, g), d * f(g)}, []float64{math.Abs(d*u) + 1e-9, math.Abs(d*f(g)) + 1e-3*math.Abs(d*g)}
		}
	}
	return []mapOp{
		{"SiluMul", 2, 1, false, func(out, in [][]float32) { SiluMul(out[0], in[0], in[1]) }, gateWant(silu64), 1e-6},
		{"GeluTanhMul", 2, 1, false, func(out, in [][]float32) { GeluTanhMul(out[0], in[0], in[1]) }, gateWant(gelu64), 2e-6},
		{"SiluMulGrad", 3, 2, false, func(out, in [][]float32) { SiluMulGrad(out[0], out[1], in[0], in[1], in[2]) }, gradWant(silu64), 2e-6},
		{"GeluTanhMulGrad", 3, 2, false, func(out, in [][]float32) { GeluTanhMulGrad(out[0], out[1], in[0], in[1], in[2]) }, gradWant(gelu64), 2e-6},
		{"SoftmaxGrad", 2, 1, false, func(out, in [][]float32) { SoftmaxGrad(out[0], in[0], in[1], testD, testScale) },
			func(in []float64) (out, size []float64) {
				d, s := float64(testD), float64(testScale)
				return one(in[0]*(in[1]-d)*s, math.Abs(in[0])*(math.Abs(in[1])+d)*s)
			}, 3e-7},
		{"Add", 2, 1, true, func(out, in [][]float32) { Add(out[0], in[1]) },
			func(in []float64) (out, size []float64) { return same(in[0] + in[1]) }, 1e-7},
		{"AddScaled", 2, 1, true, func(out, in [][]float32) { AddScaled(out[0], in[1], testS) },
			func(in []float64) (out, size []float64) {
				v := float64(testS) * in[1]
				return one(in[0]+v, math.Abs(in[0])+math.Abs(v))
			}, 2e-7},
		{"Scale", 1, 1, true, func(out, in [][]float32) { Scale(out[0], testS) },
			func(in []float64) (out, size []float64) { return same(in[0] * float64(testS)) }, 1e-7},
		{"Mul", 2, 1, false, func(out, in [][]float32) { Mul(out[0], in[0], in[1]) },
			func(in []float64) (out, size []float64) { return same(in[0] * in[1]) }, 1e-7},
		{"AddProduct", 3, 1, true, func(out, in [][]float32) { AddProduct(out[0], in[1], in[2]) },
			func(in []float64) (out, size []float64) {
				v := in[1] * in[2]
				return one(in[0]+v, math.Abs(in[0])+math.Abs(v))
			}, 2e-7},
		{"AdamW", 4, 3, true, func(out, in [][]float32) {
			AdamW(out[0], out[1], out[2], in[3], 1e-2, 0.9, 0.999, 1e-8, 0.01, 1-math.Pow(0.9, 3), 1-math.Pow(0.999, 3))
		}, func(in []float64) (out, size []float64) {
			p, m, v, g := in[0]*(1-1e-2*0.01), 0.9*in[1]+0.1*in[3], 0.999*in[2]+0.001*in[3]*in[3], in[3]
			step := 1e-2 * m / (1 - math.Pow(0.9, 3)) / (math.Sqrt(v/(1-math.Pow(0.999, 3))) + 1e-8)
			return []float64{p - step, m, v}, []float64{math.Abs(p) + math.Abs(step), math.Abs(in[1]) + math.Abs(g), v}
		}, 1e-6},
	}
}

func TestMapOps(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(22)
		for _, op := range mapOps() {
			for _, n := range sizes() {
				what := fmt.Sprintf("%s n=%d", op.name, n)
				in, inBits := make([][]float32, op.in), make([][]float32, op.in)
				for j := range in {
					in[j] = randVec(r, n).x
					if op.name == "AdamW" && j == 2 { // a second moment
						for i, v := range in[j] {
							in[j][i] = v * v
						}
					}
					inBits[j] = append([]float32(nil), in[j]...)
				}
				out, guards := make([][]float32, op.out), make([]guarded, op.out)
				for j := range out {
					guards[j] = randVec(r, n)
					out[j] = guards[j].x
					if op.inPlace {
						copy(out[j], in[j])
					}
				}
				op.run(out, in)
				for j := range out {
					guards[j].check(t, what)
				}
				x := make([]float64, op.in)
				for i := range n {
					for j := range x {
						x[j] = float64(in[j][i])
						if !sameBits(in[j][i], inBits[j][i]) {
							t.Fatalf("%s: changed input %d", what, j)
						}
					}
					want, size := op.want(x)
					for j, w := range want {
						near(t, fmt.Sprintf("%s: output %d at %d", what, j, i), out[j][i], w, size[j], op.tol)
					}
				}
				checkElementBits(t, r, op, what, in, out)
			}
		}
	})
}

// checkElementBits runs the operation on random parts: an element must not care
// where it stands. It also tries NaN in every input.
func checkElementBits(t *testing.T, r *rand.Rand, op mapOp, what string, in, out [][]float32) {
	t.Helper()
	n := len(in[0])
	if n == 0 {
		return
	}
	at := r.IntN(n)
	k := 1 + r.IntN(n-at)
	part := func(edit func(in [][]float32)) [][]float32 {
		pin, pout := make([][]float32, op.in), make([][]float32, op.out)
		for j := range pin {
			pin[j] = append([]float32(nil), in[j][at:at+k]...)
		}
		edit(pin)
		for j := range pout {
			pout[j] = make([]float32, k)
			if op.inPlace {
				copy(pout[j], pin[j])
			}
		}
		op.run(pout, pin)
		return pout
	}
	for j, p := range part(func([][]float32) {}) {
		for i, v := range p {
			if !sameBits(v, out[j][at+i]) {
				t.Fatalf("%s: output %d at %d is %v in all, %v in a part from %d", what, j, at+i, out[j][at+i], v, at)
			}
		}
	}
	for j := range in {
		bad := r.IntN(k)
		p := part(func(in [][]float32) { in[j][bad] = float32(math.NaN()) })
		reached := false
		for o := range p {
			for i, v := range p[o] {
				if v != v && i != bad {
					t.Fatalf("%s: a NaN in input %d at %d came out at %d", what, j, bad, i)
				}
				reached = reached || v != v
			}
		}
		if !reached {
			t.Fatalf("%s: a NaN in input %d was lost", what, j)
		}
	}
}

func TestMapOpsInPlace(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(23)
		for _, n := range []int{1, 8, 13, 100} {
			a, b, d := randVec(r, n).x, randVec(r, n).x, randVec(r, n).x
			clone := func(x []float32) []float32 { return append([]float32(nil), x...) }
			want, want2 := make([]float32, n), make([]float32, n)
			check := func(name string, got, want []float32) {
				t.Helper()
				for i := range got {
					if !sameBits(got[i], want[i]) {
						t.Fatalf("%s in place, n=%d: %v at %d, want %v", name, n, got[i], i, want[i])
					}
				}
			}
			Exp(want, a)
			x := clone(a)
			Exp(x, x)
			check("Exp", x, want)
			SiluMul(want, a, b)
			x = clone(a)
			SiluMul(x, x, b)
			check("SiluMul onto gate", x, want)
			x = clone(b)
			SiluMul(x, a, x)
			check("SiluMul onto up", x, want)
			SiluMulGrad(want, want2, d, a, b)
			x, y := clone(a), clone(b)
			SiluMulGrad(x, y, d, x, y)
			check("SiluMulGrad", x, want)
			check("SiluMulGrad", y, want2)
			SoftmaxGrad(want, a, b, testD, testScale)
			x = clone(b)
			SoftmaxGrad(x, a, x, testD, testScale)
			check("SoftmaxGrad", x, want)
			RMSNorm(want, a, b, 1e-5)
			x = clone(a)
			RMSNorm(x, x, b, 1e-5)
			check("RMSNorm", x, want)
		}
	})
}

func TestReductions(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(24)
		for _, n := range sizes() {
			g := randVec(r, n)
			what := fmt.Sprintf("n=%d", n)
			most, squares := math.Inf(-1), 0.0
			for _, v := range g.x {
				most = max(most, float64(v))
				squares += float64(v) * float64(v)
			}
			if got := MaxOf(g.x); float64(got) != most {
				t.Fatalf("MaxOf %s = %v, want %v", what, got, most)
			}
			if got := SumSquares(g.x); math.Abs(got-squares) > 1e-14*squares {
				t.Fatalf("SumSquares %s = %v, want %v", what, got, squares)
			}
			var lanes [8]float64
			for i, v := range g.x {
				lanes[i%8] += float64(v) * float64(v)
			}
			if got, want := SumSquares(g.x), ((lanes[0]+lanes[1])+(lanes[2]+lanes[3]))+((lanes[4]+lanes[5])+(lanes[6]+lanes[7])); got != want {
				t.Fatalf("SumSquares %s = %v, its lanes give %v", what, got, want)
			}
			if n > 0 {
				bad := r.IntN(n)
				old := g.x[bad]
				g.x[bad] = float32(math.NaN())
				if n > 1 {
					if got := MaxOf(g.x); got != got {
						t.Fatalf("MaxOf %s with a NaN at %d is NaN", what, bad)
					}
				}
				if got := SumSquares(g.x); got == got {
					t.Fatalf("SumSquares %s lost a NaN", what)
				}
				g.x[bad] = old
			}

			before := append([]float32(nil), g.x...)
			exps := make([]float32, n)
			shift := float32(0)
			if n > 0 {
				shift = MaxOf(g.x)
			}
			for i, v := range g.x {
				exps[i] = v - shift
			}
			Exp(exps, exps)
			sum := ExpSum(g.x, shift)
			g.check(t, "ExpSum "+what)
			var l [8]float32
			for i, v := range g.x {
				if !sameBits(v, exps[i]) {
					t.Fatalf("ExpSum %s made %v of %v, Exp %v", what, v, before[i], exps[i])
				}
				l[i%8] += v
			}
			if want := sumLanes(&l); sum != want {
				t.Fatalf("ExpSum %s = %v, its lanes give %v", what, sum, want)
			}
		}
	})
}

func TestRMSNorm(t *testing.T) {
	const eps = 1e-5
	eachKind(t, func(t *testing.T) {
		r := newRand(25)
		for _, n := range sizes()[1:] {
			what := fmt.Sprintf("n=%d", n)
			x, w, dy := randVec(r, n).x, randVec(r, n).x, randVec(r, n).x
			dst, dx := randVec(r, n), randVec(r, n)
			old := append([]float32(nil), dx.x...)
			rinv := RMSNorm(dst.x, x, w, eps)
			RMSNormGrad(dx.x, dy, x, w, rinv)
			dst.check(t, what)
			dx.check(t, what)
			var squares, products, absolute float64
			for i := range n {
				squares += float64(x[i]) * float64(x[i])
				v := float64(dy[i]) * float64(w[i]) * float64(x[i])
				products += v
				absolute += math.Abs(v)
			}
			want := 1 / math.Sqrt(squares/float64(n)+eps)
			near(t, "rinv "+what, rinv, want, want, 1e-6)
			for i := range n {
				y := float64(x[i]) * want * float64(w[i])
				near(t, fmt.Sprintf("RMSNorm %s at %d", what, i), dst.x[i], y, math.Abs(y), 1e-6)
				direct := float64(dy[i]) * float64(w[i])
				c := want * want / float64(n) * float64(x[i])
				near(t, fmt.Sprintf("RMSNormGrad %s at %d", what, i), dx.x[i], float64(old[i])+want*(direct-c*products),
					math.Abs(float64(old[i]))+want*(math.Abs(direct)+math.Abs(c)*absolute), 1e-6)
			}
		}
	})
}

func TestRope(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(26)
		for _, h := range sizes() {
			what := fmt.Sprintf("half=%d", h)
			g := randVec(r, 2*h)
			old := append([]float32(nil), g.x...)
			cos, sin := make([]float32, h), make([]float32, h)
			for i := range h {
				s, c := math.Sincos(r.Float64() * 7)
				cos[i], sin[i] = float32(c), float32(s)
			}
			Rope(g.x, cos, sin)
			g.check(t, what)
			for i := range h {
				a, b, c, s := float64(old[i]), float64(old[i+h]), float64(cos[i]), float64(sin[i])
				size := math.Abs(a) + math.Abs(b)
				near(t, fmt.Sprintf("Rope %s at %d", what, i), g.x[i], a*c-b*s, size, 2e-7)
				near(t, fmt.Sprintf("Rope %s at %d", what, i+h), g.x[i+h], b*c+a*s, size, 2e-7)
			}
			RopeGrad(g.x, cos, sin)
			g.check(t, what)
			for i := range h {
				size := math.Abs(float64(old[i])) + math.Abs(float64(old[i+h]))
				near(t, fmt.Sprintf("RopeGrad of Rope %s at %d", what, i), g.x[i], float64(old[i]), size, 1e-6)
				near(t, fmt.Sprintf("RopeGrad of Rope %s at %d", what, i+h), g.x[i+h], float64(old[i+h]), size, 1e-6)
			}
		}
	})
}

func TestTranspose(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(27)
		for _, s := range shapes(r) {
			rows, cols := s.m, s.n
			lds, ldd := ld(r, cols), ld(r, rows)
			src, dst := randMat(r, rows, cols, lds), randMat(r, cols, rows, ldd)
			what := fmt.Sprintf("Transpose of [%d,%d]", rows, cols)
			Transpose(dst.x, ldd, src.x, lds, rows, cols)
			dst.checkGaps(t, what, cols, rows, ldd)
			AddTransposed(dst.x, ldd, src.x, lds, rows, cols)
			dst.checkGaps(t, "Add"+what, cols, rows, ldd)
			for i := range rows {
				for j := range cols {
					if got, want := dst.x[j*ldd+i], 2*src.x[i*lds+j]; got != want {
						t.Fatalf("Transpose and AddTransposed of [%d,%d]: (%d,%d) is %v, want %v", rows, cols, i, j, got, want)
					}
				}
			}
		}
		Transpose(nil, 0, nil, 0, 0, 0)
	})
}

// TestAdamWSmallBeta1 takes the other end of the mean, as PyTorch's lerp does.
func TestAdamWSmallBeta1(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		p, m, v, g := []float32{1}, []float32{0.5}, []float32{0}, []float32{-2}
		AdamW(p, m, v, g, 0.1, 0.25, 0.5, 0, 0.5, 0.75, 0.5)
		if m[0] != 0.25*0.5-0.75*2 || v[0] != 2 {
			t.Errorf("moments are %v and %v, want %v and 2", m[0], v[0], 0.25*0.5-0.75*2)
		}
		near(t, "p", p[0], 0.95+0.1/0.75*1.375/2, 1, 1e-7)
	})
}

// TestNoAllocation runs every operation twice; the first may take scratch.
func TestNoAllocation(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(28)
		const m, n, k = 40, 64, 256
		a, b, c := randMat(r, 320, 320, 320).x, randMat(r, 320, 320, 320).x, randMat(r, 320, 320, 320).x
		d, e := randVec(r, n).x, randVec(r, n).x
		half, right := make([]byte, 2*n), make([]uint16, TilesLen(16, k))
		w := map[DType][]byte{}
		for _, t := range allTypes() {
			w[t] = randQuant(r, t, k*k)
		}
		ops := map[string]func(){
			"MulNT":  func() { MulNT(c, n, a, k, b, k, m, n, k) },
			"AddNN":  func() { AddNN(c, n, a, k, b, n, m, n, k) },
			"AddTN":  func() { AddTN(c, n, a, m, b, n, m, n, k) },
			"MulQ":   func() { MulQ(c, n, a, k, w[Q4_1], Q4_1, nil, 2, n, k) },
			"MulNTQ": func() { MulNTQ(c, n, a, k, w[Q6_K], Q6_K, nil, m, n, k) },
			"AddNNQ": func() { AddNNQ(c, k, a, n, w[Q5_K], Q5_K, nil, m, k, n) },
			"MulFew": func() { MulFew(c, 16, w[Q6_K], Q6_K, nil, right, n, k) },
			"vectors": func() {
				x, y, z := a[:n], b[:n], c[:n]
				Exp(z, x)
				ExpSum(z, MaxOf(z))
				SumSquares(x)
				Dot(x, y)
				SiluMul(z, x, y)
				SiluMulGrad(d, e, z, x, y)
				GeluTanhMul(z, x, y)
				GeluTanhMulGrad(d, e, z, x, y)
				RMSNormGrad(z, d, x, y, RMSNorm(d, x, y, 1e-5))
				Rope(x, d[:n/2], e[:n/2])
				RopeGrad(x, d[:n/2], e[:n/2])
				SoftmaxGrad(z, x, y, 1, 2)
				Add(z, x)
				AddScaled(z, x, 2)
				Scale(z, 0.5)
				Mul(z, x, y)
				AddProduct(z, x, y)
				AdamW(z, d, e, x, 1e-3, 0.9, 0.999, 1e-8, 0, 0.1, 0.001)
				Transpose(z, 8, x, 8, 8, 8)
				AddTransposed(z, 8, x, 8, 8, 8)
				NarrowF16(half, x)
			},
		}
		packed := make([]byte, Int16.Len(m, k))
		Int16.Pack(packed, a, k, m, k)
		for _, t := range Int16.types() {
			ops["Int16.Mul "+t.String()] = func() { Int16.Mul(c, n, packed, w[t], t, nil, m, n-3, k) }
		}
		for _, t := range allTypes() {
			ops["Widen "+t.String()] = func() { Widen(c[:k], w[t], t) }
		}
		for name, op := range ops {
			if got := testing.AllocsPerRun(5, op); got != 0 {
				t.Errorf("%s allocates %v times", name, got)
			}
		}
	})
}
