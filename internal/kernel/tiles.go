package kernel

import "fmt"

// Products in bfloat16, for machines with matrix tiles or AVX512_BF16. Both operands
// are first packed into tiles of 16 rows (or columns) by 32 elements of k, 1 KiB each, and
// what a tile leaves free is zero:
//
//	left operand A [m,k]: tile (i,p) at i·K+p, its row r holds A[16i+r, 32p:32p+32]
//	right operand B [k,n]: tile (j,p) at j·K+p, its row r holds the pairs
//	    B[32p+2r, c], B[32p+2r+1, c] for the columns c from 16j to 16j+16
//
// where K is the number of tiles that k needs. float32 is narrowed to nearest,
// ties to even; subnormals become zero.

// TilesLen is the number of bfloat16 that a packed operand with so many rows
// (or columns) and k elements each takes.
func TilesLen(rows, k int) int { return (rows + 15) &^ 15 * ((k + 31) &^ 31) }

// FastTiles says whether the kind in use multiplies packed operands in hardware;
// others do so slowly, with the bits of the kind amx.
func FastTiles() bool { return cur.fastTiles }

// MatrixTiles says whether it does so in matrix tiles, several times as fast as
// vectors do.
func MatrixTiles() bool { return cur.matrixTiles }

// PackLeft overwrites dst with A [m,k] as a left operand.
func PackLeft(dst []uint16, a []float32, lda, m, k int) {
	checkMat("PackLeft", "a", len(a), lda, m, k)
	checkTiles("PackLeft", len(dst), m, k)
	if m > 0 && k > 0 {
		cur.packLeft(dst, a, lda, m, k)
	}
}

// PackLeftQ overwrites dst with W [n,k], of which row i is stored row order[i] (i
// where order is nil), as a left operand: the product with few columns on the
// right is the transpose of that with W on the right, with the same bits.
func PackLeftQ(dst []uint16, w []byte, t DType, order []int32, n, k int) {
	checkQuant("PackLeftQ", w, t, order, n, k)
	checkTiles("PackLeftQ", len(dst), n, k)
	if n > 0 && k > 0 {
		cur.packLeftQ(dst, w, t, order, n, k)
	}
}

// MulFew overwrites C [n,16] with the product of W [n,k], of which row i is stored
// row order[i] (i where order is nil), and a packed right operand of up to 16
// columns, as PackLeftQ and MulTiles do (decoding). What lies behind the rows of w
// is fetched ahead.
func MulFew(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int) {
	checkMat("MulFew", "c", len(c), ldc, n, 16)
	checkQuant("MulFew", w, t, order, n, k)
	checkTiles("MulFew", len(b), 16, k)
	if n > 0 && k > 0 {
		cur.mulFew(c, ldc, w, t, order, b, n, k)
	}
}

// PackRight overwrites dst with B [k,n] as a right operand.
func PackRight(dst []uint16, b []float32, ldb, k, n int) {
	checkMat("PackRight", "b", len(b), ldb, k, n)
	checkTiles("PackRight", len(dst), n, k)
	if n > 0 && k > 0 {
		cur.packRight(dst, b, ldb, k, n)
	}
}

// PackRightRows overwrites rows [k0, k0+rows) of a right operand of k rows with
// B [rows, n]. k0 is a whole number of tiles; the last tile is filled with zeros.
func PackRightRows(dst []uint16, b []float32, ldb, k0, rows, k, n int) {
	checkMat("PackRightRows", "b", len(b), ldb, rows, n)
	checkTiles("PackRightRows", len(dst), n, k)
	if k0%32 != 0 || k0+rows > k {
		panic(fmt.Sprintf("kernel: PackRightRows: rows from %d to %d of %d", k0, k0+rows, k))
	}
	for p := 0; p < rows && n > 0; p += 32 {
		cur.packRightAt(dst, (k+31)/32, (k0+p)/32, b[p*ldb:], ldb, min(32, rows-p), n)
	}
}

