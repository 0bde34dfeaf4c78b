package op

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

// Pair is the low-rank pair that a LoRA adapter adds to one linear
// (arXiv:2106.09685): y += Scale · (x Aᵀ) Bᵀ. Both factors lie with the rank
// outermost, padded with zero rows to a multiple of 16.
type Pair struct {
	Rank, Pad int       // rank, and rank rounded up to a multiple of 16
	In, Out   int       // features of x and y
	Scale     float32   // alpha/rank, or alpha/√rank with rsLoRA
	A         []float32 // [Pad, In]
	B         []float32 // [Pad, Out], the transpose of PEFT's lora_B
	Half      []byte    // [Rank, In] in F16: A again, where it is exact; read for small batches in A's place, or nil
	HalfB     []byte    // B in F16 likewise, as kernel.AddHalf reads it
	TileA     []uint16  // A as a left operand of tiles, and B's transpose: read for small batches in bfloat16, or nil
	TileB     []uint16
	GradA     []float32 // [In, Pad], accumulated by LinearGrad; nil where the pair is frozen
	GradB     []float32 // [Out, Pad]
}

// NewPair makes a pair of zeros; alloc hands out zeroed memory.
func NewPair(rank, in, out int, scale float32, alloc func(n int) []float32) *Pair {
	pad := roundUp(rank, 16)
	return &Pair{Rank: rank, Pad: pad, In: in, Out: out, Scale: scale, A: alloc(pad * in), B: alloc(pad * out)}
}

// KeepHalf makes Half and HalfB where every number of A, and of B, is one of F16,
// as after reading an adapter that was written so.
func (p *Pair) KeepHalf() {
	p.Half = halfOf(p.A[:p.Rank*p.In])
	const cols = kernel.HalfCols
	panels := make([]float32, roundUp(p.Out, cols)*p.Rank)
	for r := range p.Rank {
		for j := 0; j < p.Out; j += cols {
			copy(panels[j*p.Rank+r*cols:][:cols], p.B[r*p.Out+j:(r+1)*p.Out])
		}
	}
	p.HalfB = halfOf(panels)
}

// halfOf is x in F16, or nil where that is not exact.
func halfOf(x []float32) []byte {
	half, back := make([]byte, kernel.F16.RowBytes(len(x))), make([]float32, len(x))
	kernel.NarrowF16(half, x)
	kernel.Widen(back, half, kernel.F16)
	for i, v := range back {
		if v != x[i] {
			return nil
		}
	}
	return half
}

// KeepTiles makes TileA and TileB, for a pair that does not change any more.
func (p *Pair) KeepTiles() {
	if p.TileA != nil {
		return
	}
	b := make([]float32, p.Out*p.Pad)
	kernel.Transpose(b, p.Pad, p.B, p.Out, p.Pad, p.Out)
	p.TileB = make([]uint16, kernel.TilesLen(p.Out, p.Pad))
	kernel.PackLeft(p.TileB, b, p.Pad, p.Out, p.Pad)
	p.TileA = make([]uint16, kernel.TilesLen(p.Pad, p.In))
	kernel.PackLeft(p.TileA, p.A, p.In, p.Pad, p.In)
}

// Delta applies a pair to the rows [Lo, Hi) of a flattened batch.
type Delta struct {
	Lo, Hi   int
	Pair     *Pair
	Strength float32   // multiplies Pair.Scale; never 0 (such a delta is left out)
	H        []float32 // [Hi-Lo, Pad]: Scale·Strength·(x Aᵀ), written by Linear, read by LinearGrad
	DH       []float32 // [Hi-Lo, Pad]: scratch of LinearGrad
	Drop     *Dropout  // nil for none
}

// firstOf says whether delta k is the first of its pair. The tasks for a pair's
// gradients are made for that one, and take in the others, so that no two of them
// accumulate the same numbers at once.
func firstOf(deltas []Delta, k int) bool {
	for i := range k {
		if deltas[i].Pair == deltas[k].Pair {
			return false
		}
	}
	return true
}

