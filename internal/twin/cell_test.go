package twin

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
)

// TestUsed holds that another strength is the writer's part alone at it: what the
// adapters used come to is the genre as it was and so much of the writer's part.
func TestUsed(t *testing.T) {
	made := func(seed uint64) *lora.Adapter {
		a := lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, seed, nil)
		rng := rand.New(rand.NewPCG(seed, 1))
		a.Each(func(_ int, _ lora.Module, p *op.Pair) {
			for i := range p.B[:p.Rank*p.Out] {
				p.B[i] = float32(rng.NormFloat64())
			}
		})
		return a
	}
	below, own := made(1), made(2)
	const half = 0.5 // of the genre
	joined, err := lora.Join(lora.Applied{Adapter: below, Strength: half}, lora.Applied{Adapter: own, Strength: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{b: &baseModel{}, genre: lora.Applied{Adapter: below, Strength: half}}
	// first is the first row of what adapters add to the base's weight in one place.
	first := func(use ...lora.Applied) []float64 {
		var sum []float64
		for _, a := range use {
			p := a.Adapter.Pairs[0][lora.QProj]
			if sum == nil {
				sum = make([]float64, p.In)
			}
			for k := range p.Rank {
				for i := range p.In {
					sum[i] += float64(p.Scale*a.Strength) * float64(p.B[k*p.Out]) * float64(p.A[k*p.In+i])
				}
			}
		}
		return sum
	}
	for _, s := range []float32{0, 1, 1.5} {
		by, err := r.used(&learnt{adapter: joined}, float64(s))
		if err != nil {
			t.Fatal(err)
		}
		got := first(by.adapters...)
		want := first(lora.Applied{Adapter: below, Strength: half}, lora.Applied{Adapter: own, Strength: s})
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-5 {
				t.Fatalf("at %g weight %d is %g and not %g", s, i, got[i], want[i])
			}
		}
	}
	by, err := r.used(nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	if use := by.adapters; len(use) != 1 || use[0].Adapter != below || use[0].Strength != half {
		t.Errorf("without anything learnt it is %+v", use)
	}
}
