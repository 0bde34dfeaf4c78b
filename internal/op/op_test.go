package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/getstroke/stroke/internal/tensor"
)

func matrix(w []float32, rows, cols int) *tensor.Matrix {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), 4*len(w))
	m := tensor.NewMatrix("w", tensor.F32, rows, cols, b)
	return &m
}

// pairOf makes a pair with the given factors, B as [rank, out].
func pairOf(rank, in, out int, scale float32, a, b []float32) *Pair {
	p := NewPair(rank, in, out, scale, heap)
	copy(p.A, a)
	copy(p.B, b)
	p.GradA, p.GradB = heap(p.Pad*in), heap(p.Pad*out)
	return p
}

func transposed(g []float32, features, pad, rank int) []float32 {
	out := make([]float32, rank*features)
	for r := range rank {
		for j := range features {
			out[r*features+j] = g[j*pad+r]
		}
	}
	return out
}

func TestLinear(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, in, out, rank, lo, hi int }{
			{1, 8, 5, 2, 0, 1}, {3, 17, 33, 4, 1, 3}, {9, 40, 7, 16, 0, 9}, {13, 64, 70, 17, 2, 11}, {50, 33, 130, 3, 49, 50},
		} {
			t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				x, xf := random(rng, c.n*c.in)
				w, wf := random(rng, c.out*c.in)
				bias, bf := random(rng, c.out)
				a, af := random(rng, c.rank*c.in)
				b, bbf := random(rng, c.rank*c.out)
				up, upf := random(rng, c.n*c.out)
				const scale, strength = 0.5, 0.75
				f := func() []float64 {
					y := refLinear(x, w, bias, c.n, c.in, c.out)
					h := refLinear(x, a, nil, c.n, c.in, c.rank)
					for i := c.lo; i < c.hi; i++ {
						for j := range c.out {
							for r := range c.rank {
								y[i*c.out+j] += scale * strength * h[i*c.rank+r] * b[r*c.out+j]
							}
						}
					}
					return y
				}
				e := NewExec(16, 16, heap)
				p := pairOf(c.rank, c.in, c.out, scale, af, bbf)
				rows := c.hi - c.lo
				lin := []Linear{{W: matrix(wf, c.out, c.in), Bias: bf, Y: heap(c.n * c.out), DY: upf,
					GradW:  heap(c.out * c.in),
					Deltas: []Delta{{Lo: c.lo, Hi: c.hi, Pair: p, Strength: strength, H: heap(rows * p.Pad), DH: heap(rows * p.Pad)}}}}
				e.Linear(xf, c.n, c.in, lin)
				same(t, "y", lin[0].Y, f(), tolerance)
				dx := slices.Repeat([]float32{3}, c.n*c.in) // it is overwritten
				e.LinearGrad(dx, xf, c.n, c.in, lin)
				same(t, "dx", dx, numeric(x, up, f), tolerance)
				same(t, "dA", transposed(p.GradA, c.in, p.Pad, c.rank), numeric(a, up, f), tolerance)
				same(t, "dB", transposed(p.GradB, c.out, p.Pad, c.rank), numeric(b, up, f), tolerance)
				same(t, "dW", lin[0].GradW, numeric(w, up, f), tolerance)
			})
		}
	})
}

func TestDropout(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const n, in, out, rank = 11, 24, 10, 4
	_, xf := random(rng, n*in)
	_, wf := random(rng, out*in)
	_, af := random(rng, rank*in)
	_, bf := random(rng, rank*out)
	up, upf := random(rng, n*out)
	d := &Dropout{P: 0.3, Key: 9, X: heap(n * in), DX: heap(n * in)}
	p := pairOf(rank, in, out, 1, af, bf)
	e := NewExec(16, 16, heap)
	lin := []Linear{{W: matrix(wf, out, in), Y: heap(n * out), DY: upf,
		Deltas: []Delta{{Lo: 0, Hi: n, Pair: p, Strength: 1, H: heap(n * p.Pad), DH: heap(n * p.Pad), Drop: d}}}}
	e.Linear(xf, n, in, lin)
	zero := 0
	for i, v := range d.X {
		if v == 0 {
			zero++
		} else if math.Abs(float64(v*0.7-xf[i])) > 1e-6 {
			t.Fatalf("feature %d is %g of %g", i, v, xf[i])
		}
	}
	if share := float64(zero) / (n * in); share < 0.2 || share > 0.4 {
		t.Errorf("%.2f of the features are dropped where 0.3 are expected", share)
	}
	// With the mask as it fell, the dropped input is a linear's input like any.
	x := make([]float64, n*in)
	for i, v := range d.X {
		x[i] = float64(v)
	}
	a, b, w := wide(af), wide(bf), wide(wf)
	f := func() []float64 {
		y := make([]float64, n*out)
		h := refLinear(x, a, nil, n, in, rank)
		for i := range n {
			for j := range out {
				for r := range rank {
					y[i*out+j] += h[i*rank+r] * b[r*out+j]
				}
			}
		}
		return y
	}
	dx := slices.Repeat([]float32{3}, n*in)
	e.LinearGrad(dx, xf, n, in, lin)
	same(t, "dA", transposed(p.GradA, in, p.Pad, rank), numeric(a, up, f), tolerance)
	want := numeric(x, up, f)
	base := make([]float64, n*in)
	for i := range n {
		for k := range in {
			for j := range out {
				base[i*in+k] += up[i*out+j] * w[j*in+k]
			}
			if d.kept(i, k) {
				base[i*in+k] += want[i*in+k] / 0.7
			}
		}
	}
	same(t, "dx", dx, base, tolerance)
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func TestRMSNorm(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range [][2]int{{1, 1}, {2, 7}, {13, 24}, {40, 65}} {
			n, dim := c[0], c[1]
			rng := rand.New(rand.NewPCG(5, uint64(dim)))
			x, xf := random(rng, n*dim)
			w, wf := random(rng, dim)
			up, upf := random(rng, n*dim)
			e := NewExec(16, 16, heap)
			y, r := heap(n*dim), heap(n)
			f := func() []float64 { return refNorm(x, w, n, dim, 1e-5) }
			e.RMSNorm(y, r, xf, wf, n, dim, 1e-5)
			same(t, "y", y, f(), tolerance)
			_, dx := random(rng, n*dim)
			want := numeric(x, up, f)
			for i := range want {
				want[i] += float64(dx[i])
			}
			e.RMSNormGrad(dx, upf, xf, wf, r, n, dim)
			same(t, "dx", dx, want, tolerance)
		}
	})
}

