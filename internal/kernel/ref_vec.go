package kernel

import "math"

// The exponential is that of Cephes (expf.c): x = n*ln2 + r with ln2 in two
// parts, a polynomial of degree seven in r, and two multiplications by powers of
// two so that subnormal results round once. The assembly uses the same constants.
const (
	expMax    = 89   // e^89 overflows
	expMin    = -104 // e^-104 rounds to zero
	expLog2e  = 1.44269504088896341
	expLn2Hi  = 0.693359375
	expLn2Lo  = -2.12194440e-4
	expP0     = 1.9875691500e-4
	expP1     = 1.3981999507e-3
	expP2     = 8.3334519073e-3
	expP3     = 4.1665795894e-2
	expP4     = 1.6666665459e-1
	expP5     = 5.0000001201e-1
	expRound  = 3 << 22            // adding it rounds to an integer
	geluScale = 1.5957691216057308 // 2*sqrt(2/pi)
	geluCube  = 0.044715
)

func exp32(x float32) float32 {
	if x > expMax {
		x = expMax
	}
	if x < expMin {
		x = expMin
	}
	n := float32(x*expLog2e) + expRound - expRound
	r := x - n*expLn2Hi
	r -= n * expLn2Lo
	y := float32(expP0)
	y = y*r + expP1
	y = y*r + expP2
	y = y*r + expP3
	y = y*r + expP4
	y = y*r + expP5
	y = y*(r*r) + r
	y++
	i := int32(n)
	h := i >> 1
	return y * pow2(h) * pow2(i-h)
}

// pow2 is 2^n for n within the normal exponents.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

func sigmoid(x float32) float32 { return 1 / (1 + exp32(-x)) }

func expSlice(dst, src []float32) {
	dst = dst[:len(src)]
	for i, x := range src {
		dst[i] = exp32(x)
	}
}

func expSum(x []float32, max float32) float32 {
	var lanes [8]float32
	for i, v := range x {
		e := exp32(v - max)
		x[i] = e
		lanes[i&7] += e
	}
	return sumLanes(&lanes)
}

func maxOf(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

func sumSquares(x []float32) float64 {
	var l [8]float64
	for i, v := range x {
		l[i&7] += float64(v) * float64(v)
	}
	return ((l[0] + l[1]) + (l[2] + l[3])) + ((l[4] + l[5]) + (l[6] + l[7]))
}

func siluMul(dst, gate, up []float32) {
	for i, g := range gate {
		dst[i] = g * sigmoid(g) * up[i]
	}
}

func siluMulGrad(dgate, dup, dact, gate, up []float32) {
	for i, d := range dact {
		g, u := gate[i], up[i]
		s := sigmoid(g)
		gs := g * s
		dgate[i] = d * u * (s + gs*(1-s))
		dup[i] = d * gs
	}
}

func geluMul(dst, gate, up []float32) {
	for i, g := range gate {
		s := sigmoid(geluScale * (g + geluCube*g*g*g))
		dst[i] = g * s * up[i]
	}
}

func geluMulGrad(dgate, dup, dact, gate, up []float32) {
	for i, d := range dact {
		g, u := gate[i], up[i]
		s := sigmoid(geluScale * (g + geluCube*g*g*g))
		gs := g * s
		slope := geluScale * (1 + 3*geluCube*g*g)
		dgate[i] = d * u * (s + gs*(1-s)*slope)
		dup[i] = d * gs
	}
}

// sum32 folds the 32 lanes of RMSNorm.
func sum32(l *[32]float32) float32 {
	var s [8]float32
	for i := range s {
		s[i] = (l[i] + l[i+8]) + (l[i+16] + l[i+24])
	}
	return sumLanes(&s)
}

func rmsNorm(dst, x, w []float32, eps float32) float32 {
	var lanes [32]float32
	for i, v := range x {
		lanes[i&31] += v * v
	}
	rinv := rootInv(sum32(&lanes)/float32(len(x)) + eps)
	for i, v := range x {
		dst[i] = v * rinv * w[i]
	}
	return rinv
}

// rootInv is 1/sqrt(v), both operations rounded once.
func rootInv(v float32) float32 { return 1 / float32(math.Sqrt(float64(v))) }

func rmsNormGrad(dx, dy, x, w []float32, rinv float32) {
	var lanes [32]float32
	for i, v := range x {
		lanes[i&31] += float32(dy[i]*w[i]) * v
	}
	c := sum32(&lanes) * rinv * rinv / float32(len(x))
	for i, v := range x {
		dx[i] += rinv * (dy[i]*w[i] - c*v)
	}
}

func rope(x, cos, sin []float32) {
	h := len(cos)
	lo, hi := x[:h], x[h:2*h]
	for i, c := range cos {
		s, a, b := sin[i], lo[i], hi[i]
		lo[i] = a*c - b*s
		hi[i] = b*c + a*s
	}
}

func ropeGrad(x, cos, sin []float32) {
	h := len(cos)
	lo, hi := x[:h], x[h:2*h]
	for i, c := range cos {
		s, a, b := sin[i], lo[i], hi[i]
		lo[i] = a*c + b*s
		hi[i] = b*c - a*s
	}
}

func softmaxGrad(ds, p, dp []float32, d, scale float32) {
	for i, v := range p {
		ds[i] = v * (dp[i] - d) * scale
	}
}

func add(dst, a []float32) {
	for i, v := range a {
		dst[i] += v
	}
}

func addScaled(dst, a []float32, s float32) {
	for i, v := range a {
		dst[i] += s * v
	}
}

func scale(dst []float32, s float32) {
	for i := range dst {
		dst[i] *= s
	}
}

func mul(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = v * b[i]
	}
}

func addProduct(dst, a, b []float32) {
	for i, v := range a {
		dst[i] += v * b[i]
	}
}

func adamW(p, m, v, g []float32, s adamScalars) {
	for i, gi := range g {
		base := m[i]
		if s.fromG {
			base = gi
		}
		mi := base + s.mCoef*(gi-m[i])
		vi := float32(v[i]*s.beta2) + float32(float32(s.vCoef*gi)*gi)
		m[i], v[i] = mi, vi
		denom := float32(math.Sqrt(float64(vi)))/s.c2Root + s.eps
		p[i] = float32(p[i]*s.keep) + s.negStep*mi/denom
	}
}

func transpose(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	for i := range rows {
		for j, v := range src[i*lds : i*lds+cols] {
			dst[j*ldd+i] = v
		}
	}
}

func addTransposed(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	for i := range rows {
		for j, v := range src[i*lds : i*lds+cols] {
			dst[j*ldd+i] += v
		}
	}
}
