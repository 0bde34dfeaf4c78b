//go:build !purego

package kernel

//go:noescape
func amxInt16Tiles(dst, x *byte, ldx, rows, blocks int)

//go:noescape
func amxInt16Q4_1(cfg *byte, c *float32, ldc, rows int, x, w *byte, stride, blocks, groups int, part *byte)

//go:noescape
func amxInt16Q4_0(cfg *byte, c *float32, ldc, rows int, x, w *byte, stride, blocks, groups int, part *byte)

//go:noescape
func amxInt16Q8_0(cfg *byte, c *float32, ldc, rows int, x, w *byte, stride, blocks, groups int, part *byte)

var amxInt16 = [numDTypes]func(cfg *byte, c *float32, ldc, rows int, x, w *byte, stride, blocks, groups int, part *byte){
	Q4_1: amxInt16Q4_1, Q4_0: amxInt16Q4_0, Q8_0: amxInt16Q8_0,
}

const (
	amxInt16Block = 1152 // bytes of a block of 16 rows in tiles
	amxInt16Part  = 5376 // bytes of scratch of a product
	amxInt16Least = 9    // rows from which on tiles are the faster
)

// integerConfig is that of products of bytes: two tiles of 32-bit sums, two of 32
// activations of 16 rows, one of 32 weights of 16 rows.
var integerConfig = func() (c [64]byte) {
	c[0] = 1
	for i, t := range []struct{ bytes, rows byte }{{64, 16}, {64, 16}, {64, 8}, {64, 8}, {32, 16}} {
		c[16+2*i], c[48+i] = t.bytes, t.rows
	}
	return c
}()

// amxMulIntegers multiplies many rows of 16-bit integers in tiles: a product is that
// with the high bytes, 256 times, and that with the low ones. All else is the
// AVX-512 kind's.
func amxMulIntegers(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int) {
	if s != Int16 || amxInt16[t] == nil || m < amxInt16Least {
		avx512Integers.mul(s, c, ldc, x, w, t, order, m, n, k)
		return
	}
	row := s.Len(1, k)
	laid := claimScratch(amxLaidLen(16, k) / 4)
	defer laid.release() // also where the weights cannot be read any more
	b := bytesOf(laid.buf)
	for i := 0; i < m; i += 16 {
		mr := min(16, m-i)
		amxLayIntegers(b, x[i*row:], mr, k, 0, k/32)
		amxMulLaid(s, c[i*ldc:], ldc, x[i*row:], b, w, t, order, mr, n, k)
	}
}

// amxLaidLen is the size of m rows in tiles, for m a whole number of sixteens.
func amxLaidLen(m, k int) int { return m / 16 * k / 32 * amxInt16Block }

// amxLayIntegers parts packed rows into tiles, sixteen at a time; rows at the end that
// are fewer than tiles pay for stay as they are.
func amxLayIntegers(dst, x []byte, m, k, b0, b1 int) {
	row := Int16.Len(1, k)
	for i := 0; m-i >= amxInt16Least; i += 16 {
		amxInt16Tiles(&dst[amxLaidLen(i, k)+b0*amxInt16Block], &x[i*row+Int16.Len(1, 32*b0)], row, min(16, m-i), b1-b0)
	}
}

// amxMulLaid is amxMulIntegers for rows that amxLayIntegers has laid out.
func amxMulLaid(s Integers, c []float32, ldc int, x, laid []byte, w []byte, t DType, order []int32, m, n, k int) {
	loop := amxInt16[t]
	if s != Int16 || loop == nil || m < amxInt16Least {
		avx512Integers.mul(s, c, ldc, x, w, t, order, m, n, k)
		return
	}
	rb, row := t.RowBytes(k), s.Len(1, k)
	room := claimScratch(amxInt16Part / 4)
	defer room.release() // also where the weights cannot be read any more
	part := bytesOf(room.buf)
	for i := 0; i < m; i += 16 {
		mr := min(16, m-i)
		if mr < amxInt16Least {
			avx512Integers.mul(s, c[i*ldc:], ldc, x[i*row:], w, t, order, mr, n, k)
			return
		}
		for j := 0; j < n; {
			rows, stride := evenRun(order, rb, j, n, 16)
			if rows == 0 {
				rows = min(16, n-j)
				avx512Integers.copied(s, c[i*ldc+j:], ldc, x[i*row:], w, t, order, j, mr, rows, k)
				j += rows
				continue
			}
			at := j
			if order != nil {
				at = int(order[j])
			}
			loop(&integerConfig[0], &c[i*ldc+j], 4*ldc, mr, &laid[amxLaidLen(i, k)], &w[at*rb], stride, k/32, rows/16, &part[0])
			j += rows
		}
	}
}
