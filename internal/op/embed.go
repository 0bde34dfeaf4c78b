package op

import (
	"github.com/getstroke/stroke/internal/tensor"
)

type embedTask struct {
	y    []float32
	ids  []int32
	w    *tensor.Matrix
	rows int
}

// Embed overwrites y [len(ids), dim] with the rows of w [vocab, dim] that ids
// name.
func (e *Exec) Embed(y []float32, ids []int32, w *tensor.Matrix) {
	t := &e.embed
	*t = embedTask{y: y, ids: ids, w: w, rows: rowChunk(len(ids), 64)}
	run(ceilDiv(len(ids), t.rows), t)
}

// Do runs task i.
func (t *embedTask) Do(i, worker int) {
	for r := i * t.rows; r < min((i+1)*t.rows, len(t.ids)); r++ {
		t.w.WidenRow(t.y[r*t.w.Cols:(r+1)*t.w.Cols], int(t.ids[r]))
	}
}
