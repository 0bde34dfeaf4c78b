package model

import (
	"fmt"
	"slices"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// A view is a model that shares all weights with another but those that were
// put in their place. The other stays as it is for everyone who uses it.

// Param is a weight of a view in training: a tensor of float32.
type Param struct {
	Name  string // Hugging Face's
	Shape []int  // [out, in], or [n] of a vector, in Hugging Face's order
	// Shift is what W is more than files of Hugging Face say: 1 for Gemma's norms.
	// Decay pulls W towards it.
	Shift float32
	W     []float32 // what the view computes with
	Grad  []float32 // accumulated by Session.Loss and Session.Backward
}

func (m *Model) view() *Model {
	v := *m
	v.Layer = slices.Clone(m.Layer)
	return &v
}

// settle makes the head of a view the embedding's where that was so in m.
func (m *Model) settle(v *Model) {
	if m.tied() {
		v.Head = v.Embed
		if v.grads != nil {
			v.grads.head = v.grads.embed
		}
	}
}

// Tune gives a view in which the selected weights are float32, with a gradient
// each, both in memory from alloc, which hands out zeroed memory. A head that is
// the embedding is one weight with one gradient. The error is a SelectionError or
// that of a model file that has become unreadable.
func (m *Model) Tune(s Selection, alloc func(n int) []float32) (*Model, []*Param, error) {
	if _, err := m.selected(&s); err != nil {
		return nil, nil, err
	}
	v := m.view()
	v.grads = &grads{layers: make([]layerGrads, len(m.Layer))}
	places, err := v.selected(&s)
	if err != nil {
		return nil, nil, err
	}
	var params []*Param
	err = weights.Guard(func() error {
		for i := range places {
			p := &places[i]
			q := &Param{Name: p.name, Shape: p.shape(), Shift: p.shift, W: alloc(p.size())}
			p.widen(q.W)
			p.put(q.W)
			params = append(params, q)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i, q := range params {
		q.Grad = alloc(len(q.W))
		*places[i].grad = q.Grad
	}
	m.settle(v)
	return v, params, nil
}

// widen overwrites dst with the weight in float32, in Hugging Face's order.
func (p *place) widen(dst []float32) {
	if p.matrix == nil {
		copy(dst, *p.vector)
		return
	}
	for r := range p.matrix.Rows {
		p.matrix.WidenRow(dst[r*p.matrix.Cols:(r+1)*p.matrix.Cols], r)
	}
}

// put puts float32 numbers in the place of the weight.
func (p *place) put(w []float32) {
	if p.matrix == nil {
		*p.vector = w
		return
	}
	*p.matrix = tensor.Floats(p.name, p.matrix.Rows, p.matrix.Cols, w)
}

// ReplaceError says why tensors cannot take the place of a model's weights.
type ReplaceError struct {
	Tensor string
	Msg    string
}

// Error names the tensor.
func (e *ReplaceError) Error() string { return e.Tensor + " " + e.Msg }

// Replace gives a view in which tensors, named and laid out as Hugging Face does,
// take the place of weights. With strength 1 they are used as they lie in their
// file, which must stay open; with another the view computes with
//
//	base + strength·(tensor - base)
//
// in memory from alloc. The error is a ReplaceError, or that of a file that has
// become unreadable.
func (m *Model) Replace(tensors map[string]weights.Tensor, strength float32, alloc func(n int) []float32) (*Model, error) {
	v := m.view()
	v.grads = nil
	all := v.places()
	found := 0
	err := weights.Guard(func() error {
		for i := range all {
			p := &all[i]
			t, ok := tensors[p.name]
			if !ok {
				continue
			}
			found++
			if !slices.Equal(t.Shape, p.shape()) {
				return &ReplaceError{p.name, fmt.Sprintf("has the shape %v where the base has %v", t.Shape, p.shape())}
			}
			p.replace(&t, strength, alloc)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if found != len(tensors) {
		for name := range tensors {
			if !slices.ContainsFunc(all, func(p place) bool { return p.name == name }) {
				return nil, &ReplaceError{name, "is no weight of the base"}
			}
		}
	}
	m.settle(v)
	return v, nil
}

func (p *place) replace(t *weights.Tensor, strength float32, alloc func(n int) []float32) {
	if strength == 1 && p.matrix != nil {
		*p.matrix = tensor.NewMatrix(p.name, t.DType, p.matrix.Rows, p.matrix.Cols, t.Data)
		return
	}
	n := p.size()
	w := alloc(n)
	kernel.Widen(w, t.Data, t.DType)
	if p.vector != nil {
		for i := range w {
			w[i] += p.shift
		}
	}
	if strength != 1 {
		cols := n
		if p.matrix != nil {
			cols = p.matrix.Cols
		}
		base := make([]float32, cols)
		for at := 0; at < n; at += cols {
			if p.matrix != nil {
				p.matrix.WidenRow(base, at/cols)
			} else {
				copy(base, *p.vector)
			}
			row := w[at : at+cols]
			kernel.AddScaled(row, base, -1)
			kernel.Scale(row, strength)
			kernel.Add(row, base)
		}
	}
	p.put(w)
}

// Merged gives the weights that an adapter changes with its pairs added, in F16,
// named and laid out as Hugging Face does. The error is of an adapter that does
// not fit, of a weight that F16 cannot hold, or of a file that has become
// unreadable.
func (m *Model) Merged(a lora.Applied) (map[string]weights.Tensor, error) {
	if err := a.Adapter.Fits(m.Shape()); err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	out := map[string]weights.Tensor{}
	all := m.places()
	err := weights.Guard(func() error {
		for i := range all {
			p := &all[i]
			mod, err := lora.ParseModule(p.module)
			if err != nil || p.matrix == nil {
				continue
			}
			q := a.Adapter.Pairs[p.layer][mod]
			if q == nil {
				continue
			}
			w := make([]float32, p.size())
			p.widen(w)
			b := append([]float32(nil), q.B[:q.Rank*q.Out]...)
			kernel.Scale(b, q.Scale*a.Strength)
			kernel.AddTN(w, q.In, b, q.Out, q.A, q.In, q.Out, q.In, q.Rank)
			t := weights.Tensor{Name: p.name, DType: tensor.F16, Shape: p.shape(), Data: make([]byte, tensor.F16.RowBytes(len(w)))}
			if err := tensor.Narrow(t.Data, w, tensor.F16); err != nil {
				return fmt.Errorf("merge %s: %w", p.name, err)
			}
			out[p.name] = t
		}
		return nil
	})
	return out, err
}
