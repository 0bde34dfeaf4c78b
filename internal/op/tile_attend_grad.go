package op

import "github.com/getstroke/stroke/internal/kernel"

// tileKeys is how many keys a task of the second phase takes, with tiles.
const tileKeys = 64

// tileAttendGradTask is AttendGrad in bfloat16.
type tileAttendGradTask struct {
	*tiles
	dq, dk, dv            []float32
	do, q, k, v, o, stat  []float32
	p, ds                 []float32
	h                     Heads
	lo, n, group, kv, pad int
	block                 int
	phase                 int
}

func (t *tileAttendGradTask) run(tl *tiles, dq, dk, dv, do, q, k, v, o, stat, scratch []float32, lo, n int, h Heads) {
	group, pad := h.Q/h.KV, roundUp(n, 16)
	*t = tileAttendGradTask{tiles: tl, dq: dq, dk: dk, dv: dv, do: do, q: q, k: k, v: v, o: o, stat: stat,
		p: scratch[:group*n*pad], ds: scratch[group*n*pad : 2*group*n*pad],
		h: h, lo: lo, n: n, group: group, pad: pad, block: queryBlock(1) &^ 31}
	for t.kv = range h.KV {
		t.phase = 0
		run((ceilDiv(n, t.block)+2)*group, t)
		t.phase = 1
		run(2*ceilDiv(n, tileKeys), t)
	}
}

// Do runs task i.
func (t *tileAttendGradTask) Do(i, worker int) {
	blocks := ceilDiv(t.n, t.block)
	switch {
	case t.phase == 1:
		t.keys(i/2, i%2 == 1, worker)
	case i < blocks*t.group:
		t.queries(blocks-1-i/t.group, i%t.group, worker)
	default:
		i -= blocks * t.group
		t.turned(i/2, i%2 == 1, worker)
	}
}

// turnedOf is where the transpose of do, or of q, of head g of the group is
// packed: [Size, n].
func (t *tileAttendGradTask) turnedOf(g int, q bool) []uint16 {
	one := kernel.TilesLen(t.h.Size, t.n)
	if q {
		g += t.group
	}
	return t.left[g*one:]
}

func (t *tileAttendGradTask) turned(g int, q bool, worker int) {
	h := t.h
	dim := h.Q * h.Size
	src := t.do
	if q {
		src = t.q
	}
	s := t.turn[worker][:h.Size*t.n]
	kernel.Transpose(s, t.n, src[t.lo*dim+(t.kv*t.group+g)*h.Size:], dim, t.n, h.Size)
	kernel.PackLeft(t.turnedOf(g, q), s, t.n, h.Size, t.n)
}

// queries is the first phase of AttendGrad. Every row of P and dS is written up
// to the last key of its block of keys.
func (t *tileAttendGradTask) queries(block, g, worker int) {
	h := t.h
	dim, kv := h.Q*h.Size, h.KV*h.Size
	head := t.kv*t.group + g
	i0, i1 := block*t.block, min((block+1)*t.block, t.n)
	n, begin := i1-i0, firstKey(i0, h.Window)&^(tileKeys-1)
	keys := i1 - begin
	end := min(roundUp(i1, tileKeys), t.n)
	at := (t.lo+i0)*dim + head*h.Size
	src := (t.lo+begin)*kv + t.kv*h.Size
	p, ds := t.p[(g*t.n+i0)*t.pad:], t.ds[(g*t.n+i0)*t.pad:]
	left, right := t.spare[worker], t.right[worker]
	kernel.PackLeft(left, t.q[at:], dim, n, h.Size)
	kernel.PackRightT(right, t.k[src:], kv, keys, h.Size)
	kernel.MulTiles(p[begin:], t.pad, left, right, n, keys, h.Size, false)
	kernel.PackLeft(left, t.do[at:], dim, n, h.Size)
	kernel.PackRightT(right, t.v[src:], kv, keys, h.Size)
	kernel.MulTiles(ds[begin:], t.pad, left, right, n, keys, h.Size, false)
	for r := range n {
		row, drow := p[r*t.pad:r*t.pad+end], ds[r*t.pad:r*t.pad+end]
		lo, hi := firstKey(i0+r, h.Window), i0+r+1
		st := t.stat[((t.lo+i0+r)*h.Q+head)*2:]
		clear(row[begin:lo])
		clear(row[hi:])
		clear(drow[begin:lo])
		clear(drow[hi:])
		seen := row[lo:hi]
		kernel.Scale(seen, h.Scale)
		kernel.ExpSum(seen, st[0])
		kernel.Scale(seen, st[1])
		d := kernel.Dot(t.do[at+r*dim:at+r*dim+h.Size], t.o[at+r*dim:at+r*dim+h.Size])
		kernel.SoftmaxGrad(drow[lo:hi], seen, drow[lo:hi], d, h.Scale)
	}
	kernel.PackLeft(left, ds[begin:], t.pad, n, keys)
	kernel.PackRight(right, t.k[src:], kv, keys, h.Size)
	kernel.MulTiles(t.dq[at:], dim, left, right, n, h.Size, keys, false)
}

// keys computes dv = Pᵀ do, or dk = dSᵀ q, for a block of keys, over all heads
// of the group: its transpose, doᵀ P or qᵀ dS, so that P and dS are read as they
// lie.
func (t *tileAttendGradTask) keys(block int, dk bool, worker int) {
	h := t.h
	kv := h.KV * h.Size
	j0, j1 := block*tileKeys, min((block+1)*tileKeys, t.n)
	// Queries [q0, last) see a key of the block; q0 begins a block of queries.
	q0, last := j0-j0%t.block, t.n
	if h.Window > 0 {
		last = min(t.n, j1-1+h.Window)
	}
	dst, weights := t.dv, t.p
	if dk {
		dst, weights = t.dk, t.ds
	}
	right := t.right[worker]
	sum := t.turn[worker][:h.Size*tileKeys]
	for g := range t.group {
		kernel.PackRight(right, weights[(g*t.n+q0)*t.pad+j0:], t.pad, last-q0, j1-j0)
		kernel.MulTilesPart(sum, tileKeys, t.turnedOf(g, dk), t.n, q0, right, h.Size, j1-j0, last-q0, g > 0)
	}
	kernel.Transpose(dst[(t.lo+j0)*kv+t.kv*h.Size:], kv, sum, tileKeys, h.Size, j1-j0)
}
