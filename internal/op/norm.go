package op

import "github.com/getstroke/stroke/internal/kernel"

type normTask struct {
	y, dy, x, dx, w, rinv []float32
	n, dim, rows          int
	eps                   float32
	back                  bool
}

// RMSNorm computes y = x · rinv · w for each of n rows of dim features, where
// rinv = 1/√(mean(x²)+eps) (arXiv:1910.07467). y [n, dim] and rinv [n] are
// overwritten; y may be x.
func (e *Exec) RMSNorm(y, rinv, x, w []float32, n, dim int, eps float32) {
	t := &e.norm
	*t = normTask{y: y, x: x, w: w, rinv: rinv, n: n, dim: dim, eps: eps, rows: rowChunk(n, 32)}
	run(ceilDiv(n, t.rows), t)
}

// RMSNormGrad adds the gradient of RMSNorm to dx [n, dim], reading dy [n, dim],
// x and the rinv that the forward pass wrote.
func (e *Exec) RMSNormGrad(dx, dy, x, w, rinv []float32, n, dim int) {
	t := &e.norm
	*t = normTask{dx: dx, dy: dy, x: x, w: w, rinv: rinv, n: n, dim: dim, back: true, rows: rowChunk(n, 32)}
	run(ceilDiv(n, t.rows), t)
}

// Do runs task i.
func (t *normTask) Do(i, worker int) {
	for r := i * t.rows; r < min((i+1)*t.rows, t.n); r++ {
		x := t.x[r*t.dim : (r+1)*t.dim]
		if t.back {
			kernel.RMSNormGrad(t.dx[r*t.dim:(r+1)*t.dim], t.dy[r*t.dim:(r+1)*t.dim], x, t.w, t.rinv[r])
		} else {
			t.rinv[r] = kernel.RMSNorm(t.y[r*t.dim:(r+1)*t.dim], x, t.w, t.eps)
		}
	}
}
