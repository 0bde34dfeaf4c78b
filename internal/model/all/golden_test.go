package all_test

import (
	"path/filepath"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/all"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/train"
)

const arch = "../../testkit/testdata/arch"

// architectures is the table of the toy models that make.py beside them makes;
// llama has tests of its own. Each has a folder named as Hugging Face's
// model_type, and settings as other config.json files say them.
var architectures = []struct {
	name string
	// older is the variant that says the same as config.json with the keys of
	// transformers 4.
	older    string
	variants []string
	gguf     conversion
}{
	{name: "qwen2", variants: []string{"sliding", "sliding-older", "yarn"},
		gguf: conversion{arch: "qwen2", variants: []string{"yarn"}}},
	{name: "qwen3", older: "older",
		gguf: conversion{arch: "qwen3"}},
	{name: "gemma3_text", older: "older", variants: []string{"mixed"},
		gguf: conversion{arch: "gemma3", plusOne: true, without: map[string]any{"query_pre_attn_scalar": 8.}}},
	{name: "smollm3", variants: []string{"nope", "sliding-older"},
		gguf: conversion{arch: "smollm3", interleave: true}},
	{name: "mistral", older: "older", variants: []string{"full"},
		gguf: conversion{arch: "llama", interleave: true, without: map[string]any{"sliding_window": nil}}},
}

// dump is what PyTorch computed for a toy model.
type dump struct {
	Sequences    []modeltest.Sequence
	Loss         float64
	Variants     []string
	MicroBatches [][]modeltest.Sequence `json:"micro_batches"`
	LR           []float64
	Losses       []float64
	Norms        []float64
	Final        float64 `json:"final_loss"`
	Recipe       struct {
		Beta1, Beta2, Eps float64
		WeightDecay       float64 `json:"weight_decay"`
		MaxNorm           float64 `json:"max_norm"`
	}
	tensors modeltest.Tensors
}

// eachArchitecture runs f for every toy model.
func eachArchitecture(t *testing.T, f func(t *testing.T, dir string, d *dump, m *model.Model)) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			dir := filepath.Join(arch, a.name)
			var d dump
			d.tensors = modeltest.ReadDump(t, dir, &d)
			f(t, dir, &d, modeltest.Load(t, dir, ""))
		})
	}
}

func adapter(t *testing.T, dir string, m *model.Model) (*lora.Adapter, []lora.Applied) {
	t.Helper()
	a := modeltest.Adapter(t, filepath.Join(dir, "lora"), m)
	return a, []lora.Applied{{Adapter: a, Strength: 1}}
}

// training are limits with room for the dump's batches.
func training(kept int) model.Limits {
	return model.Limits{Tokens: 64, Rows: 3, Context: 64, Pad: 16, Training: true, Kept: kept, Longest: 48}
}

func TestLogits(t *testing.T) {
	eachArchitecture(t, func(t *testing.T, dir string, d *dump, m *model.Model) {
		_, use := adapter(t, dir, m)
		modeltest.EachKernel(t, func(t *testing.T) {
			s := modeltest.Session(t, m, training(0))
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
			for i, q := range d.Sequences {
				name := "logits/" + string(rune('0'+i))
				k := len(q.IDs) * m.Vocab
				modeltest.Near(t, name, logits[:k], d.tensors.Floats(t, name), 1e-5)
				logits = logits[k:]
			}
			modeltest.Near(t, "none/logits", modeltest.Logits(t, s, m, d.Sequences[2].IDs, nil), d.tensors.Floats(t, "none/logits"), 1e-5)
		})
	})
}

// TestSettings reads every other config.json of a toy model.
func TestSettings(t *testing.T) {
	for _, a := range architectures {
		want := map[string]string{}
		for _, v := range a.variants {
			want[v] = v + "/logits"
		}
		if a.older != "" {
			want[a.older] = "logits/2"
		}
		dir := filepath.Join(arch, a.name)
		var d dump
		d.tensors = modeltest.ReadDump(t, dir, &d)
		if len(d.Variants) != len(want) {
			t.Fatalf("%s has the variants %v, and the table %v", a.name, d.Variants, want)
		}
		for variant, name := range want {
			t.Run(a.name+"/"+variant, func(t *testing.T) {
				m := modeltest.Load(t, dir, filepath.Join(dir, "variants", variant, "config.json"))
				_, use := adapter(t, dir, m)
				s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 1, Context: 64, Pad: 16})
				modeltest.Near(t, name, modeltest.Logits(t, s, m, d.Sequences[2].IDs, use), d.tensors.Floats(t, name), 1e-5)
			})
		}
	}
}

func TestGradients(t *testing.T) {
	eachArchitecture(t, func(t *testing.T, dir string, d *dump, m *model.Model) {
		modeltest.EachKernel(t, func(t *testing.T) {
			for _, kept := range []int{m.Layers, 1, 0} {
				a, use := adapter(t, dir, m)
				a.Trainable(modeltest.Heap)
				s := modeltest.Session(t, m, training(kept))
				n := float64(modeltest.Count(d.Sequences))
				modeltest.Within(t, "loss", modeltest.Batch(t, s, d.Sequences, use, 1/n)/n, d.Loss, 1e-5)
				d.tensors.Gradients(t, "grad/", a)
			}
		})
	})
}

// TestTenSteps repeats ten steps of AdamW with clipping and a warm-up.
func TestTenSteps(t *testing.T) {
	eachArchitecture(t, func(t *testing.T, dir string, d *dump, m *model.Model) {
		modeltest.EachKernel(t, func(t *testing.T) {
			a, use := adapter(t, dir, m)
			a.Trainable(modeltest.Heap)
			s := modeltest.Session(t, m, training(2))
			r := &d.Recipe
			o := train.NewOptimizer(a, &train.Options{Beta1: r.Beta1, Beta2: r.Beta2, Eps: r.Eps, Decay: r.WeightDecay}, modeltest.Heap)
			for i, rate := range d.LR {
				n := float64(modeltest.Count(d.MicroBatches[i]))
				modeltest.Within(t, "a step's loss", modeltest.Batch(t, s, d.MicroBatches[i], use, 1/n)/n, d.Losses[i], 1e-5)
				norm := o.Norm()
				modeltest.Within(t, "a step's norm", norm, d.Norms[i], 1e-4)
				o.Step(rate, train.ClipScale(norm, r.MaxNorm))
			}
			var sum, n float64
			for _, q := range d.MicroBatches {
				sum += modeltest.Batch(t, s, q, use, 0)
				n += float64(modeltest.Count(q))
			}
			modeltest.Within(t, "the loss after ten steps", sum/n, d.Final, 1e-5)
			d.tensors.Weights(t, "final/", a)
		})
	})
}

// TestRowInvariance cuts texts longer than a page of keys: windows and layers
// without positions must not show where the cuts were.
func TestRowInvariance(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			src := modeltest.Open(t, filepath.Join(arch, a.name), "")
			src.Folder.Config["max_position_embeddings"] = 128.
			m, err := model.Load(src)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.EachKernel(t, func(t *testing.T) { modeltest.Invariance(t, m, 75, 6) })
		})
	}
}
