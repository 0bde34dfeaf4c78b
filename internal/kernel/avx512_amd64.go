//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// The AVX-512 kind has its own products, in 16 lanes, and such element-wise
// operations as take time, and takes all else from the AVX2 kind: outer products and
// element-wise operations have the same bits in both.

// wideNear is how many floats of A pass over B together in MulNT: 28 KiB.
const wideNear = 7200

func avx512Kind() *kind {
	k := *avx2Kind()
	k.name, k.lanes = "avx512", 16
	k.mulNT, k.addOuter, k.mulNTQ, k.addNNQ, k.dot = avx512MulNT, avx512AddOuter, avx512MulNTQ, avx512Panels.addNNQ, avx512Dot
	k.mulQ, k.addHalf = avx512MulQ, avx512AddHalf
	k.mulNTHalf, k.addNNHalf = avx512MulNTHalf, avx512AddNNHalf
	k.widen = avx512Widen
	k.siluMul, k.siluMulGrad = avx2Gate(avx512SiluMul), avx2GateGrad(avx512SiluMulGrad)
	k.expSum = func(x []float32, max float32) float32 {
		if len(x) == 0 {
			return 0
		}
		return avx512ExpSum(&x[0], len(x), max)
	}
	switch {
	case cpu.X86.HasAVX512VNNI:
		k.useIntegers(&avx512Integers)
	case cpu.X86.HasAVXVNNI:
		k.useIntegers(&avxvnniIntegers)
	}
	k.peakFMA = avx512PeakFMA
	return &k
}

// avx512Widen is the widen table of this kind.
var avx512Widen = func() [numDTypes]func([]float32, []byte) {
	t := avx2Widen
	t[Q4_0], t[Q4_1], t[Q8_0] = avx2WidenBlocks(avx512WidenQ4_0), avx2WidenBlocks(avx512WidenQ4_1), avx2WidenBlocks(avx512WidenQ8_0)
	return t
}()

func avx512MulNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	if k == 0 {
		mulNT(c, ldc, a, lda, b, ldb, m, n, k)
		return
	}
	chunk := chunkOf(k)
	for p := 0; p < k; p += chunk {
		kc := min(chunk, k-p)
		near := wideRows(kc)
		for i := 0; i < m; i += near {
			rows := min(near, m-i)
			j := 0
			for ; j+4 <= n; j += 4 {
				avx512Dot4(&c[i*ldc+j], ldc, &a[i*lda+p], lda, &b[j*ldb+p], ldb, rows, kc, p > 0)
			}
			for ; j < n; j++ {
				avx512Dot1(&c[i*ldc+j], ldc, &a[i*lda+p], lda, &b[j*ldb+p], ldb, rows, kc, p > 0)
			}
		}
	}
}

// wideRows is how many rows of A, of kc elements each, stay in the first-level cache
// while all of B passes over them: from the second-level cache they would come too
// slowly for 16 lanes.
func wideRows(kc int) int { return max(wideNear/kc/6*6, 6) }

func avx512Dot(a, b []float32) float32 {
	var sum [1]float32
	if k := len(a); k > 0 {
		chunk := chunkOf(k)
		for p := 0; p < k; p += chunk {
			avx512Dot1(&sum[0], 0, &a[p], 0, &b[p], 0, 1, min(chunk, k-p), p > 0)
		}
	}
	return sum[0]
}

func avx512MulNTQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	size := panelFloats
	if m < panelRows {
		size = panelFloatsFew
	}
	rows := max(size/max(k, 1)&^3, 4)
	s := claimScratch(min(rows, n) * k)
	defer s.release()
	rb := t.RowBytes(k)
	widen := avx512Widen[t]
	for j := 0; j < n; j += rows {
		nr := min(rows, n-j)
		for r := range nr {
			widen(s.buf[r*k:(r+1)*k], storedRow(w, order, rb, j+r))
		}
		avx512MulNT(c[j:], ldc, a, lda, s.buf, k, m, nr, k)
	}
}

