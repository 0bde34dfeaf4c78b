package op

import "github.com/getstroke/stroke/internal/kernel"

type gluTask struct {
	act, gate, up, dact, dgate, dup []float32
	n                               int
	gelu, back                      bool
}

// gluBlock is the number of elements a task takes.
const gluBlock = 8192

// GLU computes act = silu(gate)·up over n elements (SwiGLU, arXiv:2002.05202),
// or with gelu the tanh form of GELU in place of SiLU (GeGLU). act is
// overwritten and may be gate or up.
func (e *Exec) GLU(act, gate, up []float32, n int, gelu bool) {
	t := &e.glu
	*t = gluTask{act: act, gate: gate, up: up, n: n, gelu: gelu}
	run(ceilDiv(n, gluBlock), t)
}

// GLUGrad overwrites dgate and dup with the gradients for dact; dgate may
// be gate and dup may be up.
func (e *Exec) GLUGrad(dgate, dup, dact, gate, up []float32, n int, gelu bool) {
	t := &e.glu
	*t = gluTask{gate: gate, up: up, dact: dact, dgate: dgate, dup: dup, n: n, gelu: gelu, back: true}
	run(ceilDiv(n, gluBlock), t)
}

// Do runs task i.
func (t *gluTask) Do(i, worker int) {
	a, b := i*gluBlock, min((i+1)*gluBlock, t.n)
	switch {
	case t.back && t.gelu:
		kernel.GeluTanhMulGrad(t.dgate[a:b], t.dup[a:b], t.dact[a:b], t.gate[a:b], t.up[a:b])
	case t.back:
		kernel.SiluMulGrad(t.dgate[a:b], t.dup[a:b], t.dact[a:b], t.gate[a:b], t.up[a:b])
	case t.gelu:
		kernel.GeluTanhMul(t.act[a:b], t.gate[a:b], t.up[a:b])
	default:
		kernel.SiluMul(t.act[a:b], t.gate[a:b], t.up[a:b])
	}
}
