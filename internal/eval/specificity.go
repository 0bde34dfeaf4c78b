package eval

import (
	"errors"
	"fmt"
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
	s := Specificity{Gain: nothing, P: 1}
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
	s.Gain.Low, s.Gain.High = percentile(means, 0.95)
	return s, nil
}
