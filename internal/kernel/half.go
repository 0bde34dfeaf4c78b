package kernel

import (
	"fmt"
	"unsafe"
)

// HalfCols is the number of columns that lie together in the B of AddHalf.
const HalfCols = 16

// AddHalf is AddNN for a B [k,n] in F16 and few rows: it adds H [m,k] times B to
// C [m,n], with the bits of AddNN. B lies in panels of 16 columns, [k,16] each, the
// last of them filled up with anything.
func AddHalf(c []float32, ldc int, h []float32, ldh int, b []byte, m, n, k int) {
	checkMat("AddHalf", "c", len(c), ldc, m, n)
	checkMat("AddHalf", "h", len(h), ldh, m, k)
	if size := (n + HalfCols - 1) / HalfCols * HalfCols * k * 2; len(b) < size {
		panic(fmt.Sprintf("kernel: AddHalf: b is [%d,%d] in panels, %d bytes, but has %d bytes", k, n, size, len(b)))
	}
	if m == 0 || n == 0 || k == 0 {
		return
	}
	cur.addHalf(c, ldc, h, ldh, b, m, n, k)
}

// addHalf widens the panels, for kinds that have no loop of their own.
func addHalf(c []float32, ldc int, h []float32, ldh int, b []byte, m, n, k int) {
	s := claimScratch(HalfCols * k)
	defer s.release()
	panel := s.buf[:HalfCols*k]
	for j := 0; j < n; j += HalfCols {
		cur.widen[F16](panel, b[2*j*k:2*(j+HalfCols)*k])
		cur.addOuter(c[j:], ldc, h, ldh, 1, panel, HalfCols, m, min(HalfCols, n-j), k)
	}
}

// halfRows is how many rows of A are few for MulNTHalf and AddNNHalf: with more it pays
// to widen B.
const halfRows = 8

// FastHalf says whether the kind in use has loops of its own for MulNTHalf and
// AddNNHalf; others widen B.
func FastHalf() bool { return cur.mulNTHalf != nil }

// MulNTHalf is MulNT for a B [n,k] in F16, its rows one behind the other, and few rows
// of A. The bits are those of Widen and MulNT. It prefetches as many bytes of then, which
// may be nil and is what will be read next, as it reads of b.
func MulNTHalf(c []float32, ldc int, a []float32, lda int, b, then []byte, m, n, k int) {
	checkMat("MulNTHalf", "c", len(c), ldc, m, n)
	checkMat("MulNTHalf", "a", len(a), lda, m, k)
	checkQuant("MulNTHalf", b, F16, nil, n, k)
	if m == 0 || n == 0 {
		return
	}
	done := 0
	if cur.mulNTHalf != nil && m <= halfRows && k > 0 && k <= chunkMax {
		done = cur.mulNTHalf(c, ldc, a, lda, b, distance(b, then), m, n, k)
	}
	switch b := b[2*done*k:]; {
	case done == n:
	case m <= halfRows:
		cur.mulQ(c[done:], ldc, a, lda, b, F16, nil, m, n-done, k)
	default:
		cur.mulNTQ(c[done:], ldc, a, lda, b, F16, nil, m, n-done, k)
	}
}

// AddNNHalf is AddNN for a B [k,n] in F16, its rows ldb numbers apart, and few rows of
// A. The bits are those of Widen and AddNN. It prefetches as many bytes of then, which may
// be nil and is what will be read next, as it reads of b.
func AddNNHalf(c []float32, ldc int, a []float32, lda int, b, then []byte, ldb, m, n, k int) {
	checkMat("AddNNHalf", "c", len(c), ldc, m, n)
	checkMat("AddNNHalf", "a", len(a), lda, m, k)
	checkMat("AddNNHalf", "b", len(b)/2, ldb, k, n)
	if m == 0 || n == 0 || k == 0 {
		return
	}
	done := 0
	if cur.addNNHalf != nil && m <= halfRows {
		done = cur.addNNHalf(c, ldc, a, lda, b, ldb, distance(b, then), m, n, k)
	}
	if done < n {
		addNNHalf(c[done:], ldc, a, lda, b[2*done:], ldb, m, n-done, k)
	}
}

// distance is how far then lies behind b; 0 where there is none.
func distance(b, then []byte) uintptr {
	if len(then) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&then[0])) - uintptr(unsafe.Pointer(&b[0]))
}

// addNNHalf widens some rows of B at a time.
func addNNHalf(c []float32, ldc int, a []float32, lda int, b []byte, ldb, m, n, k int) {
	const rows = 32
	s := claimScratch(min(rows, k) * n)
	defer s.release()
	for p := 0; p < k; p += rows {
		r := min(rows, k-p)
		for i := range r {
			cur.widen[F16](s.buf[i*n:(i+1)*n], b[2*(p+i)*ldb:2*((p+i)*ldb+n)])
		}
		cur.addOuter(c, ldc, a[p:], lda, 1, s.buf, n, m, n, r)
	}
}