// Linear is one frozen linear with its operands in a batch of n rows.
type Linear struct {
	W      *tensor.Matrix // [out, in]
	Bias   []float32      // [out] or nil
	Y      []float32      // [n, out]: overwritten by Linear
	DY     []float32      // [n, out]: read by LinearGrad
	GradW  []float32      // [out, in]: accumulated by LinearGrad; nil where W is frozen
	Deltas []Delta
}

// smallBatch is the largest number of rows for which weights are widened in
// registers, row by row, and not in panels. It changes speed, never bits.
const smallBatch = 8

// fewInputs is the largest number of rows that a task takes all of, so that
// weights are read once, and for which low-rank inputs are computed beside the
// products that wait for them: one round of tasks where a larger batch has two.
const fewInputs = 32

// lowRows is how many rows of A a task takes then.
const lowRows = 8

type linearTask struct {
	x      []float32
	n, in  int
	lins   []Linear
	phase  int
	rows   int // rows of x in a task
	panel  int // rows of W in a task
	chunks int
	packed *integers    // x in integers, or nil
	panels int          // tasks for products
	low    int          // tasks for low-rank inputs, before the others
	left   atomic.Int32 // of them
	next   []Linear     // see Next
	// Of few rows, who does what.
	lowShares, panelShares shares
}

// The phases: low-rank inputs of many rows; products; both, for few rows, and
// after them what is added by factors that do not lie in panels.
const (
	lowManyRows = iota
	manyRows
	allOfFewRows
	longRuns
)

// Linear computes y = x Wᵀ + bias + Σ deltas for every linear in lins, which
// share x [n, in]. Each Y is overwritten, each Delta.H too.
func (e *Exec) Linear(x []float32, n, in int, lins []Linear) {
	e.breathe()
	t := &e.linear
	t.x, t.n, t.in, t.lins = x, n, in, lins
	for i := range lins {
		if w := lins[i].W; w.Cols != in {
			panic(fmt.Sprintf("op: linear %s is [%d, %d] and x is [%d, %d]", w.Name, w.Rows, w.Cols, n, in))
		}
	}
	if n == 0 {
		t.next = nil
		return
	}
	if e.tiles != nil {
		t.next = nil
		e.tileLinear.run(e.tiles, x, n, in, lins)
		return
	}
	t.packed = nil
	if e.rounded.any(lins, in) {
		e.packIntegers(x, n, in)
		t.packed = &e.rounded
	}
	t.low = 0
	if n <= fewInputs {
		t.few()
		return
	}
	t.next = nil
	t.lowInputs()
	t.phase, t.rows, t.panel = manyRows, rowChunk(n, 264), 64
	t.chunks = ceilDiv(n, t.rows)
	t.panels = 0
	for i := range lins {
		t.panels += t.chunks * ceilDiv(lins[i].W.Rows, t.panel)
	}
	run(t.panels, t)
}

// LowInputs computes each Delta.H as Linear does, and no Y: what a backward pass needs
// of a linear whose output it does not.
func (e *Exec) LowInputs(x []float32, n, in int, lins []Linear) {
	e.breathe()
	if n == 0 {
		return
	}
	if e.tiles != nil {
		e.tileLinear.lowInputs(e.tiles, x, n, in, lins)
		return
	}
	t := &e.linear
	t.x, t.n, t.in, t.lins, t.next = x, n, in, lins, nil
	t.lowInputs()
}

// lowInputs computes the low-rank inputs of many rows.
func (t *linearTask) lowInputs() {
	t.phase, t.rows = lowManyRows, rowChunk(t.n, 64)
	if tasks := deltaTasks(t.lins, t.rows); tasks > 0 {
		run(tasks, t)
	}
}

// anyLong says whether there is a factor B that lies row by row: few rows of x
// would read it in snatches, were it added in the panels of W.
func (t *linearTask) anyLong() bool {
	for l := range t.lins {
		for k := range t.lins[l].Deltas {
			if t.lins[l].Deltas[k].Pair.HalfB == nil {
				return true
			}
		}
	}
	return false
}

