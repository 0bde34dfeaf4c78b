package train

import (
	"math"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
)

// Method is how an optimizer scales gradients.
type Method string

// The optimizers of weights. An adapter is trained with AdamW.
const (
	// AdamW is Adam with decoupled weight decay (arXiv:1711.05101), in the order of
	// operations of torch.optim.AdamW. It keeps two moments of each weight.
	AdamW Method = "adamw"
	// Adafactor (arXiv:1804.04235) is without momentum, with the second moment of a
	// matrix as the product of a column and a row, as torch.optim.Adafactor has it.
	// Its rate is relative to the root mean square of the weights it moves.
	Adafactor Method = "adafactor"
)

// Constants of torch.optim.Adafactor.
const (
	factorDecay  = -0.8                   // 1-β₂ is step to this power
	factorEps    = 1.1920928955078125e-07 // below it a variance is not trusted; the square root of the least one
	factorLeast  = 1e-3                   // root mean square of the weights, at the least
	factorClip   = 1.0                    // root mean square of an update, at the most
	adamChunk    = 1 << 16                // weights that a task of AdamW takes
	columnsBlock = 256                    // rows whose squares are summed before they join the others
)

// WeightOptimizer moves weights of a model, with AdamW or Adafactor.
type WeightOptimizer struct {
	method  Method
	params  []weightParam
	chunks  []chunk
	sums    []float64
	scratch [][]float32 // Adafactor, per worker: [2, columns]

	phase                            int
	rate, scale                      float64
	beta1, beta2, eps, decay, c1, c2 float64
	updates                          int
	parts                            pauses
}

type weightParam struct {
	*model.Param
	m, v       []float32 // AdamW: of each weight
	rows, cols []float32 // Adafactor: mean squares of a matrix's rows and columns
	each       []float32 // Adafactor: mean squares of a vector's weights
}

// chunk is a part of a weight.
type chunk struct{ param, lo, hi int }

// momentFloats is the number of float32 that a method keeps of a tensor.
func momentFloats(method Method, shape []int) int {
	n := shape[0]
	if len(shape) == 1 {
		if method == Adafactor {
			return tensor.Aligned(n)
		}
		return 2 * tensor.Aligned(n)
	}
	if method == Adafactor {
		return tensor.Aligned(n) + tensor.Aligned(shape[1])
	}
	return 2 * tensor.Aligned(n*shape[1])
}

// weightFloats is the number of float32 that tensors take with their gradients,
// what the optimizer keeps of them and its scratch.
func weightFloats(method Method, shapes [][]int) int {
	total, widest := 0, 0
	for _, s := range shapes {
		n := 1
		for _, d := range s {
			n *= d
		}
		total += 2*tensor.Aligned(n) + momentFloats(method, s)
		if len(s) == 2 {
			widest = max(widest, s[1])
		}
	}
	if method == Adafactor {
		total += kernel.Workers() * tensor.Aligned(2*widest)
	}
	return total
}

// NewWeightOptimizer makes the optimizer of a view's weights. alloc hands out
// zeroed memory.
func NewWeightOptimizer(params []*model.Param, o *Options, alloc func(n int) []float32) *WeightOptimizer {
	p := &WeightOptimizer{method: o.Optimizer, beta1: o.Beta1, beta2: o.Beta2, eps: o.Eps, decay: o.Decay}
	widest := 0
	for i, q := range params {
		w := weightParam{Param: q}
		switch {
		case p.method != Adafactor:
			w.m, w.v = alloc(len(q.W)), alloc(len(q.W))
		case len(q.Shape) == 2:
			w.rows, w.cols = alloc(q.Shape[0]), alloc(q.Shape[1])
			widest = max(widest, q.Shape[1])
		default:
			w.each = alloc(len(q.W))
		}
		p.params = append(p.params, w)
		for lo := 0; lo < len(q.W); lo += adamChunk {
			p.chunks = append(p.chunks, chunk{i, lo, min(lo+adamChunk, len(q.W))})
		}
	}
	p.sums = make([]float64, len(p.chunks))
	if p.method == Adafactor {
		p.scratch = make([][]float32, kernel.Workers())
		for i := range p.scratch {
			p.scratch[i] = alloc(2 * widest)
		}
	}
	return p
}

// Norm is the Euclidean norm of all gradients; it is not finite where one is
// not.
func (p *WeightOptimizer) Norm() float64 {
	p.phase = 0
	p.parts.run(len(p.chunks), p)
	var sum float64
	for _, s := range p.sums {
		sum += s
	}
	return math.Sqrt(sum)
}

// Step multiplies the gradients by scale, updates the weights at the given
// rate and clears the gradients.
func (p *WeightOptimizer) Step(rate, scale float64) {
	p.updates++
	p.rate, p.scale = rate, scale
	if p.method == Adafactor {
		p.phase = 2
		p.parts.run(len(p.params), p)
		return
	}
	p.phase = 1
	p.c1 = 1 - math.Pow(p.beta1, float64(p.updates))
	p.c2 = 1 - math.Pow(p.beta2, float64(p.updates))
	p.parts.run(len(p.chunks), p)
}

