package kernel

import "fmt"

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
