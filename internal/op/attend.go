package op

import (
	"math"

	"github.com/getstroke/stroke/internal/kernel"
)

// Keys is where the keys and values of one sequence lie, in pages of Len
// positions: position j is row j%Len of page j/Len, its keys at float KOff and
// its values at float VOff of the page, rows of Heads·Size floats.
//
// With Far they lie head by head, so that a head's are read one behind the other: keys
// of a head are [Len, Size] from float KOff + head·Len·Size on, and values likewise.
// With a DType other than F32 the pages are then memory of packed rows, KOff and VOff
// are bytes, and a row has RowBytes(Size).
type Keys struct {
	Pages      [][]float32
	Len        int
	KOff, VOff int
	DType      kernel.DType
	Far        bool // they are copied there by Place
}

// plain is the memory of a head's rows from position pos on in F32, and the distance
// between two; off is KOff or VOff.
func (k *Keys) plain(off, head, pos int, h Heads) (rows []float32, ld int) {
	page, at := k.Pages[pos/k.Len], pos%k.Len
	if k.Far {
		return page[off+(head*k.Len+at)*h.Size:], h.Size
	}
	return page[off+head*h.Size+at*h.KV*h.Size:], h.KV * h.Size
}

// ask asks for what few queries read next: the features [f0, f1) of a head's rows from
// position pos to the end of its page, but not beyond the position to.
func (k *Keys) ask(off, head, pos, to, n int, h Heads, f0, f1 int) {
	if !k.Far || n > smallBatch || pos >= to {
		return
	}
	if k.DType == kernel.F32 {
		off *= 4
	}
	row, b0, b1 := k.DType.RowBytes(h.Size), k.DType.RowBytes(f0), k.DType.RowBytes(f1)
	rows := k.packed(off, head, h.Size, pos)[:min(to-pos, k.Len-pos%k.Len)*row]
	if f1-f0 == h.Size {
		kernel.Fetch(rows)
		return
	}
	for ; len(rows) > 0; rows = rows[row:] {
		kernel.Fetch(rows[b0:b1])
	}
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
	apart
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
	if t.inPhases() {
		return
	}
	tasks := 0
	for i := range seqs {
		tasks += t.tasks(&seqs[i])
	}
	run(tasks, t)
}

// tasks is the number of tasks of a sequence: one for each head and block of
// queries. Of a single query the heads that share keys make one task, which reads
// them once; where it is the only one, what would leave a worker idle is cut into
// parts.
func (t *attendTask) tasks(s *Sequence) int {
	if t.together(s) {
		whole, parts := t.cut()
		return whole + (t.h.KV-whole)*parts
	}
	return ceilDiv(s.N, attendBlock) * t.h.Q
}

// cut says how many groups of heads of a single query are whole tasks, and into how
// many parts each of the others is cut.
func (t *attendTask) cut() (whole, parts int) {
	w := kernel.Workers()
	if len(t.seqs) > 1 || t.h.KV%w == 0 {
		return t.h.KV, 1
	}
	return t.h.KV - t.h.KV%w, min(w, t.h.Q/t.h.KV)
}

// group is task i of a single query: heads of one group.
func (t *attendTask) group(i int) (head, n int) {
	each := t.h.Q / t.h.KV
	whole, parts := t.cut()
	if i < whole {
		return i * each, each
	}
	g, part := whole+(i-whole)/parts, (i-whole)%parts
	lo, hi := part*each/parts, (part+1)*each/parts
	return g*each + lo, hi - lo
}

func (t *attendTask) together(s *Sequence) bool { return s.N == 1 && t.h.Q/t.h.KV <= attendBlock }

// Do runs task i.
func (t *attendTask) Do(i, worker int) {
	if t.phase != whole {
		t.part(i)
		return
	}
	for k := range t.seqs {
		s := &t.seqs[k]
		c := t.tasks(s)
		if i >= c {
			i -= c
			continue
		}
		dim := t.h.Q * t.h.Size
		b := attendRows{s: s, pos: s.Start, ld: t.h.Size}
		if t.together(s) {
			b.head, b.n = t.group(i)
		} else {
			block := c/t.h.Q - 1 - i/t.h.Q
			at := block * attendBlock
			b = attendRows{s: s, n: min(attendBlock, s.N-at), head: i % t.h.Q, at: at, pos: s.Start + at, step: 1, ld: dim}
		}
		t.rows(&b, t.e.scratch[worker])
		return
	}
}

