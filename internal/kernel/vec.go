package kernel

import "math"

// Exp writes e to the power of src[i] to dst[i], within 2 units in the last
// place; dst may be src. Overflow gives +Inf, NaN stays NaN.
func Exp(dst, src []float32) {
	checkLen("Exp", len(dst), len(src))
	cur.exp(dst, src)
}

// ExpSum replaces x[i] by exp(x[i]-max) and returns the sum: index i belongs to
// lane i mod 8, lanes are summed as in MulNT.
func ExpSum(x []float32, max float32) float32 { return cur.expSum(x, max) }

// MaxOf is the largest of x, -Inf where x is empty. NaNs are passed over.
func MaxOf(x []float32) float32 { return cur.maxOf(x) }

// SumSquares is the sum of x[i]*x[i] in float64, index i in lane i mod 8, lanes
// summed as in MulNT.
func SumSquares(x []float32) float64 { return cur.sumSquares(x) }

// SiluMul is the gate of a Llama feed-forward:
//
//	dst[i] = gate[i]*sigmoid(gate[i]) * up[i]
//
// dst may be gate or up.
func SiluMul(dst, gate, up []float32) {
	checkLen("SiluMul", len(dst), len(gate))
	checkLen("SiluMul", len(dst), len(up))
	cur.siluMul(dst, gate, up)
}

// SiluMulGrad overwrites dgate and dup with the gradients of SiluMul:
//
//	s := sigmoid(gate[i])
//	dgate[i] = dact[i]*up[i] * (s + gate[i]*s*(1-s))
//	dup[i] = dact[i] * gate[i]*s
//
// Any output may be any input, but not the other output.
func SiluMulGrad(dgate, dup, dact, gate, up []float32) {
	checkLen("SiluMulGrad", len(dact), len(dgate))
	checkLen("SiluMulGrad", len(dact), len(dup))
	checkLen("SiluMulGrad", len(dact), len(gate))
	checkLen("SiluMulGrad", len(dact), len(up))
	cur.siluMulGrad(dgate, dup, dact, gate, up)
}

// GeluTanhMul is SiluMul with the tanh form of GELU for silu:
//
//	u := sqrt(2/pi) * (gate[i] + 0.044715*gate[i]^3)
//	dst[i] = gate[i]*sigmoid(2*u) * up[i]
//
// which is 0.5*gate*(1+tanh(u))*up.
func GeluTanhMul(dst, gate, up []float32) {
	checkLen("GeluTanhMul", len(dst), len(gate))
	checkLen("GeluTanhMul", len(dst), len(up))
	cur.geluMul(dst, gate, up)
}

// GeluTanhMulGrad overwrites dgate and dup with the gradients of GeluTanhMul.
// Any output may be any input, but not the other output.
func GeluTanhMulGrad(dgate, dup, dact, gate, up []float32) {
	checkLen("GeluTanhMulGrad", len(dact), len(dgate))
	checkLen("GeluTanhMulGrad", len(dact), len(dup))
	checkLen("GeluTanhMulGrad", len(dact), len(gate))
	checkLen("GeluTanhMulGrad", len(dact), len(up))
	cur.geluMulGrad(dgate, dup, dact, gate, up)
}

// RMSNorm normalizes one row and returns the factor its gradient needs:
//
//	rinv = 1 / sqrt(sum x[i]^2 / len(x) + eps)
//	dst[i] = x[i]*rinv * w[i]
//
// Index i belongs to lane i mod 32; lanes are summed in the order of
// (l, l+8, l+16, l+24) pairs and then as in MulNT. dst may be x.
func RMSNorm(dst, x, w []float32, eps float32) (rinv float32) {
	checkLen("RMSNorm", len(x), len(dst))
	checkLen("RMSNorm", len(x), len(w))
	if len(x) == 0 {
		return 0
	}
	return cur.rmsNorm(dst, x, w, eps)
}

// RMSNormGrad adds the gradient of RMSNorm's input to dx:
//
//	c := sum dy[i]*w[i]*x[i] * rinv*rinv / len(x)
//	dx[i] += rinv * (dy[i]*w[i] - c*x[i])
//
// The sum has the lanes of RMSNorm. The weights w are frozen and get none.
func RMSNormGrad(dx, dy, x, w []float32, rinv float32) {
	checkLen("RMSNormGrad", len(x), len(dx))
	checkLen("RMSNormGrad", len(x), len(dy))
	checkLen("RMSNormGrad", len(x), len(w))
	if len(x) == 0 {
		return
	}
	cur.rmsNormGrad(dx, dy, x, w, rinv)
}

