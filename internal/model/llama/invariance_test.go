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
			modeltest.EachKernel(t, func(t *testing.T) { modeltest.Invariance(t, m, 75, 30) })
		})
	}
}

func TestRowInvarianceOfTheBase(t *testing.T) {
	m := realBase(t)
	modeltest.EachKernel(t, func(t *testing.T) {
		length, trials := 70, 3
		if kernel.Name() == "go" {
			length, trials = 12, 1
		}
		modeltest.Invariance(t, m, length, trials)
	})
}

func realBase(t *testing.T) *model.Model {
	t.Helper()
	return modeltest.Load(t, testkit.Base(t), "")
}
