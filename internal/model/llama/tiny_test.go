package llama_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/llama"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/train"
)

const tiny = "../../testkit/testdata/tiny"

// dump is what PyTorch computed for the toy models; see make.py beside it.
type dump struct {
	Sequences []modeltest.Sequence
	Long      modeltest.Sequence
	Losses    map[string]float64
	Rope      map[string]any
	Train     struct {
		MicroBatches [][]modeltest.Sequence `json:"micro_batches"`
		LR           []float64
		Recipe       struct {
			MaxNorm float64 `json:"max_norm"`
		}
	}
	TrainF64 struct {
		Losses []float64
		Norms  []float64
		Final  float64 `json:"final_loss"`
	} `json:"train_f64"`
	tensors modeltest.Tensors
}

func loadDump(t *testing.T) *dump {
	t.Helper()
	var d dump
	d.tensors = modeltest.ReadDump(t, tiny, &d)
	return &d
}

func (d *dump) floats(t *testing.T, name string) []float32 {
	t.Helper()
	return d.tensors.Floats(t, name)
}

// load loads a toy model, under the config.json of another folder where config
// names one.
func load(t *testing.T, folder, config string) *model.Model {
	t.Helper()
	if config != "" {
		config = filepath.Join(tiny, config, "config.json")
	}
	return modeltest.Load(t, filepath.Join(tiny, folder), config)
}

func readAdapter(t *testing.T, folder string, m *model.Model) *lora.Adapter {
	t.Helper()
	return modeltest.Adapter(t, filepath.Join(tiny, folder), m)
}

func TestForward(t *testing.T) {
	d := loadDump(t)
	for _, c := range []struct {
		folder, adapter, name string
		strength              float32
		layers                bool
	}{
		{"base", "", "base/none", 1, true}, {"base", "lora", "base/lora", 1, true}, {"base", "rslora", "base/rslora", 1, false},
		{"base", "lora", "base/lora@0.5", 0.5, false}, {"tied", "", "tied/none", 1, false}, {"bias", "", "bias/none", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := load(t, c.folder, "")
			var use []lora.Applied
			if c.adapter != "" {
				use = []lora.Applied{{Adapter: readAdapter(t, c.adapter, m), Strength: c.strength}}
			}
			modeltest.EachKernel(t, func(t *testing.T) {
				s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 3, Context: 64, Pad: 16, Training: true, Kept: 3, Longest: 64})
				var rows []model.Row
				n := 0
				for _, q := range d.Sequences {
					rows = append(rows, model.Row{Tokens: q.IDs, Adapters: use})
					n += len(q.IDs)
				}
				if err := s.Forward(rows); err != nil {
					t.Fatal(err)
				}
				logits := make([]float32, n*m.Vocab)
				if err := s.Logits(logits, modeltest.Places(n)); err != nil {
					t.Fatal(err)
				}
				after, final := s.Layers()
				lo := 0
				for i, q := range d.Sequences {
					hi := lo + len(q.IDs)
					p := "f64/" + c.name + "/s" + string(rune('0'+i)) + "/"
					if c.layers {
						for l := range after {
							modeltest.Near(t, p+"layer", after[l][lo*m.Dim:hi*m.Dim], d.floats(t, p+"layer."+string(rune('0'+l))), 1e-5)
						}
						modeltest.Near(t, p+"norm", final[lo*m.Dim:hi*m.Dim], d.floats(t, p+"norm"), 1e-5)
					}
					modeltest.Near(t, p+"logits", logits[lo*m.Vocab:hi*m.Vocab], d.floats(t, p+"logits"), 1e-5)
					lo = hi
				}
			})
		})
	}
}

func TestRopeScalings(t *testing.T) {
	d := loadDump(t)
	for name := range d.Rope {
		t.Run(name, func(t *testing.T) {
			m := load(t, "base", "rope/"+name)
			s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 1, Context: 64})
			if err := s.Forward([]model.Row{{Tokens: d.Long.IDs}}); err != nil {
				t.Fatal(err)
			}
			n := len(d.Long.IDs)
			logits := make([]float32, n*m.Vocab)
			if err := s.Logits(logits, modeltest.Places(n)); err != nil {
				t.Fatal(err)
			}
			modeltest.Near(t, "logits", logits, d.floats(t, "f64/rope/"+name+"/s0/logits"), 1e-5)
		})
	}
}

func TestGradients(t *testing.T) {
	d := loadDump(t)
	m := load(t, "base", "")
	for _, name := range []string{"lora", "rslora"} {
		for _, kept := range []int{3, 1, 0} {
			t.Run(name, func(t *testing.T) {
				modeltest.EachKernel(t, func(t *testing.T) {
					a := readAdapter(t, name, m)
					a.Trainable(modeltest.Heap)
					s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 3, Context: 64, Pad: 16, Training: true, Kept: kept, Longest: 64})
					n := modeltest.Count(d.Sequences)
					loss := modeltest.Batch(t, s, d.Sequences, []lora.Applied{{Adapter: a, Strength: 1}}, 1/float64(n)) / float64(n)
					if want := d.Losses["f64/base/"+name]; math.Abs(loss-want) > 1e-5*want {
						t.Errorf("loss %.7f where PyTorch has %.7f", loss, want)
					}
					d.tensors.Gradients(t, "f64/base/"+name+"/grad/", a)
				})
			})
		}
	}
}

// TestTenSteps repeats ten steps of AdamW with accumulation, clipping and a
// warm-up.
func TestTenSteps(t *testing.T) {
	d := loadDump(t)
	m := load(t, "base", "")
	modeltest.EachKernel(t, func(t *testing.T) {
		a := readAdapter(t, "lora", m)
		a.Trainable(modeltest.Heap)
		s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 3, Context: 64, Pad: 16, Training: true, Kept: 2, Longest: 64})
		o := train.NewOptimizer(a, &train.Options{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01}, modeltest.Heap)
		use := []lora.Applied{{Adapter: a, Strength: 1}}
		for i, rate := range d.Train.LR {
			both := d.Train.MicroBatches[2*i : 2*i+2]
			n := float64(modeltest.Count(both[0]) + modeltest.Count(both[1]))
			loss := (modeltest.Batch(t, s, both[0], use, 1/n) + modeltest.Batch(t, s, both[1], use, 1/n)) / n
			if want := d.TrainF64.Losses[i]; math.Abs(loss-want) > 1e-5*want {
				t.Errorf("step %d: loss %.7f where PyTorch has %.7f", i+1, loss, want)
			}
			norm := o.Norm()
			if want := d.TrainF64.Norms[i]; math.Abs(norm-want) > 1e-4*want {
				t.Errorf("step %d: norm %.6f where PyTorch has %.6f", i+1, norm, want)
			}
			o.Step(rate, train.ClipScale(norm, d.Train.Recipe.MaxNorm))
		}
		var sum float64
		n := 0
		for _, q := range d.Train.MicroBatches {
			sum += modeltest.Batch(t, s, q, use, 0)
			n += modeltest.Count(q)
		}
		if got, want := sum/float64(n), d.TrainF64.Final; math.Abs(got-want) > 1e-5*want {
			t.Errorf("loss after ten steps %.7f where PyTorch has %.7f", got, want)
		}
		d.tensors.Weights(t, "f64/train/final/", a)
	})
}
