package op

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
)

// The operations again in float64, as plainly as can be: what the tests compare
// with, and what they differentiate numerically.

func refLinear(x, w, bias []float64, n, in, out int) []float64 {
	y := make([]float64, n*out)
	for i := range n {
		for j := range out {
			var s float64
			for k := range in {
				s += x[i*in+k] * w[j*in+k]
			}
			if bias != nil {
				s += bias[j]
			}
			y[i*out+j] = s
		}
	}
	return y
}

func refNorm(x, w []float64, n, dim int, eps float64) []float64 {
	y := make([]float64, n*dim)
	for i := range n {
		var s float64
		for _, v := range x[i*dim : (i+1)*dim] {
			s += v * v
		}
		r := 1 / math.Sqrt(s/float64(dim)+eps)
		for j := range dim {
			y[i*dim+j] = x[i*dim+j] * r * w[j]
		}
	}
	return y
}

func refSwiGLU(gate, up []float64) []float64 {
	y := make([]float64, len(gate))
	for i, g := range gate {
		y[i] = g / (1 + math.Exp(-g)) * up[i]
	}
	return y
}

func refGeGLU(gate, up []float64) []float64 {
	y := make([]float64, len(gate))
	for i, g := range gate {
		y[i] = 0.5 * g * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g))) * up[i]
	}
	return y
}

func refAttend(q, k, v []float64, n int, h Heads) []float64 {
	o := make([]float64, n*h.Q*h.Size)
	dim, kv, group := h.Q*h.Size, h.KV*h.Size, h.Q/h.KV
	for i := range n {
		for a := range h.Q {
			lo := firstKey(i, h.Window)
			p := make([]float64, i+1)
			var sum float64
			for j := lo; j <= i; j++ {
				var s float64
				for d := range h.Size {
					s += q[i*dim+a*h.Size+d] * k[j*kv+a/group*h.Size+d]
				}
				p[j] = math.Exp(s * float64(h.Scale))
				sum += p[j]
			}
			for j := lo; j <= i; j++ {
				for d := range h.Size {
					o[i*dim+a*h.Size+d] += p[j] / sum * v[j*kv+a/group*h.Size+d]
				}
			}
		}
	}
	return o
}

func refHead(x, w []float64, targets []int32, n, dim, vocab int) []float64 {
	nll := make([]float64, n)
	l := refLinear(x, w, nil, n, dim, vocab)
	for i := range n {
		var sum float64
		for _, v := range l[i*vocab : (i+1)*vocab] {
			sum += math.Exp(v)
		}
		nll[i] = math.Log(sum) - l[i*vocab+int(targets[i])]
	}
	return nll
}

// numeric is the gradient of Σ up·f(x) with respect to x by central
// differences.
func numeric(x, up []float64, f func() []float64) []float64 {
	dot := func() float64 {
		var s float64
		for i, y := range f() {
			s += y * up[i]
		}
		return s
	}
	g := make([]float64, len(x))
	for i := range x {
		const h = 1e-5
		old := x[i]
		x[i] = old + h
		a := dot()
		x[i] = old - h
		b := dot()
		x[i] = old
		g[i] = (a - b) / (2 * h)
	}
	return g
}

func random(rng *rand.Rand, n int) ([]float64, []float32) {
	a, b := make([]float64, n), make([]float32, n)
	for i := range a {
		b[i] = float32(rng.NormFloat64())
		a[i] = float64(b[i])
	}
	return a, b
}

// same fails where the squared error, relative to the squared size of want, is
// above limit.
func same(t *testing.T, what string, got []float32, want []float64, limit float64) {
	t.Helper()
	if len(got) < len(want) {
		t.Fatalf("%s: %d numbers where %d are expected", what, len(got), len(want))
	}
	var e, s float64
	for i, w := range want {
		d := float64(got[i]) - w
		e += d * d
		s += w * w
	}
	if !(e <= limit*s) {
		t.Errorf("%s: normalized squared error %.3g above %.3g", what, e/s, limit)
	}
}

// eachKernel runs f under every kernel of this machine.
func eachKernel(t *testing.T, f func(t *testing.T)) { under(t, kernel.Kinds(), f) }

// eachFloatKernel runs f under every kernel that has loops in float32 of its own:
// those that multiply bfloat16 take them from avx512.
func eachFloatKernel(t *testing.T, f func(t *testing.T)) {
	under(t, slices.DeleteFunc(kernel.Kinds(), func(k string) bool { return k == "avx512bf16" || k == "amx" }), f)
}

func under(t *testing.T, kinds []string, f func(t *testing.T)) {
	was := kernel.Name()
	defer kernel.Use(was)
	for _, k := range kinds {
		if err := kernel.Use(k); err != nil {
			t.Fatal(err)
		}
		t.Run(k, f)
	}
}

func heap(n int) []float32 { return make([]float32, n) }

const tolerance = 1e-11 // of normalized squared errors: three parts in a million