// Do runs task i.
func (t *linearTask) Do(i, worker int) {
	if t.phase == longRuns {
		w := kernel.Workers()
		lin := &t.lins[i/w]
		share := roundUp(ceilDiv(lin.W.Rows, w), 64)
		t.addDeltas(lin, 0, t.n, min(i%w*share, lin.W.Rows), min((i%w+1)*share, lin.W.Rows))
		return
	}
	if t.phase == allOfFewRows {
		t.work(worker)
		return
	}
	if t.phase == lowManyRows {
		l, d, chunk := deltaTask(t.lins, t.rows, i)
		t.lowRank(&t.lins[l].Deltas[d], chunk)
		return
	}
	for l := range t.lins {
		lin := &t.lins[l]
		c := t.chunks * ceilDiv(lin.W.Rows, t.panel)
		if i < c {
			t.product(lin, i%t.chunks, i/t.chunks, nil, nil)
			return
		}
		i -= c
	}
}

// lowRank computes rows of H.
func (t *linearTask) lowRank(d *Delta, chunk int) {
	p := d.Pair
	lo := d.Lo + chunk*t.rows
	hi := min(lo+t.rows, d.Hi)
	h := d.H[(lo-d.Lo)*p.Pad : (hi-d.Lo)*p.Pad]
	x := t.x[lo*t.in:]
	if d.Drop != nil {
		d.Drop.apply(x, lo, hi, t.in)
		x = d.Drop.X[lo*t.in:]
	}
	kernel.MulNT(h, p.Pad, x, t.in, p.A, t.in, hi-lo, p.Pad, t.in)
	kernel.Scale(h, p.Scale*d.Strength)
}

// product computes a block of Y.
func (t *linearTask) product(lin *Linear, chunk, panel int, rest, then []byte) {
	w := lin.W
	out := w.Rows
	lo, hi := chunk*t.rows, min((chunk+1)*t.rows, t.n)
	j0, j1 := panel*t.panel, min((panel+1)*t.panel, out)
	data, order := rowsOf(w, j0, j1)
	y := lin.Y[lo*out+j0:]
	x := t.x[lo*t.in:]
	if t.phase == allOfFewRows {
		for k := range lin.Deltas {
			if p := lin.Deltas[k].Pair; p.HalfB != nil {
				kernel.Fetch(p.HalfB[2*j0*p.Rank : 2*roundUp(j1, kernel.HalfCols)*p.Rank])
			}
		}
	}
	switch {
	case t.interleaved(w):
		kernel.MulInterleaved(y, out, t.packed.rows(lo, t.in), w.Interleaved, j0, hi-lo, j1-j0, rest, then)
	case t.packed != nil && t.packed.size.Has(w.DType):
		var laid []byte
		if t.n > smallBatch && t.n <= fewInputs {
			laid = t.packed.laid[t.packed.size]
		}
		t.packed.size.MulLaid(y, out, t.packed.rows(lo, t.in), laid, data, w.DType, order, hi-lo, j1-j0, t.in, rest, then)
	case t.n <= smallBatch:
		kernel.MulQ(y, out, x, t.in, data, w.DType, order, hi-lo, j1-j0, t.in)
	default:
		kernel.MulNTQ(y, out, x, t.in, data, w.DType, order, hi-lo, j1-j0, t.in)
	}
	if lin.Bias != nil {
		for r := lo; r < hi; r++ {
			kernel.Add(lin.Y[r*out+j0:r*out+j1], lin.Bias[j0:j1])
		}
	}
	if len(lin.Deltas) > 0 && !(t.phase == allOfFewRows && t.anyLong()) {
		for t.low > 0 && t.left.Load() > 0 {
			runtime.Gosched()
		}
		t.addDeltas(lin, lo, hi, j0, j1)
	}
}