func TestGLU(t *testing.T) {
	for name, gelu := range map[string]bool{"silu": false, "gelu": true} {
		t.Run(name, func(t *testing.T) { eachFloatKernel(t, func(t *testing.T) { testGLU(t, gelu) }) })
	}
}

func testGLU(t *testing.T, gelu bool) {
	ref := refSwiGLU
	if gelu {
		ref = refGeGLU
	}
	for _, n := range []int{1, 9, 100, 8192 + 13} {
		rng := rand.New(rand.NewPCG(6, uint64(n)))
		g, gf := random(rng, n)
		u, uf := random(rng, n)
		up, upf := random(rng, n)
		e := NewExec(16, 16, heap)
		y := heap(n)
		e.GLU(y, gf, uf, n, gelu)
		same(t, "act", y, ref(g, u), tolerance)
		if n > 200 {
			continue
		}
		f := func() []float64 { return ref(g, u) }
		wantG, wantU := numeric(g, up, f), numeric(u, up, f)
		e.GLUGrad(gf, uf, upf, gf, uf, n, gelu)
		same(t, "dgate", gf, wantG, tolerance)
		same(t, "dup", uf, wantU, tolerance)
	}
}

func TestAttend(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, q, kv, size, window int }{
			{1, 1, 1, 2, 0}, {5, 2, 1, 4, 0}, {37, 6, 2, 8, 0}, {70, 3, 3, 6, 0}, {70, 4, 2, 8, 9}, {100, 2, 1, 4, 33},
		} {
			t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, uint64(c.n)))
				h := Heads{Q: c.q, KV: c.kv, Size: c.size, Scale: DefaultScale(c.size), Window: c.window}
				dim, kv := c.q*c.size, c.kv*c.size
				q, qf := random(rng, c.n*dim)
				k, kf := random(rng, c.n*kv)
				v, vf := random(rng, c.n*kv)
				up, upf := random(rng, c.n*dim)
				e := NewExec(c.n, 16, heap)
				page := append(append([]float32(nil), kf...), vf...)
				seqs := []Sequence{{N: c.n, Keys: Keys{Pages: [][]float32{page}, Len: c.n, VOff: c.n * kv}}}
				o, stat := heap(c.n*dim), heap(c.n*c.q*2)
				e.Attend(o, qf, stat, seqs, h)
				f := func() []float64 { return refAttend(q, k, v, c.n, h) }
				same(t, "o", o, f(), tolerance)
				dq, dk, dv := heap(c.n*dim), heap(c.n*kv), heap(c.n*kv)
				e.AttendGrad(dq, dk, dv, upf, qf, kf, vf, o, stat, heap(AttendScratch(c.n, h)), 0, c.n, h)
				same(t, "dq", dq, numeric(q, up, f), tolerance)
				same(t, "dk", dk, numeric(k, up, f), tolerance)
				same(t, "dv", dv, numeric(v, up, f), tolerance)
			})
		}
	})
}

