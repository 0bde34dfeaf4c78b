//go:build !purego

package kernel

import "unsafe"

// avx2Widen is the widen table of the AVX2 kind; its own products use it too.
var avx2Widen = func() [numDTypes]func([]float32, []byte) {
	t := widenRef
	t[F32] = avx2WidenF32
	t[F16], t[BF16] = avx2WidenHalf(F16, avx2WidenF16), avx2WidenHalf(BF16, avx2WidenBF16)
	t[Q4_0], t[Q4_1], t[Q8_0] = avx2WidenBlocks(avx2WidenQ4_0), avx2WidenBlocks(avx2WidenQ4_1), avx2WidenBlocks(avx2WidenQ8_0)
	t[Q5_0], t[Q5_1] = avx2WidenBlocks(avx2WidenQ5_0), avx2WidenBlocks(avx2WidenQ5_1)
	t[Q4_K], t[Q5_K], t[Q6_K] = avx2WidenQ4K, avx2WidenQ5K, avx2WidenQ6K
	return t
}()

// avx2WidenBlocks wraps the loop of a type with blocks of 32.
func avx2WidenBlocks(loop func(dst *float32, src *byte, blocks int)) func([]float32, []byte) {
	return func(dst []float32, src []byte) {
		if len(dst) >= 32 {
			loop(&dst[0], &src[0], len(dst)/32)
		}
	}
}

// avx2WidenHalf wraps the loop of a two-byte type; the reference does the tail.
func avx2WidenHalf(t DType, loop func(dst *float32, src *byte, blocks int)) func([]float32, []byte) {
	tail := widenRef[t]
	return func(dst []float32, src []byte) {
		n := len(dst) &^ 31
		if n > 0 {
			loop(&dst[0], &src[0], n/32)
		}
		tail(dst[n:], src[2*n:])
	}
}

func avx2WidenF32(dst []float32, src []byte) {
	if len(dst) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), 4*len(dst)), src)
	}
}

// scalesMins widens the scales (0 to 7) and minima (8 to 15) of the Q4_K or Q5_K
// block at src.
func scalesMins(to *[16]float32, src []byte) {
	d, dmin, packed := loadF16(src), loadF16(src[2:]), src[4:16]
	for j := range 8 {
		s, m := scaleMin(packed, j)
		to[j], to[j+8] = s*d, m*dmin
	}
}

func avx2WidenQ4K(dst []float32, src []byte) {
	var scales [16]float32
	for len(dst) >= 256 {
		scalesMins(&scales, src)
		avx2WidenQ4_K(&dst[0], &src[16], &scales)
		dst, src = dst[256:], src[144:]
	}
}

func avx2WidenQ5K(dst []float32, src []byte) {
	var scales [16]float32
	for len(dst) >= 256 {
		scalesMins(&scales, src)
		avx2WidenQ5_K(&dst[0], &src[48], &src[16], &scales)
		dst, src = dst[256:], src[176:]
	}
}

func avx2WidenQ6K(dst []float32, src []byte) {
	var scales [16]float32
	for len(dst) >= 256 {
		d := loadF16(src[208:])
		for j, s := range src[192:208] {
			scales[j] = d * float32(int8(s))
		}
		avx2WidenQ6_K(&dst[0], &src[0], &scales)
		dst, src = dst[256:], src[210:]
	}
}

// avx2MulRows are the loops over weights widened in registers, for one to four
// rows of A.
var avx2MulRows = [numDTypes][avx2MulQRows]func(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int){
	F16:  {avx2MulF16_1, avx2MulF16_2, avx2MulF16_3, avx2MulF16_4},
	BF16: {avx2MulBF16_1, avx2MulBF16_2, avx2MulBF16_3, avx2MulBF16_4},
	Q4_0: {avx2MulQ4_0_1, avx2MulQ4_0_2, avx2MulQ4_0_3, avx2MulQ4_0_4},
	Q4_1: {avx2MulQ4_1_1, avx2MulQ4_1_2, avx2MulQ4_1_3, avx2MulQ4_1_4},
	Q8_0: {avx2MulQ8_0_1, avx2MulQ8_0_2, avx2MulQ8_0_3, avx2MulQ8_0_4},
}

// avx2AddHalfRows takes row after row: B is in the first-level cache for all but
// the first. Columns that fill no panel are added to a copy.
func avx2AddHalfRows(c []float32, ldc int, h []float32, ldh int, b []byte, m, n, k int) {
	whole := n / HalfCols
	for i := range m {
		if whole > 0 {
			avx2AddHalf(&c[i*ldc], &h[i*ldh], &b[0], k, whole)
		}
		if rest := n - whole*HalfCols; rest > 0 {
			var part [HalfCols]float32
			row := c[i*ldc+whole*HalfCols:][:rest]
			copy(part[:], row)
			avx2AddHalf(&part[0], &h[i*ldh], &b[2*whole*HalfCols*k], k, 1)
			copy(row, part[:])
		}
	}
}

// avx2MulQRows is the most rows of A that widen W in registers; with more it pays
// to widen it into the cache.
const avx2MulQRows = 4

func avx2MulQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	loops := &avx2MulRows[t]
	if t == F32 && order == nil && k > 0 && uintptr(unsafe.Pointer(&w[0]))%4 == 0 {
		avx2MulNT(c, ldc, a, lda, unsafe.Slice((*float32)(unsafe.Pointer(&w[0])), n*k), k, m, n, k)
		return
	}
	if loops[0] == nil || k == 0 || k%32 != 0 || m > avx2MulQRows {
		avx2MulNTQ(c, ldc, a, lda, w, t, order, m, n, k)
		return
	}
	rb := t.RowBytes(k)
	even := n &^ 3 // the loops take up to four rows of W at a time
	if even > 0 {
		var first *int32
		if order != nil {
			first = &order[0]
		}
		loops[m-1](&c[0], ldc, &a[0], lda, &w[0], rb, first, even, k/32, chunkOf(k)/32)
	}
	if even < n {
		if order != nil {
			order = order[even:]
		} else {
			w = w[even*rb:]
		}
		avx2MulNTQ(c[even:], ldc, a, lda, w, t, order, m, n-even, k)
	}
}
