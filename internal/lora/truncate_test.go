package lora

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/getstroke/stroke/internal/op"
)

// distance is that of what two pairs compute, and the size of the first.
func (p *Pair) distance(q *Pair) (apart, size float64) {
	at := func(p *Pair, i, j int) float64 {
		s := 0.0
		for k := range p.Rank {
			s += float64(p.B[i*p.Rank+k]) * float64(p.A[k*p.In+j])
		}
		return s * float64(p.Scale)
	}
	for i := range p.Out {
		for j := range p.In {
			x := at(p, i, j)
			apart += (x - at(q, i, j)) * (x - at(q, i, j))
			size += x * x
		}
	}
	return math.Sqrt(apart), math.Sqrt(size)
}

func TestTruncate(t *testing.T) {
	// A product whose singular values are known: 8, 4, 2, 1 along unit vectors.
	known := &File{Config: NewConfig(Options{Rank: 4, Alpha: 8}, "b"), Pairs: []Pair{{Module: "q_proj", Rank: 4, In: 6, Out: 5, Scale: 2, A: make([]float32, 24), B: make([]float32, 20)}}}
	p := &known.Pairs[0]
	for k, s := range []float32{1, 8, 2, 4} {
		p.A[k*6+k+1], p.B[(k+1)*4+k] = 1, s/2
	}
	for rank, left := range map[int]float64{1: math.Sqrt(16 + 4 + 1), 2: math.Sqrt(4 + 1), 3: 1, 4: 0, 6: 0} {
		got, err := Truncate(t.Context(), known, rank, 1)
		if err != nil {
			t.Fatal(err)
		}
		if q := &got.Pairs[0]; q.Rank != rank || q.Scale != 1 {
			t.Errorf("rank %d: it has the rank %d and the scale %g", rank, q.Rank, q.Scale)
		}
		if d, _ := p.distance(&got.Pairs[0]); math.Abs(d-left) > 1e-5 {
			t.Errorf("rank %d: it is %g apart, and the nearest is %g", rank, d, left)
		}
	}
	// One of numbers as they come: its own rank loses nothing, less loses less the
	// more there is, and it can be written and read.
	f := filled(Options{Rank: 4, Alpha: 6}, 3).File()
	before := math.Inf(1)
	for rank := 1; rank <= 4; rank++ {
		got, err := Truncate(t.Context(), f, rank, 3)
		if err != nil {
			t.Fatal(err)
		}
		sum, size := 0.0, 0.0
		for i := range f.Pairs {
			d, s := f.Pairs[i].distance(&got.Pairs[i])
			sum, size = sum+d, size+s
		}
		if sum >= before {
			t.Errorf("rank %d is as far away as one less: %g", rank, sum)
		}
		before = sum
		if rank == 4 && sum > 1e-5*size {
			t.Errorf("its own rank is %g of %g away", sum, size)
		}
		dir := t.TempDir()
		if err := WriteCompact(dir, got); err != nil {
			t.Fatal(err)
		}
		if back, err := ReadDir(dir); err != nil || len(back.Pairs) != len(f.Pairs) || back.Pairs[0].Rank != rank {
			t.Errorf("rank %d is not read again: %v", rank, err)
		}
	}
	if _, err := Truncate(t.Context(), f, 0, 1); err == nil {
		t.Error("rank 0 is no error")
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Truncate(stopped, f, 2, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	one, err := Truncate(t.Context(), f, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if many, err := Truncate(t.Context(), f, 2, 5); err != nil || !reflect.DeepEqual(one, many) {
		t.Errorf("several workers come to something else than one: %v", err)
	}
	// Of what has no pairs in the last layers is told that it is not of a base with fewer.
	few := filled(Options{Rank: 4, Alpha: 6}, 3)
	few.Pairs[len(few.Pairs)-1] = [Modules]*op.Pair{}
	for whole, a := range map[bool]*Adapter{true: filled(Options{Rank: 4, Alpha: 6}, 3), false: few} {
		if got, err := Truncate(t.Context(), a.File(), 2, 1); err != nil || got.Config.NamesLayers() == whole {
			t.Errorf("all layers %v: the config has the targets %v, %v", whole, got.Config.Targets, err)
		}
	}
	f.Pairs[1].A[0] = float32(math.NaN())
	if _, err := Truncate(t.Context(), f, 2, 1); err == nil {
		t.Error("a number that is none is no error")
	}
}
