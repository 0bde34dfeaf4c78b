package op

import "github.com/getstroke/stroke/internal/kernel"

// paramCols is how many features a task takes of a parameter's gradient.
const paramCols = 192

// tileGradTask is LinearGrad in bfloat16.
type tileGradTask struct {
	*tiles
	dx, x []float32
	n, in int
	lins  []Linear
	phase int
	rows  int
	width int // columns of dx in a task
	packs int // tasks that pack one DY
	dxN   int // tasks for dx
	turns int // tasks that pack x for parameters
}

// The phases: DY and x are packed; low-rank gradients are computed and packed;
// dx and the gradients of parameters; what passes features dropped.
const (
	packOutputs = iota
	lowGradients
	gradients
	droppedGradients
)

func (t *tileGradTask) run(tl *tiles, dx, x []float32, n, in int, lins []Linear) {
	*t = tileGradTask{tiles: tl, dx: dx, x: x, n: n, in: in, lins: lins, rows: tileRows(n), width: tilePanel}
	drop := false
	for i := range lins {
		block, _ := lins[i].W.DType.Block()
		t.width = max(t.width, block)
		for k := range lins[i].Deltas {
			drop = drop || lins[i].Deltas[k].Drop != nil
		}
	}
	t.packs = ceilDiv(n, t.rows)
	if t.params() > 0 {
		t.turns = t.packs
	}
	run(len(lins)*t.packs+t.turns, t)
	if c := deltaTasks(lins, t.rows); c > 0 {
		t.phase = lowGradients
		run(c, t)
	}
	t.phase = gradients
	if dx != nil {
		t.dxN = ceilDiv(in, t.width)
	}
	if c := t.dxN + t.params(); c > 0 {
		run(c, t)
	}
	if drop && dx != nil {
		t.phase = droppedGradients
		run(t.packs, t)
	}
}

// params is the number of tasks for gradients of parameters.
func (t *tileGradTask) params() int {
	n := 0
	for l := range t.lins {
		n += t.paramsOf(&t.lins[l])
	}
	return n
}

func (t *tileGradTask) paramsOf(lin *Linear) int {
	n := 0
	for k, d := range lin.Deltas {
		if d.Pair.GradA != nil && firstOf(lin.Deltas, k) {
			n += ceilDiv(d.Pair.In, paramCols) + ceilDiv(d.Pair.Out, paramCols)
		}
	}
	if lin.GradW != nil {
		n += ceilDiv(lin.W.Rows, tilePanel)
	}
	return n
}

// of is where the DY of linear l is packed.
func (t *tileGradTask) of(l int) []uint16 {
	at := 0
	for i := range l {
		at += kernel.TilesLen(t.n, t.lins[i].W.Rows)
	}
	return t.left[at:]
}

// Do runs task i.
func (t *tileGradTask) Do(i, worker int) {
	switch t.phase {
	case packOutputs:
		lo := i % t.packs * t.rows
		hi := min(lo+t.rows, t.n)
		if l := i / t.packs; l < len(t.lins) {
			t.pack(t.of(l), t.lins[l].DY, t.lins[l].W.Rows, lo, hi)
			return
		}
		kernel.PackRightRows(t.across, t.x[lo*t.in:], t.in, lo, hi-lo, t.n, t.in)
	case lowGradients:
		l, d, chunk := deltaTask(t.lins, t.rows, i)
		t.lowRank(l, d, chunk, worker)
	case gradients:
		if i < t.dxN {
			t.input(i*t.width, worker)
			return
		}
		i -= t.dxN
		for l := range t.lins {
			c := t.paramsOf(&t.lins[l])
			if i < c {
				t.param(l, i, worker)
				return
			}
			i -= c
		}
	case droppedGradients:
		for l := range t.lins {
			for k := range t.lins[l].Deltas {
				d := &t.lins[l].Deltas[k]
				a, b := max(i*t.rows, d.Lo), min((i+1)*t.rows, d.Hi)
				if d.Drop != nil && a < b {
					d.Drop.addGrad(t.dx, d.DH[(a-d.Lo)*d.Pair.Pad:], d.Pair, a, b)
				}
			}
		}
	}
}

// lowRank computes a chunk of rows of DH, and packs them.
func (t *tileGradTask) lowRank(l, k, chunk, worker int) {
	d := &t.lins[l].Deltas[k]
	p := d.Pair
	lo := d.Lo + chunk*t.rows
	hi := min(lo+t.rows, d.Hi)
	if d.Drop != nil {
		d.Drop.apply(t.x[lo*t.in:], lo, hi, t.in)
	}
	dh := d.DH[(lo-d.Lo)*p.Pad : (hi-d.Lo)*p.Pad]
	right := t.right[worker]
	kernel.PackRightT(right, p.B, p.Out, p.Pad, p.Out)
	t.mulRows(dh, p.Pad, t.of(l), right, lo, hi, p.Pad, p.Out, worker)
	kernel.Scale(dh, p.Scale*d.Strength)
	t.pack(t.lowOf(t.lins, l, k), d.DH, p.Pad, lo-d.Lo, hi-d.Lo)
}

