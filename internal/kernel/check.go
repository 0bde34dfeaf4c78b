package kernel

import "fmt"

// checkMat panics where a [rows, cols] matrix with leading dimension ld does not
// lie within n elements.
func checkMat(op, name string, n, ld, rows, cols int) {
	if rows < 0 || cols < 0 || (rows > 1 && ld < cols) || (rows > 0 && cols > 0 && n < (rows-1)*ld+cols) {
		panicMat(op, name, n, ld, rows, cols)
	}
}

func panicMat(op, name string, n, ld, rows, cols int) {
	panic(fmt.Sprintf("kernel: %s: %s is [%d,%d] with leading dimension %d, but has %d elements", op, name, rows, cols, ld, n))
}

// checkLen panics where two vectors differ in length.
func checkLen(op string, want, got int) {
	if want != got {
		panic(fmt.Sprintf("kernel: %s: vectors of %d and %d elements", op, want, got))
	}
}

// checkQuant panics where a quantized [rows, cols] matrix, its rows taken by
// order, does not lie within w.
func checkQuant(op string, w []byte, t DType, order []int32, rows, cols int) {
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("kernel: %s: w is [%d,%d]", op, rows, cols))
	}
	rb := t.RowBytes(cols)
	if order == nil {
		if len(w) < rows*rb {
			panic(fmt.Sprintf("kernel: %s: w is [%d,%d] of %s, %d bytes, but has %d bytes", op, rows, cols, t, rows*rb, len(w)))
		}
		return
	}
	if len(order) < rows {
		panic(fmt.Sprintf("kernel: %s: w has %d rows, its order %d", op, rows, len(order)))
	}
	if cols == 0 {
		return
	}
	stored := uint32(min(len(w)/rb, 1<<31-1))
	for _, r := range order[:rows] {
		if uint32(r) >= stored {
			panic(fmt.Sprintf("kernel: %s: the order names row %d of %d stored", op, r, stored))
		}
	}
}

// checkTiles panics where a packed operand does not lie within n numbers.
func checkTiles(op string, n, rows, k int) {
	if rows < 0 || k < 0 || n < TilesLen(rows, k) {
		panic(fmt.Sprintf("kernel: %s: an operand of %d rows or columns and k = %d takes %d numbers, not %d", op, rows, k, TilesLen(rows, k), n))
	}
}