// Rope rotates one head in place, in the layout of Hugging Face, where element i
// and element i+h form a pair, h = len(x)/2:
//
//	x[i], x[i+h] = x[i]*cos[i]-x[i+h]*sin[i], x[i+h]*cos[i]+x[i]*sin[i]
func Rope(x, cos, sin []float32) {
	checkLen("Rope", len(x), 2*len(cos))
	checkLen("Rope", len(x), 2*len(sin))
	cur.rope(x, cos, sin)
}

// RopeGrad turns the gradient of Rope's output into that of its input, in place:
// the rotation the other way.
func RopeGrad(x, cos, sin []float32) {
	checkLen("RopeGrad", len(x), 2*len(cos))
	checkLen("RopeGrad", len(x), 2*len(sin))
	cur.ropeGrad(x, cos, sin)
}

// SoftmaxGrad overwrites ds with the gradient of one row of scores, where p is
// the softmax, dp its gradient, d the sum of p*dp and scale what the scores were
// multiplied by:
//
//	ds[i] = p[i] * (dp[i]-d) * scale
//
// ds may be p or dp.
func SoftmaxGrad(ds, p, dp []float32, d, scale float32) {
	checkLen("SoftmaxGrad", len(ds), len(p))
	checkLen("SoftmaxGrad", len(ds), len(dp))
	cur.softmaxGrad(ds, p, dp, d, scale)
}

// Add adds a to dst.
func Add(dst, a []float32) {
	checkLen("Add", len(dst), len(a))
	cur.add(dst, a)
}

// AddScaled adds s*a to dst, one multiply-add each.
func AddScaled(dst, a []float32, s float32) {
	checkLen("AddScaled", len(dst), len(a))
	cur.addScaled(dst, a, s)
}

// Scale multiplies dst by s.
func Scale(dst []float32, s float32) { cur.scale(dst, s) }

// Mul overwrites dst with a*b, element by element; dst may be either.
func Mul(dst, a, b []float32) {
	checkLen("Mul", len(dst), len(a))
	checkLen("Mul", len(dst), len(b))
	cur.mul(dst, a, b)
}

// AddProduct adds a*b to dst, element by element, one multiply-add each.
func AddProduct(dst, a, b []float32) {
	checkLen("AddProduct", len(dst), len(a))
	checkLen("AddProduct", len(dst), len(b))
	cur.addProduct(dst, a, b)
}

// Transpose overwrites dst [cols, rows] with src [rows, cols] transposed:
// dst[j*ldd+i] = src[i*lds+j]. They do not overlap.
func Transpose(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	checkMat("Transpose", "dst", len(dst), ldd, cols, rows)
	checkMat("Transpose", "src", len(src), lds, rows, cols)
	cur.transpose(dst, ldd, src, lds, rows, cols)
}

// AddTransposed adds src [rows, cols] transposed to dst [cols, rows]:
// dst[j*ldd+i] += src[i*lds+j]. They do not overlap.
func AddTransposed(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	checkMat("AddTransposed", "dst", len(dst), ldd, cols, rows)
	checkMat("AddTransposed", "src", len(src), lds, rows, cols)
	cur.addTransposed(dst, ldd, src, lds, rows, cols)
}

// adamScalars are AdamW's constants, each computed in float64 and rounded once,
// as PyTorch passes them to its kernels.
type adamScalars struct {
	keep    float32 // 1 - lr*decay
	mCoef   float32 // 1-beta1, or -beta1 where 1-beta1 >= 0.5
	fromG   bool    // the mean is taken from g's end: 1-beta1 >= 0.5
	beta2   float32
	vCoef   float32 // 1 - beta2
	c2Root  float32 // sqrt(c2)
	eps     float32
	negStep float32 // -lr/c1
}

// AdamW takes one step of Adam with decoupled weight decay (Loshchilov and
// Hutter, https://arxiv.org/abs/1711.05101) on p, with gradient g and the running
// moments m and v, in PyTorch's order of operations:
//
//	p *= 1 - lr*decay
//	m += (1-beta1) * (g - m)
//	v = v*beta2 + (1-beta2)*g*g
//	p += (-lr/c1)*m / (sqrt(v)/sqrt(c2) + eps)
//
// c1 = 1-beta1^t and c2 = 1-beta2^t with t the step counted from 1.
func AdamW(p, m, v, g []float32, lr, beta1, beta2, eps, decay, c1, c2 float64) {
	checkLen("AdamW", len(p), len(m))
	checkLen("AdamW", len(p), len(v))
	checkLen("AdamW", len(p), len(g))
	s := adamScalars{
		keep:    float32(1 - lr*decay),
		mCoef:   float32(1 - beta1),
		beta2:   float32(beta2),
		vCoef:   float32(1 - beta2),
		c2Root:  float32(math.Sqrt(c2)),
		eps:     float32(eps),
		negStep: float32(-lr / c1),
	}
	if s.fromG = 1-beta1 >= 0.5; s.fromG {
		s.mCoef = float32(-beta1)
	}
	cur.adamW(p, m, v, g, s)
}
