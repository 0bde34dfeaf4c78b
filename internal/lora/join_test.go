package lora

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/getstroke/stroke/internal/op"
)

func shape() Shape {
	s := Shape{Layers: 2}
	for m := range Modules {
		s.In[m], s.Out[m] = 12+int(m), 9+2*int(m)
	}
	return s
}

func filled(o Options, seed uint64) *Adapter {
	a := New(shape(), o, seed, nil)
	rng := rand.New(rand.NewPCG(seed, 7))
	a.Each(func(_ int, _ Module, p *op.Pair) {
		for i := range p.B[:p.Rank*p.Out] {
			p.B[i] = float32(rng.NormFloat64())
		}
	})
	return a
}

// delta is what a pair adds to the base's weight: Scale · Bᵀ A, [out, in].
func delta(p *op.Pair, strength float32, into []float64) {
	if p == nil {
		return
	}
	for r := range p.Rank {
		for j := range p.Out {
			for k := range p.In {
				into[j*p.In+k] += float64(p.Scale*strength) * float64(p.B[r*p.Out+j]) * float64(p.A[r*p.In+k])
			}
		}
	}
}

func TestJoin(t *testing.T) {
	a := filled(Options{Rank: 3, Alpha: 6}, 1)
	b := filled(Options{Rank: 5, Alpha: 5, RSLoRA: true, Targets: []Module{QProj, UpProj}}, 2)
	j, err := Join(Applied{a, 0.5}, Applied{b, -2})
	if err != nil {
		t.Fatal(err)
	}
	if j.Options.Rank != 8 || j.Options.Scale() != 1 {
		t.Errorf("the rank is %d and the scale %g", j.Options.Rank, j.Options.Scale())
	}
	s := shape()
	for l := range s.Layers {
		for m := range Modules {
			want, got := make([]float64, s.In[m]*s.Out[m]), make([]float64, s.In[m]*s.Out[m])
			delta(a.Pairs[l][m], 0.5, want)
			delta(b.Pairs[l][m], -2, want)
			delta(j.Pairs[l][m], 1, got)
			for i := range want {
				if math.Abs(want[i]-got[i]) > 1e-5 {
					t.Fatalf("layer %d, %s: weight %d is %g and not %g", l, Module(m), i, got[i], want[i])
				}
			}
		}
	}
	if _, err := Join(); err == nil {
		t.Error("nothing joins")
	}
}

func TestNewIsSeeded(t *testing.T) {
	a, b, c := New(shape(), Options{Rank: 4, Alpha: 8}, 1, nil), New(shape(), Options{Rank: 4, Alpha: 8}, 1, nil), New(shape(), Options{Rank: 4, Alpha: 8}, 2, nil)
	p, q, r := a.Pairs[1][VProj], b.Pairs[1][VProj], c.Pairs[1][VProj]
	same, other := true, true
	for i := range p.A {
		same = same && p.A[i] == q.A[i]
		other = other && p.A[i] == r.A[i]
	}
	if !same || other {
		t.Errorf("equal seeds give equal weights: %v; other seeds: %v", same, other)
	}
	bound := 1 / math.Sqrt(float64(p.In))
	for i, x := range p.A {
		if math.Abs(float64(x)) > bound || i >= p.Rank*p.In && x != 0 {
			t.Fatalf("weight %d is %g", i, x)
		}
	}
	if !a.SameShape(c) || a.SameShape(filled(Options{Rank: 5, Alpha: 8}, 1)) {
		t.Error("shapes are compared wrongly")
	}
}
