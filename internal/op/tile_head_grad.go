package op

import "github.com/getstroke/stroke/internal/kernel"

// tileHeadGradTask is HeadGrad in bfloat16: with the logits of Head, so that the
// shares of all tokens add up to 1, and the tokens of a slice as rows.
type tileHeadGradTask struct {
	headGradTask
	*tiles
	rows  int // of x in a task
	phase int
}

// The phases: x is packed, the target's logit added to nll, and the slices.
const (
	packStates = iota
	targetLogits
	vocabulary
)

func (t *tileHeadGradTask) run(h headGradTask) {
	*t = tileHeadGradTask{headGradTask: h, tiles: h.e.tiles, rows: tileRows(h.n)}
	for t.phase = packStates; t.phase < vocabulary; t.phase++ {
		run(ceilDiv(t.n, t.rows), t)
	}
	t.slices(t, tilePanel)
}

// Do runs task i.
func (t *tileHeadGradTask) Do(i, worker int) {
	dim := t.w.Cols
	lo, hi := i*t.rows, min((i+1)*t.rows, t.n)
	switch t.phase {
	case packStates:
		kernel.PackRightT(t.left[kernel.TilesLen(lo, dim):], t.x[lo*dim:], dim, hi-lo, dim)
		kernel.PackRightRows(t.across, t.x[lo*dim:], dim, lo, hi-lo, t.n, dim)
	case targetLogits:
		row, logits := t.e.scratch[worker][:dim], t.turn[worker][:16]
		for r := lo; r < hi; r++ {
			t.w.WidenRow(row, int(t.targets[r]))
			kernel.PackLeft(t.right[worker], row, dim, 1, dim)
			first := r &^ 15
			kernel.MulTiles(logits, 16, t.right[worker], t.left[kernel.TilesLen(first, dim):], 1, min(16, t.n-first), dim, false)
			t.nll[r] += logits[r-first]
		}
	case vocabulary:
		t.slice((t.first+i)*tilePanel, worker)
	}
}

// slice adds to the rows of g from v0 on.
func (t *tileHeadGradTask) slice(v0, worker int) {
	m, dim, n := min(tilePanel, t.w.Rows-v0), t.w.Cols, t.n
	w, p := t.e.scratch[worker][:m*dim], t.turn[worker][:m*n]
	for v := range m {
		t.w.WidenRow(w[v*dim:(v+1)*dim], v0+v)
	}
	kernel.PackLeft(t.right[worker], w, dim, m, dim)
	kernel.MulTiles(p, n, t.right[worker], t.left, m, n, dim, false)
	for v := range m {
		row := p[v*n : (v+1)*n]
		kernel.AddScaled(row, t.nll[:n], -1)
		kernel.Exp(row, row)
		kernel.Mul(row, row, t.weights[:n])
	}
	for r, target := range t.targets[:n] {
		if v := int(target) - v0; v >= 0 && v < m {
			p[v*n+r] -= t.weights[r]
		}
	}
	kernel.PackLeft(t.spare[worker], p, n, m, n)
	kernel.MulTiles(t.g[v0*dim:], dim, t.spare[worker], t.across, m, dim, n, true)
}
