//go:build !purego

package kernel

const (
	// Rows of A that stay in the second-level cache while all of B passes over
	// them: 432 KiB with chunks of 768.
	dotRows = 144

	// The panels MulNTQ widens to, in floats: 384 KiB, and 16 KiB with fewer rows
	// of A than panelRows.
	panelFloats    = 96 << 10
	panelRows      = 32
	panelFloatsFew = 4 << 10
)

func avx2MulNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	if k == 0 {
		mulNT(c, ldc, a, lda, b, ldb, m, n, k)
		return
	}
	chunk := chunkOf(k)
	for p := 0; p < k; p += chunk {
		kc := min(chunk, k-p)
		for i := 0; i < m; i += dotRows {
			rows := min(dotRows, m-i)
			j := 0
			for ; j+4 <= n; j += 4 {
				avx2Dot4(&c[i*ldc+j], ldc, &a[i*lda+p], lda, &b[j*ldb+p], ldb, rows, kc, p > 0)
			}
			for ; j < n; j++ {
				avx2Dot1(&c[i*ldc+j], ldc, &a[i*lda+p], lda, &b[j*ldb+p], ldb, rows, kc, p > 0)
			}
		}
	}
}

func avx2Dot(a, b []float32) float32 {
	var sum [1]float32
	if k := len(a); k > 0 {
		chunk := chunkOf(k)
		for p := 0; p < k; p += chunk {
			avx2Dot1(&sum[0], 0, &a[p], 0, &b[p], 0, 1, min(chunk, k-p), p > 0)
		}
	}
	return sum[0]
}

func avx2AddOuter(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, k int) {
	if m <= outerPackRows || (n <= 16 && ldb <= 16) {
		avx2OuterDirect(c, ldc, a, rs, cs, b, ldb, m, n, k)
		return
	}
	avx2Panels.addOuter(c, ldc, a, rs, cs, b, ldb, m, n, k)
}

// avx2OuterPanels multiplies with panels of B [kc][16] packed one after the other.
func avx2OuterPanels(c []float32, ldc int, a []float32, rs, cs int, panel []float32, m, n, kc int) {
	j := 0
	for ; j+16 <= n; j += 16 {
		avx2Outer16(&c[j], ldc, &a[0], rs, cs, &panel[j*kc], 16, m, kc)
	}
	if j < n {
		avx2OuterTail(&c[j], ldc, &a[0], rs, cs, &panel[j*kc], 16, m, kc, n-j)
	}
}

// avx2OuterDirect multiplies with B as it lies.
func avx2OuterDirect(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, k int) {
	for p := 0; p < k; p += outerDirectK {
		kc := min(outerDirectK, k-p)
		a, b := a[p*cs:], b[p*ldb:]
		j := 0
		switch m {
		case 1:
			for ; j+64 <= n; j += 64 {
				avx2Outer1x64(&c[j], ldc, &a[0], rs, cs, &b[j], ldb, kc)
			}
		case 2:
			for ; j+32 <= n; j += 32 {
				avx2Outer2x32(&c[j], ldc, &a[0], rs, cs, &b[j], ldb, kc)
			}
		case 3:
			for ; j+32 <= n; j += 32 {
				avx2Outer3x32(&c[j], ldc, &a[0], rs, cs, &b[j], ldb, kc)
			}
		}
		for ; j+16 <= n; j += 16 {
			avx2Outer16(&c[j], ldc, &a[0], rs, cs, &b[j], ldb, m, kc)
		}
		if j < n {
			avx2OuterTail(&c[j], ldc, &a[0], rs, cs, &b[j], ldb, m, kc, n-j)
		}
	}
}

// avx2MulNTQ widens as many rows of W at a time as fit the second-level cache
// beside A, or where few rows of A use them, the first-level cache.
func avx2MulNTQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	size := panelFloats
	if m < panelRows {
		size = panelFloatsFew
	}
	rows := max(size/max(k, 1)&^3, 4)
	s := claimScratch(min(rows, n) * k)
	defer s.release()
	rb := t.RowBytes(k)
	widen := avx2Widen[t]
	for j := 0; j < n; j += rows {
		nr := min(rows, n-j)
		for r := range nr {
			widen(s.buf[r*k:(r+1)*k], storedRow(w, order, rb, j+r))
		}
		avx2MulNT(c[j:], ldc, a, lda, s.buf, k, m, nr, k)
	}
}

func avx2PeakFMA(iterations int) (flops int) {
	avx2Peak(iterations)
	return iterations * 12 * 8 * 2
}

func avx2ReadAll(x []float32) float32 {
	var s float32
	if n := len(x) &^ 63; n > 0 {
		s = avx2ReadSum(&x[0], n)
	}
	return s + readSum(x[len(x)&^63:])
}
