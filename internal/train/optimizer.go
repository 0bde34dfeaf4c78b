package train

import (
	"fmt"
	"math"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
)

// Optimizer is AdamW with decoupled weight decay (arXiv:1711.05101) over the
// weights of an adapter, with the order of operations of torch.optim.AdamW.
type Optimizer struct {
	params  []param
	scratch [][]float32 // per worker: a gradient in the weights' order
	sums    []float64

	phase                            int
	rate, scale                      float64
	beta1, beta2, eps, decay, c1, c2 float64
	updates                          int
	parts                            pauses
}

// param is one factor of a pair: weights and moments are [Pad, features], the
// gradient [features, Pad].
type param struct {
	name       string
	w, m, v, g []float32
	rank       int
	pad, dim   int
}

// NewOptimizer makes the optimizer of an adapter whose pairs are trainable.
// alloc hands out zeroed memory.
func NewOptimizer(a *lora.Adapter, o *Options, alloc func(n int) []float32) *Optimizer {
	p := &Optimizer{beta1: o.Beta1, beta2: o.Beta2, eps: o.Eps, decay: o.Decay}
	most := 0
	a.Each(func(l int, mod lora.Module, q *op.Pair) {
		name := fmt.Sprintf("layers.%d.%s.", l, mod)
		p.params = append(p.params,
			param{name: name + "lora_A", w: q.A, g: q.GradA, m: alloc(len(q.A)), v: alloc(len(q.A)), rank: q.Rank, pad: q.Pad, dim: q.In},
			param{name: name + "lora_B", w: q.B, g: q.GradB, m: alloc(len(q.B)), v: alloc(len(q.B)), rank: q.Rank, pad: q.Pad, dim: q.Out})
		most = max(most, len(q.A), len(q.B))
	})
	p.sums = make([]float64, len(p.params))
	p.scratch = make([][]float32, kernel.Workers())
	for i := range p.scratch {
		p.scratch[i] = alloc(most)
	}
	return p
}

// Norm is the Euclidean norm of all gradients; it is not finite where one is
// not.
func (p *Optimizer) Norm() float64 {
	p.phase = 0
	p.parts.run(len(p.params), p)
	var sum float64
	for _, s := range p.sums {
		sum += s
	}
	return math.Sqrt(sum)
}

// Step multiplies the gradients by scale, updates the weights at the given
// rate and clears the gradients.
func (p *Optimizer) Step(rate, scale float64) {
	p.updates++
	p.phase, p.rate, p.scale = 1, rate, scale
	p.c1 = 1 - math.Pow(p.beta1, float64(p.updates))
	p.c2 = 1 - math.Pow(p.beta2, float64(p.updates))
	p.parts.run(len(p.params), p)
}

// Clear clears the gradients.
func (p *Optimizer) Clear() {
	for i := range p.params {
		clear(p.params[i].g)
	}
}

func (p *Optimizer) resume(updates int) {
	p.updates = updates
	p.Clear()
}

// state calls f for every factor with its weights and moments, without padding.
func (p *Optimizer) state(f func(name string, shape []int, x []float32)) {
	for i := range p.params {
		q := &p.params[i]
		n, shape := q.rank*q.dim, []int{q.rank, q.dim}
		f(q.name, shape, q.w[:n])
		f(q.name+".exp_avg", shape, q.m[:n])
		f(q.name+".exp_avg_sq", shape, q.v[:n])
	}
}

// ClipScale is what gradients of the given norm are multiplied by so that the
// norm stays within clip, as torch.nn.utils.clip_grad_norm_ does; 1 where clip
// is 0.
func ClipScale(norm, clip float64) float64 {
	if clip <= 0 {
		return 1
	}
	return min(1, clip/(norm+1e-6))
}

// Do runs task i.
func (p *Optimizer) Do(i, worker int) {
	q := &p.params[i]
	if p.phase == 0 {
		p.sums[i] = kernel.SumSquares(q.g)
		return
	}
	g := p.scratch[worker][:len(q.w)]
	kernel.Transpose(g, q.dim, q.g, q.pad, q.dim, q.pad)
	if p.scale != 1 {
		kernel.Scale(g, float32(p.scale))
	}
	kernel.AdamW(q.w, q.m, q.v, g, p.rate, p.beta1, p.beta2, p.eps, p.decay, p.c1, p.c2)
	clear(q.g)
}
