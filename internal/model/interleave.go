package model

import (
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
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

// AlwaysInterleaved says whether products of 16-bit integers with a view of Interleaved
// read nothing of the model's file but what is embedded.
func (m *Model) AlwaysInterleaved() bool {
	for _, w := range m.products() {
		if kernel.InterleavedLen(w.DType, w.Rows, w.Cols) == 0 || !kernel.AlwaysInterleaved(w.DType) {
			return false
		}
	}
	return true
}

// Interleaved gives a view whose weights lie in memory again, from alloc, in the order
// in which the kernel's products of 16-bit integers read them: it writes faster and
// computes the same bits. With forget the system is told as it goes that the file is not
// needed for a while. The error is that of a file that has become unreadable.
func (m *Model) Interleaved(alloc func(n int) []float32, forget bool) (*Model, error) {
	v := m.view()
	t := &interleaveTask{}
	err := weights.Guard(func() error {
		done := 0
		for i, w := range v.products() {
			if n := kernel.InterleavedLen(w.DType, w.Rows, w.Cols); n > 0 {
				t.w, w.Interleaved = w, kernel.Interleaving(tensor.Bytes(alloc((n + 3) / 4))[:n], w.DType, w.Rows, w.Cols)
				kernel.Run((w.Rows+interleavedRows-1)/interleavedRows, t)
				done += n
			}
			if forget && m.Source != nil && (done >= forgetAfter || i == len(v.Layer)*int(lora.Modules)) {
				m.Source.Forget()
				done = 0
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// forgetAfter is how many bytes of a file are read before they are forgotten.
const forgetAfter = 16 << 20

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

// interleaveTask lays a matrix out.
type interleaveTask struct{ w *tensor.Matrix }

// Do lays out its part i.
func (t *interleaveTask) Do(i, _ int) {
	w, j0 := t.w, i*interleavedRows
	j1 := min(j0+interleavedRows, w.Rows)
	if w.Order != nil {
		w.Interleaved.Fill(w.Data, w.Order[j0:j1], j0, j1-j0)
	} else {
		w.Interleaved.Fill(w.Data[j0*w.RowBytes():j1*w.RowBytes()], nil, j0, j1-j0)
	}
}
