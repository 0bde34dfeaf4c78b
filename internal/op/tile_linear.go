package op

import "github.com/getstroke/stroke/internal/kernel"

// fewRows is the most rows of x for which a tile's rows are outputs and its
// columns rows of x, so that weights are packed as they lie (decoding). It
// changes speed, never bits.
const fewRows = 16

// fewPanel is how many outputs go through the tiles together then, and fewRun how
// many times as many a task takes: weights are read in long runs.
const (
	fewPanel = 64
	fewRun   = 4
)

// tileLinearTask is Linear in bfloat16. Every row goes through the tiles by
// itself: neither its place in one nor its neighbours show in its bits.
type tileLinearTask struct {
	*tiles
	x     []float32
	n, in int
	lins  []Linear
	phase int
	rows  int
	panel int  // outputs in a task
	leftB bool // see onLeft
}

// The phases: x is packed; low-rank inputs are computed and packed; products.
const (
	packInput = iota
	lowInputs
	products
)

func (t *tileLinearTask) run(tl *tiles, x []float32, n, in int, lins []Linear) {
	t.lowInputs(tl, x, n, in, lins)
	t.phase = products
	tasks := 0
	for i := range lins {
		tasks += ceilDiv(lins[i].W.Rows, t.panel)
	}
	run(tasks, t)
}

// lowInputs packs x, and computes and packs what goes into the second factors.
func (t *tileLinearTask) lowInputs(tl *tiles, x []float32, n, in int, lins []Linear) {
	*t = tileLinearTask{tiles: tl, x: x, n: n, in: in, lins: lins, rows: tileRows(n), panel: tilePanel}
	if n <= fewRows {
		t.panel = fewRun * fewPanel
	}
	t.leftB = t.onLeft()
	run(ceilDiv(n, t.rows), t)
	if c := deltaTasks(lins, t.rows); c > 0 {
		t.phase = lowInputs
		run(c, t)
	}
}

// Do runs task i.
func (t *tileLinearTask) Do(i, worker int) {
	switch t.phase {
	case packInput:
		if t.n <= fewRows {
			kernel.PackRightT(t.left, t.x, t.in, t.n, t.in)
			return
		}
		t.pack(t.left, t.x, t.in, i*t.rows, min((i+1)*t.rows, t.n))
	case lowInputs:
		l, d, chunk := deltaTask(t.lins, t.rows, i)
		t.lowRank(l, d, chunk, worker)
	case products:
		for l := range t.lins {
			c := ceilDiv(t.lins[l].W.Rows, t.panel)
			if i < c {
				t.product(l, i*t.panel, worker)
				return
			}
			i -= c
		}
	}
}

// lowRank computes a chunk of rows of H, and packs them.
func (t *tileLinearTask) lowRank(l, k, chunk, worker int) {
	d := &t.lins[l].Deltas[k]
	p := d.Pair
	lo := d.Lo + chunk*t.rows
	hi := min(lo+t.rows, d.Hi)
	h := d.H[(lo-d.Lo)*p.Pad : (hi-d.Lo)*p.Pad]
	switch {
	case d.Drop != nil:
		d.Drop.apply(t.x[lo*t.in:], lo, hi, t.in)
		kernel.MulNT(h, p.Pad, d.Drop.X[lo*t.in:], t.in, p.A, t.in, hi-lo, p.Pad, t.in)
	case t.n <= fewRows:
		sum, left := t.turn[worker][:fewRows*p.Pad], t.spare[worker]
		switch {
		case p.TileA != nil:
			left = p.TileA
		case p.Half != nil:
			kernel.PackLeftQ(left, p.Half, kernel.F16, nil, p.Rank, t.in)
		default:
			kernel.PackLeft(left, p.A, t.in, p.Rank, t.in)
		}
		kernel.MulTiles(sum, fewRows, left, t.left, p.Rank, fewRows, t.in, false)
		clear(h)
		for r := range hi - lo {
			for i := range p.Rank {
				h[r*p.Pad+i] = sum[i*fewRows+lo+r]
			}
		}
	default:
		right := t.right[worker]
		kernel.PackRightT(right, p.A, t.in, p.Pad, t.in)
		t.mulRows(h, p.Pad, t.left, right, lo, hi, p.Pad, t.in, worker)
	}
	kernel.Scale(h, p.Scale*d.Strength)
	if t.leftB {
		// Columns for all rows of x: those of other adapters are zero.
		all := t.turn[worker][:fewRows*p.Pad]
		clear(all)
		copy(all[lo*p.Pad:], h)
		kernel.PackRightT(t.lowOf(t.lins, l, k), all, p.Pad, fewRows, p.Pad)
		return
	}
	t.pack(t.lowOf(t.lins, l, k), d.H, p.Pad, lo-d.Lo, hi-d.Lo)
}

// onLeft says whether factors B stand on the left, as the weights do of few rows: all
// do or none, so that they are added in the order of the deltas whatever the number of
// rows.
func (t *tileLinearTask) onLeft() bool {
	if t.n > fewRows {
		return false
	}
	for l := range t.lins {
		for k := range t.lins[l].Deltas {
			if t.lins[l].Deltas[k].Pair.TileB == nil {
				return false
			}
		}
	}
	return true
}

// few computes outputs [j0, j1) of few rows.
func (t *tileLinearTask) few(l, j0, j1, worker int) {
	lin := &t.lins[l]
	w := lin.W
	out, sum := w.Rows, t.turn[worker][:fewPanel*fewRows]
	data, order := rowsOf(w, j0, j1)
	kernel.MulFew(sum, fewRows, data, w.DType, order, t.left, j1-j0, t.in)
	if lin.Bias != nil {
		for i, b := range lin.Bias[j0:j1] {
			for r := range t.n {
				sum[i*fewRows+r] += b
			}
		}
	}
	for k := range lin.Deltas {
		if p := lin.Deltas[k].Pair; t.leftB {
			kernel.MulTiles(sum, fewRows, p.TileB[kernel.TilesLen(j0, p.Pad):], t.lowOf(t.lins, l, k), j1-j0, fewRows, p.Pad, true)
		}
	}
	if t.n == 1 {
		y := lin.Y[j0:j1]
		for i := range y {
			y[i] = sum[i*fewRows]
		}
		return
	}
	kernel.Transpose(lin.Y[j0:], out, sum, fewRows, j1-j0, t.n)
}

// product computes a panel of columns of Y.
func (t *tileLinearTask) product(l, j0, worker int) {
	lin := &t.lins[l]
	w := lin.W
	out, right := w.Rows, t.right[worker]
	j1 := min(j0+t.panel, out)
	if t.n <= fewRows {
		for j := j0; j < j1; j += fewPanel {
			t.few(l, j, min(j+fewPanel, j1), worker)
		}
	} else {
		data, order := rowsOf(w, j0, j1)
		kernel.PackRightTQ(right, data, w.DType, order, j1-j0, t.in)
		kernel.MulTiles(lin.Y[j0:], out, t.left, right, t.n, j1-j0, t.in, false)
	}
	if lin.Bias != nil && t.n > fewRows {
		for r := range t.n {
			kernel.Add(lin.Y[r*out+j0:r*out+j1], lin.Bias[j0:j1])
		}
	}
	if t.leftB {
		return
	}
	for k := range lin.Deltas {
		d := &lin.Deltas[k]
		kernel.PackRight(right, d.Pair.B[j0:], out, d.Pair.Pad, j1-j0)
		kernel.MulTiles(lin.Y[d.Lo*out+j0:], out, t.lowOf(t.lins, l, k), right, d.Hi-d.Lo, j1-j0, d.Pair.Pad, true)
	}
}