// avx512MulRows multiplies mr (1 to 4) rows of A with four of W over one chunk.
// It calls by name so that its arguments stay on the stack.
func avx512MulRows(t DType, mr int, c *float32, ldc int, a *float32, lda int, w *[4]*byte, scales *[64]float32, blocks int, add bool) {
	switch int(t)*4 + mr - 1 {
	case int(F32)*4 + 0:
		avx512F32x1(c, ldc, a, lda, w, scales, blocks, add)
	case int(F32)*4 + 1:
		avx512F32x2(c, ldc, a, lda, w, scales, blocks, add)
	case int(F32)*4 + 2:
		avx512F32x3(c, ldc, a, lda, w, scales, blocks, add)
	case int(F32)*4 + 3:
		avx512F32x4(c, ldc, a, lda, w, scales, blocks, add)
	case int(F16)*4 + 0:
		avx512F16x1(c, ldc, a, lda, w, scales, blocks, add)
	case int(F16)*4 + 1:
		avx512F16x2(c, ldc, a, lda, w, scales, blocks, add)
	case int(F16)*4 + 2:
		avx512F16x3(c, ldc, a, lda, w, scales, blocks, add)
	case int(F16)*4 + 3:
		avx512F16x4(c, ldc, a, lda, w, scales, blocks, add)
	case int(BF16)*4 + 0:
		avx512BF16x1(c, ldc, a, lda, w, scales, blocks, add)
	case int(BF16)*4 + 1:
		avx512BF16x2(c, ldc, a, lda, w, scales, blocks, add)
	case int(BF16)*4 + 2:
		avx512BF16x3(c, ldc, a, lda, w, scales, blocks, add)
	case int(BF16)*4 + 3:
		avx512BF16x4(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_0)*4 + 0:
		avx512Q4_0x1(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_0)*4 + 1:
		avx512Q4_0x2(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_0)*4 + 2:
		avx512Q4_0x3(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_0)*4 + 3:
		avx512Q4_0x4(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_1)*4 + 0:
		avx512Q4_1x1(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_1)*4 + 1:
		avx512Q4_1x2(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_1)*4 + 2:
		avx512Q4_1x3(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q4_1)*4 + 3:
		avx512Q4_1x4(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q8_0)*4 + 0:
		avx512Q8_0x1(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q8_0)*4 + 1:
		avx512Q8_0x2(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q8_0)*4 + 2:
		avx512Q8_0x3(c, ldc, a, lda, w, scales, blocks, add)
	case int(Q8_0)*4 + 3:
		avx512Q8_0x4(c, ldc, a, lda, w, scales, blocks, add)
	}
}

// avx512InRegisters says which types are widened in registers.
var avx512InRegisters = [numDTypes]bool{F32: true, F16: true, BF16: true, Q4_0: true, Q4_1: true, Q8_0: true}

func avx512MulQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	if !avx512InRegisters[t] || k == 0 || k%32 != 0 {
		avx512MulNTQ(c, ldc, a, lda, w, t, order, m, n, k)
		return
	}
	var scales [64]float32
	var rows [4]*byte
	rb := t.RowBytes(k)
	chunk := chunkOf(k) / 32
	for i := 0; i < m; i += 4 {
		mr := min(4, m-i)
		j := 0
		for ; j+4 <= n; j += 4 {
			for r := range rows {
				rows[r] = &storedRow(w, order, rb, j+r)[0]
			}
			for b := 0; b < k/32; b += chunk {
				avx512MulRows(t, mr, &c[i*ldc+j], ldc, &a[i*lda+32*b], lda, &rows, &scales, min(chunk, k/32-b), b > 0)
			}
		}
		if j < n {
			part, at := w, order
			if order != nil {
				at = order[j:]
			} else {
				part = w[j*rb:]
			}
			avx512MulNTQ(c[i*ldc+j:], ldc, a[i*lda:], lda, part, t, at, mr, n-j, k)
		}
	}
}

