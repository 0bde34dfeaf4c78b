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
	if a, err = f.Adapter(shape().Layers); err != nil {
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
