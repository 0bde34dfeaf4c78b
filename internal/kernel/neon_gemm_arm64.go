//go:build !purego

package kernel

const (
	// Rows of A that stay in the second-level cache while all of B passes over
	// them: 216 KiB with chunks of 768, for cores that have 512 KiB.
	neonDotRows = 72

	// AddNN works on B packed in panels [neonOuterK][16], each 16 KiB, of
	// neonOuterN columns in all, which holds whole blocks of every quantized type.
	neonOuterK = 256
	neonOuterN = 256
	// Rows of A that are transposed at a time for AddTN, and of C that are put
	// aside where fewer than 16 columns are left.
	neonOuterM = 96
	// With fewer rows than this, packing B costs more than it gains.
	neonPackRows = 8
	// Rows of B that columns are walked over when it is not packed: no more pages
	// than the first-level TLB remembers.
	neonDirectK = 32

	// The panels MulNTQ widens to, in floats: 192 KiB, and 16 KiB with fewer rows
	// of A than neonPanelRows.
	neonPanelFloats    = 48 << 10
	neonPanelRows      = 32
	neonPanelFloatsFew = 4 << 10
)

// neonMulNT has the tree of MulNT in eight lanes, as the AVX2 kind: two vectors
// of four to a chain.
func neonMulNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	if k == 0 {
		mulNT(c, ldc, a, lda, b, ldb, m, n, k)
		return
	}
	chunk := chunkOf(k)
	for p := 0; p < k; p += chunk {
		kc := min(chunk, k-p)
		for i0 := 0; i0 < m; i0 += neonDotRows {
			i1 := min(i0+neonDotRows, m)
			j := 0
			for ; j+4 <= n; j += 4 {
				neonDot4(&c[i0*ldc+j], ldc, 1, &a[i0*lda+p], lda, &b[j*ldb+p], ldb, i1-i0, kc, p > 0)
			}
			if j == n {
				continue
			}
			// The last one to three columns take four rows of A at a time, and A and B
			// change places: a product is the same either way.
			i := i0
			for ; i+4 <= i1; i += 4 {
				neonDot4(&c[i*ldc+j], 1, ldc, &b[j*ldb+p], ldb, &a[i*lda+p], lda, n-j, kc, p > 0)
			}
			for ; i < i1; i++ {
				for j := j; j < n; j++ {
					sum := neonDot1(&a[i*lda+p], &b[j*ldb+p], kc)
					if p > 0 {
						sum += c[i*ldc+j]
					}
					c[i*ldc+j] = sum
				}
			}
		}
	}
}

func neonDot(a, b []float32) float32 {
	var sum float32
	k := len(a)
	chunk := chunkOf(k)
	for p := 0; p < k; p += chunk {
		part := neonDot1(&a[p], &b[p], min(chunk, k-p))
		if p > 0 {
			part += sum
		}
		sum = part
	}
	return sum
}

// neonAddOuter packs B where it is used often, and transposes A where it lies
// column by column, as AddTN has it.
func neonAddOuter(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, k int) {
	s := claimScratch(neonOuterK*neonOuterN + neonOuterM*neonOuterK + neonOuterM*16)
	defer s.release()
	panel, rest := s.buf[:neonOuterK*neonOuterN], s.buf[neonOuterK*neonOuterN:]
	turned, aside := rest[:neonOuterM*neonOuterK], rest[neonOuterM*neonOuterK:neonOuterM*neonOuterK+neonOuterM*16]
	if cs == 1 && m < neonPackRows {
		neonOuterDirect(c, ldc, a, rs, b, ldb, m, n, k, panel, aside)
		return
	}
	for j := 0; j < n; j += neonOuterN {
		nc := min(neonOuterN, n-j)
		for p := 0; p < k; p += neonOuterK {
			kc := min(neonOuterK, k-p)
			for r := range kc {
				neonPackRow(panel, b[(p+r)*ldb+j:(p+r)*ldb+j+nc], kc, r)
			}
			if cs == 1 {
				neonOuterPanels(c[j:], ldc, a[p:], rs, panel, m, nc, kc, aside)
				continue
			}
			for i := 0; i < m; i += neonOuterM {
				mc := min(neonOuterM, m-i)
				neonTranspose(turned, neonOuterK, a[i*rs+p*cs:], cs, kc, mc)
				neonOuterPanels(c[i*ldc+j:], ldc, turned, neonOuterK, panel, mc, nc, kc, aside)
			}
		}
	}
}

// neonPackRow writes row r of a block of kc rows into the panels of 16 columns.
func neonPackRow(panel, row []float32, kc, r int) {
	at := r * 16
	for len(row) >= 16 {
		*(*[16]float32)(panel[at:]) = [16]float32(row)
		row = row[16:]
		at += kc * 16
	}
	if len(row) > 0 {
		copy(panel[at:], row)
	}
}

// neonOuterPanels multiplies with panels of B [kc][16] packed one after the other.
func neonOuterPanels(c []float32, ldc int, a []float32, lda int, panel []float32, m, n, kc int, aside []float32) {
	j := 0
	for ; j+16 <= n; j += 16 {
		neonOuter16(&c[j], ldc, &a[0], lda, &panel[j*kc], 16, m, kc)
	}
	if j < n {
		neonOuterTail(c[j:], ldc, a, lda, panel[j*kc:], m, kc, n-j, aside)
	}
}

