package llama_test

import (
	"testing"

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
