package llama_test

import (
	"math"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/op"
)

// TestNoRows has nothing to compute, and computes nothing.
func TestNoRows(t *testing.T) {
	m := load(t, "base", "")
	for _, a := range op.Arithmetics {
		t.Run(string(a), func(t *testing.T) {
			s := modeltest.Session(t, m, model.Limits{Tokens: 8, Rows: 1, Context: 8, Longest: 8, Arithmetic: a, Training: a.Trains()})
			if err := s.Forward(nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Logits(nil, nil); err != nil {
				t.Fatal(err)
			}
			if !a.Trains() {
				return
			}
			if err := s.Loss(nil, nil, nil, true); err != nil {
				t.Fatal(err)
			}
			if err := s.Backward(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestStrengths refuses a strength that no number comes of.
func TestStrengths(t *testing.T) {
	m := load(t, "base", "")
	s := modeltest.Session(t, m, model.Limits{Tokens: 8, Rows: 1, Context: 8, Pad: 16})
	a := modeltest.RandomAdapter(m, 4, 1)
	for strength, ok := range map[float64]bool{0: true, -2: true, math.NaN(): false, math.Inf(1): false, math.Inf(-1): false} {
		err := s.Forward([]model.Row{{Tokens: []int32{1, 2}, Adapters: []lora.Applied{{Adapter: a, Strength: float32(strength)}}}})
		if ok != (err == nil) {
			t.Errorf("a strength of %g: %v", strength, err)
		}
	}
}