// TestAttendPages checks that pages, the place in the batch and the cut into
// chunks do not show in the bits.
func TestAttendPages(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(8, 8))
		const n, size = 90, 16
		h := Heads{Q: 4, KV: 2, Size: size, Scale: DefaultScale(size)}
		dim, kv := h.Q*size, h.KV*size
		_, q := random(rng, n*dim)
		_, k := random(rng, n*kv)
		_, v := random(rng, n*kv)
		e := NewExec(n, 16, heap)
		whole := append(append([]float32(nil), k...), v...)
		want := heap(n * dim)
		e.Attend(want, q, nil, []Sequence{{N: n, Keys: Keys{Pages: [][]float32{whole}, Len: n, VOff: n * kv}}}, h)
		const page = 32
		var pages [][]float32
		for p := 0; p < n; p += page {
			g := make([]float32, 2*page*kv)
			for i := range g {
				g[i] = float32(math.NaN()) // what lies beyond must not be read
			}
			for at := range min(page, n-p) { // head by head
				for head := range h.KV {
					to := (head*page + at) * size
					copy(g[to:to+size], k[(p+at)*kv+head*size:])
					copy(g[page*kv+to:][:size], v[(p+at)*kv+head*size:])
				}
			}
			pages = append(pages, g)
		}
		for trial := range 20 {
			got := heap(n * dim)
			for at := 0; at < n; {
				c := min(1+rng.IntN(40), n-at)
				s := []Sequence{{N: c, Start: at, Keys: Keys{Pages: pages, Len: page, VOff: page * kv, Far: true}}}
				e.Attend(got[at*dim:], q[at*dim:], nil, s, h)
				at += c
			}
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("trial %d: output %d is %x and not %x", trial, i, got[i], want[i])
				}
			}
		}
	})
}

func TestHead(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, dim, vocab int }{{1, 4, 3}, {7, 9, 256}, {30, 16, 700}} {
			rng := rand.New(rand.NewPCG(9, uint64(c.vocab)))
			x, xf := random(rng, c.n*c.dim)
			w, wf := random(rng, c.vocab*c.dim)
			up, upf := random(rng, c.n)
			upf[0], up[0] = 0, 0
			targets := make([]int32, c.n)
			for i := range targets {
				targets[i] = int32(rng.IntN(c.vocab))
			}
			e := NewExec(16, c.dim, heap)
			f := func() []float64 { return refHead(x, w, targets, c.n, c.dim, c.vocab) }
			nll, dx, again := heap(c.n), heap(c.n*c.dim), heap(c.n)
			e.Head(dx, nll, xf, matrix(wf, c.vocab, c.dim), targets, upf, c.n)
			same(t, "nll", nll, f(), tolerance)
			e.Head(nil, again, xf, matrix(wf, c.vocab, c.dim), targets, nil, c.n)
			for i := range nll {
				if nll[i] != again[i] {
					t.Errorf("nll %d is %x with and %x without a gradient", i, nll[i], again[i])
				}
			}
			if c.n > 1 {
				same(t, "dx", dx, numeric(x, up, f), tolerance)
			}
		}
	})
}

func TestRope(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 1))
	const heads, half, n = 3, 4, 15
	rot := &Rotary{Half: half, Cos: heap(n * half), Sin: heap(n * half)}
	for i := range rot.Cos {
		s, c := math.Sincos(rng.Float64() * 7)
		rot.Cos[i], rot.Sin[i] = float32(c), float32(s)
	}
	eachFloatKernel(t, func(t *testing.T) {
		x, xf := random(rng, n*heads*2*half)
		pos := make([]int32, n)
		for i := range pos {
			pos[i] = int32(n - 1 - i)
		}
		e := NewExec(16, 16, heap)
		was := append([]float32(nil), xf...)
		e.Rope(xf, pos, rot, n, heads)
		want := make([]float64, len(x))
		for r := range n {
			for h := range heads {
				for i := range half {
					c, s := float64(rot.Cos[int(pos[r])*half+i]), float64(rot.Sin[int(pos[r])*half+i])
					at := (r*heads+h)*2*half + i
					want[at] = x[at]*c - x[at+half]*s
					want[at+half] = x[at+half]*c + x[at]*s
				}
			}
		}
		same(t, "turned", xf, want, tolerance)
		e.RopeGrad(xf, pos, rot, n, heads)
		same(t, "turned back", xf, wide(was), tolerance)
	})
}

func TestNoAllocation(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	const n, in, out = 64, 32, 48
	_, x := random(rng, n*in)
	_, w := random(rng, out*in)
	e := NewExec(n, 64, heap)
	p := NewPair(4, in, out, 1, heap)
	p.GradA, p.GradB = heap(p.Pad*in), heap(p.Pad*out)
	lin := []Linear{{W: matrix(w, out, in), Y: heap(n * out), DY: heap(n * out),
		Deltas: []Delta{{Hi: n, Pair: p, Strength: 1, H: heap(n * p.Pad), DH: heap(n * p.Pad)}}}}
	dx, nll, targets, weights := heap(n*in), heap(n), make([]int32, n), heap(n)
	got := testing.AllocsPerRun(20, func() {
		e.Linear(x, n, in, lin)
		e.LinearGrad(dx, x, n, in, lin)
		e.Head(dx, nll, x, lin[0].W, targets, weights, n)
		e.GLU(dx, x, x, n*in, false)
	})
	if got != 0 {
		t.Errorf("%g allocations a round", got)
	}
}
