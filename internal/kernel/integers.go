package kernel

import (
	"fmt"
	"unsafe"
)

// Integers are whole numbers of 8 or 16 bits that rows of activations are rounded
// to, in blocks of 32 with a scale, to be multiplied with quantized weights as they
// lie in the file. Sums within a block are exact, so that their order does not
// matter, and what follows them is float32 in one order: every kind has the same
// bits.
type Integers uint8

// The sizes. Int8 is the cheaper one; Int16 cuts each of its steps in 256.
const (
	Int8  Integers = iota // -127 to 127
	Int16                 // -32512 to 32512
	numIntegers
)

// String is the name in messages.
func (s Integers) String() string { return [...]string{"int8", "int16"}[s] }

// A packed block of 32 activations: signed integers q; then, little-endian, the
// scale d and d·Σq as float32, and -8·Σq and -128·Σq as int32, which turn products
// with weights that are stored without a sign into those with the weights
// themselves. Int8 has q in 32 bytes. Int16 has 32 words of 16 bits, of every four
// the second and the third exchanged: a double word of four weights makes words of
// its first and third byte more cheaply than of its first and second.
var integersBlock = [numIntegers]struct{ bytes, tail int }{{48, 32}, {80, 64}}

// mostInt is the integer that the largest number of a block becomes.
var mostInt = [numIntegers]float32{127, 127 * 256}

// Len is the size in bytes of rows of k activations that were packed. k is a whole
// number of blocks of 32.
func (s Integers) Len(rows, k int) int { return rows * k / 32 * integersBlock[s].bytes }

// Has says whether Mul knows weights of type t.
func (s Integers) Has(t DType) bool {
	switch t {
	case Q4_0, Q4_1, Q8_0:
		return true
	case Q5_0, Q5_1, Q4_K, Q5_K, Q6_K:
		return s == Int16
	}
	return false
}

// FastIntegers says whether the kind in use has loops of its own for Integers.Mul;
// others compute the same bits slowly.
func FastIntegers() bool { return cur.fastIntegers }

// Pack overwrites dst with the rows of x [m,k], k a whole number of blocks of 32,
// as Mul reads them. Of each block, with a the largest |x| and most 127 or 32512,
//
//	q = round(x·(most/a))    d = a/most
//
// where halves are rounded to the even number. Blocks with a below 2⁻¹⁰⁰ become
// zero, and those with a number that is none, or infinite, make every product NaN.
func (s Integers) Pack(dst []byte, x []float32, ldx, m, k int) {
	checkMat("Pack", "x", len(x), ldx, m, k)
	s.check("Pack", dst, m, k)
	row := s.Len(1, k)
	for i := range m {
		cur.packIntegers[s](dst[i*row:(i+1)*row], x[i*ldx:i*ldx+k])
	}
}

// Mul overwrites C [m,n] with X [m,k], packed by Pack, times W [n,k] transposed, of
// which row j is stored row order[j] (j where order is nil):
//
//	y := 0
//	for each block of 32 {
//		y = float32(Σ w·q)·(dw·d) + y
//		y = least·(d·Σq) + y  // in types with a least weight
//	}
//
// each line one fused multiply-add, dw and least the block's scale and least
// weight, w the integers between. Q4_K and Q5_K have a least weight, minus the
// minimum. Q6_K has a scale for every 16 weights and so two lines for a block.
func (s Integers) Mul(c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int) {
	s.MulLaid(c, ldc, x, nil, w, t, order, m, n, k, nil, nil)
}

// LaidLen is the size in bytes of m packed rows of k activations laid out by Lay; 0
// where the kind in use reads them as they are packed.
func (s Integers) LaidLen(m, k int) int { return (m + 15) / 16 * k / 32 * cur.laidBlock[s] }

// Lay lays blocks [b0, b1) of m packed rows of k activations out in dst as the kind's
// products of many rows read them, so that it is done once for all of them.
func (s Integers) Lay(dst, x []byte, m, k, b0, b1 int) {
	s.check("Lay", x, m, k)
	if b0 < 0 || b1 < b0 || b1 > k/32 || len(dst) < s.LaidLen(m, k) {
		panic(fmt.Sprintf("kernel: %s: Lay: blocks from %d to %d of %d rows of %d activations, and %d bytes for them", s, b0, b1, m, k, len(dst)))
	}
	if cur.laidBlock[s] > 0 && b0 < b1 {
		cur.layIntegers(dst, x, m, k, b0, b1)
	}
}

// MulLaid is Mul with the rows as Lay left them in laid, too; where that is empty it
// does without. Weights are asked for before they are needed, also those that lie
// behind w; where then is not empty, it is read next when all that begins as w does and
// is as long as rest has been, and its begin is asked for in time.
func (s Integers) MulLaid(c []float32, ldc int, x, laid []byte, w []byte, t DType, order []int32, m, n, k int, rest, then []byte) {
	checkMat("Mul", "c", len(c), ldc, m, n)
	s.check("Mul", x, m, k)
	checkQuant("Mul", w, t, order, n, k)
	if !s.Has(t) {
		panic(fmt.Sprintf("kernel: %s: Mul: weights of type %s", s, t))
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
	if len(laid) > 0 && cur.mulLaid != nil {
		if len(laid) < s.LaidLen(m, k) {
			panic(fmt.Sprintf("kernel: %s: Mul: %d rows of %d activations, laid out, and %d bytes of them", s, m, k, len(laid)))
		}
		cur.mulLaid(s, c, ldc, x, laid, w, t, order, m, n, k)
		return
	}
	if len(then) > 0 && cur.mulAhead != nil {
		end := uintptr(unsafe.Pointer(&w[0])) + uintptr(len(rest))
		cur.mulAhead(s, c, ldc, x, w, t, order, m, n, k, uintptr(len(rest)), uintptr(unsafe.Pointer(&then[0]))-end)
		return
	}
	cur.mulIntegers(s, c, ldc, x, w, t, order, m, n, k)
}

// allBehind is the rest of weights behind which nothing else is to be asked for.
const allBehind = 1 << 40

// check panics where packed rows do not lie within b.
func (s Integers) check(op string, b []byte, rows, k int) {
	if rows < 0 || k < 0 || k%32 != 0 || len(b) < s.Len(rows, k) {
		panic(fmt.Sprintf("kernel: %s: %s: %d rows of %d activations, packed, and %d bytes for them", s, op, rows, k, len(b)))
	}
}

// evenRun is how many rows from row j on lie one behind the other at equal
// distances, as a whole number of groups of size rows, and that distance in bytes.
// order may be nil.
func evenRun(order []int32, rb, j, n, size int) (rows, stride int) {
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