// neonOuterTail multiplies with one panel that has n < 16 columns of its own. The
// rows of C are put aside, 16 wide, for as long as it takes; what the other
// columns hold is multiplied along and dropped.
func neonOuterTail(c []float32, ldc int, a []float32, lda int, panel []float32, m, kc, n int, aside []float32) {
	for i := 0; i < m; i += neonOuterM {
		mc := min(neonOuterM, m-i)
		for r := range mc {
			copy(aside[16*r:16*r+n], c[(i+r)*ldc:])
		}
		neonOuter16(&aside[0], 16, &a[i*lda], lda, &panel[0], 16, mc, kc)
		for r := range mc {
			copy(c[(i+r)*ldc:(i+r)*ldc+n], aside[16*r:])
		}
	}
}

// neonOuterDirect multiplies with B as it lies, but for fewer than 16 columns at
// the end.
func neonOuterDirect(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int, panel, aside []float32) {
	for p := 0; p < k; p += neonDirectK {
		kc := min(neonDirectK, k-p)
		a, b := a[p:], b[p*ldb:]
		j := 0
		switch m {
		case 1:
			for ; j+64 <= n; j += 64 {
				neonOuter1x64(&c[j], ldc, &a[0], lda, &b[j], ldb, kc)
			}
		case 2:
			for ; j+32 <= n; j += 32 {
				neonOuter2x32(&c[j], ldc, &a[0], lda, &b[j], ldb, kc)
			}
		case 3:
			for ; j+32 <= n; j += 32 {
				neonOuter3x32(&c[j], ldc, &a[0], lda, &b[j], ldb, kc)
			}
		}
		for ; j+16 <= n; j += 16 {
			neonOuter16(&c[j], ldc, &a[0], lda, &b[j], ldb, m, kc)
		}
		if j < n {
			for r := range kc {
				neonPackRow(panel, b[r*ldb+j:r*ldb+n], kc, r)
			}
			neonOuterTail(c[j:], ldc, a, lda, panel, m, kc, n-j, aside)
		}
	}
}

// neonMulNTQ widens as many rows of W at a time as fit the second-level cache
// beside A, or where few rows of A use them, the first-level cache.
func neonMulNTQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	size := neonPanelFloats
	if m < neonPanelRows {
		size = neonPanelFloatsFew
	}
	rows := max(size/max(k, 1)&^3, 4)
	s := claimScratch(min(rows, n) * k)
	defer s.release()
	rb := t.RowBytes(k)
	widen := neonWiden[t]
	for j := 0; j < n; j += rows {
		nr := min(rows, n-j)
		for r := range nr {
			widen(s.buf[r*k:(r+1)*k], storedRow(w, order, rb, j+r))
		}
		neonMulNT(c[j:], ldc, a, lda, s.buf, k, m, nr, k)
	}
}

func neonAddNNQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	s := claimScratch(neonOuterK*neonOuterN + neonOuterN + neonOuterM*16)
	defer s.release()
	panel, rest := s.buf[:neonOuterK*neonOuterN], s.buf[neonOuterK*neonOuterN:]
	row, aside := rest[:neonOuterN], rest[neonOuterN:neonOuterN+neonOuterM*16]
	rb := t.RowBytes(n)
	widen := neonWiden[t]
	for j := 0; j < n; j += neonOuterN {
		nc := min(neonOuterN, n-j)
		b0, b1 := t.RowBytes(j), t.RowBytes(j+nc)
		for p := 0; p < k; p += neonOuterK {
			kc := min(neonOuterK, k-p)
			for r := range kc {
				widen(row[:nc], storedRow(w, order, rb, p+r)[b0:b1])
				neonPackRow(panel, row[:nc], kc, r)
			}
			neonOuterPanels(c[j:], ldc, a[p:], lda, panel, m, nc, kc, aside)
		}
	}
}

func neonPeakFMA(iterations int) (flops int) {
	neonPeak(iterations)
	return iterations * 24 * 4 * 2
}

func neonReadAll(x []float32) float32 {
	var s float32
	if n := len(x) &^ 63; n > 0 {
		s = neonReadSum(&x[0], n)
	}
	return s + readSum(x[len(x)&^63:])
}

// neonDot4 multiplies m > 0 rows of a with 4 of b over k > 0 elements:
//
//	c[i*ci+j*cj] = sum_p a[i*lda+p]*b[j*ldb+p]
//
// in the lanes of MulNT, added to c where add is set.
//
//go:noescape
func neonDot4(c *float32, ci, cj int, a *float32, lda int, b *float32, ldb int, m, k int, add bool)

// neonDot1 is the sum of a[p]*b[p] over k > 0 elements, in the lanes of MulNT.
//
//go:noescape
func neonDot1(a, b *float32, k int) float32

// neonOuter16 adds to m > 0 rows of 16 columns of c, k > 0 products each:
//
//	c[i*ldc+j] += a[i*lda+p] * b[p*ldb+j]
//
//go:noescape
func neonOuter16(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, m, k int)

// neonOuter1x64 is neonOuter16 for 1 row and 64 columns.
//
//go:noescape
func neonOuter1x64(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, k int)

// neonOuter2x32 is neonOuter16 for 2 rows and 32 columns.
//
//go:noescape
func neonOuter2x32(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, k int)

// neonOuter3x32 is neonOuter16 for 3 rows and 32 columns.
//
//go:noescape
func neonOuter3x32(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, k int)

// neonPeak makes 24 vector multiply-adds an iteration that do not wait for each
// other.
//
//go:noescape
func neonPeak(iterations int)

// neonReadSum adds up n elements, n a positive multiple of 64.
//
//go:noescape
func neonReadSum(x *float32, n int) float32

// pause makes a spinning loop wait a moment between two looks.
//
//go:noescape
func pause()
