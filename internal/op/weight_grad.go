package op

import (
	"fmt"

	"github.com/getstroke/stroke/internal/kernel"
)

// gradCols is how many features a task sums over all rows of a batch: the sum of
// a feature is one chain in the order of the rows, whoever computes it.
const gradCols = 256

type weightGradTask struct {
	e        *Exec
	kind     weightGradKind
	g        []float32
	dy, x    []float32
	rinv     []float32
	ids      []int32
	scale    float32
	n, width int
}

type weightGradKind int

const (
	biasGrad weightGradKind = iota
	normGrad
	embedGrad
)

// BiasGrad adds the gradient of a linear's bias to g [out]: the sum of the rows
// of dy [n, out].
func (e *Exec) BiasGrad(g, dy []float32, n, out int) {
	if len(g) != out || len(dy) < n*out {
		panic(fmt.Sprintf("op: the gradient of a bias is [%d] and dy [%d] for [%d, %d]", len(g), len(dy), n, out))
	}
	e.weightGrad(weightGradTask{kind: biasGrad, g: g, dy: dy, n: n, width: out})
}

// RMSNormWeightGrad adds the gradient of the weight of an RMSNorm to g [dim]:
//
//	g[j] += Σ_r dy[r,j] · x[r,j]·rinv[r]
//
// for dy and x [n, dim] and the rinv [n] that the forward pass wrote.
func (e *Exec) RMSNormWeightGrad(g, dy, x, rinv []float32, n, dim int) {
	if len(g) != dim || len(dy) < n*dim || len(x) < n*dim || len(rinv) < n {
		panic(fmt.Sprintf("op: the gradient of a norm is [%d], dy [%d], x [%d] and rinv [%d] for [%d, %d]", len(g), len(dy), len(x), len(rinv), n, dim))
	}
	e.weightGrad(weightGradTask{kind: normGrad, g: g, dy: dy, x: x, rinv: rinv, n: n, width: dim})
}

// EmbedGrad adds the gradient of Embed, whose result was multiplied by scale, to
// g [vocab, dim]: for each row r of dy [len(ids), dim], in order,
//
//	g[ids[r]] += scale · dy[r]
func (e *Exec) EmbedGrad(g, dy []float32, ids []int32, dim int, scale float32) {
	if len(g)%dim != 0 || len(dy) < len(ids)*dim {
		panic(fmt.Sprintf("op: the gradient of an embedding is [%d] and dy [%d] for [%d, %d]", len(g), len(dy), len(ids), dim))
	}
	e.weightGrad(weightGradTask{kind: embedGrad, g: g, dy: dy, ids: ids, scale: scale, n: len(ids), width: dim})
}

func (e *Exec) weightGrad(t weightGradTask) {
	t.e = e
	e.weights = t
	run(ceilDiv(t.width, gradCols), &e.weights)
}

// Do runs task i.
func (t *weightGradTask) Do(i, worker int) {
	lo, hi := i*gradCols, min((i+1)*gradCols, t.width)
	scaled := t.e.scratch[worker][:hi-lo]
	for r := range t.n {
		dy := t.dy[r*t.width+lo : r*t.width+hi]
		switch t.kind {
		case biasGrad:
			kernel.Add(t.g[lo:hi], dy)
		case normGrad:
			copy(scaled, t.x[r*t.width+lo:r*t.width+hi])
			kernel.Scale(scaled, t.rinv[r])
			kernel.AddProduct(t.g[lo:hi], dy, scaled)
		case embedGrad:
			at := int(t.ids[r]) * t.width
			kernel.AddScaled(t.g[at+lo:at+hi], dy, t.scale)
		}
	}
}
