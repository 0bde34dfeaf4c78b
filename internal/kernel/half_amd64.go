//go:build !purego

package kernel

func avx2MulNTHalf(c []float32, ldc int, a []float32, lda int, b []byte, ahead uintptr, m, n, k int) int {
	if n &^= 3; n == 0 || k%8 != 0 {
		return 0
	}
	avx2DotHalf(&c[0], ldc, &a[0], lda, &b[0], ahead, m, n, k)
	return n
}

func avx512MulNTHalf(c []float32, ldc int, a []float32, lda int, b []byte, ahead uintptr, m, n, k int) int {
	if n &^= 3; n == 0 || k%16 != 0 {
		return 0
	}
	avx512DotHalf(&c[0], ldc, &a[0], lda, &b[0], ahead, m, n, k)
	return n
}

// avx2AddNNHalf takes up to three rows of A and 16 to 64 columns at a time.
func avx2AddNNHalf(c []float32, ldc int, a []float32, lda int, b []byte, ldb int, ahead uintptr, m, n, k int) int {
	n &^= 15
	for i := 0; i < m; {
		rows := min(3, m-i)
		if m-i == 4 {
			rows = 2
		}
		a := &a[i*lda]
		for j := 0; j < n; {
			c, b := &c[i*ldc+j], &b[2*j]
			switch wide := n-j >= 32; {
			case rows == 1 && n-j >= 64:
				avx2OuterHalf1x64(c, ldc, a, lda, 1, b, ldb, ahead, k)
				j += 64
				continue
			case rows == 1 && wide:
				avx2OuterHalf1x32(c, ldc, a, lda, 1, b, ldb, ahead, k)
			case rows == 1:
				avx2OuterHalf1x16(c, ldc, a, lda, 1, b, ldb, ahead, k)
			case rows == 2 && wide:
				avx2OuterHalf2x32(c, ldc, a, lda, 1, b, ldb, ahead, k)
			case rows == 2:
				avx2OuterHalf2x16(c, ldc, a, lda, 1, b, ldb, ahead, k)
			case wide:
				avx2OuterHalf3x32(c, ldc, a, lda, 1, b, ldb, ahead, k)
			default:
				avx2OuterHalf3x16(c, ldc, a, lda, 1, b, ldb, ahead, k)
			}
			j += min(32, n-j)
		}
		i += rows
	}
	return n
}

// avx512AddNNHalf takes 64 columns at a time; what is left is the AVX2 kind's.
func avx512AddNNHalf(c []float32, ldc int, a []float32, lda int, b []byte, ldb int, ahead uintptr, m, n, k int) int {
	whole := n &^ 63
	for i := 0; i < m; i += 4 {
		for j := 0; j < whole; j += 64 {
			c, a, b := &c[i*ldc+j], &a[i*lda], &b[2*j]
			switch min(4, m-i) {
			case 1:
				avx512OuterHalf1x64(c, ldc, a, lda, 1, b, ldb, ahead, k)
			case 2:
				avx512OuterHalf2x64(c, ldc, a, lda, 1, b, ldb, ahead, k)
			case 3:
				avx512OuterHalf3x64(c, ldc, a, lda, 1, b, ldb, ahead, k)
			case 4:
				avx512OuterHalf4x64(c, ldc, a, lda, 1, b, ldb, ahead, k)
			}
		}
	}
	if n-whole < 16 {
		return whole
	}
	return whole + avx2AddNNHalf(c[whole:], ldc, a, lda, b[2*whole:], ldb, ahead, m, n-whole, k)
}
