package llama_test

import (
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/testkit"
)

func TestRowInvariance(t *testing.T) {
	for _, folder := range []string{"base", "tied", "bias"} {
		t.Run(folder, func(t *testing.T) {
			m := load(t, folder, "")
			modeltest.EachKernel(t, func(t *testing.T) { modeltest.Invariance(t, m, 75, 12) })
		})
	}
}

// TestRowInvarianceOfTheBase has quantized weights, which the small models have not.
// Plain Go is slow at this size: it shows a short text with adapters in float32 and in
// integers.
func TestRowInvarianceOfTheBase(t *testing.T) {
	m := realBase(t)
	modeltest.EachKernel(t, func(t *testing.T) {
		if kernel.Name() == "go" {
			modeltest.Invariance(t, m, 12, 1, "two adapters", "int8, two adapters")
			return
		}
		modeltest.Invariance(t, m, 70, 3)
	})
}

func realBase(t *testing.T) *model.Model {
	t.Helper()
	return modeltest.Load(t, testkit.Base(t), "")
}
