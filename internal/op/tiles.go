package op

import (
	"unsafe"

	"github.com/getstroke/stroke/internal/kernel"
)

const (
	packRows  = 64 // rows of a left operand that a task packs
	tilePanel = 32 // rows of W in a task, and columns of dx: two tiles
)

// tiles is the memory of products in bfloat16.
type tiles struct {
	left  []uint16   // x of Linear, or the DY of each linear of LinearGrad
	right [][]uint16 // of each worker: a panel of W
	rows  [][]uint16 // of each worker, for Head: rows of x, and of a slice of logits
}

// Room is the largest products that an Exec in bfloat16 must have memory for.
type Room struct {
	Tokens  int // in a batch
	In, Out int // features of a linear
	Sum     int // outputs of all linears that share an input
	Dim     int // of the head
}

// UseBF16 makes the products of base weights those of bfloat16 operands with
// sums in float32 (kernel.MulTiles), from here on: x, W and, in the backward
// pass, DY are narrowed. Low-rank pairs, attention and norms stay in float32.
func (e *Exec) UseBF16(r Room, alloc func(n int) []float32) {
	words := func(n int) []uint16 {
		f := alloc((n + 1) / 2)
		return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(f))), 2*len(f))
	}
	t := &tiles{left: words(max(kernel.TilesLen(r.Tokens, r.In), kernel.TilesLen(r.Tokens, r.Sum+32*maxLinears)))}
	panel := max(kernel.TilesLen(tilePanel, r.In), kernel.TilesLen(widestBlock, r.Out), kernel.TilesLen(headSlice, r.Dim), kernel.TilesLen(r.Dim, headSlice))
	for range e.scratch {
		t.right = append(t.right, words(panel))
		t.rows = append(t.rows, words(kernel.TilesLen(headTiles, r.Dim)+kernel.TilesLen(headTiles, headSlice)))
	}
	e.tiles = t
}

// maxLinears is the most linears that share an input.
const maxLinears = 3

// widestBlock is the longest block of a quantized type, of which a panel of
// columns holds a whole number.
const widestBlock = 256

// tileWidth is how many columns of dx a task takes.
func tileWidth(lins []Linear) int {
	width := tilePanel
	for i := range lins {
		n, _ := lins[i].W.DType.Block()
		width = max(width, n)
	}
	return width
}

// pack packs a chunk of rows of x [n, k] into left.
func (t *tiles) pack(left []uint16, x []float32, n, k, chunk int) {
	lo, hi := chunk*packRows, min((chunk+1)*packRows, n)
	kernel.PackLeft(left[kernel.TilesLen(lo, k):], x[lo*k:], k, hi-lo, k)
}

// of is where the DY of linear l is packed, of n rows.
func (t *tiles) of(lins []Linear, l, n int) []uint16 {
	at := 0
	for i := range l {
		at += kernel.TilesLen(n, lins[i].W.Rows)
	}
	return t.left[at:]
}
