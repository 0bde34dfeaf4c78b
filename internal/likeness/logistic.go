package likeness

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"

	"github.com/getstroke/stroke/internal/likeness/reference"
)

// example is a passage with its class.
type example struct {
	x      reference.Vector // scaled
	class  int
	weight float64
}

// softmax is a multinomial logistic regression: the logit of class c is
// bias[c] + Σ x[f]·weight[f*classes+c], divided by the temperature and, for the
// writer, moved by an offset where probabilities are asked for.
type softmax struct {
	classes, features int
	theta             []float64 // features rows of classes, then the row of biases
	temperature       float64
}

// Iterations of L-BFGS. The penalty makes the problem well-conditioned; the
// gain per iteration is below 1e-5 nats per passage long before.
const fitIterations = 60

// fit minimises the weighted mean of the losses plus penalty/2·‖weight‖²,
// biases apart, with L-BFGS. start may be nil; it is not changed.
func fit(list []example, classes, features int, penalty float64, start []float64) (*softmax, error) {
	m := &softmax{classes: classes, features: features, temperature: 1}
	total := 0.0
	for _, e := range list {
		total += e.weight
	}
	if total == 0 {
		return nil, errors.New("fit the attribution model: no passages")
	}
	x0 := make([]float64, (features+1)*classes)
	copy(x0, start)
	p := make([]float64, classes)

	// Func and Grad are asked for at the same point in turn; one pass gives both.
	at, grad, value := make([]float64, len(x0)), make([]float64, len(x0)), math.NaN()
	evaluate := func(theta []float64) {
		if !math.IsNaN(value) && floats.Equal(at, theta) {
			return
		}
		copy(at, theta)
		weights := theta[:features*classes]
		value = penalty / 2 * floats.Dot(weights, weights)
		floats.ScaleTo(grad[:features*classes], penalty, weights)
		clear(grad[features*classes:])
		for i := range list {
			e := &list[i]
			logits(theta, classes, features, e.x, p)
			value += e.weight / total * (floats.LogSumExp(p) - p[e.class])
			softmaxInPlace(p)
			p[e.class]--
			floats.Scale(e.weight/total, p)
			for k, f := range e.x.Index {
				floats.AddScaled(grad[int(f)*classes:(int(f)+1)*classes], float64(e.x.Value[k]), p)
			}
			floats.Add(grad[features*classes:], p)
		}
	}
	r, err := optimize.Minimize(optimize.Problem{
		Func: func(x []float64) float64 { evaluate(x); return value },
		Grad: func(g, x []float64) { evaluate(x); copy(g, grad) },
	}, x0, &optimize.Settings{
		MajorIterations: fitIterations,
		Converger:       &optimize.FunctionConverge{Relative: 1e-5, Absolute: 1e-6, Iterations: 3},
	}, &optimize.LBFGS{Store: 8})
	if r == nil || !finite(r.X) {
		return nil, fmt.Errorf("fit the attribution model: %w", err)
	}
	// A line search that ends for want of precision has arrived as well.
	m.theta = r.X
	return m, nil
}

func finite(x []float64) bool {
	s := floats.Sum(x)
	return !math.IsNaN(s) && !math.IsInf(s, 0)
}

// logits writes the logits of a passage to out.
func logits(theta []float64, classes, features int, x reference.Vector, out []float64) {
	copy(out, theta[features*classes:])
	for k, f := range x.Index {
		floats.AddScaled(out, float64(x.Value[k]), theta[int(f)*classes:(int(f)+1)*classes])
	}
}

// logits gives the logits of a passage before any temperature.
func (m *softmax) logits(x reference.Vector) []float64 {
	out := make([]float64, m.classes)
	logits(m.theta, m.classes, m.features, x, out)
	return out
}

// softmaxInPlace turns logits into probabilities.
func softmaxInPlace(p []float64) {
	top := floats.Max(p)
	sum := 0.0
	for i, v := range p {
		p[i] = math.Exp(v - top)
		sum += p[i]
	}
	floats.Scale(1/sum, p)
}

// judged is the logits of a passage that the model had not seen.
type judged struct {
	logits []float64
	class  int
	weight float64
}

// temperature is the divisor of logits under which the classes of held-out
// passages are most probable: Guo et al., "On calibration of modern neural
// networks". The loss is convex in its inverse, which is sought by golden section.
func temperature(held []judged) float64 {
	if len(held) == 0 {
		return 1
	}
	loss := func(inverse float64) float64 {
		sum := 0.0
		var buf []float64
		for _, h := range held {
			buf = append(buf[:0], h.logits...)
			floats.Scale(inverse, buf)
			sum += h.weight * (floats.LogSumExp(buf) - buf[h.class])
		}
		return sum
	}
	const golden = 0.6180339887498949
	lo, hi := math.Log(0.02), math.Log(50.0)
	for range 60 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if loss(math.Exp(a)) < loss(math.Exp(b)) {
			hi = b
		} else {
			lo = a
		}
	}
	return math.Exp(-(lo + hi) / 2)
}
