//go:build !purego

package kernel

import "unsafe"

// neonWiden is the widen table of the NEON kind; its own products use it too.
var neonWiden = func() [numDTypes]func([]float32, []byte) {
	t := widenRef
	t[F32] = neonWidenF32
	t[F16], t[BF16] = neonWidenHalf(F16, neonWidenF16), neonWidenHalf(BF16, neonWidenBF16)
	t[Q4_0], t[Q4_1], t[Q8_0] = neonWidenBlocks(neonWidenQ4_0), neonWidenBlocks(neonWidenQ4_1), neonWidenBlocks(neonWidenQ8_0)
	t[Q5_0], t[Q5_1] = neonWidenBlocks(neonWidenQ5_0), neonWidenBlocks(neonWidenQ5_1)
	t[Q4_K], t[Q5_K], t[Q6_K] = neonWidenQ4K, neonWidenQ5K, neonWidenQ6K
	return t
}()

// neonWidenBlocks wraps the loop of a type with blocks of 32.
func neonWidenBlocks(loop func(dst *float32, src *byte, blocks int)) func([]float32, []byte) {
	return func(dst []float32, src []byte) {
		if len(dst) >= 32 {
			loop(&dst[0], &src[0], len(dst)/32)
		}
	}
}

// neonWidenHalf wraps the loop of a two-byte type; the reference does the tail.
func neonWidenHalf(t DType, loop func(dst *float32, src *byte, blocks int)) func([]float32, []byte) {
	tail := widenRef[t]
	return func(dst []float32, src []byte) {
		n := len(dst) &^ 31
		if n > 0 {
			loop(&dst[0], &src[0], n/32)
		}
		tail(dst[n:], src[2*n:])
	}
}

func neonWidenF32(dst []float32, src []byte) {
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

func neonWidenQ4K(dst []float32, src []byte) {
	var scales [16]float32
	for len(dst) >= 256 {
		scalesMins(&scales, src)
		neonWidenQ4_K(&dst[0], &src[16], &scales)
		dst, src = dst[256:], src[144:]
	}
}

func neonWidenQ5K(dst []float32, src []byte) {
	var scales [16]float32
	for len(dst) >= 256 {
		scalesMins(&scales, src)
		neonWidenQ5_K(&dst[0], &src[48], &src[16], &scales)
		dst, src = dst[256:], src[176:]
	}
}

func neonWidenQ6K(dst []float32, src []byte) {
	var scales [16]float32
	for len(dst) >= 256 {
		d := loadF16(src[208:])
		for j, s := range src[192:208] {
			scales[j] = d * float32(int8(s))
		}
		neonWidenQ6_K(&dst[0], &src[0], &scales)
		dst, src = dst[256:], src[210:]
	}
}

// neonMulRows are the loops over weights widened in registers, for one to four
// rows of A, and neonMulStep how many rows of W each takes at a time.
var (
	neonMulRows = [numDTypes][neonMulQRows]func(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int){
		F16:  {neonMulF16_1, neonMulF16_2, neonMulF16_3, neonMulF16_4},
		BF16: {neonMulBF16_1, neonMulBF16_2, neonMulBF16_3, neonMulBF16_4},
		Q4_0: {neonMulQ4_0_1, neonMulQ4_0_2, neonMulQ4_0_3, neonMulQ4_0_4},
		Q4_1: {neonMulQ4_1_1, neonMulQ4_1_2, neonMulQ4_1_3, neonMulQ4_1_4},
		Q8_0: {neonMulQ8_0_1, neonMulQ8_0_2, neonMulQ8_0_3, neonMulQ8_0_4},
	}
	neonMulStep = [neonMulQRows]int{4, 2, 1, 1}
)

// neonMulQRows is the most rows of A that widen W in registers; with more it pays
// to widen it into the cache.
const neonMulQRows = 4

func neonMulQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	loops := &neonMulRows[t]
	if t == F32 && order == nil && k > 0 && uintptr(unsafe.Pointer(&w[0]))%4 == 0 {
		neonMulNT(c, ldc, a, lda, unsafe.Slice((*float32)(unsafe.Pointer(&w[0])), n*k), k, m, n, k)
		return
	}
	if loops[0] == nil || k == 0 || k%32 != 0 || m > neonMulQRows {
		neonMulNTQ(c, ldc, a, lda, w, t, order, m, n, k)
		return
	}
	rb := t.RowBytes(k)
	whole := n &^ (neonMulStep[m-1] - 1)
	if whole > 0 {
		var first *int32
		if order != nil {
			first = &order[0]
		}
		loops[m-1](&c[0], ldc, &a[0], lda, &w[0], rb, first, whole, k/32, chunkOf(k)/32)
	}
	if whole < n {
		if order != nil {
			order = order[whole:]
		} else {
			w = w[whole*rb:]
		}
		neonMulNTQ(c[whole:], ldc, a, lda, w, t, order, m, n-whole, k)
	}
}

// neonWidenQ4_1 writes the 32*blocks > 0 floats of src to dst.
//
//go:noescape
func neonWidenQ4_1(dst *float32, src *byte, blocks int)

