package op

import (
	"math"

	"github.com/getstroke/stroke/internal/kernel"
)

// Keys is where the keys and values of one sequence lie, in pages of Len
// positions: position j is row j%Len of page j/Len, its keys at float KOff and
// its values at float VOff of the page, rows of Heads·Size floats.
//
// With a DType other than F32 the pages are memory of packed rows, and lie head
// by head: keys of a head are [Len, Size] of that type from byte
// KOff + head·Len·RowBytes(Size) on, and values likewise.
type Keys struct {
	Pages      [][]float32
	Len        int
	KOff, VOff int
	DType      kernel.DType
}

// Sequence is one row of a ragged batch, for attention: tokens [Lo, Lo+N) of
// the flattened batch, at positions [Start, Start+N) of its keys.
type Sequence struct {
	Lo, N int
	Start int
	Keys  Keys
}

// Heads describes grouped-query attention (arXiv:2305.13245): Q query heads
// share KV key heads, each of Size features. Scores are multiplied by Scale.
// With Window > 0 a position sees itself and the Window-1 before it.
type Heads struct {
	Q, KV, Size int
	Scale       float32
	Window      int
}

// attendBlock is how many queries a task takes at the most.
const attendBlock = 32

type attendTask struct {
	e    *Exec
	o    []float32
	q    []float32
	stat []float32
	seqs []Sequence
	h    Heads
}

// Attend computes causal attention for every sequence: q [n, Q·Size] against
// the keys of its own sequence, o [n, Q·Size] overwritten. Where stat is not
// nil, stat [n, Q, 2] gets each row's maximum score and the reciprocal of its
// sum of exponentials, which AttendGrad reads.
//
// A row's scores are reduced over all its keys in an order that depends on
// positions alone; pages and blocks of queries do not show in the bits.
func (e *Exec) Attend(o, q, stat []float32, seqs []Sequence, h Heads) {
	e.breathe()
	if e.tiles != nil {
		e.tileAttend.run(e.tiles, o, q, stat, seqs, h)
		return
	}
	t := &e.attend
	*t = attendTask{e: e, o: o, q: q, stat: stat, seqs: seqs, h: h}
	tasks := 0
	for i := range seqs {
		tasks += ceilDiv(seqs[i].N, attendBlock) * h.Q
	}
	run(tasks, t)
}

// Do runs task i.
func (t *attendTask) Do(i, worker int) {
	for s := range t.seqs {
		c := ceilDiv(t.seqs[s].N, attendBlock) * t.h.Q
		if i < c {
			t.block(&t.seqs[s], c/t.h.Q-1-i/t.h.Q, i%t.h.Q, t.e.scratch[worker])
			return
		}
		i -= c
	}
}

// block computes the outputs of a block of queries of one head.
func (t *attendTask) block(s *Sequence, block, head int, scratch []float32) {
	h := t.h
	dim := h.Q * h.Size
	i0, i1 := block*attendBlock, min((block+1)*attendBlock, s.N)
	n := i1 - i0
	keys := s.Start + i1
	first := firstKey(s.Start+i0, h.Window)
	ld := roundUp(keys, 16)
	p := scratch[:n*ld]
	q := t.q[(s.Lo+i0)*dim+head*h.Size:]
	scores(p, ld, q, dim, s, head, h, n, first, keys)
	var inverse [attendBlock]float32
	for r := range n {
		row := p[r*ld : r*ld+keys]
		lo, hi := firstKey(s.Start+i0+r, h.Window), s.Start+i0+r+1
		m, inv := softmax(row, first, lo, hi, h.Scale)
		inverse[r] = inv
		if t.stat != nil {
			at := ((s.Lo+i0+r)*h.Q + head) * 2
			t.stat[at], t.stat[at+1] = m, inv
		}
	}
	o := t.o[(s.Lo+i0)*dim+head*h.Size:]
	for r := range n {
		clear(o[r*dim : r*dim+h.Size])
	}
	kv := h.KV * h.Size
	off := s.Keys.VOff + head/(h.Q/h.KV)*h.Size
	for j0 := first - first%s.Keys.Len; j0 < keys; j0 += s.Keys.Len {
		a, b := max(j0, first), min(j0+s.Keys.Len, keys)
		if s.Keys.DType != kernel.F32 {
			v := s.Keys.packed(s.Keys.VOff, head/(h.Q/h.KV), h.Size, a)
			kernel.AddNNQ(o, dim, p[a:], ld, v, s.Keys.DType, nil, n, h.Size, b-a)
			continue
		}
		v := s.Keys.Pages[j0/s.Keys.Len][off+(a-j0)*kv:]
		kernel.AddNN(o, dim, p[a:], ld, v, kv, n, h.Size, b-a)
	}
	for r := range n {
		kernel.Scale(o[r*dim:r*dim+h.Size], inverse[r])
	}
}

// firstKey is the first key that position pos sees.
func firstKey(pos, window int) int {
	if window <= 0 {
		return 0
	}
	return max(0, pos+1-window)
}

// scores writes q·k for n queries and the keys [first, keys) of their head to
// columns [first, keys) of p.
func scores(p []float32, ld int, q []float32, dim int, s *Sequence, head int, h Heads, n, first, keys int) {
	kv := h.KV * h.Size
	off := s.Keys.KOff + head/(h.Q/h.KV)*h.Size
	for j0 := first - first%s.Keys.Len; j0 < keys; j0 += s.Keys.Len {
		a, b := max(j0, first), min(j0+s.Keys.Len, keys)
		if s.Keys.DType != kernel.F32 {
			k := s.Keys.packed(s.Keys.KOff, head/(h.Q/h.KV), h.Size, a)
			if n <= smallBatch {
				kernel.MulQ(p[a:], ld, q, dim, k, s.Keys.DType, nil, n, b-a, h.Size)
			} else {
				kernel.MulNTQ(p[a:], ld, q, dim, k, s.Keys.DType, nil, n, b-a, h.Size)
			}
			continue
		}
		k := s.Keys.Pages[j0/s.Keys.Len][off+(a-j0)*kv:]
		kernel.MulNT(p[a:], ld, q, dim, k, kv, n, b-a, h.Size)
	}
}

// softmax turns the scores in columns [lo, hi) of row into exp(score·scale-m)
// and clears the others of [first, len(row)). It returns m, the largest scaled
// score, and the reciprocal of the sum.
func softmax(row []float32, first, lo, hi int, scale float32) (m, inverse float32) {
	clear(row[first:lo])
	clear(row[hi:])
	seen := row[lo:hi]
	kernel.Scale(seen, scale)
	m = kernel.MaxOf(seen)
	sum := kernel.ExpSum(seen, m)
	return m, 1 / sum
}

// DefaultScale is the usual score scale for heads of size features: 1/√size.
func DefaultScale(size int) float32 { return float32(1 / math.Sqrt(float64(size))) }
