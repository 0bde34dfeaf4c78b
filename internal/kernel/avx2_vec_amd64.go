//go:build !purego

package kernel

// The assembly wants at least one element; these functions see to that. Lengths
// have been checked by the public functions.

func avx2ExpSlice(dst, src []float32) {
	if n := len(src); n > 0 {
		avx2Exp(&dst[0], &src[0], n)
	}
}

func avx2ExpSumSlice(x []float32, max float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return avx2ExpSum(&x[0], len(x), max)
}

func avx2MaxOfSlice(x []float32) float32 {
	if len(x) == 0 {
		return maxOf(x)
	}
	return avx2MaxOf(&x[0], len(x))
}

func avx2SumSquaresSlice(x []float32) float64 {
	if len(x) == 0 {
		return 0
	}
	return avx2SumSquares(&x[0], len(x))
}

// avx2Gate makes an operation on slices of a loop over two inputs.
func avx2Gate(loop func(dst, a, b *float32, n int)) func(dst, a, b []float32) {
	return func(dst, a, b []float32) {
		if n := len(dst); n > 0 {
			loop(&dst[0], &a[0], &b[0], n)
		}
	}
}

func avx2GateGrad(loop func(dgate, dup, dact, gate, up *float32, n int)) func(dgate, dup, dact, gate, up []float32) {
	return func(dgate, dup, dact, gate, up []float32) {
		if n := len(dact); n > 0 {
			loop(&dgate[0], &dup[0], &dact[0], &gate[0], &up[0], n)
		}
	}
}

func avx2RMSNorm(dst, x, w []float32, eps float32) float32 {
	n := len(x)
	rinv := rootInv(avx2SumSquares32(&x[0], n)/float32(n) + eps)
	avx2NormScale(&dst[0], &x[0], &w[0], n, rinv)
	return rinv
}

func avx2RMSNormGrad(dx, dy, x, w []float32, rinv float32) {
	n := len(x)
	c := avx2SumProducts32(&dy[0], &w[0], &x[0], n) * rinv * rinv / float32(n)
	avx2NormGrad(&dx[0], &dy[0], &x[0], &w[0], n, rinv, c)
}

func avx2Rotate(loop func(lo, hi, cos, sin *float32, n int)) func(x, cos, sin []float32) {
	return func(x, cos, sin []float32) {
		if h := len(cos); h > 0 {
			loop(&x[0], &x[h], &cos[0], &sin[0], h)
		}
	}
}

func avx2SoftmaxGradSlice(ds, p, dp []float32, d, scale float32) {
	if n := len(ds); n > 0 {
		avx2SoftmaxGrad(&ds[0], &p[0], &dp[0], n, d, scale)
	}
}

func avx2AddSlice(dst, a []float32) {
	if n := len(dst); n > 0 {
		avx2Add(&dst[0], &a[0], n)
	}
}

func avx2AddScaledSlice(dst, a []float32, s float32) {
	if n := len(dst); n > 0 {
		avx2AddScaled(&dst[0], &a[0], n, s)
	}
}

func avx2ScaleSlice(dst []float32, s float32) {
	if n := len(dst); n > 0 {
		avx2Scale(&dst[0], n, s)
	}
}

func avx2AdamWSlice(p, m, v, g []float32, s adamScalars) {
	if s.fromG { // beta1 of a half or less, which nobody trains with
		adamW(p, m, v, g, s)
		return
	}
	if n := len(p); n > 0 {
		avx2AdamW(&p[0], &m[0], &v[0], &g[0], n, s.keep, s.mCoef, s.beta2, s.vCoef, s.c2Root, s.eps, s.negStep)
	}
}

func avx2Transpose(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	r, c := rows&^7, cols&^7
	if c > 0 {
		for i := 0; i < r; i += 8 {
			avx2Transpose8(&dst[i], ldd, &src[i*lds], lds, c)
		}
	}
	if r > 0 && c < cols {
		transpose(dst[c*ldd:], ldd, src[c:], lds, r, cols-c)
	}
	if r < rows {
		transpose(dst[r:], ldd, src[r*lds:], lds, rows-r, cols)
	}
}

func avx2AddTransposed(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	r, c := rows&^7, cols&^7
	if c > 0 {
		for i := 0; i < r; i += 8 {
			avx2AddTransposed8(&dst[i], ldd, &src[i*lds], lds, c)
		}
	}
	if r > 0 && c < cols {
		addTransposed(dst[c*ldd:], ldd, src[c:], lds, r, cols-c)
	}
	if r < rows {
		addTransposed(dst[r:], ldd, src[r*lds:], lds, rows-r, cols)
	}
}

func avx2Narrow(dst []byte, src []float32) {
	n := len(src) &^ 7
	if n > 0 {
		avx2NarrowF16(&dst[0], &src[0], n)
	}
	narrowF16(dst[2*n:], src[n:])
}
