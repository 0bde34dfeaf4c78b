package kernel

// Widen writes the numbers of src, a whole number of blocks of type t, to dst as
// ggml dequantizes them. len(dst) says how many; src may be longer.
func Widen(dst []float32, src []byte, t DType) {
	n := t.RowBytes(len(dst))
	checkQuant("Widen", src, t, nil, 1, len(dst))
	cur.widen[t](dst, src[:n])
}

// NarrowF16 writes src to dst as little-endian binary16, two bytes each, rounded
// to nearest, ties to even; what is too large becomes infinite.
func NarrowF16(dst []byte, src []float32) {
	checkLen("NarrowF16", len(dst), 2*len(src))
	cur.narrowF16(dst, src)
}

// MulQ is MulNTQ for few rows of A (decoding): weights are widened in registers
// and never stored. The bits are those of Widen and MulNT.
func MulQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	checkMat("MulQ", "c", len(c), ldc, m, n)
	checkMat("MulQ", "a", len(a), lda, m, k)
	checkQuant("MulQ", w, t, order, n, k)
	if m == 0 || n == 0 {
		return
	}
	cur.mulQ(c, ldc, a, lda, w, t, order, m, n, k)
}

// MulNTQ overwrites C [m,n] with A [m,k] times W [n,k] transposed, W quantized
// and widened panel by panel:
//
//	C[i,j] = sum_p A[i,p]*W[order[j],p]
//
// A nil order is the identity. The bits are those of Widen and MulNT.
func MulNTQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	checkMat("MulNTQ", "c", len(c), ldc, m, n)
	checkMat("MulNTQ", "a", len(a), lda, m, k)
	checkQuant("MulNTQ", w, t, order, n, k)
	if m == 0 || n == 0 {
		return
	}
	cur.mulNTQ(c, ldc, a, lda, w, t, order, m, n, k)
}

// AddNNQ adds A [m,k] times W [k,n] to C [m,n], W quantized and widened panel by
// panel:
//
//	for p := range k { C[i,j] += A[i,p]*W[order[p],j] }
//
// A nil order is the identity. The bits are those of Widen and AddNN. It is the
// gradient of a frozen linear's input: A is dY, C is dX.
func AddNNQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	checkMat("AddNNQ", "c", len(c), ldc, m, n)
	checkMat("AddNNQ", "a", len(a), lda, m, k)
	checkQuant("AddNNQ", w, t, order, k, n)
	if m == 0 || n == 0 || k == 0 {
		return
	}
	cur.addNNQ(c, ldc, a, lda, w, t, order, m, n, k)
}

// storedRow is row i of w as order has it, rb bytes long.
func storedRow(w []byte, order []int32, rb, i int) []byte {
	if order != nil {
		i = int(order[i])
	}
	return w[i*rb : i*rb+rb]
}
