package op

import (
	"math"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

const (
	headSlice = 256 // rows of the vocabulary looked at in one go
	headRows  = 264 // rows of x that a task takes at the most
	headTiles = 256 // the same, in whole tiles
)

type headTask struct {
	e       *Exec
	dx, x   []float32
	w       *tensor.Matrix
	targets []int32
	weights []float32
	nll     []float32
	n, rows int
	v0, v1  int       // the part of the vocabulary at hand
	state   []float32 // [n, 2]: largest logit and sum of exponentials so far
}

// Head computes the cross-entropy of a language-model head over the whole
// vocabulary without ever holding more than a slice of the logits:
//
//	nll[r] = log Σ_v exp(x[r]·w[v]) - x[r]·w[target[r]]
//
// for x [n, dim] and w [vocab, dim]. nll [n] is overwritten. Where dx is not
// nil, dx [n, dim] is overwritten with weights[r]·∂nll[r]/∂x[r]: the slices are
// folded into a running maximum, sum and weighted mean of w, as attention over
// a long context is (arXiv:2205.14135), so every slice of w is widened once.
func (e *Exec) Head(dx, nll, x []float32, w *tensor.Matrix, targets []int32, weights []float32, n int) {
	t := &e.head
	rows := rowChunk(n, headRows)
	if e.tiles != nil {
		rows = min(roundUp(ceilDiv(n, kernel.Workers()), 16), headTiles)
	}
	if cap(t.state) < 2*n {
		t.state = make([]float32, 2*n)
	}
	*t = headTask{e: e, dx: dx, x: x, w: w, targets: targets, weights: weights, nll: nll, n: n, rows: rows, state: t.state[:2*n]}
	step := headSlice * e.parts(ceilDiv(w.Rows, headSlice), 4*headSlice*float64(n)*float64(w.Cols))
	for ; t.v0 < w.Rows; t.v0 = t.v1 {
		t.v1 = min(t.v0+step, w.Rows)
		e.breathe()
		run(ceilDiv(n, t.rows), t)
	}
}

// Do runs task i on the part of the vocabulary at hand. From one part to the next
// nll holds the target's logit.
func (t *headTask) Do(i, worker int) {
	lo, hi := i*t.rows, min((i+1)*t.rows, t.n)
	n, dim := hi-lo, t.w.Cols
	s := t.e.scratch[worker]
	panel, s := s[:headSlice*dim], s[headSlice*dim:]
	logits, s := s[:n*headSlice], s[n*headSlice:]
	one, target := s[:1], t.nll[lo:hi]
	top, sum := t.state[2*lo:2*lo+n], t.state[2*lo+n:2*hi]
	if t.v0 == 0 {
		for r := range n {
			top[r], sum[r] = float32(math.Inf(-1)), 0
		}
		if t.dx != nil {
			clear(t.dx[lo*dim : hi*dim])
		}
	}
	x := t.x[lo*dim:]
	tl := t.e.tiles
	var left, left2, right []uint16
	q := &t.e.rounded
	integers := q.on && q.size.Has(t.w.DType)
	if integers && t.v0 == 0 {
		q.size.Pack(q.rows(lo, dim), x, dim, n, dim)
	}
	if tl != nil {
		left, right = tl.spare[worker], tl.right[worker]
		left2 = left[kernel.TilesLen(headTiles, dim):]
		kernel.PackLeft(left, x, dim, n, dim)
	}
	for v0 := t.v0; v0 < t.v1; v0 += headSlice {
		m := min(headSlice, t.v1-v0)
		data, order := rowsOf(t.w, v0, v0+m)
		switch {
		case integers:
			q.size.Mul(logits, headSlice, q.rows(lo, dim), data, t.w.DType, order, n, m, dim)
		case tl != nil:
			kernel.PackRightTQ(right, data, t.w.DType, order, m, dim)
			kernel.MulTiles(logits, headSlice, left, right, n, m, dim, false)
		default:
			for v := range m {
				t.w.WidenRow(panel[v*dim:(v+1)*dim], v0+v)
			}
			kernel.MulNT(logits, headSlice, x, dim, panel, dim, n, m, dim)
		}
		for r := range n {
			row := logits[r*headSlice : r*headSlice+m]
			if v := int(t.targets[lo+r]) - v0; v >= 0 && v < m {
				target[r] = row[v]
			}
			if big := kernel.MaxOf(row); big > top[r] {
				one[0] = top[r] - big
				kernel.Exp(one, one)
				sum[r] *= one[0]
				if t.dx != nil && v0 > 0 {
					kernel.Scale(t.dx[(lo+r)*dim:(lo+r+1)*dim], one[0])
				}
				top[r] = big
			}
			sum[r] += kernel.ExpSum(row, top[r])
		}
		switch {
		case t.dx == nil:
		case tl != nil:
			kernel.PackLeft(left2, logits, headSlice, n, m)
			kernel.PackRightQ(right, data, t.w.DType, order, dim, 0, dim, m)
			kernel.MulTiles(t.dx[lo*dim:], dim, left2, right, n, dim, m, true)
		default:
			kernel.AddNN(t.dx[lo*dim:], dim, logits, headSlice, panel, dim, n, dim, m)
		}
	}
	if t.v1 < t.w.Rows {
		return
	}
	for r := range n {
		t.nll[lo+r] = float32(math.Log(float64(sum[r])) + float64(top[r]) - float64(target[r]))
		if t.dx == nil {
			continue
		}
		dx := t.dx[(lo+r)*dim : (lo+r+1)*dim]
		weight := t.weights[lo+r]
		if weight == 0 {
			clear(dx)
			continue
		}
		kernel.Scale(dx, weight/sum[r])
		t.w.WidenRow(panel[:dim], int(t.targets[lo+r]))
		kernel.AddScaled(dx, panel[:dim], -weight)
	}
}

// Logits overwrites y [n, vocab] with x wᵀ, for x [n, dim].
func (e *Exec) Logits(y, x []float32, w *tensor.Matrix, n int, lins *[1]Linear) {
	lins[0] = Linear{W: w, Y: y}
	e.Linear(x, n, w.Cols, lins[:])
}
