package likeness

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/getstroke/stroke/internal/likeness/reference"
)

// The minimum is one: the gradient there, by central differences of the loss
// written out anew, is nothing.
func TestFitIsStationary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const classes, features = 3, 4
	var list []example
	for i := range 60 {
		v := reference.Vector{}
		for f := range features {
			if rng.IntN(3) > 0 {
				v.Index = append(v.Index, int32(f))
				v.Value = append(v.Value, float32(rng.NormFloat64())+float32(i%classes*f)/3)
			}
		}
		list = append(list, example{v, i % classes, 1 + float64(i%2)})
	}
	const penalty = 0.1
	m, err := fit(list, classes, features, penalty, nil)
	if err != nil {
		t.Fatal(err)
	}
	loss := func(theta []float64) float64 {
		sum, total := 0.0, 0.0
		for _, e := range list {
			var z [classes]float64
			for c := range z {
				z[c] = theta[features*classes+c]
				for k, f := range e.x.Index {
					z[c] += float64(e.x.Value[k]) * theta[int(f)*classes+c]
				}
			}
			sum += e.weight * -math.Log(math.Exp(z[e.class])/(math.Exp(z[0])+math.Exp(z[1])+math.Exp(z[2])))
			total += e.weight
		}
		sum /= total
		for _, w := range theta[:features*classes] {
			sum += penalty / 2 * w * w
		}
		return sum
	}
	for i := range m.theta {
		const h = 1e-5
		up, down := append([]float64(nil), m.theta...), append([]float64(nil), m.theta...)
		up[i] += h
		down[i] -= h
		if g := (loss(up) - loss(down)) / (2 * h); math.Abs(g) > 3e-3 {
			t.Errorf("gradient %d is %.4f at the minimum", i, g)
		}
	}
}

func TestFitOnNothing(t *testing.T) {
	if _, err := fit(nil, 2, 2, 1, nil); err == nil {
		t.Error("no error without passages")
	}
}

// Logits that are too steep by a factor are given that temperature, and an
// offset taken from one class is found again.
func TestTemperatureAndOffset(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var held []judged
	for range 6000 {
		z := []float64{rng.NormFloat64() * 2, rng.NormFloat64() * 2, rng.NormFloat64() * 2}
		p := append([]float64(nil), z...)
		softmaxInPlace(p)
		class, u := 0, rng.Float64()
		for class < 2 && u > p[class] {
			u -= p[class]
			class++
		}
		floats.Scale(2.5, z)
		held = append(held, judged{z, class, 1})
	}
	if got := temperature(held); math.Abs(got-2.5) > 0.2 {
		t.Errorf("temperature %.2f, want 2.5", got)
	}
	for _, h := range held {
		floats.Scale(1/2.5, h.logits)
		h.logits[1] -= 1.2
	}
	if got := offset(held, 1); math.Abs(got-1.2) > 0.1 {
		t.Errorf("offset %.2f, want 1.2", got)
	}
}