// Clear clears the gradients.
func (p *WeightOptimizer) Clear() {
	for i := range p.params {
		clear(p.params[i].Grad)
	}
}

func (p *WeightOptimizer) resume(updates int) {
	p.updates = updates
	p.Clear()
}

// state calls f for every weight and what is kept of it.
func (p *WeightOptimizer) state(f func(name string, shape []int, x []float32)) {
	for i := range p.params {
		q := &p.params[i]
		f(q.Name, q.Shape, q.W)
		switch {
		case p.method != Adafactor:
			f(q.Name+".exp_avg", q.Shape, q.m)
			f(q.Name+".exp_avg_sq", q.Shape, q.v)
		case q.each != nil:
			f(q.Name+".variance", q.Shape, q.each)
		default:
			f(q.Name+".row_var", q.Shape[:1], q.rows)
			f(q.Name+".col_var", q.Shape[1:], q.cols)
		}
	}
}

// Do runs task i.
func (p *WeightOptimizer) Do(i, worker int) {
	if p.phase == 2 {
		p.factored(&p.params[i], worker)
		return
	}
	c := p.chunks[i]
	q := &p.params[c.param]
	g := q.Grad[c.lo:c.hi]
	if p.phase == 0 {
		p.sums[i] = kernel.SumSquares(g)
		return
	}
	if p.scale != 1 {
		kernel.Scale(g, float32(p.scale))
	}
	w := q.W[c.lo:c.hi]
	shift(w, -q.Shift)
	kernel.AdamW(w, q.m[c.lo:c.hi], q.v[c.lo:c.hi], g, p.rate, p.beta1, p.beta2, p.eps, p.decay, p.c1, p.c2)
	shift(w, q.Shift)
	clear(g)
}

// shift adds s to every weight.
func shift(w []float32, s float32) {
	if s == 0 {
		return
	}
	for i := range w {
		w[i] += s
	}
}

// factored takes one step of Adafactor: with w the weights, g their gradient, t
// the step counted from 1, and means over the whole tensor,
//
//	ρ = min(rate, 1/√t), α = max(factorLeast, √mean(w²)) · ρ
//	w *= 1 - rate·decay
//	R += t^factorDecay · (mean of g² over a row - R), C likewise over a column
//	u = g / √max(R·C/mean(R), factorEps²)
//	w -= α / max(1, √mean(u²)/factorClip) · u
//
// and for a vector, whose g² is kept whole, with it in place of R·C/mean(R).
func (p *WeightOptimizer) factored(q *weightParam, worker int) {
	w, g := q.W, q.Grad
	if p.scale != 1 {
		kernel.Scale(g, float32(p.scale))
	}
	shift(w, -q.Shift)
	n, t := float64(len(w)), float64(p.updates)
	alpha := max(factorLeast, math.Sqrt(kernel.SumSquares(w)/n)) * min(p.rate, 1/math.Sqrt(t))
	if p.decay != 0 {
		kernel.Scale(w, float32(1-p.rate*p.decay))
	}
	part := float32(math.Pow(t, factorDecay))
	if q.each != nil {
		for i, x := range g {
			q.each[i] += part * (x*x - q.each[i])
			g[i] = x / float32(math.Sqrt(float64(max(q.each[i], factorEps*factorEps))))
		}
	} else {
		p.direction(q, part, worker)
	}
	kernel.AddScaled(w, g, float32(-alpha/max(1, math.Sqrt(kernel.SumSquares(g)/n)/factorClip)))
	shift(w, q.Shift)
	clear(g)
}

// direction overwrites the gradient of a matrix with u; see factored.
func (p *WeightOptimizer) direction(q *weightParam, part float32, worker int) {
	rows, cols := q.Shape[0], q.Shape[1]
	row := func(r int) []float32 { return q.Grad[r*cols : (r+1)*cols] }
	sum, block := p.scratch[worker][:cols], p.scratch[worker][cols:2*cols]
	clear(sum)
	var mean float64
	for lo := 0; lo < rows; lo += columnsBlock {
		clear(block)
		for r := lo; r < min(lo+columnsBlock, rows); r++ {
			g := row(r)
			q.rows[r] += part * (float32(kernel.SumSquares(g)/float64(cols)) - q.rows[r])
			mean += float64(q.rows[r])
			kernel.AddProduct(block, g, g)
		}
		kernel.Add(sum, block)
	}
	mean = max(mean/float64(rows), factorEps)
	least := float32(math.Inf(1))
	root := block // what each column is divided by, inverted
	for c := range cols {
		q.cols[c] += part * (sum[c]/float32(rows) - q.cols[c])
		least = min(least, q.cols[c])
		root[c] = 1 / float32(math.Sqrt(float64(q.cols[c])))
	}
	for r := range rows {
		g, share := row(r), float32(float64(q.rows[r])/mean)
		if share*least >= factorEps*factorEps {
			kernel.Mul(g, g, root)
			kernel.Scale(g, 1/float32(math.Sqrt(float64(share))))
			continue
		}
		for c := range g {
			g[c] /= float32(math.Sqrt(float64(max(share*q.cols[c], factorEps*factorEps))))
		}
	}
}
