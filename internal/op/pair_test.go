package op

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
)

// TestPairOfManyDeltas gives rows that are no neighbours to one pair: its gradients
// are the sums of those that a pair for each would have, whoever computes them.
func TestPairOfManyDeltas(t *testing.T) {
	workers := kernel.Workers()
	defer kernel.SetWorkers(workers)
	const n, in, out, rank = 750, 100, 6, 4
	eachKernel(t, func(t *testing.T) {
		kernel.SetWorkers(3) // memory per worker
		for name, e := range map[string]*Exec{"F32": NewExec(16, 16, heap), "BF16": bf16(n, 16, in, out, 16, Heads{Q: 1, KV: 1, Size: 16}, 32)} {
			for _, dropped := range []float32{0, 0.25} {
				rng := rand.New(rand.NewPCG(1, 6))
				_, x := random(rng, n*in)
				_, w := random(rng, out*in)
				_, dy := random(rng, n*out)
				_, a := random(rng, rank*in)
				_, b := random(rng, rank*out)
				// grad is the gradients of the pairs of four deltas, of which there are as
				// many as are named.
				grad := func(of [4]int) (a0, b0 []float64, first []float32) {
					var pairs []*Pair
					for range slices.Max(of[:]) + 1 {
						pairs = append(pairs, pairOf(rank, in, out, 0.5, a, b))
					}
					var drop *Dropout
					if dropped > 0 {
						drop = &Dropout{P: dropped, Key: 3, X: heap(n * in), DX: heap(n * in)}
					}
					lin := []Linear{{W: matrix(w, out, in), Y: heap(n * out), DY: dy}}
					for k, lo := range []int{0, 250, 255, 505} {
						hi := []int{250, 255, 505, n}[k]
						p := pairs[of[k]]
						lin[0].Deltas = append(lin[0].Deltas, Delta{Lo: lo, Hi: hi, Pair: p, Strength: 0.75, H: heap((hi - lo) * p.Pad), DH: heap((hi - lo) * p.Pad), Drop: drop})
					}
					e.Linear(x, n, in, lin)
					e.LinearGrad(nil, x, n, in, lin)
					a0, b0 = make([]float64, rank*in), make([]float64, rank*out)
					for i, p := range pairs {
						if i == 1 {
							continue // that of the rows between
						}
						for j, g := range transposed(p.GradA, in, p.Pad, rank) {
							a0[j] += float64(g)
						}
						for j, g := range transposed(p.GradB, out, p.Pad, rank) {
							b0[j] += float64(g)
						}
					}
					return a0, b0, slices.Concat(pairs[0].GradA, pairs[0].GradB, pairs[1].GradA, pairs[1].GradB)
				}
				wantA, wantB, _ := grad([4]int{0, 1, 2, 3})
				var once []float32
				for _, w := range []int{1, 2, 3, 2, 3, 2, 3} {
					kernel.SetWorkers(w)
					gotA, gotB, bits := grad([4]int{0, 1, 0, 0})
					same(t, name+" dA", narrowed(gotA), wantA, tolerance)
					same(t, name+" dB", narrowed(gotB), wantB, tolerance)
					if once == nil {
						once = bits
					}
					if !slices.Equal(bits, once) {
						t.Errorf("%s, dropped %g: %d workers have other bits than one", name, dropped, w)
					}
				}
			}
		}
	})
}

func narrowed(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
