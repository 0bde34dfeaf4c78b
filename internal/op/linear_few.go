package op

import (
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

// Next says which linears those of the next call of Linear are followed by, of which
// only W is read, so that what they begin with is asked for before. It changes speed,
// never bits.
func (e *Exec) Next(lins []Linear) { e.linear.next = lins }

// few computes linears for few rows in one round: low-rank inputs and products, and
// after them what is added by factors that do not lie in panels.
func (t *linearTask) few() {
	t.phase, t.rows, t.panel, t.chunks = allOfFewRows, t.n, panelOfFew, 1
	t.low = lowTasks(t.lins)
	t.panels = panelTasks(t.lins, t.panel)
	t.left.Store(int32(t.low))
	t.lowShares.deal(t.low)
	t.panelShares.deal(t.panels)
	run(min(kernel.Workers(), t.low+t.panels), t)
	t.next = nil
	if t.anyLong() {
		t.phase = longRuns
		run(len(t.lins)*kernel.Workers(), t)
	}
}

// panelOfFew is how many rows of W a task takes: the fastest of 48, 96 and 192, for one
// row of x and for sixteen (docs/LOG.md).
const panelOfFew = 96

// lowTasks is the number of tasks that low-rank inputs make.
func lowTasks(lins []Linear) (n int) {
	for i := range lins {
		for _, d := range lins[i].Deltas {
			n += ceilDiv(d.Pair.Rank, lowRows)
		}
	}
	return n
}

// panelTasks is the number of tasks that products make.
func panelTasks(lins []Linear, panel int) (n int) {
	for i := range lins {
		n += ceilDiv(lins[i].W.Rows, panel)
	}
	return n
}

// work does what falls to a worker.
func (t *linearTask) work(worker int) {
	for {
		i, _, ok := t.lowShares.claim(worker)
		if !ok {
			break
		}
		t.lowPart(i)
	}
	_, end := shareOf(t.panels, worker)
	for {
		i, own, ok := t.panelShares.claim(worker)
		if !ok {
			return
		}
		l, panel := panelAt(t.lins, t.panel, i)
		if !own {
			t.product(&t.lins[l], 0, panel, nil, nil)
			continue
		}
		rest, then := t.ahead(l, panel, end-i, worker)
		t.product(&t.lins[l], 0, panel, rest, then)
	}
}

// interleaved says whether products with w read it interleaved.
func (t *linearTask) interleaved(w *tensor.Matrix) bool {
	return t.packed != nil && t.packed.size == kernel.Int16 && w.Interleaved.Serves(t.n)
}

// memory is what products with the rows [j0, j1) of w read.
func (t *linearTask) memory(w *tensor.Matrix, j0, j1 int) []byte {
	if t.interleaved(w) {
		return w.Interleaved.Rows(j0, j1)
	}
	rb := w.RowBytes()
	if w.Order != nil {
		return w.Data[:j1*rb]
	}
	return w.Data[j0*rb : j1*rb]
}

// ahead is the memory that a worker reads from a panel on, of a linear of whose panels
// it has at most so many, and what it begins with after that.
func (t *linearTask) ahead(l, panel, panels, worker int) (rest, then []byte) {
	w := t.lins[l].W
	end := min((panel+panels)*t.panel, w.Rows)
	rest = t.memory(w, panel*t.panel, end)
	switch {
	case panel+panels > ceilDiv(w.Rows, t.panel):
		next := t.lins[l+1].W
		return rest, t.memory(next, 0, next.Rows)
	case len(t.next) > 0:
		first, _ := shareOf(panelTasks(t.next, t.panel), worker)
		l, panel := panelAt(t.next, t.panel, first)
		w := t.next[l].W
		return rest, t.memory(w, panel*t.panel, w.Rows)
	}
	return rest, rest
}

// panelAt is the linear and the panel of a task.
func panelAt(lins []Linear, rows, i int) (l, panel int) {
	for {
		c := ceilDiv(lins[l].W.Rows, rows)
		if i < c {
			return l, i
		}
		i -= c
		l++
	}
}

// lowAt is the delta and the first row of A of a task.
func lowAt(lins []Linear, i int) (d *Delta, r0 int) {
	for l := range lins {
		for k := range lins[l].Deltas {
			d := &lins[l].Deltas[k]
			c := ceilDiv(d.Pair.Rank, lowRows)
			if i < c {
				return d, i * lowRows
			}
			i -= c
		}
	}
	panic("op: there is no such task")
}

// lowPart computes a few columns of H for all rows of a delta. Tasks of this kind
// come first and wait for nobody: those that wait for them do not wait for ever,
// also where one of them panics.
func (t *linearTask) lowPart(i int) {
	defer t.left.Add(-1)
	d, r0 := lowAt(t.lins, i)
	p := d.Pair
	x, rows := t.x[d.Lo*t.in:], d.Hi-d.Lo
	if d.Drop != nil {
		if r0 == 0 { // the mask is made once
			t.lowRank(d, 0)
		}
		return
	}
	r1 := min(r0+lowRows, p.Rank)
	if p.Half != nil {
		// Half of the memory to read, and the same bits.
		rb := kernel.F16.RowBytes(t.in)
		if t.n > smallBatch {
			kernel.Fetch(p.Half[r0*rb : r1*rb])
		}
		kernel.MulQ(d.H[r0:], p.Pad, x, t.in, p.Half[r0*rb:r1*rb], kernel.F16, nil, rows, r1-r0, t.in)
	} else {
		kernel.MulNT(d.H[r0:], p.Pad, x, t.in, p.A[r0*t.in:], t.in, rows, r1-r0, t.in)
	}
	for r := range rows {
		kernel.Scale(d.H[r*p.Pad+r0:r*p.Pad+r1], p.Scale*d.Strength)
		if r1 == p.Rank {
			clear(d.H[r*p.Pad+r1 : (r+1)*p.Pad])
		}
	}
}
