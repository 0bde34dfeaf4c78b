package kernel

// chunkMax is the most elements of k that one chain of additions runs over:
// three rows of A and four of B that long stay in a first-level cache of 32 KiB.
const chunkMax = 768

// chunkOf cuts k into equal chunks of at most chunkMax, rounded up to whole
// blocks of 32 so that quantized blocks are never cut. The last may be shorter.
func chunkOf(k int) int {
	if k <= 0 {
		return 32
	}
	parts := (k + chunkMax - 1) / chunkMax
	return ((k+parts-1)/parts + 31) &^ 31
}

// MulNT overwrites C [m,n] with A [m,k] times B [n,k] transposed:
//
//	C[i,j] = sum_p A[i,p]*B[j,p]
//
// The order of additions depends on k alone. k is cut into chunks of equal size,
// the smallest number of them with at most 768 elements, each rounded up to a
// multiple of 32. Within a chunk element p belongs to lane p mod 8; each lane is
// one chain of multiply-adds from 0; lanes l are then summed as
// ((l0+l1)+(l2+l3)) + ((l4+l5)+(l6+l7)), and chunk sums are added in order. The
// kind avx512 has 16 lanes, of which l and l+8 are added first.
//
// C overlaps neither A nor B. With k = 0 C becomes zero.
func MulNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	checkMat("MulNT", "c", len(c), ldc, m, n)
	checkMat("MulNT", "a", len(a), lda, m, k)
	checkMat("MulNT", "b", len(b), ldb, n, k)
	if m == 0 || n == 0 {
		return
	}
	cur.mulNT(c, ldc, a, lda, b, ldb, m, n, k)
}

// AddNN adds A [m,k] times B [k,n] to C [m,n]:
//
//	for p := range k { C[i,j] += A[i,p]*B[p,j] }
//
// each a multiply-add in this order, so that a caller may cut k anywhere and get
// the same bits. C overlaps neither A nor B.
func AddNN(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	checkMat("AddNN", "c", len(c), ldc, m, n)
	checkMat("AddNN", "a", len(a), lda, m, k)
	checkMat("AddNN", "b", len(b), ldb, k, n)
	if m == 0 || n == 0 || k == 0 {
		return
	}
	cur.addOuter(c, ldc, a, lda, 1, b, ldb, m, n, k)
}

// AddTN adds A [k,m] transposed times B [k,n] to C [m,n]:
//
//	for p := range k { C[i,j] += A[p,i]*B[p,j] }
//
// in the order of AddNN.
func AddTN(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	checkMat("AddTN", "c", len(c), ldc, m, n)
	checkMat("AddTN", "a", len(a), lda, k, m)
	checkMat("AddTN", "b", len(b), ldb, k, n)
	if m == 0 || n == 0 || k == 0 {
		return
	}
	cur.addOuter(c, ldc, a, 1, lda, b, ldb, m, n, k)
}

// Dot is the sum of a[i]*b[i] with the additions of MulNT.
func Dot(a, b []float32) float32 {
	checkLen("Dot", len(a), len(b))
	return cur.dot(a, b)
}
