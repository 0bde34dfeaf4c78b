package op

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
)

func TestHeadGrad(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, dim, vocab int }{{1, 4, 3}, {7, 9, 256}, {20, 5, 300}, {270, 3, 33}} {
			rng := rand.New(rand.NewPCG(9, uint64(c.vocab)))
			x, xf := random(rng, c.n*c.dim)
			w, wf := random(rng, c.vocab*c.dim)
			up, upf := random(rng, c.n)
			targets := make([]int32, c.n)
			for i := range targets {
				targets[i] = int32(rng.IntN(c.vocab))
			}
			e := NewExec(16, c.dim, heap)
			m := matrix(wf, c.vocab, c.dim)
			nll, dx, g := heap(c.n), heap(c.n*c.dim), heap(c.vocab*c.dim)
			e.Head(dx, nll, xf, m, targets, upf, c.n)
			e.HeadGrad(g, nll, xf, m, targets, upf, c.n)
			want := numeric(w, up, func() []float64 { return refHead(x, w, targets, c.n, c.dim, c.vocab) })
			same(t, "dW", g, want, tolerance)
			// A second pass adds.
			e.Head(dx, nll, xf, m, targets, upf, c.n)
			e.HeadGrad(g, nll, xf, m, targets, upf, c.n)
			for i := range want {
				want[i] *= 2
			}
			same(t, "twice dW", g, want, tolerance)
		}
	})
}

func TestRMSNormWeightGrad(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, dim int }{{1, 8}, {3, 17}, {5, 300}, {40, 64}} {
			rng := rand.New(rand.NewPCG(3, uint64(c.dim)))
			x, xf := random(rng, c.n*c.dim)
			w, wf := random(rng, c.dim)
			up, upf := random(rng, c.n*c.dim)
			e := NewExec(16, 16, heap)
			y, rinv, g := heap(c.n*c.dim), heap(c.n), heap(c.dim)
			e.RMSNorm(y, rinv, xf, wf, c.n, c.dim, 1e-5)
			e.RMSNormWeightGrad(g, upf, xf, rinv, c.n, c.dim)
			same(t, "dw", g, numeric(w, up, func() []float64 { return refNorm(x, w, c.n, c.dim, 1e-5) }), tolerance)
		}
	})
}

func TestBiasAndEmbedGrad(t *testing.T) {
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, dim, vocab int }{{1, 3, 2}, {9, 40, 5}, {33, 270, 7}} {
			rng := rand.New(rand.NewPCG(4, uint64(c.dim)))
			dy, dyf := random(rng, c.n*c.dim)
			ids := make([]int32, c.n)
			bias, embed := make([]float64, c.dim), make([]float64, c.vocab*c.dim)
			for r := range ids {
				ids[r] = int32(rng.IntN(c.vocab))
				for j := range c.dim {
					bias[j] += dy[r*c.dim+j]
					embed[int(ids[r])*c.dim+j] += 1.5 * dy[r*c.dim+j]
				}
			}
			e := NewExec(16, 16, heap)
			b, g := heap(c.dim), heap(c.vocab*c.dim)
			e.BiasGrad(b, dyf, c.n, c.dim)
			same(t, "bias", b, bias, tolerance)
			e.EmbedGrad(g, dyf, ids, c.dim, 1.5)
			same(t, "embedding", g, embed, tolerance)
		}
	})
}

// TestWeightGradsExact holds that the gradients of weights are the same bits
// with any number of workers, and that nothing is allocated for them.
func TestWeightGradsExact(t *testing.T) {
	workers := kernel.Workers()
	defer kernel.SetWorkers(workers)
	rng := rand.New(rand.NewPCG(5, 1))
	const n, dim, vocab = 70, 600, 800
	_, x := random(rng, n*dim)
	_, wf := random(rng, vocab*dim)
	_, up := random(rng, n)
	_, dy := random(rng, n*dim)
	w := matrix(wf, vocab, dim)
	targets, rinv := make([]int32, n), heap(n)
	for i := range targets {
		targets[i], rinv[i] = int32(rng.IntN(vocab)), 1/float32(i+1)
	}
	var want []float32
	for k := 1; k <= 3; k++ {
		kernel.SetWorkers(k)
		e := NewExec(16, dim, heap)
		head, embed, norm, bias, nll := heap(vocab*dim), heap(vocab*dim), heap(dim), heap(dim), heap(n)
		pass := func() {
			e.Head(nil, nll, x, w, targets, nil, n)
			e.HeadGrad(head, nll, x, w, targets, up, n)
			e.EmbedGrad(embed, dy, targets, dim, 1)
			e.RMSNormWeightGrad(norm, dy, x, rinv, n, dim)
			e.BiasGrad(bias, dy, n, dim)
		}
		pass()
		got := append(append(append(append([]float32(nil), head...), embed...), norm...), bias...)
		if want == nil {
			want = got
		}
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("with %d workers number %d is %g and not %g", k, i, got[i], want[i])
			}
		}
		if a := testing.AllocsPerRun(5, pass); a != 0 {
			t.Errorf("%g allocations", a)
		}
	}
}

// TestTileHeadGrad sets the gradient of the head in bfloat16 beside that in
// float32, and finds the same bits with any number of workers and with pauses.
func TestTileHeadGrad(t *testing.T) {
	workers := kernel.Workers()
	defer kernel.SetWorkers(workers)
	was := partFlops
	defer func() { partFlops = was }()
	eachFloatKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, dim, vocab int }{{1, 32, 30}, {7, 40, 256}, {300, 64, 711}} {
			rng := rand.New(rand.NewPCG(9, uint64(c.vocab)))
			_, x := random(rng, c.n*c.dim)
			_, wf := random(rng, c.vocab*c.dim)
			for i := range wf {
				wf[i] *= 0.2
			}
			_, up := random(rng, c.n)
			targets := make([]int32, c.n)
			for i := range targets {
				targets[i] = int32(rng.IntN(c.vocab))
			}
			w := matrix(wf, c.vocab, c.dim)
			grad := func(e *Exec) []float32 {
				nll, dx, g := heap(c.n), heap(c.n*c.dim), heap(c.vocab*c.dim)
				e.Head(dx, nll, x, w, targets, up, c.n)
				e.HeadGrad(g, nll, x, w, targets, up, c.n)
				return g
			}
			kernel.SetWorkers(workers)
			want := grad(NewExec(16, c.dim, heap))
			var first []float32
			for k := 1; k <= 3; k++ {
				kernel.SetWorkers(k)
				partFlops = float64(k) * 1e5
				e := bf16(c.n, 16, c.dim, 16, c.dim, Heads{Q: 1, KV: 1, Size: 16}, 16)
				pauses := 0
				if k > 1 {
					e.SetPause(func() { pauses++ })
				}
				got := grad(e)
				// The gradient of a target's row is far larger than that of others, so that
				// directions are compared.
				if cos := cosine(got, want); !(cos > 0.9999) {
					t.Errorf("a cosine of %.6f with the gradient in float32", cos)
				}
				if first == nil {
					first = got
				}
				for i := range got {
					if math.Float32bits(got[i]) != math.Float32bits(first[i]) {
						t.Fatalf("with %d workers number %d is %g and not %g", k, i, got[i], first[i])
					}
				}
				if k > 1 && c.vocab > 500 && pauses < 4 {
					t.Errorf("only %d pauses", pauses)
				}
			}
		}
	})
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}
