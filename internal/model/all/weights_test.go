package all_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/train"
)

// weightsDump is what PyTorch computed where weights of the base are trained; see
// make.py beside it.
type weightsDump struct {
	Sequences    []modeltest.Sequence
	MicroBatches [][]modeltest.Sequence `json:"micro_batches"`
	Losses       map[string]float64
	Recipe       struct {
		Beta1, Beta2, Eps float64
		Decay             float64 `json:"weight_decay"`
		MaxNorm           float64 `json:"max_norm"`
		Accumulate        int
	}
	Cases map[string]struct {
		Folder    string
		Optimizer train.Method
		Layers    []int
		Modules   []string
		LR        []float64
		Losses    []float64
		Norms     []float64
		FinalLoss float64 `json:"final_loss"`
		Moved     map[string]float64
	}
}

func loadWeightsDump(t *testing.T) (*weightsDump, modeltest.Tensors) {
	t.Helper()
	d := &weightsDump{}
	return d, modeltest.ReadDump(t, filepath.Join(testdata, "weights"), d)
}

const testdata = "../../testkit/testdata"

func tuned(t *testing.T, folder string, s model.Selection) (*model.Model, []*model.Param) {
	t.Helper()
	v, params, err := modeltest.Load(t, filepath.Join(testdata, folder), "").Tune(s, modeltest.Heap)
	if err != nil {
		t.Fatal(err)
	}
	return v, params
}

func trainingSession(t *testing.T, m *model.Model, kept int) *model.Session {
	t.Helper()
	return modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 3, Context: 64, Training: true, Kept: kept, Longest: 64})
}

// TestGradientsOfWeights compares the gradient of every weight with PyTorch's.
func TestGradientsOfWeights(t *testing.T) {
	d, tensors := loadWeightsDump(t)
	for folder, want := range d.Losses {
		t.Run(folder, func(t *testing.T) { gradientsOfWeights(t, folder, d.Sequences, want, tensors, folder+"/grad/") })
	}
	var tiny struct {
		Sequences []modeltest.Sequence
		Losses    map[string]float64
	}
	older := modeltest.ReadDump(t, filepath.Join(testdata, "tiny"), &tiny)
	for _, name := range []string{"base", "tied"} {
		t.Run("tiny/"+name, func(t *testing.T) {
			gradientsOfWeights(t, "tiny/"+name, tiny.Sequences, tiny.Losses["f64/"+name+"/none"], older, "f64/"+name+"/none/grad/")
		})
	}
}

func gradientsOfWeights(t *testing.T, folder string, seqs []modeltest.Sequence, want float64, d modeltest.Tensors, prefix string) {
	modeltest.EachKernel(t, func(t *testing.T) {
		for _, kept := range []int{9, 1, 0} {
			m, params := tuned(t, folder, model.Selection{})
			s := trainingSession(t, m, kept)
			n := float64(modeltest.Count(seqs))
			modeltest.Within(t, "loss", modeltest.Batch(t, s, seqs, nil, 1/n)/n, want, 1e-5)
			count := 0
			for name := range d {
				if len(name) > len(prefix) && name[:len(prefix)] == prefix {
					count++
				}
			}
			if len(params) != count {
				t.Errorf("%d weights where PyTorch has %d", len(params), count)
			}
			for _, p := range params {
				modeltest.Agree(t, p.Name, p.Grad, d.Floats(t, prefix+p.Name))
			}
		}
	})
}

// TestTenStepsOfWeights repeats ten steps with accumulation, clipping, decay and
// a warm-up: all weights and some, with AdamW and Adafactor.
func TestTenStepsOfWeights(t *testing.T) {
	d, _ := loadWeightsDump(t)
	for name, c := range d.Cases {
		t.Run(name, func(t *testing.T) {
			modeltest.EachKernel(t, func(t *testing.T) {
				m, params := tuned(t, c.Folder, model.Selection{Layers: c.Layers, Modules: c.Modules})
				before := make([][]float32, len(params))
				for i, p := range params {
					before[i] = append([]float32(nil), p.W...)
				}
				s := trainingSession(t, m, 2)
				o := train.NewWeightOptimizer(params, &train.Options{Beta1: d.Recipe.Beta1, Beta2: d.Recipe.Beta2, Eps: d.Recipe.Eps,
					Decay: d.Recipe.Decay, Optimizer: c.Optimizer}, modeltest.Heap)
				for i, rate := range c.LR {
					micro := d.MicroBatches[i*d.Recipe.Accumulate : (i+1)*d.Recipe.Accumulate]
					var n, loss float64
					for _, seqs := range micro {
						n += float64(modeltest.Count(seqs))
					}
					for _, seqs := range micro {
						loss += modeltest.Batch(t, s, seqs, nil, 1/n)
					}
					modeltest.Within(t, "a loss", loss/n, c.Losses[i], 1e-5)
					norm := o.Norm()
					modeltest.Within(t, "a norm", norm, c.Norms[i], 1e-4)
					o.Step(rate, train.ClipScale(norm, d.Recipe.MaxNorm))
				}
				var sum float64
				n := 0
				for _, q := range d.MicroBatches {
					sum += modeltest.Batch(t, s, q, nil, 0)
					n += modeltest.Count(q)
				}
				modeltest.Within(t, "the loss after ten steps", sum/float64(n), c.FinalLoss, 1e-5)
				if len(params) != len(c.Moved) {
					t.Errorf("%d weights were trained where PyTorch trained %d", len(params), len(c.Moved))
				}
				for i, p := range params {
					var moved float64
					for k, w := range p.W {
						x := float64(w) - float64(before[i][k])
						moved += x * x
					}
					modeltest.Within(t, "how far "+p.Name+" moved", math.Sqrt(moved), c.Moved[p.Name], 1e-3)
				}
			})
		})
	}
}
