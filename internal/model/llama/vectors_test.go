package llama_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
)

// TestBaseVectors compares the real base with transformers on its dequantized
// weights: the log-probability of each of 512 tokens, and the 64 largest at some
// positions.
func TestBaseVectors(t *testing.T) {
	b, err := os.ReadFile("../../testkit/testdata/smollm2/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		TextIDs []int32 `json:"text_ids"`
		Tokens  int
		Logprob []float64
		Top     []struct {
			Position int32
			IDs      []int32
			Logprobs []float64
		}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	m := realBase(t)
	modeltest.EachKernel(t, func(t *testing.T) {
		n := v.Tokens
		if kernel.Name() == "go" {
			n = 64
		}
		s := modeltest.Session(t, m, model.Limits{Tokens: n, Rows: 1, Context: n})
		if err := s.Forward([]model.Row{{Tokens: v.TextIDs[:n]}}); err != nil {
			t.Fatal(err)
		}
		nll := make([]float32, n)
		if err := s.Loss(nll, v.TextIDs[1:n+1], nil, false); err != nil {
			t.Fatal(err)
		}
		var worst float64
		for i, l := range nll {
			worst = max(worst, math.Abs(float64(l)+v.Logprob[i]))
		}
		t.Logf("largest difference of a log-probability: %.2g", worst)
		if !(worst <= 2e-3) {
			t.Errorf("a log-probability is off by %g", worst)
		}
		logits := make([]float32, m.Vocab)
		for _, top := range v.Top {
			if int(top.Position) >= n {
				continue
			}
			if err := s.Logits(logits, []int32{top.Position}); err != nil {
				t.Fatal(err)
			}
			var sum float64
			for _, l := range logits {
				sum += math.Exp(float64(l))
			}
			for i, id := range top.IDs {
				if got := float64(logits[id]) - math.Log(sum); math.Abs(got-top.Logprobs[i]) > 2e-3 {
					t.Errorf("position %d, token %d: %.5f where transformers has %.5f", top.Position, id, got, top.Logprobs[i])
				}
			}
		}
	})
}
