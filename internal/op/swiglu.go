package op

import "github.com/getstroke/stroke/internal/kernel"

type swigluTask struct {
	act, gate, up, dact, dgate, dup []float32
	n                               int
	back                            bool
}

// swigluBlock is the number of elements a task takes.
const swigluBlock = 8192

// SwiGLU computes act = silu(gate)·up over n elements (arXiv:2002.05202).
// act is overwritten and may be gate or up.
func (e *Exec) SwiGLU(act, gate, up []float32, n int) {
	t := &e.swiglu
	*t = swigluTask{act: act, gate: gate, up: up, n: n}
	run(ceilDiv(n, swigluBlock), t)
}

// SwiGLUGrad overwrites dgate and dup with the gradients for dact; dgate may
// be gate and dup may be up.
func (e *Exec) SwiGLUGrad(dgate, dup, dact, gate, up []float32, n int) {
	t := &e.swiglu
	*t = swigluTask{gate: gate, up: up, dact: dact, dgate: dgate, dup: dup, n: n, back: true}
	run(ceilDiv(n, swigluBlock), t)
}

// Do runs task i.
func (t *swigluTask) Do(i, worker int) {
	a, b := i*swigluBlock, min((i+1)*swigluBlock, t.n)
	if t.back {
		kernel.SiluMulGrad(t.dgate[a:b], t.dup[a:b], t.dact[a:b], t.gate[a:b], t.up[a:b])
	} else {
		kernel.SiluMul(t.act[a:b], t.gate[a:b], t.up[a:b])
	}
}
