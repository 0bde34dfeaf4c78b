//go:build !purego

package kernel

// The assembly wants at least one element; these functions see to that. Lengths
// have been checked by the public functions.

func neonExpSlice(dst, src []float32) {
	if n := len(src); n > 0 {
		neonExp(&dst[0], &src[0], n)
	}
}

func neonExpSumSlice(x []float32, max float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return neonExpSum(&x[0], len(x), max)
}

func neonMaxOfSlice(x []float32) float32 {
	if len(x) == 0 {
		return maxOf(x)
	}
	return neonMaxOf(&x[0], len(x))
}

func neonSumSquaresSlice(x []float32) float64 {
	if len(x) == 0 {
		return 0
	}
	return neonSumSquares(&x[0], len(x))
}

// neonGate makes an operation on slices of a loop over two inputs.
func neonGate(loop func(dst, a, b *float32, n int)) func(dst, a, b []float32) {
	return func(dst, a, b []float32) {
		if n := len(dst); n > 0 {
			loop(&dst[0], &a[0], &b[0], n)
		}
	}
}

func neonGateGrad(loop func(dgate, dup, dact, gate, up *float32, n int)) func(dgate, dup, dact, gate, up []float32) {
	return func(dgate, dup, dact, gate, up []float32) {
		if n := len(dact); n > 0 {
			loop(&dgate[0], &dup[0], &dact[0], &gate[0], &up[0], n)
		}
	}
}

func neonRMSNorm(dst, x, w []float32, eps float32) float32 {
	n := len(x)
	rinv := rootInv(neonSumSquares32(&x[0], n)/float32(n) + eps)
	neonNormScale(&dst[0], &x[0], &w[0], n, rinv)
	return rinv
}

func neonRMSNormGrad(dx, dy, x, w []float32, rinv float32) {
	n := len(x)
	c := neonSumProducts32(&dy[0], &w[0], &x[0], n) * rinv * rinv / float32(n)
	neonNormGrad(&dx[0], &dy[0], &x[0], &w[0], n, rinv, c)
}

func neonRotate(loop func(lo, hi, cos, sin *float32, n int)) func(x, cos, sin []float32) {
	return func(x, cos, sin []float32) {
		if h := len(cos); h > 0 {
			loop(&x[0], &x[h], &cos[0], &sin[0], h)
		}
	}
}

func neonSoftmaxGradSlice(ds, p, dp []float32, d, scale float32) {
	if n := len(ds); n > 0 {
		neonSoftmaxGrad(&ds[0], &p[0], &dp[0], n, d, scale)
	}
}

func neonAddSlice(dst, a []float32) {
	if n := len(dst); n > 0 {
		neonAdd(&dst[0], &a[0], n)
	}
}

func neonAddScaledSlice(dst, a []float32, s float32) {
	if n := len(dst); n > 0 {
		neonAddScaled(&dst[0], &a[0], n, s)
	}
}

func neonScaleSlice(dst []float32, s float32) {
	if n := len(dst); n > 0 {
		neonScale(&dst[0], n, s)
	}
}

func neonAdamWSlice(p, m, v, g []float32, s adamScalars) {
	if s.fromG { // beta1 of a half or less, which nobody trains with
		adamW(p, m, v, g, s)
		return
	}
	if n := len(p); n > 0 {
		neonAdamW(&p[0], &m[0], &v[0], &g[0], n, s.keep, s.mCoef, s.beta2, s.vCoef, s.c2Root, s.eps, s.negStep)
	}
}

func neonTranspose(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	r, c := rows&^7, cols&^3
	if c > 0 {
		for i := 0; i < r; i += 8 {
			neonTranspose8(&dst[i], ldd, &src[i*lds], lds, c)
		}
	}
	if r > 0 && c < cols {
		transpose(dst[c*ldd:], ldd, src[c:], lds, r, cols-c)
	}
	if r < rows {
		transpose(dst[r:], ldd, src[r*lds:], lds, rows-r, cols)
	}
}

func neonAddTransposed(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	r, c := rows&^7, cols&^3
	if c > 0 {
		for i := 0; i < r; i += 8 {
			neonAddTransposed8(&dst[i], ldd, &src[i*lds], lds, c)
		}
	}
	if r > 0 && c < cols {
		addTransposed(dst[c*ldd:], ldd, src[c:], lds, r, cols-c)
	}
	if r < rows {
		addTransposed(dst[r:], ldd, src[r*lds:], lds, rows-r, cols)
	}
}

