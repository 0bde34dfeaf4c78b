package op

import (
	"fmt"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

type headGradTask struct {
	e       *Exec
	g, x    []float32
	w       *tensor.Matrix
	targets []int32
	weights []float32
	nll     []float32
	n       int
	first   int // slice of the vocabulary
}

// HeadGrad adds the gradient of Σ_r weights[r]·nll[r] with respect to the head w
// to g [vocab, dim], for the x [n, dim], targets and nll of a Head that went
// before:
//
//	g[v] += Σ_r weights[r]·(softmax(x[r] wᵀ)[v] - 1[v = targets[r]]) · x[r]
//
// Each slice of the vocabulary computes its logits again; what they are divided
// by is known from nll. nll [n] is overwritten with the logarithms of the sums.
func (e *Exec) HeadGrad(g, nll, x []float32, w *tensor.Matrix, targets []int32, weights []float32, n int) {
	if len(g) != w.Rows*w.Cols || len(x) < n*w.Cols || len(nll) < n || len(targets) < n || len(weights) < n {
		panic(fmt.Sprintf("op: the gradient of the head %s [%d, %d] is [%d] and x [%d] for %d rows", w.Name, w.Rows, w.Cols, len(g), len(x), n))
	}
	t := headGradTask{e: e, g: g, x: x, w: w, targets: targets, weights: weights, nll: nll, n: n}
	if e.tiles != nil {
		e.tileHead.run(t)
		return
	}
	row := e.scratch[0][:w.Cols]
	logit := e.scratch[0][w.Cols : w.Cols+1]
	for r := range n {
		w.WidenRow(row, int(targets[r]))
		kernel.MulNT(logit, 1, x[r*w.Cols:], w.Cols, row, w.Cols, 1, 1, w.Cols)
		nll[r] += logit[0]
	}
	e.headGrad = t
	e.headGrad.slices(&e.headGrad, headSlice)
}

// slices gives the tasks of all slices of the vocabulary to do, with a pause
// between parts.
func (t *headGradTask) slices(do kernel.Task, size int) {
	count := ceilDiv(t.w.Rows, size)
	part := t.e.parts(count, 4*float64(size)*float64(t.n)*float64(t.w.Cols))
	for t.first = 0; t.first < count; t.first += part {
		t.e.breathe()
		run(min(part, count-t.first), do)
	}
}

// Do runs task i: one slice of the vocabulary, all rows in order.
func (t *headGradTask) Do(i, worker int) {
	v0 := (t.first + i) * headSlice
	m, dim := min(headSlice, t.w.Rows-v0), t.w.Cols
	s := t.e.scratch[worker]
	panel, s := s[:headSlice*dim], s[headSlice*dim:]
	for v := range m {
		t.w.WidenRow(panel[v*dim:(v+1)*dim], v0+v)
	}
	for lo := 0; lo < t.n; lo += headRows {
		n := min(headRows, t.n-lo)
		p := s[:n*m]
		x := t.x[lo*dim:]
		kernel.MulNT(p, m, x, dim, panel, dim, n, m, dim)
		for r := range n {
			row := p[r*m : (r+1)*m]
			kernel.ExpSum(row, t.nll[lo+r])
			if v := int(t.targets[lo+r]) - v0; v >= 0 && v < m {
				row[v]--
			}
			kernel.Scale(row, t.weights[lo+r])
		}
		kernel.AddTN(t.g[v0*dim:], dim, p, m, x, dim, m, dim, n)
	}
}