// input computes columns of dx from j0 on.
func (t *tileGradTask) input(j0, worker int) {
	j1 := min(j0+t.width, t.in)
	right := t.right[worker]
	for l := range t.lins {
		lin := &t.lins[l]
		w := lin.W
		kernel.PackRightQ(right, w.Data, w.DType, w.Order, t.in, j0, j1-j0, w.Rows)
		kernel.MulTiles(t.dx[j0:], t.in, t.of(l), right, t.n, j1-j0, w.Rows, l > 0)
		for k := range lin.Deltas {
			d := &lin.Deltas[k]
			if d.Drop != nil {
				continue
			}
			kernel.PackRight(right, d.Pair.A[j0:], t.in, d.Pair.Pad, j1-j0)
			kernel.MulTiles(t.dx[d.Lo*t.in+j0:], t.in, t.lowOf(t.lins, l, k), right, d.Hi-d.Lo, j1-j0, d.Pair.Pad, true)
		}
	}
}

// param accumulates a block of a parameter's gradient.
func (t *tileGradTask) param(l, i, worker int) {
	lin := &t.lins[l]
	for k := range lin.Deltas {
		p := lin.Deltas[k].Pair
		if p.GradA == nil || !firstOf(lin.Deltas, k) {
			continue
		}
		if c := ceilDiv(p.In, paramCols); i < c {
			t.gradA(lin, k, i*paramCols, worker)
			return
		} else {
			i -= c
		}
		if c := ceilDiv(p.Out, paramCols); i < c {
			t.gradB(lin, k, i*paramCols, worker)
			return
		} else {
			i -= c
		}
	}
	out := lin.W.Rows
	j0 := i * tilePanel
	j1 := min(j0+tilePanel, out)
	turned := t.turn[worker][:(j1-j0)*t.n]
	kernel.Transpose(turned, t.n, lin.DY[j0:], out, t.n, j1-j0)
	kernel.PackLeft(t.spare[worker], turned, t.n, j1-j0, t.n)
	kernel.MulTiles(lin.GradW[j0*t.in:], t.in, t.spare[worker], t.across, j1-j0, t.in, t.n, true)
}

// gradA accumulates rows of GradA of the pair of delta first from j0 on, over all its
// deltas.
func (t *tileGradTask) gradA(lin *Linear, first, j0, worker int) {
	p := lin.Deltas[first].Pair
	j1 := min(j0+paramCols, p.In)
	for k := first; k < len(lin.Deltas); k++ {
		d := &lin.Deltas[k]
		switch {
		case d.Pair != p:
		case d.Drop != nil:
			kernel.AddTN(p.GradA[j0*p.Pad:], p.Pad, d.Drop.X[d.Lo*t.in+j0:], t.in, d.DH, p.Pad, j1-j0, p.Pad, d.Hi-d.Lo)
		default:
			t.addLow(p.GradA[j0*p.Pad:], d, d.DH, t.across[kernel.TilesLen(j0, t.n):], j1-j0, worker)
		}
	}
}

// gradB accumulates rows of GradB of the pair of delta first from j0 on, over all its
// deltas.
func (t *tileGradTask) gradB(lin *Linear, first, j0, worker int) {
	p := lin.Deltas[first].Pair
	j1 := min(j0+paramCols, p.Out)
	right := t.right[worker]
	kernel.PackRight(right, lin.DY[j0:], p.Out, t.n, j1-j0)
	for k := first; k < len(lin.Deltas); k++ {
		if d := &lin.Deltas[k]; d.Pair == p {
			t.addLow(p.GradB[j0*p.Pad:], d, d.H, right, j1-j0, worker)
		}
	}
}

// addLow adds (lowᵀ right)ᵀ to grad [cols, Pad], for low [Hi-Lo, Pad] of a delta
// and right with the batch's rows along k.
func (t *tileGradTask) addLow(grad []float32, d *Delta, low []float32, right []uint16, cols, worker int) {
	pad := d.Pair.Pad
	s := t.turn[worker]
	turned, sum := s[:pad*t.n], s[pad*t.n:][:pad*cols]
	if d.Lo > 0 || d.Hi < t.n {
		clear(turned)
	}
	kernel.Transpose(turned[d.Lo:], t.n, low, pad, d.Hi-d.Lo, pad)
	left := t.spare[worker]
	kernel.PackLeft(left, turned, t.n, pad, t.n)
	kernel.MulTiles(sum, cols, left, right, pad, cols, t.n, false)
	kernel.AddTransposed(grad, pad, sum, cols, pad, cols)
}