func neonNarrow(dst []byte, src []float32) {
	n := len(src) &^ 7
	if n > 0 {
		neonNarrowF16(&dst[0], &src[0], n)
	}
	narrowF16(dst[2*n:], src[n:])
}

// neonExp: dst = e^x
//
//go:noescape
func neonExp(dst *float32, x *float32, n int)

// neonSiluMul: dst = gate*sigmoid(gate)*up
//
//go:noescape
func neonSiluMul(dst *float32, gate *float32, up *float32, n int)

// neonSiluMulGrad: the gradients of neonSiluMul
//
//go:noescape
func neonSiluMulGrad(dgate *float32, dup *float32, dact *float32, gate *float32, up *float32, n int)

// neonGeluMul: dst = gelu(gate)*up, the tanh form
//
//go:noescape
func neonGeluMul(dst *float32, gate *float32, up *float32, n int)

// neonGeluMulGrad: the gradients of neonGeluMul
//
//go:noescape
func neonGeluMulGrad(dgate *float32, dup *float32, dact *float32, gate *float32, up *float32, n int)

// neonNormScale: dst = x*rinv*w
//
//go:noescape
func neonNormScale(dst *float32, x *float32, w *float32, n int, rinv float32)

// neonNormGrad: dx += rinv*(dy*w - c*x)
//
//go:noescape
func neonNormGrad(dx *float32, dy *float32, x *float32, w *float32, n int, rinv float32, c float32)

// neonRope: lo, hi = lo*cos-hi*sin, hi*cos+lo*sin
//
//go:noescape
func neonRope(lo *float32, hi *float32, cos *float32, sin *float32, n int)

// neonRopeGrad: lo, hi = lo*cos+hi*sin, hi*cos-lo*sin
//
//go:noescape
func neonRopeGrad(lo *float32, hi *float32, cos *float32, sin *float32, n int)

// neonSoftmaxGrad: ds = p*(dp-d)*scale
//
//go:noescape
func neonSoftmaxGrad(ds *float32, p *float32, dp *float32, n int, d float32, scale float32)

// neonAdd: dst += a
//
//go:noescape
func neonAdd(dst *float32, a *float32, n int)

// neonAddScaled: dst += s*a
//
//go:noescape
func neonAddScaled(dst *float32, a *float32, n int, s float32)

// neonScale: dst *= s
//
//go:noescape
func neonScale(dst *float32, n int, s float32)

// neonMul: dst = a*b
//
//go:noescape
func neonMul(dst *float32, a *float32, b *float32, n int)

// neonAddProduct: dst += a*b
//
//go:noescape
func neonAddProduct(dst *float32, a *float32, b *float32, n int)

// neonAdamW: one step, its constants as in adamScalars
//
//go:noescape
func neonAdamW(p *float32, m *float32, v *float32, grad *float32, n int, keep float32, mCoef float32, beta2 float32, vCoef float32, c2Root float32, eps float32, negStep float32)

// neonSumSquares32: the sum of x*x, in the lanes of RMSNorm
//
//go:noescape
func neonSumSquares32(x *float32, n int) float32

// neonSumProducts32: the sum of (a*b)*c, in the lanes of RMSNorm
//
//go:noescape
func neonSumProducts32(a *float32, b *float32, c *float32, n int) float32

// neonMaxOf: the largest of x, NaNs passed over
//
//go:noescape
func neonMaxOf(x *float32, n int) float32

// neonExpSum: x = e^(x-max), and the sum, index i in lane i mod 8
//
//go:noescape
func neonExpSum(x *float32, n int, max float32) float32

// neonSumSquares: the sum of x*x in float64, index i in lane i mod 8
//
//go:noescape
func neonSumSquares(x *float32, n int) float64

// neonTranspose8 writes eight rows of src transposed: cols rows of eight floats of dst, cols a
// positive multiple of four.
//
//go:noescape
func neonTranspose8(dst *float32, ldd int, src *float32, lds int, cols int)

// neonAddTransposed8 adds eight rows of src transposed: cols rows of eight floats of dst, cols a
// positive multiple of four.
//
//go:noescape
func neonAddTransposed8(dst *float32, ldd int, src *float32, lds int, cols int)

// neonNarrowF16 rounds n floats to binary16, n a positive multiple of eight.
//
//go:noescape
func neonNarrowF16(dst *byte, src *float32, n int)