func avx512AddOuter(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, k int) {
	switch {
	case m <= outerPackRows:
		avx512OuterFew(c, ldc, a, rs, cs, b, ldb, m, n, k)
		return
	case n <= 16 && ldb <= 16:
		for p := 0; p < k; p += outerDirectK {
			avx512Outer16(&c[0], ldc, &a[p*cs], rs, cs, &b[p*ldb], ldb, m, min(outerDirectK, k-p), n)
		}
		return
	}
	avx512Panels.addOuter(c, ldc, a, rs, cs, b, ldb, m, n, k)
}

// avx512OuterFew multiplies few rows with B as it lies, 64 columns at a time; what is
// left is the AVX2 kind's.
func avx512OuterFew(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, k int) {
	if m > 4 || n < 64 {
		avx2OuterDirect(c, ldc, a, rs, cs, b, ldb, m, n, k)
		return
	}
	whole := n &^ 63
	for p := 0; p < k; p += outerDirectK {
		kc := min(outerDirectK, k-p)
		for j := 0; j < whole; j += 64 {
			c, a, b := &c[j], &a[p*cs], &b[p*ldb+j]
			switch m {
			case 1:
				avx512Outer1x64(c, ldc, a, rs, cs, b, ldb, kc)
			case 2:
				avx512Outer2x64(c, ldc, a, rs, cs, b, ldb, kc)
			case 3:
				avx512Outer3x64(c, ldc, a, rs, cs, b, ldb, kc)
			case 4:
				avx512Outer4x64(c, ldc, a, rs, cs, b, ldb, kc)
			}
		}
	}
	if whole < n {
		avx2OuterDirect(c[whole:], ldc, a, rs, cs, b[whole:], ldb, m, n-whole, k)
	}
}

// avx512OuterPanels multiplies with panels of B [kc][32] packed one after the other.
func avx512OuterPanels(c []float32, ldc int, a []float32, rs, cs int, panel []float32, m, n, kc int) {
	const cols = 32
	for j := 0; j < n; j += cols {
		avx512Outer32(&c[j], ldc, &a[0], rs, cs, &panel[j*kc], cols, m, kc, min(cols, n-j))
	}
}

// avx512AddHalf takes four rows at a time, which read B once. Columns that fill no
// panel are added to a copy.
func avx512AddHalf(c []float32, ldc int, h []float32, ldh int, b []byte, m, n, k int) {
	whole := n / HalfCols
	last, rest := b[2*whole*HalfCols*k:], n-whole*HalfCols
	var part [4 * HalfCols]float32
	for i := 0; i < m; {
		rows := 4
		for rows > m-i {
			rows /= 2
		}
		if whole > 0 {
			avx512AddHalfRows(rows, &c[i*ldc], ldc, &h[i*ldh], ldh, &b[0], k, whole)
		}
		if rest > 0 {
			for r := range rows {
				copy(part[r*HalfCols:], c[(i+r)*ldc+n-rest:(i+r)*ldc+n])
			}
			avx512AddHalfRows(rows, &part[0], HalfCols, &h[i*ldh], ldh, &last[0], k, 1)
			for r := range rows {
				copy(c[(i+r)*ldc+n-rest:(i+r)*ldc+n], part[r*HalfCols:])
			}
		}
		i += rows
	}
}

func avx512AddHalfRows(rows int, c *float32, ldc int, h *float32, ldh int, b *byte, k, groups int) {
	switch rows {
	case 4:
		avx512AddHalf4(c, ldc, h, ldh, b, k, groups)
	case 2:
		avx512AddHalf2(c, ldc, h, ldh, b, k, groups)
	default:
		avx512AddHalf1(c, ldc, h, ldh, b, k, groups)
	}
}

func avx512PeakFMA(iterations int) (flops int) {
	avx512Peak(iterations)
	return iterations * 24 * 16 * 2
}
