package kernel

import "fmt"

// Products of 8-bit integers: rows of activations are rounded to blocks of 32
// integers with a scale, and multiplied with quantized weights as they lie in the
// file. Sums within a block are exact, so that their order does not matter, and
// what follows them is float32 in one order: every kind has the same bits.

// int8Block is the size of a packed block of 32 activations: 32 signed bytes q;
// then, little-endian, the scale d and d·Σq as float32, and -8·Σq and -128·Σq as
// int32, which turn products with weights that are stored without a sign into
// those with the weights themselves.
const int8Block = 48

// Int8Len is the size in bytes of rows of k activations packed by PackInt8. k is a
// whole number of blocks of 32.
func Int8Len(rows, k int) int { return rows * k / 32 * int8Block }

// HasInt8 says whether MulInt8 knows weights of type t.
func HasInt8(t DType) bool { return t == Q4_0 || t == Q4_1 || t == Q8_0 }

// FastInt8 says whether the kind in use has loops of its own for MulInt8; others
// compute the same bits slowly.
func FastInt8() bool { return cur.fastInt8 }

// PackInt8 overwrites dst with the rows of x [m,k], k a whole number of blocks of
// 32, as MulInt8 reads them. Of each block, with a the largest |x|,
//
//	q = round(x·(127/a))    d = a/127
//
// where halves are rounded to the even number. Blocks with a below 2⁻¹⁰⁰ become
// zero, and those with a number that is none, or infinite, make every product NaN.
func PackInt8(dst []byte, x []float32, ldx, m, k int) {
	checkMat("PackInt8", "x", len(x), ldx, m, k)
	checkInt8("PackInt8", dst, m, k)
	row := Int8Len(1, k)
	for i := range m {
		cur.packInt8(dst[i*row:(i+1)*row], x[i*ldx:i*ldx+k])
	}
}

// MulInt8 overwrites C [m,n] with X [m,k], packed by PackInt8, times W [n,k]
// transposed, of which row j is stored row order[j] (j where order is nil):
//
//	y := 0
//	for each block of 32 {
//		y = float32(Σ w·q)·(dw·d) + y
//		y = least·(d·Σq) + y  // in types with a least weight
//	}
//
// each line one fused multiply-add, dw and least the block's scale and least
// weight, w the integers between.
func MulInt8(c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int) {
	checkMat("MulInt8", "c", len(c), ldc, m, n)
	checkInt8("MulInt8", x, m, k)
	checkQuant("MulInt8", w, t, order, n, k)
	if !HasInt8(t) {
		panic(fmt.Sprintf("kernel: MulInt8: weights of type %s", t))
	}
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		for i := range m {
			clear(c[i*ldc : i*ldc+n])
		}
		return
	}
	cur.mulInt8(c, ldc, x, w, t, order, m, n, k)
}

// checkInt8 panics where packed rows do not lie within b.
func checkInt8(op string, b []byte, rows, k int) {
	if rows < 0 || k < 0 || k%32 != 0 || len(b) < Int8Len(rows, k) {
		panic(fmt.Sprintf("kernel: %s: %d rows of %d activations, packed, and %d bytes for them", op, rows, k, len(b)))
	}
}

// int8Run is how many rows from row j on lie one behind the other at equal
// distances, as a whole number of groups of size rows, and that distance in bytes.
// order may be nil.
func int8Run(order []int32, rb, j, n, size int) (rows, stride int) {
	if order == nil {
		return (n - j) / size * size, rb
	}
	if n-j < size {
		return 0, 0
	}
	step := order[j+1] - order[j]
	if step < 1 {
		return 0, 0
	}
	rows = 2
	for j+rows < n && order[j+rows]-order[j+rows-1] == step {
		rows++
	}
	return rows / size * size, int(step) * rb
}
