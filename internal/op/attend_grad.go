package op

import "github.com/getstroke/stroke/internal/kernel"

// attendKeys is how many keys a task of the second phase takes.
const attendKeys = 48

type attendGradTask struct {
	e                     *Exec
	dq, dk, dv            []float32
	do, q, k, v, o, stat  []float32
	p, ds                 []float32
	h                     Heads
	lo, n, group, kv, pad int
	phase                 int
}

// AttendScratch is the number of float32 that AttendGrad needs in its scratch
// for sequences of n tokens.
func AttendScratch(n int, h Heads) int { return 2 * (h.Q / h.KV) * n * roundUp(n, 16) }

// AttendGrad is the backward pass of Attend for one whole sequence of n tokens
// from position 0, tokens [lo, lo+n) of the flattened batch: dq, dk and dv are
// overwritten there. do and o are [.., Q·Size], q too, k and v [.., KV·Size],
// stat [.., Q, 2] as Attend wrote it. scratch holds AttendScratch(n, h) floats.
func (e *Exec) AttendGrad(dq, dk, dv, do, q, k, v, o, stat, scratch []float32, lo, n int, h Heads) {
	if e.tiles != nil {
		e.breathe()
		e.tileKeys.run(e.tiles, dq, dk, dv, do, q, k, v, o, stat, scratch, lo, n, h)
		return
	}
	t := &e.attendGrad
	group := h.Q / h.KV
	pad := roundUp(n, 16)
	*t = attendGradTask{e: e, dq: dq, dk: dk, dv: dv, do: do, q: q, k: k, v: v, o: o, stat: stat,
		p: scratch[:group*n*pad], ds: scratch[group*n*pad : 2*group*n*pad],
		h: h, lo: lo, n: n, group: group, pad: pad}
	for t.kv = 0; t.kv < h.KV; t.kv++ {
		e.breathe()
		t.phase = 0
		run(ceilDiv(n, attendBlock)*group, t)
		t.phase = 1
		run(2*ceilDiv(n, attendKeys), t)
	}
}

// Do runs task i.
func (t *attendGradTask) Do(i, worker int) {
	if t.phase == 0 {
		blocks := ceilDiv(t.n, attendBlock)
		t.queries(blocks-1-i/t.group, i%t.group)
	} else {
		t.keys(i/2, i%2 == 1)
	}
}

// queries computes P and dS for a block of queries of head g of the group, and
// their dq:
//
//	P = exp(scale·q·k - m)/sum      dP = do·vᵀ
//	dS = scale·P·(dP - Σ do·o)      dq = dS k
func (t *attendGradTask) queries(block, g int) {
	h := t.h
	dim, kv := h.Q*h.Size, h.KV*h.Size
	head := t.kv*t.group + g
	i0, i1 := block*attendBlock, min((block+1)*attendBlock, t.n)
	n, keys, first := i1-i0, i1, firstKey(i0, h.Window)
	at := (t.lo+i0)*dim + head*h.Size
	k, v := t.k[(t.lo+first)*kv+t.kv*h.Size:], t.v[(t.lo+first)*kv+t.kv*h.Size:]
	p, ds := t.p[(g*t.n+i0)*t.pad:], t.ds[(g*t.n+i0)*t.pad:]
	kernel.MulNT(p[first:], t.pad, t.q[at:], dim, k, kv, n, keys-first, h.Size)
	kernel.MulNT(ds[first:], t.pad, t.do[at:], dim, v, kv, n, keys-first, h.Size)
	for r := range n {
		row, drow := p[r*t.pad:r*t.pad+keys], ds[r*t.pad:r*t.pad+keys]
		lo, hi := firstKey(i0+r, h.Window), i0+r+1
		st := t.stat[((t.lo+i0+r)*h.Q+head)*2:]
		clear(row[first:lo])
		clear(row[hi:])
		clear(drow[first:lo])
		clear(drow[hi:])
		seen := row[lo:hi]
		kernel.Scale(seen, h.Scale)
		kernel.ExpSum(seen, st[0])
		kernel.Scale(seen, st[1])
		d := kernel.Dot(t.do[at+r*dim:at+r*dim+h.Size], t.o[at+r*dim:at+r*dim+h.Size])
		kernel.SoftmaxGrad(drow[lo:hi], seen, drow[lo:hi], d, h.Scale)
		clear(t.dq[at+r*dim : at+r*dim+h.Size])
	}
	kernel.AddNN(t.dq[at:], dim, ds[first:], t.pad, k, kv, n, h.Size, keys-first)
}

// keys computes dv = Pᵀ do, or dk = dSᵀ q, for a block of keys, over all heads
// of the group.
func (t *attendGradTask) keys(block int, dk bool) {
	h := t.h
	dim, kv := h.Q*h.Size, h.KV*h.Size
	j0, j1 := block*attendKeys, min((block+1)*attendKeys, t.n)
	last := t.n // queries [j0, last) see a key of the block
	if h.Window > 0 {
		last = min(t.n, j1-1+h.Window)
	}
	dst, weights, src := t.dv, t.p, t.do
	if dk {
		dst, weights, src = t.dk, t.ds, t.q
	}
	dst = dst[(t.lo+j0)*kv+t.kv*h.Size:]
	for r := range j1 - j0 {
		clear(dst[r*kv : r*kv+h.Size])
	}
	for g := range t.group {
		head := t.kv*t.group + g
		// A block of queries has written its columns up to its last key only:
		// each is read up to there.
		for q0 := j0 - j0%attendBlock; q0 < last; q0 += attendBlock {
			q1 := min(q0+attendBlock, last)
			end := min(min(q0+attendBlock, t.n), j1)
			begin := max(j0, firstKey(q0, h.Window))
			if end <= begin {
				continue
			}
			w := weights[(g*t.n+q0)*t.pad+begin:]
			kernel.AddTN(dst[(begin-j0)*kv:], kv, w, t.pad, src[(t.lo+q0)*dim+head*h.Size:], dim, end-begin, h.Size, q1-q0)
		}
	}
}
