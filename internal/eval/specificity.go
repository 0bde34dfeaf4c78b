package eval

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Control is what an adapter of another writer gains over the same start on the
// same documents: trained with the same recipe on as many words.
type Control struct {
	Name  string
	Gains []Gain
}

// Specificity is what a twin gains for being this writer's: its gain less the
// mean of its controls'. What any prose would have given falls out.
type Specificity struct {
	Gain     Interval      `json:"gain"`     // nats per token; over documents, and over controls where there are several
	P        float64       `json:"p"`        // one-sided, of "no better than its controls", by dealing each document's gains to the adapters anew
	Controls []ControlGain `json:"controls"` // what each gains, in the order given
	Better   int           `json:"better"`   // controls that gain less than the twin
	// Stranger is the chance that one more such control would gain as much as the
	// twin, by the spread of those there are (Student's t for one more draw); 1 with
	// fewer than two.
	Stranger float64 `json:"stranger"`
	Units    int     `json:"units"` // documents, or blocks of them, that the interval stands on
}

// ControlGain is what one control gains over the start.
type ControlGain struct {
	Name string   `json:"name"`
	Gain Interval `json:"gain"` // nats per token
}

// Specify compares a twin's gains with those of controls. With one control the
// interval is over documents alone and says nothing of other controls. It is an
// error where there is none, or the documents are not the same.
func Specify(own []Gain, controls []Control, rounds int, seed uint64) (Specificity, error) {
	return SpecifyAt(0.95, own, controls, rounds, seed)
}

// SpecifyAt is [Specify] with an interval of another level than 0.95.
func SpecifyAt(level float64, own []Gain, controls []Control, rounds int, seed uint64) (Specificity, error) {
	s := Specificity{Gain: nothing, P: 1, Stranger: 1, Units: len(own)}
	if len(controls) == 0 {
		return s, errors.New("specificity needs a control")
	}
	if len(own) == 0 {
		return s, errors.New("specificity needs a document")
	}
	mine := Predict("", own, 1, seed).Gain.Mean
	for _, c := range controls {
		if err := same(own, c.Gains); err != nil {
			return s, fmt.Errorf("compare with the control %s: %w", c.Name, err)
		}
		g := Predict(c.Name, c.Gains, rounds, seed).Gain
		s.Controls = append(s.Controls, ControlGain{c.Name, g})
		if g.Mean < mine {
			s.Better++
		}
	}
	blocks := make([][]float64, len(own))
	for i, g := range own {
		blocks[i] = []float64{g.Saved}
		for _, c := range controls {
			blocks[i] = append(blocks[i], c.Gains[i].Saved)
		}
	}
	s.P = PermuteBlocks(blocks, rounds, seed)
	// draw gives the mean with documents and controls as they are drawn.
	docs, which := make([]int, len(own)), make([]int, len(controls))
	mean := func() float64 {
		saved, tokens := 0.0, 0
		for _, i := range docs {
			others := 0.0
			for _, c := range which {
				others += controls[c].Gains[i].Saved
			}
			saved += own[i].Saved - others/float64(len(which))
			tokens += own[i].Tokens
		}
		return saved / float64(tokens)
	}
	for i := range docs {
		docs[i] = i
	}
	for i := range which {
		which[i] = i
	}
	s.Gain.Mean = mean()
	rng := rand.New(rand.NewPCG(seed, 0x57ec))
	means := make([]float64, rounds)
	for r := range means {
		for i := range docs {
			docs[i] = rng.IntN(len(own))
		}
		for i := range which {
			which[i] = rng.IntN(len(controls))
		}
		means[r] = mean()
	}
	s.Gain = s.Gain.bounded(means, len(own), level)
	s.Stranger = stranger(mine, s.Controls)
	return s, nil
}

// stranger is the one-sided p-value of "drawn like the controls" for a gain.
func stranger(own float64, controls []ControlGain) float64 {
	n := float64(len(controls))
	if n < 2 {
		return 1
	}
	mean, sum := 0.0, 0.0
	for _, c := range controls {
		mean += c.Gain.Mean / n
	}
	for _, c := range controls {
		sum += (c.Gain.Mean - mean) * (c.Gain.Mean - mean)
	}
	spread := math.Sqrt(sum / (n - 1) * (1 + 1/n))
	switch {
	case math.IsNaN(own - mean):
		return 1
	case spread == 0 && own > mean:
		return 0
	case spread == 0:
		return 1
	}
	return studentTail((own-mean)/spread, len(controls)-1)
}

// studentQuantile is the t that Student's distribution passes with a chance of tail,
// below one half.
func studentQuantile(tail float64, freedom int) float64 {
	lo, hi := 0.0, 1.0
	for studentTail(hi, freedom) > tail {
		hi *= 2
	}
	for range 60 {
		if t := (lo + hi) / 2; studentTail(t, freedom) > tail {
			lo = t
		} else {
			hi = t
		}
	}
	return hi
}

// studentTail is the chance of t or more by Student's distribution with a whole
// number of degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4).
func studentTail(t float64, freedom int) float64 {
	angle := math.Atan(t / math.Sqrt(float64(freedom)))
	sin, cos := math.Sincos(angle)
	term, sum := 1.0, 0.0
	for k := freedom%2 + 1; k < freedom; k += 2 {
		if k > 2 {
			term *= float64(k-2) / float64(k-1) * cos * cos
		}
		sum += term
	}
	within := sin * sum // an even number
	if freedom%2 == 1 {
		within = 2 / math.Pi * (angle + sin*cos*sum)
	}
	return (1 - within) / 2
}
