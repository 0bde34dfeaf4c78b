package op

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
)

// other is work that somebody else does in a pause.
type other struct{ out [3][]float32 }

func (o *other) Do(i, worker int) {
	for k := range o.out[i] {
		o.out[i][k]++
	}
}

// TestPause cuts operations into parts, with other work on the pool between
// them: the bits are those without.
func TestPause(t *testing.T) {
	was := partFlops
	partFlops = 1
	defer func() { partFlops = was }()
	eachKernel(t, func(t *testing.T) {
		const n, dim, vocab = 300, 16, 900
		rng := rand.New(rand.NewPCG(4, 4))
		_, x := random(rng, n*dim)
		_, w := random(rng, vocab*dim)
		_, up := random(rng, n)
		targets := make([]int32, n)
		for i := range targets {
			targets[i] = int32(rng.IntN(vocab))
		}
		head := matrix(w, vocab, dim)
		var want [][]float32
		for _, paused := range []bool{false, true} {
			e := NewExec(16, dim, heap)
			calls := 0
			if paused {
				o := &other{}
				for i := range o.out {
					o.out[i] = heap(8)
				}
				e.SetPause(func() {
					calls++
					kernel.Run(len(o.out), o)
				})
			}
			nll, dx, again, g, y := heap(n), heap(n*dim), heap(n), heap(vocab*dim), heap(n*dim)
			e.Head(dx, nll, x, head, targets, up, n)
			parts := calls
			e.Head(nil, again, x, head, targets, nil, n)
			sums := append([]float32(nil), nll...)
			e.HeadGrad(g, sums, x, head, targets, up, n)
			if slices := ceilDiv(vocab, headSlice); paused && (parts != slices || calls != 3*slices) || !paused && calls != 0 {
				t.Fatalf("%d and %d pauses over %d slices", parts, calls, slices)
			}
			e.Linear(x, n, dim, []Linear{{W: matrix(w[:dim*dim], dim, dim), Y: y}})
			got := [][]float32{nll, dx, again, sums, g, y}
			if !paused {
				want = got
				continue
			}
			for k, v := range got {
				for i := range v {
					if math.Float32bits(v[i]) != math.Float32bits(want[k][i]) {
						t.Fatalf("number %d of result %d is %g with pauses and %g without", i, k, v[i], want[k][i])
					}
				}
			}
		}
	})
}
