package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// Interleaved is a matrix [N,K] of quantized weights in the order in which the loops
// of a kind for Int16 read it, so that they have neither to gather nor to turn it. The
// rows lie in groups of as many as the kind has lanes; of a group, block after block,
// first the scales of all rows, then, in types that have one, their least weights, then
// four bytes of weights of each row, the next four of each, and so on. fillSuper says
// how super-blocks lie, and blocks of five bits.
type Interleaved struct {
	Type  DType
	N, K  int
	data  []byte
	lanes int
	row   int // bytes of a row
}

// turnLoop turns, or interleaves, blocks > 0 blocks of a group of rows of W that lie
// stride bytes apart.
type turnLoop func(dst, w *byte, stride, blocks int)

// InterleavedLen is the size in bytes of a matrix [n,k] of type t, interleaved; 0
// where the kind in use has no loops for it, or n is no whole number of its groups.
func InterleavedLen(t DType, n, k int) int {
	elems, _ := t.Block()
	if cur.interleavedRows[t] == 0 || n%cur.interleavedLanes != 0 || k%elems != 0 {
		return 0
	}
	return n * interleavedRow(t, k)
}

// AlwaysInterleaved says whether products of Int16 read weights of type t interleaved
// for any number of rows of x, so that the rows as they were are of no use to them.
func AlwaysInterleaved(t DType) bool { return cur.interleavedRows[t] == math.MaxInt }

// interleavedRow is the size in bytes of a row of k weights: that of the row itself, or
// in Q4_K a little more.
func interleavedRow(t DType, k int) int {
	if t == Q4_K {
		return k / 256 * 148
	}
	return t.RowBytes(k)
}

// Interleaving is a matrix in dst, of InterleavedLen bytes, whose rows are not there
// yet: they come by Fill.
func Interleaving(dst []byte, t DType, n, k int) *Interleaved {
	if need := InterleavedLen(t, n, k); need == 0 && n*k > 0 || len(dst) != need {
		panic(fmt.Sprintf("kernel: Interleaving: [%d,%d] of %s in %d bytes", n, k, t, len(dst)))
	}
	return &Interleaved{Type: t, N: n, K: k, data: dst, lanes: cur.interleavedLanes, row: interleavedRow(t, k)}
}

// Fill overwrites the rows from j0 on with those of w, in its order (the stored one
// where that is nil), which are whole groups: j0 and n are multiples of how many rows
// make one. The kind in use is the one that the matrix was made by.
func (m *Interleaved) Fill(w []byte, order []int32, j0, n int) {
	checkQuant("Fill", w, m.Type, order, n, m.K)
	if j0 < 0 || j0%m.lanes != 0 || n%m.lanes != 0 || j0+n > m.N || !m.Serves(0) {
		panic(fmt.Sprintf("kernel: Fill: rows from %d to %d of %d in groups of %d, kernel %s", j0, j0+n, m.N, m.lanes, cur.name))
	}
	if m.K == 0 {
		return
	}
	lay := cur.interleave[m.Type]
	if lay == nil {
		m.fillSuper(w, order, j0, n)
		return
	}
	rb := m.Type.RowBytes(m.K)
	for g := 0; g < n; {
		dst := m.data[(j0+g)*rb:]
		if rows, stride := evenRun(order, rb, g, n, m.lanes); rows > 0 {
			at := g
			if order != nil {
				at = int(order[g])
			}
			for r := 0; r < rows; r += m.lanes {
				lay(&dst[r*rb], &w[at*rb+r*stride], stride, m.K/32)
			}
			g += rows
			continue
		}
		m.fillCopied(dst, w, order[g:g+m.lanes])
		g += m.lanes
	}
}

// fillCopied interleaves a group of rows that lie anywhere: they are copied together
// first.
func (m *Interleaved) fillCopied(dst, w []byte, order []int32) {
	rb := m.Type.RowBytes(m.K)
	room := claimScratch((m.lanes*rb + 3) / 4)
	defer room.release() // also where the weights cannot be read any more
	b := bytesOf(room.buf)
	for r := range order {
		copy(b[r*rb:(r+1)*rb], storedRow(w, order, rb, r))
	}
	cur.interleave[m.Type](&dst[0], &b[0], rb, m.K/32)
}

// Serves says whether the loops of the kind in use read the matrix for so many rows of
// x, and faster than the rows as they were.
func (m *Interleaved) Serves(rows int) bool {
	return m != nil && cur.interleavedLanes == m.lanes && rows <= cur.interleavedRows[m.Type]-1
}

// Rows are the bytes of the rows [j0, j1), whole groups.
func (m *Interleaved) Rows(j0, j1 int) []byte { return m.data[j0*m.row : j1*m.row] }

// MulInterleaved is MulLaid of Int16 with the rows [j0, j0+n) of w, whole groups, by a
// kind that Serves, with the same bits.
func MulInterleaved(c []float32, ldc int, x []byte, w *Interleaved, j0, m, n int, rest, then []byte) {
	checkMat("MulInterleaved", "c", len(c), ldc, m, n)
	Int16.check("MulInterleaved", x, m, w.K)
	if j0 < 0 || n < 0 || j0%w.lanes != 0 || n%w.lanes != 0 || j0+n > w.N || !w.Serves(0) {
		panic(fmt.Sprintf("kernel: MulInterleaved: rows from %d to %d of %d of %s in groups of %d, kernel %s", j0, j0+n, w.N, w.Type, w.lanes, cur.name))
	}
	if m == 0 || n == 0 {
		return
	}
	if w.K == 0 {
		for i := range m {
			clear(c[i*ldc : i*ldc+n])
		}
		return
	}
	data := w.Rows(j0, j0+n)
	far, jump := uintptr(allBehind), uintptr(0)
	if len(then) > 0 {
		far = uintptr(len(rest))
		jump = uintptr(unsafe.Pointer(&then[0])) - uintptr(unsafe.Pointer(&data[0])) - far
	}
	cur.mulInterleaved(c, ldc, x, data, w.Type, m, n, w.K, far, jump)
}
