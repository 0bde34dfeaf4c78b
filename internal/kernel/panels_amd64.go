//go:build !purego

package kernel

import "math"

const (
	// Outer products work on B packed in panels [outerK][columns], 16 KiB each or 32, of
	// outerN columns in all. outerN holds whole blocks of every quantized type.
	outerK = 256
	outerN = 256
	// Rows of B that are widened before they are packed: 16 KiB.
	outerRowsAtOnce = 16
	// Rows of A transposed at a time for AddTN.
	outerM = 96
	// With fewer rows than this, packing B costs more than it gains.
	outerPackRows = 8
	// Where B has fewer columns, A is read as it lies, however long its rows.
	outerPackCols = 33
	// Rows of B that columns are walked over when it is not packed, and of a transposed
	// A that is read as it lies: no more pages than the first-level TLB remembers.
	outerDirectK = 48
)

// panels is how a kind multiplies with B packed in panels.
type panels struct {
	cols  int // of a panel
	lying int // the most columns of a transposed A that are read as they lie
	widen *[numDTypes]func(dst []float32, src []byte)
	// pack copies cols columns for each of n > 0 panels from rows > 0 rows of src.
	pack func(panel *float32, ldp int, src *float32, lds int, rows, n int)
	// mul multiplies with panels of kc rows that lie one behind the other.
	mul func(c []float32, ldc int, a []float32, rs, cs int, panel []float32, m, n, kc int)
}

var (
	avx2Panels   = panels{cols: 16, lying: outerDirectK, widen: &avx2Widen, pack: avx2PackPanels, mul: avx2OuterPanels}
	avx512Panels = panels{cols: 32, lying: math.MaxInt, widen: &avx512Widen, pack: avx512PackPanels, mul: avx512OuterPanels}
)

// packRows writes nc columns of some rows into panels of kc rows, from row r of these on.
// Of the last panel what lies beyond becomes zero.
func (k *panels) packRows(panel, src []float32, lds, kc, r, rows, nc int) {
	whole := nc / k.cols
	if whole > 0 {
		k.pack(&panel[r*k.cols], kc*k.cols, &src[0], lds, rows, whole)
	}
	done := whole * k.cols
	if done == nc {
		return
	}
	last := panel[done*kc+r*k.cols:]
	for i := range rows {
		row := last[i*k.cols:][:k.cols]
		clear(row[copy(row, src[i*lds+done:i*lds+nc]):])
	}
}

// addOuter adds the product of A, as rs and cs have it, with B to C.
func (k *panels) addOuter(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, inner int) {
	s := claimScratch(outerK*outerN + outerM*outerK)
	defer s.release()
	panel, turned := s.buf[:outerK*outerN], s.buf[outerK*outerN:]
	for j := 0; j < n; j += outerN {
		nc := min(outerN, n-j)
		for p := 0; p < inner; p += outerK {
			kc := min(outerK, inner-p)
			k.packRows(panel, b[p*ldb+j:], ldb, kc, 0, kc, nc)
			if cs == 1 || n < outerPackCols || m <= k.lying && kc <= outerDirectK {
				k.mul(c[j:], ldc, a[p*cs:], rs, cs, panel, m, nc, kc)
				continue
			}
			for i := 0; i < m; i += outerM {
				mc := min(outerM, m-i)
				avx2Transpose(turned, outerK, a[i*rs+p*cs:], cs, kc, mc)
				k.mul(c[i*ldc+j:], ldc, turned, outerK, 1, panel, mc, nc, kc)
			}
		}
	}
}

// addNNQ is AddNN where B is the packed rows of W.
func (k *panels) addNNQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, inner int) {
	s := claimScratch((outerK + outerRowsAtOnce) * outerN)
	defer s.release()
	panel, wide := s.buf[:outerK*outerN], s.buf[outerK*outerN:][:outerRowsAtOnce*outerN]
	rb := t.RowBytes(n)
	widen := k.widen[t]
	for j := 0; j < n; j += outerN {
		nc := min(outerN, n-j)
		b0, b1 := t.RowBytes(j), t.RowBytes(j+nc)
		for p := 0; p < inner; p += outerK {
			kc := min(outerK, inner-p)
			for r := 0; r < kc; r += outerRowsAtOnce {
				rows := min(outerRowsAtOnce, kc-r)
				for i := range rows {
					widen(wide[i*outerN:][:nc], storedRow(w, order, rb, p+r+i)[b0:b1])
				}
				k.packRows(panel, wide, outerN, kc, r, rows, nc)
			}
			k.mul(c[j:], ldc, a[p:], lda, 1, panel, m, nc, kc)
		}
	}
}