// neonWidenQ4_0 writes the 32*blocks > 0 floats of src to dst.
//
//go:noescape
func neonWidenQ4_0(dst *float32, src *byte, blocks int)

// neonWidenQ8_0 writes the 32*blocks > 0 floats of src to dst.
//
//go:noescape
func neonWidenQ8_0(dst *float32, src *byte, blocks int)

// neonWidenF16 writes the 32*blocks > 0 floats of src to dst.
//
//go:noescape
func neonWidenF16(dst *float32, src *byte, blocks int)

// neonWidenBF16 writes the 32*blocks > 0 floats of src to dst.
//
//go:noescape
func neonWidenBF16(dst *float32, src *byte, blocks int)

// neonWidenQ5_0 writes the 32*blocks > 0 floats of src to dst.
//
//go:noescape
func neonWidenQ5_0(dst *float32, src *byte, blocks int)

// neonWidenQ5_1 writes the 32*blocks > 0 floats of src to dst.
//
//go:noescape
func neonWidenQ5_1(dst *float32, src *byte, blocks int)

// neonWidenQ4_K writes the 256 floats of the nibbles in q to dst, each times one of
// the first eight scales, less one of the other eight.
//
//go:noescape
func neonWidenQ4_K(dst *float32, q *byte, scales *[16]float32)

// neonWidenQ5_K is neonWidenQ4_K with the fifth bits in h.
//
//go:noescape
func neonWidenQ5_K(dst *float32, q, h *byte, scales *[16]float32)

// neonWidenQ6_K writes the 256 floats of the block at q to dst, 16 to each of the
// scales.
//
//go:noescape
func neonWidenQ6_K(dst *float32, q *byte, scales *[16]float32)

// neonMulQ4_1_1 multiplies one row of a with n rows of w, n a positive multiple of
// 4, each of so many blocks, at most chunk of them in one chain:
//
//	c[i*ldc+j] = sum_p a[i*lda+p]*w[order[j],p]
//
// order may be nil.
//
//go:noescape
func neonMulQ4_1_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ4_1_2 is neonMulQ4_1_1 for two rows of a; n is a positive multiple of 2.
//
//go:noescape
func neonMulQ4_1_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ4_1_3 is neonMulQ4_1_1 for three rows of a; n is positive.
//
//go:noescape
func neonMulQ4_1_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ4_1_4 is neonMulQ4_1_1 for four rows of a; n is positive.
//
//go:noescape
func neonMulQ4_1_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ4_0_1 is neonMulQ4_1_1 for one row of a and weights of type Q4_0; n is a positive multiple of 4.
//
//go:noescape
func neonMulQ4_0_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ4_0_2 is neonMulQ4_1_1 for two rows of a and weights of type Q4_0; n is a positive multiple of 2.
//
//go:noescape
func neonMulQ4_0_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ4_0_3 is neonMulQ4_1_1 for three rows of a and weights of type Q4_0; n is positive.
//
//go:noescape
func neonMulQ4_0_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ4_0_4 is neonMulQ4_1_1 for four rows of a and weights of type Q4_0; n is positive.
//
//go:noescape
func neonMulQ4_0_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ8_0_1 is neonMulQ4_1_1 for one row of a and weights of type Q8_0; n is a positive multiple of 4.
//
//go:noescape
func neonMulQ8_0_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ8_0_2 is neonMulQ4_1_1 for two rows of a and weights of type Q8_0; n is a positive multiple of 2.
//
//go:noescape
func neonMulQ8_0_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ8_0_3 is neonMulQ4_1_1 for three rows of a and weights of type Q8_0; n is positive.
//
//go:noescape
func neonMulQ8_0_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulQ8_0_4 is neonMulQ4_1_1 for four rows of a and weights of type Q8_0; n is positive.
//
//go:noescape
func neonMulQ8_0_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulF16_1 is neonMulQ4_1_1 for one row of a and weights of type F16; n is a positive multiple of 4.
//
//go:noescape
func neonMulF16_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulF16_2 is neonMulQ4_1_1 for two rows of a and weights of type F16; n is a positive multiple of 2.
//
//go:noescape
func neonMulF16_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulF16_3 is neonMulQ4_1_1 for three rows of a and weights of type F16; n is positive.
//
//go:noescape
func neonMulF16_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulF16_4 is neonMulQ4_1_1 for four rows of a and weights of type F16; n is positive.
//
//go:noescape
func neonMulF16_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulBF16_1 is neonMulQ4_1_1 for one row of a and weights of type BF16; n is a positive multiple of 4.
//
//go:noescape
func neonMulBF16_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulBF16_2 is neonMulQ4_1_1 for two rows of a and weights of type BF16; n is a positive multiple of 2.
//
//go:noescape
func neonMulBF16_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulBF16_3 is neonMulQ4_1_1 for three rows of a and weights of type BF16; n is positive.
//
//go:noescape
func neonMulBF16_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)

// neonMulBF16_4 is neonMulQ4_1_1 for four rows of a and weights of type BF16; n is positive.
//
//go:noescape
func neonMulBF16_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
