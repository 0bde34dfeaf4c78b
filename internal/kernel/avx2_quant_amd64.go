//go:build !purego

package kernel

import "unsafe"

// avx2Widen is the widen table of the AVX2 kind; its own products use it too.
var avx2Widen = func() [numDTypes]func([]float32, []byte) {
	t := widenRef
	t[F32] = avx2WidenF32
	t[F16], t[BF16] = avx2WidenHalf(F16, avx2WidenF16), avx2WidenHalf(BF16, avx2WidenBF16)
	t[Q4_0], t[Q4_1], t[Q8_0] = avx2WidenBlocks(avx2WidenQ4_0), avx2WidenBlocks(avx2WidenQ4_1), avx2WidenBlocks(avx2WidenQ8_0)
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

// avx2MulRows are the loops over weights widened in registers, for one to four
// rows of A.
var avx2MulRows = [numDTypes][avx2MulQRows]func(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int){
	F16:  {avx2MulF16_1, avx2MulF16_2, avx2MulF16_3, avx2MulF16_4},
	BF16: {avx2MulBF16_1, avx2MulBF16_2, avx2MulBF16_3, avx2MulBF16_4},
	Q4_0: {avx2MulQ4_0_1, avx2MulQ4_0_2, avx2MulQ4_0_3, avx2MulQ4_0_4},
	Q4_1: {avx2MulQ4_1_1, avx2MulQ4_1_2, avx2MulQ4_1_3, avx2MulQ4_1_4},
	Q8_0: {avx2MulQ8_0_1, avx2MulQ8_0_2, avx2MulQ8_0_3, avx2MulQ8_0_4},
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