// PackRightT overwrites dst with the transpose of B [n,k] as a right operand.
func PackRightT(dst []uint16, b []float32, ldb, n, k int) {
	checkMat("PackRightT", "b", len(b), ldb, n, k)
	checkTiles("PackRightT", len(dst), n, k)
	if n > 0 && k > 0 {
		cur.packRightT(dst, b, ldb, n, k)
	}
}

// PackRightQ overwrites dst with columns [j0, j0+n) of W, of which row p is
// stored row order[p] (p where order is nil), as a right operand of k rows. j0
// and n are whole numbers of blocks of t. cols is the length of a stored row.
func PackRightQ(dst []uint16, w []byte, t DType, order []int32, cols, j0, n, k int) {
	checkQuant("PackRightQ", w, t, order, k, cols)
	checkTiles("PackRightQ", len(dst), n, k)
	if n == 0 || k == 0 {
		return
	}
	rb, b0, b1 := t.RowBytes(cols), t.RowBytes(j0), t.RowBytes(j0+n)
	if cur.packPairsQ != nil && cur.packPairsQ(dst, w, t, order, rb, b0, n, k) {
		return
	}
	const rows = 32
	kt := (k + 31) / 32
	s := claimScratch(rows * n)
	defer s.release()
	for p := 0; p < k; p += rows {
		c := min(rows, k-p)
		for r := range c {
			cur.widen[t](s.buf[r*n:(r+1)*n], storedRow(w, order, rb, p+r)[b0:b1])
		}
		cur.packRightAt(dst, kt, p/32, s.buf, n, c, n)
	}
}

// PackRightTQ overwrites dst with the transpose of W [n,k], of which row j is
// stored row order[j] (j where order is nil), as a right operand.
func PackRightTQ(dst []uint16, w []byte, t DType, order []int32, n, k int) {
	checkQuant("PackRightTQ", w, t, order, n, k)
	checkTiles("PackRightTQ", len(dst), n, k)
	if n == 0 || k == 0 {
		return
	}
	rb := t.RowBytes(k)
	if cur.packTurnedQ != nil && cur.packTurnedQ(dst, w, t, order, rb, n, k) {
		return
	}
	s := claimScratch(16 * k)
	defer s.release()
	step := TilesLen(16, k)
	for j := 0; j < n; j += 16 {
		c := min(16, n-j)
		for r := range c {
			cur.widen[t](s.buf[r*k:(r+1)*k], storedRow(w, order, rb, j+r))
		}
		cur.packRightT(dst[j/16*step:], s.buf, k, c, k)
	}
}

// MulTiles overwrites C [m,n] with the product of a packed left and a packed
// right operand, or adds it to C with add. The order of additions depends on k
// alone, and is that of Intel's TDPBF16PS: 32 elements of k at a time, the
// products at even places are one chain of multiply-adds from 0 and those at odd
// places another, and the sum of the two chains is added to C[i,j]. In the kind
// avx512bf16 it is that of VDPBF16PS: one chain of multiply-adds from C[i,j], or 0,
// over the pairs of k, the product at the odd place of a pair first. Results below
// the least normal number become zero.
func MulTiles(c []float32, ldc int, a, b []uint16, m, n, k int, add bool) {
	MulTilesPart(c, ldc, a, k, 0, b, m, n, k, add)
}

// MulTilesPart is MulTiles for the elements [k0, k0+k) of a left operand of ka
// elements a row; k0 is a whole number of tiles.
func MulTilesPart(c []float32, ldc int, a []uint16, ka, k0 int, b []uint16, m, n, k int, add bool) {
	checkMat("MulTiles", "c", len(c), ldc, m, n)
	checkTiles("MulTiles", len(a), m, ka)
	checkTiles("MulTiles", len(b), n, k)
	if k0%32 != 0 || k0+k > ka {
		panic(fmt.Sprintf("kernel: MulTiles: elements from %d to %d of %d", k0, k0+k, ka))
	}
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		for i := range m {
			if !add {
				clear(c[i*ldc : i*ldc+n])
			}
		}
		return
	}
	cur.mulTiles(c, ldc, a[k0/32*512:], (ka+31)/32, b, m, n, (k+31)/32, add)
}
