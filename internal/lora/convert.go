package lora

import (
	"fmt"
	"math"
	"sync"

	"github.com/getstroke/stroke/internal/op"
)

// Adapter brings a PEFT adapter into memory, for a base of shape s. One that does not
// fit is an error before any of it is copied: a pair of rank 1 is padded to sixteen
// times its size.
func (f *File) Adapter(s Shape) (*Adapter, error) {
	for i := range f.Pairs {
		q := &f.Pairs[i]
		m, err := ParseModule(q.Module)
		if err != nil {
			return nil, err
		}
		if q.Layer < 0 || q.Layer >= s.Layers {
			return nil, fmt.Errorf("the adapter has a layer %d and the base %d layers: it was trained on another base", q.Layer, s.Layers)
		}
		if err := s.fits(q.Layer, m, q.In, q.Out); err != nil {
			return nil, err
		}
	}
	a := &Adapter{Base: f.Config.BaseModel, Pairs: make([][Modules]*op.Pair, s.Layers)}
	a.Options = Options{Rank: f.Config.Rank, Alpha: f.Config.Alpha, RSLoRA: f.Config.RSLoRA,
		Dropout: min(float32(f.Config.Dropout), math.Nextafter32(1, 0))} // one just below 1 stays so
	var seen [Modules]bool
	var filled sync.WaitGroup
	for i := range f.Pairs {
		q := &f.Pairs[i]
		m := module(q.Module)
		p := op.NewPair(q.Rank, q.In, q.Out, q.Scale, heap)
		filled.Go(func() {
			copy(p.A, q.A)
			for r := range q.Rank {
				dst := p.B[r*q.Out:][:q.Out]
				for j := range dst {
					dst[j] = q.B[j*q.Rank+r]
				}
			}
		})
		a.Pairs[q.Layer][m] = p
		seen[m] = true
	}
	for m, ok := range seen {
		if ok {
			a.Options.Targets = append(a.Options.Targets, Module(m))
		}
	}
	filled.Wait()
	a.KeepHalf()
	return a, nil
}

// File is the adapter as PEFT writes it.
func (a *Adapter) File() *File {
	f := &File{Config: NewConfig(a.Options, a.Base)}
	a.Each(func(l int, m Module, p *op.Pair) {
		q := Pair{Layer: l, Module: m.String(), Rank: p.Rank, In: p.In, Out: p.Out, Scale: p.Scale,
			A: append([]float32(nil), p.A[:p.Rank*p.In]...), B: make([]float32, p.Out*p.Rank)}
		for r := range p.Rank {
			for j := range p.Out {
				q.B[j*p.Rank+r] = p.B[r*p.Out+j]
			}
		}
		f.Pairs = append(f.Pairs, q)
	})
	f.Config.fit(f.Pairs, len(a.Pairs))
	return f
}
