package lora

import (
	"bytes"
	"testing"

	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// TestKeepHalf holds that factors beside each other are those of each pair, and
// that a pair whose numbers are none of F16 has none.
func TestKeepHalf(t *testing.T) {
	a := filled(Options{Rank: 3, Alpha: 6}, 1)
	dir := t.TempDir()
	if err := WriteDir(dir, a.File(), tensor.F16); err != nil {
		t.Fatal(err)
	}
	f, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = f.Adapter(shape()); err != nil {
		t.Fatal(err)
	}
	odd := a.Pairs[1][AllModules()[2]]
	odd.A[0] = 1.0000001
	a.KeepHalf()
	a.Each(func(l int, m Module, p *op.Pair) {
		one := *p
		one.KeepHalf()
		if !bytes.Equal(p.Half, one.Half) || !bytes.Equal(p.HalfB, one.HalfB) {
			t.Errorf("%s of layer %d has other factors than by itself", m, l)
		}
		if (p.Half == nil) != (p == odd) || p.HalfB == nil {
			t.Errorf("%s of layer %d: A in F16 %v, B %v", m, l, p.Half != nil, p.HalfB != nil)
		}
	})
}

// TestTrainable holds that a pair that will change keeps no copy of its factors,
// which products would read in their place.
func TestTrainable(t *testing.T) {
	a := filled(Options{Rank: 3, Alpha: 6}, 1)
	a.Each(func(_ int, _ Module, p *op.Pair) {
		clear(p.A) // of numbers that are exact in F16
		clear(p.B)
		p.KeepTiles()
	})
	a.KeepHalf()
	a.Trainable(func(n int) []float32 { return make([]float32, n) })
	a.Each(func(l int, m Module, p *op.Pair) {
		if p.Half != nil || p.HalfB != nil || p.TileA != nil || p.TileB != nil {
			t.Errorf("%s of layer %d keeps copies: in F16 %v and %v, in tiles %v and %v", m, l, p.Half != nil, p.HalfB != nil, p.TileA != nil, p.TileB != nil)
		}
		if len(p.GradA) != p.Pad*p.In || len(p.GradB) != p.Pad*p.Out {
			t.Errorf("%s of layer %d has gradients of %d and %d numbers", m, l, len(p.GradA), len(p.GradB))
		}
	})
}
