package model

import (
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// InterleavedFloats is how many numbers Interleaved asks alloc for; 0 where the kernel
// in use has no loops for the model's weights in such an order.
func (m *Model) InterleavedFloats() (n int) {
	for _, w := range m.products() {
		n += tensor.Aligned((kernel.InterleavedLen(w.DType, w.Rows, w.Cols) + 3) / 4)
	}
	return n
}

// Interleaved gives a view whose weights lie in memory again, from alloc, in the order
// in which the kernel's products of 16-bit integers read them for few rows: it writes
// faster and computes the same bits. The error is that of a model file that has become
// unreadable.
func (m *Model) Interleaved(alloc func(n int) []float32) (*Model, error) {
	v := m.view()
	t := &interleaveTask{}
	for _, w := range v.products() {
		if n := kernel.InterleavedLen(w.DType, w.Rows, w.Cols); n > 0 {
			w.Interleaved = kernel.Interleaving(tensor.Bytes(alloc((n + 3) / 4))[:n], w.DType, w.Rows, w.Cols)
			t.all = append(t.all, w)
			t.tasks += (w.Rows + interleavedRows - 1) / interleavedRows
		}
	}
	if err := weights.Guard(func() error { kernel.Run(t.tasks, t); return nil }); err != nil {
		return nil, err
	}
	return v, nil
}

// products are the matrices that rows are multiplied with.
func (m *Model) products() (all []*tensor.Matrix) {
	for l := range m.Layer {
		for i := range m.Layer[l].Weights {
			all = append(all, &m.Layer[l].Weights[i])
		}
	}
	return append(all, &m.Head)
}

// interleavedRows is how many rows a task lays out: a whole number of every kind's
// groups.
const interleavedRows = 192

// interleaveTask lays matrices out.
type interleaveTask struct {
	all   []*tensor.Matrix
	tasks int
}

// Do runs task i.
func (t *interleaveTask) Do(i, _ int) {
	for _, w := range t.all {
		if n := (w.Rows + interleavedRows - 1) / interleavedRows; i >= n {
			i -= n
			continue
		}
		j0 := i * interleavedRows
		j1 := min(j0+interleavedRows, w.Rows)
		if w.Order != nil {
			w.Interleaved.Fill(w.Data, w.Order[j0:j1], j0, j1-j0)
		} else {
			w.Interleaved.Fill(w.Data[j0*w.RowBytes():j1*w.RowBytes()], nil, j0, j1-j0)
		}
		return
	}
}
