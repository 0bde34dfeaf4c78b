package op

import (
	"unsafe"

	"github.com/getstroke/stroke/internal/kernel"
)

// tilePanel is how many outputs of a linear, or columns of dx, a task takes: two
// tiles.
const tilePanel = 32

// maxLinears is the most linears that share an input.
const maxLinears = 3

// widestBlock is the longest block of a quantized type, of which a panel of
// columns holds a whole number.
const widestBlock = 256

// tiles is the memory of products in bfloat16.
type tiles struct {
	left   []uint16    // x of Linear, or the DY of each linear of LinearGrad, one after the other
	across []uint16    // x of LinearGrad, its rows along k
	low    []uint16    // H or DH of each delta, one after the other
	right  [][]uint16  // of each worker: a panel of W
	spare  [][]uint16  // of each worker: a left operand
	turn   [][]float32 // of each worker: what is transposed, and small results
	scores [][]float32 // of each worker, for Attend
}

// Room is the largest products that an Exec in bfloat16 must have memory for.
type Room struct {
	Tokens  int // in a batch
	Rows    int // sequences in a batch
	Context int // keys of a sequence
	In, Out int // features of a linear
	Sum     int // outputs of all linears that share an input
	Dim     int // of the head
	Heads   Heads
	Pad     int  // sum of the padded ranks of the adapters of a row
	Grad    bool // backward passes too
}

// UseBF16 makes matrix products those of bfloat16 operands with sums in float32
// (kernel.MulTiles), from here on: activations, gradients and weights are
// narrowed before they are multiplied, and nothing else is. With dropout the products
// with factors A, and those that make their gradients, stay in float32.
func (e *Exec) UseBF16(r Room, alloc func(n int) []float32) {
	words := func(n int) []uint16 {
		f := alloc((n + 1) / 2)
		return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(f))), 2*len(f))
	}
	size, group := r.Heads.Size, r.Heads.Q/r.Heads.KV
	left := max(kernel.TilesLen(max(r.Tokens, fewRows), r.In), kernel.TilesLen(r.Tokens, r.Sum+32*maxLinears))
	right := max(kernel.TilesLen(max(tilePanel, fewPanel), r.In), kernel.TilesLen(headSlice, r.Dim), kernel.TilesLen(r.Dim, headSlice),
		kernel.TilesLen(r.Pad, max(r.In, r.Out)), kernel.TilesLen(size, r.Context), kernel.TilesLen(r.Context, size))
	scores, probabilities := attendRoom(r.Context, group)
	spare := max(kernel.TilesLen(headTiles, r.Dim)+kernel.TilesLen(headTiles, headSlice), probabilities, group*kernel.TilesLen(queryBlock(group), size),
		kernel.TilesLen(max(fewPanel, r.Pad), r.In))
	turn := max(fewRows*max(r.Pad, fewPanel), group*queryBlock(group))
	t := &tiles{}
	if r.Grad {
		t.across = words(kernel.TilesLen(r.In, r.Tokens))
		left = max(left, 2*group*kernel.TilesLen(size, r.Tokens))
		right = max(right, kernel.TilesLen(widestBlock, r.Out), kernel.TilesLen(max(paramCols, tileKeys), r.Tokens),
			kernel.TilesLen(size, r.Tokens), kernel.TilesLen(r.Tokens, size))
		spare = max(spare, kernel.TilesLen(max(tilePanel, r.Pad, tileQueries), r.Tokens), kernel.TilesLen(tileQueries, size))
		turn = max(turn, max(tilePanel, r.Pad, size)*r.Tokens+r.Pad*paramCols, size*tileKeys)
	}
	t.left = words(left)
	t.low = words(maxLinears * 2 * r.Pad * (r.Tokens + 16*r.Rows))
	for range e.scratch {
		t.right = append(t.right, words(right))
		t.spare = append(t.spare, words(spare))
		t.turn = append(t.turn, alloc(turn))
		t.scores = append(t.scores, alloc(scores))
	}
	e.room, e.tiles = t, t
}

// tileRows is how many rows of x a task packs, and for how many it computes
// low-rank inputs.
func tileRows(n int) int {
	return min(roundUp(ceilDiv(n, kernel.Workers()), 32), 256)
}

// pack packs rows [lo, hi) of x [n, k] into left, for lo a whole number of tiles.
func (t *tiles) pack(left []uint16, x []float32, k, lo, hi int) {
	kernel.PackLeft(left[kernel.TilesLen(lo, k):], x[lo*k:], k, hi-lo, k)
}

// lowOf is where delta d of linear l keeps its packed low-rank rows.
func (t *tiles) lowOf(lins []Linear, l, d int) []uint16 {
	at := 0
	for i := range l + 1 {
		for k := range lins[i].Deltas {
			if i == l && k == d {
				return t.low[at:]
			}
			x := &lins[i].Deltas[k]
			at += kernel.TilesLen(x.Hi-x.Lo, x.Pair.Pad)
		}
	}
	panic("op: no such delta")
}

// deltaTask finds the delta and the chunk of its rows that task i of those over
// all deltas stands for.
func deltaTask(lins []Linear, rows, i int) (l, d, chunk int) {
	for l := range lins {
		for d := range lins[l].Deltas {
			x := &lins[l].Deltas[d]
			c := ceilDiv(x.Hi-x.Lo, rows)
			if i < c {
				return l, d, i
			}
			i -= c
		}
	}
	panic("op: no such task")
}

func deltaTasks(lins []Linear, rows int) int {
	n := 0
	for l := range lins {
		for _, d := range lins[l].Deltas {
			n += ceilDiv(d.Hi-d.Lo, rows)
		}
	}
	return n
}

// mulRows overwrites c [hi-lo, n] with rows [lo, hi) of the product of left, a
// packed operand with k elements a row, and right. Rows that do not begin a tile
// go through one, so that their bits are those of any place.
func (t *tiles) mulRows(c []float32, ldc int, left, right []uint16, lo, hi, n, k, worker int) {
	if a := lo &^ 15; a < lo {
		part := t.turn[worker][:16*n]
		kernel.MulTiles(part, n, left[kernel.TilesLen(a, k):], right, 16, n, k, false)
		for ; lo < hi && lo < a+16; lo++ {
			copy(c[:n], part[(lo-a)*n:])
			if lo+1 < hi {
				c = c[ldc:]
			}
		}
	}
	if lo < hi {
		kernel.MulTiles(c, ldc, left[kernel.TilesLen(lo, k):], right, hi-lo, n, k, false)
	}
}