// attendRows are rows of queries that attend to the same keys: n queries of one
// head from the sequence's token at on, step 1, or n heads of its only token,
// step 0. ld is the distance between rows in q and o, pos the first position.
type attendRows struct {
	s             *Sequence
	n, head       int
	at, pos, step int
	ld            int
}

// rows computes the outputs of some rows.
func (t *attendTask) rows(b *attendRows, scratch []float32) {
	h, s, n := t.h, b.s, b.n
	dim := h.Q * h.Size
	keys := b.pos + b.step*(n-1) + 1
	first := firstKey(b.pos, h.Window)
	ld := roundUp(keys, 16)
	p := scratch[:n*ld]
	from := (s.Lo+b.at)*dim + b.head*h.Size
	scores(p, ld, t.q[from:], b.ld, s, b.head, h, n, first, keys)
	group := b.head / (h.Q / h.KV)
	s.Keys.ask(s.Keys.VOff, group, first, keys, n, h, 0, h.Size)
	var inverse [attendBlock]float32
	for r := range n {
		row := p[r*ld : r*ld+keys]
		pos := b.pos + b.step*r
		m, inv := softmax(row, first, firstKey(pos, h.Window), pos+1, h.Scale)
		inverse[r] = inv
		if t.stat != nil {
			at := ((s.Lo+b.at+b.step*r)*h.Q + b.head + (1-b.step)*r) * 2
			t.stat[at], t.stat[at+1] = m, inv
		}
	}
	o := t.o[from:]
	for r := range n {
		clear(o[r*b.ld : r*b.ld+h.Size])
	}
	values(o, b.ld, p, ld, s, group, h, n, first, keys, 0, h.Size)
	for r := range n {
		kernel.Scale(o[r*b.ld:r*b.ld+h.Size], inverse[r])
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
// columns [first, keys) of p. Rows of q are ldq apart.
func scores(p []float32, ld int, q []float32, ldq int, s *Sequence, head int, h Heads, n, first, keys int) {
	head /= h.Q / h.KV
	for j0 := first - first%s.Keys.Len; j0 < keys; j0 += s.Keys.Len {
		a, b := max(j0, first), min(j0+s.Keys.Len, keys)
		if s.Keys.DType != kernel.F32 {
			k := s.Keys.packed(s.Keys.KOff, head, h.Size, a)
			switch {
			case s.Keys.DType == kernel.F16:
				kernel.MulNTHalf(p[a:], ld, q, ldq, k, s.Keys.next(s.Keys.KOff, head, h.Size, b, keys), n, b-a, h.Size)
			case n <= smallBatch:
				kernel.MulQ(p[a:], ld, q, ldq, k, s.Keys.DType, nil, n, b-a, h.Size)
			default:
				kernel.MulNTQ(p[a:], ld, q, ldq, k, s.Keys.DType, nil, n, b-a, h.Size)
			}
			continue
		}
		k, ldk := s.Keys.plain(s.Keys.KOff, head, a, h)
		s.Keys.ask(s.Keys.KOff, head, b, keys, n, h, 0, h.Size)
		kernel.MulNT(p[a:], ld, q, ldq, k, ldk, n, b-a, h.Size)
	}
}

// values adds to the features [f0, f1) of n rows of o, ldo apart, those of the values of
// the keys [first, keys) of a group of heads, each times its number in p. Of values in
// Q8_0 the features are all.
func values(o []float32, ldo int, p []float32, ld int, s *Sequence, group int, h Heads, n, first, keys, f0, f1 int) {
	for j0 := first - first%s.Keys.Len; j0 < keys; j0 += s.Keys.Len {
		x, y := max(j0, first), min(j0+s.Keys.Len, keys)
		if s.Keys.DType != kernel.F32 {
			v := s.Keys.packed(s.Keys.VOff, group, h.Size, x)
			if s.Keys.DType == kernel.F16 && (n <= smallBatch || f1-f0 < h.Size) {
				then := s.Keys.next(s.Keys.VOff, group, h.Size, y, keys)
				kernel.AddNNHalf(o[f0:], ldo, p[x:], ld, v[2*f0:], then[min(2*f0, len(then)):], h.Size, n, f1-f0, y-x)
			} else {
				kernel.AddNNQ(o, ldo, p[x:], ld, v, s.Keys.DType, nil, n, h.Size, y-x)
			}
			continue
		}
		v, ldv := s.Keys.plain(s.Keys.VOff, group, x, h)
		s.Keys.ask(s.Keys.VOff, group, y, keys, n, h, f0, f1)
		kernel.AddNN(o[f0:], ldo, p[x:], ld, v[f0:], ldv, n, f1-f0, y-x)
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
