package op

import "github.com/getstroke/stroke/internal/kernel"

// tileQueries is how many rows of queries of the heads that share keys go through
// the tiles together, at the most, where one head alone has not more.
const tileQueries = 96

// tileAttendTask is Attend in bfloat16. Keys and values are packed once for all
// query heads that share them.
type tileAttendTask struct {
	*tiles
	o, q, stat []float32
	seqs       []Sequence
	h          Heads
	block      int // queries in a task
}

// queryBlock is how many queries of each head a task takes.
func queryBlock(group int) int { return max(tileQueries/group&^15, 16) }

// attendRoom is the float32s of scores, and the bfloat16 of their left operand,
// that one worker needs.
func attendRoom(context, group int) (scores, left int) {
	rows := group * queryBlock(group)
	return rows * roundUp(context, 64), kernel.TilesLen(rows, roundUp(context, 64))
}

func (t *tileAttendTask) run(tl *tiles, o, q, stat []float32, seqs []Sequence, h Heads) {
	*t = tileAttendTask{tiles: tl, o: o, q: q, stat: stat, seqs: seqs, h: h, block: queryBlock(h.Q / h.KV)}
	tasks := 0
	for i := range seqs {
		tasks += ceilDiv(seqs[i].N, t.block) * h.KV
	}
	run(tasks, t)
}

// Do runs task i.
func (t *tileAttendTask) Do(i, worker int) {
	for s := range t.seqs {
		c := ceilDiv(t.seqs[s].N, t.block) * t.h.KV
		if i < c {
			t.queries(&t.seqs[s], c/t.h.KV-1-i/t.h.KV, i%t.h.KV, worker)
			return
		}
		i -= c
	}
}

// queries computes the outputs of a block of queries of the heads that share
// head kv of the keys. Scores and their products with values are taken a page at
// a time; pages begin whole tiles of keys, counted from position 0, and what a
// query does not see is zero: its bits depend on its position alone.
func (t *tileAttendTask) queries(s *Sequence, block, kv, worker int) {
	h := t.h
	group, dim := h.Q/h.KV, h.Q*h.Size
	i0, i1 := block*t.block, min((block+1)*t.block, s.N)
	n, keys := i1-i0, s.Start+i1
	begin := firstKey(s.Start+i0, h.Window) &^ 31
	ld := roundUp(keys, 16)
	p, left, right := t.scores[worker], t.spare[worker], t.right[worker]
	rows, one := n*ld, kernel.TilesLen(n, h.Size)
	at := (s.Lo+i0)*dim + kv*group*h.Size
	for g := range group {
		kernel.PackLeft(left[g*one:], t.q[at+g*h.Size:], dim, n, h.Size)
	}
	for a := begin; a < keys; {
		b := min(a-a%s.Keys.Len+s.Keys.Len, keys)
		s.Keys.packRightT(right, kv, h, a, b)
		for g := range group {
			kernel.MulTiles(p[g*rows+a:], ld, left[g*one:], right, n, b-a, h.Size, false)
		}
		a = b
	}
	inverse := t.turn[worker][:group*n]
	for g := range group {
		for r := range n {
			row := p[g*rows+r*ld:][:keys]
			lo, hi := firstKey(s.Start+i0+r, h.Window), s.Start+i0+r+1
			m, inv := softmax(row, begin, lo, hi, h.Scale)
			inverse[g*n+r] = inv
			if t.stat != nil {
				at := ((s.Lo+i0+r)*h.Q + kv*group + g) * 2
				t.stat[at], t.stat[at+1] = m, inv
			}
		}
	}
	for a := begin; a < keys; {
		b := min(a-a%s.Keys.Len+s.Keys.Len, keys)
		s.Keys.packRight(right, kv, h, a, b)
		for g := range group {
			kernel.PackLeft(left, p[g*rows+a:], ld, n, b-a)
			kernel.MulTiles(t.o[at+g*h.Size:], dim, left, right, n, h.Size, b-a, a > begin)
		}
		a = b
	}
	for g := range group {
		for r := range n {
			kernel.Scale(t.o[at+g*h.Size+r*dim:][:h.Size], inverse[g*n+r])
		}
	}
}

// packRightT packs the keys [a, b) of a head, which lie in one page, for scores.
func (k *Keys) packRightT(right []uint16, head int, h Heads, a, b int) {
	if k.DType != kernel.F32 {
		kernel.PackRightTQ(right, k.packed(k.KOff, head, h.Size, a), k.DType, nil, b-a, h.Size)
		return
	}
	rows, ld := k.plain(k.KOff, head, a, h)
	kernel.PackRightT(right, rows, ld, b-a, h.Size)
}

// packRight packs the values [a, b) of a head, which lie in one page.
func (k *Keys) packRight(right []uint16, head int, h Heads, a, b int) {
	if k.DType != kernel.F32 {
		kernel.PackRightQ(right, k.packed(k.VOff, head, h.Size, a), k.DType, nil, h.Size, 0, h.Size, b-a)
		return
	}
	rows, ld := k.plain(k.VOff, head, a, h)
	kernel.PackRight(right, rows, ld, b-a, h.Size)
}
