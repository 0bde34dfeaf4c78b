package eval

import (
	"context"
	"math"
	"testing"

	"github.com/getstroke/stroke/internal/engine"
)

// TestCurvature holds that what the base draws at temperature 1 has what theory
// says, a mean of 0 and a variance of 1, that what it draws cooler lies above, and
// plain prose by others below.
func TestCurvature(t *testing.T) {
	r := openReal(t)
	e, err := engine.New(r.m, engine.Options{Memory: 256 << 20, Context: 256})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s := r.scorer(t, 256, 0)
	draw := func(temperature float64) []float64 {
		var pieces []Piece
		for i := range 5 {
			out, err := e.Generate(context.Background(), engine.Request{Prompt: []int32{r.sep}, Sampling: engine.Sampling{Temperature: temperature, Seed: uint64(i + 1)}, Max: 100}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Tokens) > 20 {
				pieces = append(pieces, Piece{Context: []int32{r.sep}, Tokens: out.Tokens})
			}
		}
		c, err := s.Curvature(context.Background(), pieces, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	mean := func(list []float64) (m, variance float64) {
		for _, x := range list {
			m += x / float64(len(list))
		}
		for _, x := range list {
			variance += (x - m) * (x - m) / float64(len(list)-1)
		}
		return m, variance
	}
	if m, v := mean(draw(1)); math.Abs(m) > 1.8 || v > 8 {
		t.Errorf("at temperature 1 a mean of %.2f and a variance of %.2f", m, v)
	}
	if m, _ := mean(draw(0.7)); m < 2.5 {
		t.Errorf("at temperature 0.7 a mean of %.2f", m)
	}
	var pieces []Piece
	for _, text := range Paragraphs() {
		pieces = append(pieces, Piece{Context: []int32{r.sep}, Tokens: r.tok.Encode(text)})
	}
	c, err := s.Curvature(context.Background(), pieces, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range c {
		if x > 1.5 {
			t.Errorf("paragraph %d of plain prose has %.2f", i, x)
		}
	}
}