// addDeltas adds the deltas to rows [lo, hi) and columns [j0, j1) of Y.
func (t *linearTask) addDeltas(lin *Linear, lo, hi, j0, j1 int) {
	if j0 >= j1 {
		return
	}
	out := lin.W.Rows
	for k := range lin.Deltas {
		d := &lin.Deltas[k]
		a, b := max(lo, d.Lo), min(hi, d.Hi)
		if a >= b {
			continue
		}
		p := d.Pair
		if p.HalfB != nil && t.phase >= allOfFewRows {
			kernel.AddHalf(lin.Y[a*out+j0:], out, d.H[(a-d.Lo)*p.Pad:], p.Pad, p.HalfB[2*j0*p.Rank:], b-a, j1-j0, p.Rank)
			continue
		}
		kernel.AddNN(lin.Y[a*out+j0:], out, d.H[(a-d.Lo)*p.Pad:], p.Pad, p.B[j0:], out, b-a, j1-j0, p.Rank)
	}
}

// rowsOf is the memory and the row order of rows [j0, j1) of w.
func rowsOf(w *tensor.Matrix, j0, j1 int) ([]byte, []int32) {
	if w.Order != nil {
		return w.Data, w.Order[j0:j1]
	}
	rb := w.RowBytes()
	return w.Data[j0*rb : j1*rb], nil
}

type linearGradTask struct {
	dx, x []float32
	n, in int
	lins  []Linear
	phase int
	rows  int
	cols  int // features in a task that accumulates a pair's gradient
	dxN   int // number of tasks for dx
}

// LinearGrad is the backward pass of Linear. It reads x and each DY, overwrites
// dx [n, in] unless that is nil,
//
//	dx = Σ dy W + Strength·Scale·(dy B) A
//
// and accumulates for each pair that has gradients
//
//	GradB += dyᵀ h        GradA += xᵀ (Strength·Scale·(dy B))
//
// and, where GradW is given, GradW += dyᵀ x. With dropout, xᵀ stands for the
// dropped x. Delta.DH is overwritten.
func (e *Exec) LinearGrad(dx, x []float32, n, in int, lins []Linear) {
	e.breathe()
	if n == 0 {
		return
	}
	if e.tiles != nil {
		e.tileGrad.run(e.tiles, dx, x, n, in, lins)
		return
	}
	t := &e.linearGrad
	t.dx, t.x, t.n, t.in, t.lins = dx, x, n, in, lins
	t.phase, t.rows = 0, rowChunk(n, 64)
	tasks := 0
	for i := range lins {
		for _, d := range lins[i].Deltas {
			tasks += ceilDiv(d.Hi-d.Lo, t.rows)
		}
	}
	if tasks > 0 {
		run(tasks, t)
	}
	t.phase = 1
	t.rows, t.cols = rowChunk(n, 264), 192
	t.dxN = 0
	if dx != nil {
		t.dxN = ceilDiv(n, t.rows)
	}
	tasks = t.dxN
	for i := range lins {
		tasks += t.gradTasks(&lins[i])
	}
	if tasks > 0 {
		run(tasks, t)
	}
}

func (t *linearGradTask) gradTasks(lin *Linear) int {
	n := 0
	for k, d := range lin.Deltas {
		if d.Pair.GradA != nil && firstOf(lin.Deltas, k) {
			n += ceilDiv(d.Pair.In, t.cols) + ceilDiv(d.Pair.Out, t.cols)
		}
	}
	if lin.GradW != nil {
		n += ceilDiv(lin.W.Rows, t.cols)
	}
	return n
}

// Do runs task i.
func (t *linearGradTask) Do(i, worker int) {
	if t.phase == 0 {
		for l := range t.lins {
			lin := &t.lins[l]
			for k := range lin.Deltas {
				d := &lin.Deltas[k]
				c := ceilDiv(d.Hi-d.Lo, t.rows)
				if i < c {
					t.lowRank(lin, d, i)
					return
				}
				i -= c
			}
		}
		return
	}
	if i < t.dxN {
		t.input(i)
		return
	}
	i -= t.dxN
	for l := range t.lins {
		c := t.gradTasks(&t.lins[l])
		if i < c {
			t.params(&t.lins[l], i)
			return
		}
		i -= c
	}
}

