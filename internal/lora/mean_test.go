package lora

import (
	"math"
	"testing"
)

// TestMean adds adapters one by one to a mean, which is then that of all, and refuses
// such as have another shape.
func TestMean(t *testing.T) {
	o := Options{Rank: 3, Alpha: 6}
	all := []*File{filled(o, 1).File(), filled(o, 2).File(), filled(o, 3).File()}
	got, err := all[0], error(nil)
	for n, f := range all[1:] {
		if got, err = Mean(got, n+1, f); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range got.Pairs {
		q := [3]*Pair{&all[0].Pairs[i], &all[1].Pairs[i], &all[2].Pairs[i]}
		if p.Layer != q[0].Layer || p.Module != q[0].Module || p.Scale != q[0].Scale {
			t.Fatalf("pair %d is %s of layer %d, scale %g", i, p.Module, p.Layer, p.Scale)
		}
		for k := range p.A {
			if want := (float64(q[0].A[k]) + float64(q[1].A[k]) + float64(q[2].A[k])) / 3; math.Abs(float64(p.A[k])-want) > 1e-6 {
				t.Fatalf("A of pair %d: number %d is %g and not %g", i, k, p.A[k], want)
			}
		}
		for k := range p.B {
			if want := (float64(q[0].B[k]) + float64(q[1].B[k]) + float64(q[2].B[k])) / 3; math.Abs(float64(p.B[k])-want) > 1e-6 {
				t.Fatalf("B of pair %d: number %d is %g and not %g", i, k, p.B[k], want)
			}
		}
	}
	for name, other := range map[string]*File{
		"another rank": filled(Options{Rank: 2, Alpha: 4}, 1).File(),
		"fewer pairs":  filled(Options{Rank: 3, Alpha: 6, Targets: []Module{QProj}}, 1).File(),
		"other scale":  filled(Options{Rank: 3, Alpha: 3}, 1).File(),
	} {
		if _, err := Mean(all[0], 1, other); err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
	if _, err := Mean(all[0], 0, all[1]); err == nil {
		t.Error("the mean of none: there is no error")
	}
}