// lowRank computes rows of DH.
func (t *linearGradTask) lowRank(lin *Linear, d *Delta, chunk int) {
	p := d.Pair
	lo := d.Lo + chunk*t.rows
	hi := min(lo+t.rows, d.Hi)
	if d.Drop != nil {
		d.Drop.apply(t.x[lo*t.in:], lo, hi, t.in)
	}
	dh := d.DH[(lo-d.Lo)*p.Pad : (hi-d.Lo)*p.Pad]
	kernel.MulNT(dh, p.Pad, lin.DY[lo*p.Out:], p.Out, p.B, p.Out, hi-lo, p.Pad, p.Out)
	kernel.Scale(dh, p.Scale*d.Strength)
}

// input computes rows of dx.
func (t *linearGradTask) input(chunk int) {
	lo, hi := chunk*t.rows, min((chunk+1)*t.rows, t.n)
	clear(t.dx[lo*t.in : hi*t.in])
	for l := range t.lins {
		lin := &t.lins[l]
		out := lin.W.Rows
		kernel.AddNNQ(t.dx[lo*t.in:], t.in, lin.DY[lo*out:], out, lin.W.Data, lin.W.DType, lin.W.Order, hi-lo, t.in, out)
		for k := range lin.Deltas {
			d := &lin.Deltas[k]
			a, b := max(lo, d.Lo), min(hi, d.Hi)
			if a >= b {
				continue
			}
			p := d.Pair
			dh := d.DH[(a-d.Lo)*p.Pad:]
			if d.Drop != nil {
				d.Drop.addGrad(t.dx, dh, p, a, b)
				continue
			}
			kernel.AddNN(t.dx[a*t.in:], t.in, dh, p.Pad, p.A, t.in, b-a, t.in, p.Rank)
		}
	}
}

// params accumulates a block of a parameter's gradient.
func (t *linearGradTask) params(lin *Linear, i int) {
	for k := range lin.Deltas {
		p := lin.Deltas[k].Pair
		if p.GradA == nil || !firstOf(lin.Deltas, k) {
			continue
		}
		if c := ceilDiv(p.In, t.cols); i < c {
			t.gradA(lin, k, i*t.cols)
			return
		} else {
			i -= c
		}
		if c := ceilDiv(p.Out, t.cols); i < c {
			t.gradB(lin, k, i*t.cols)
			return
		} else {
			i -= c
		}
	}
	out := lin.W.Rows
	j0, j1 := i*t.cols, min((i+1)*t.cols, out)
	kernel.AddTN(lin.GradW[j0*t.in:], t.in, lin.DY[j0:], out, t.x, t.in, j1-j0, t.in, t.n)
}

// gradA accumulates rows of GradA of the pair of delta first from j0 on, over all its
// deltas.
func (t *linearGradTask) gradA(lin *Linear, first, j0 int) {
	p := lin.Deltas[first].Pair
	j1 := min(j0+t.cols, p.In)
	for k := first; k < len(lin.Deltas); k++ {
		d := &lin.Deltas[k]
		if d.Pair != p {
			continue
		}
		x := t.x
		if d.Drop != nil {
			x = d.Drop.X
		}
		kernel.AddTN(p.GradA[j0*p.Pad:], p.Pad, x[d.Lo*t.in+j0:], t.in, d.DH, p.Pad, j1-j0, p.Pad, d.Hi-d.Lo)
	}
}

// gradB accumulates rows of GradB of the pair of delta first from j0 on, over all its
// deltas.
func (t *linearGradTask) gradB(lin *Linear, first, j0 int) {
	p := lin.Deltas[first].Pair
	j1 := min(j0+t.cols, p.Out)
	for k := first; k < len(lin.Deltas); k++ {
		d := &lin.Deltas[k]
		if d.Pair == p {
			kernel.AddTN(p.GradB[j0*p.Pad:], p.Pad, lin.DY[d.Lo*p.Out+j0:], p.Out, d.H, p.Pad, j1-j0, p.Pad, d.Hi-d.Lo)
		}
	}
}
