package all_test

import (
	"errors"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/weights"
)

var folders = []string{"tiny/base", "tiny/tied", "tiny/bias", "arch/gemma3_text", "arch/qwen2", "arch/qwen3", "arch/mistral", "arch/smollm3"}

// stored are params as a file of Hugging Face has them, in F32.
func stored(params []*model.Param) map[string]weights.Tensor {
	out := map[string]weights.Tensor{}
	for _, p := range params {
		w := append([]float32(nil), p.W...)
		for i := range w {
			w[i] -= p.Shift
		}
		out[p.Name] = weights.Tensor{Name: p.Name, DType: tensor.F32, Shape: p.Shape, Data: tensor.Bytes(w)}
	}
	return out
}

func logitsOf(t *testing.T, m *model.Model) []float32 {
	t.Helper()
	ids := []int32{1, 5, 9, 33, 12, 60, 7, 7, 20, 3, 41}
	s := modeltest.Session(t, m, model.Limits{Tokens: len(ids), Rows: 1, Context: len(ids)})
	return modeltest.Logits(t, s, m, ids, nil)
}

// TestViews holds that a view has all weights of its model under the names that
// their files have, that it computes the same bits as the model while nothing in
// it was changed, and that what takes their place does: at full strength as it
// is, at another as far between.
func TestViews(t *testing.T) {
	for _, folder := range append(folders, "gguf") {
		t.Run(folder, func(t *testing.T) {
			path := filepath.Join(testdata, folder)
			if folder == "gguf" {
				path = testkit.Toy(t, testkit.ToyShape{}) // with rows of q and k in llama.cpp's order
			}
			src := modeltest.Open(t, path, "")
			m := modeltest.Load(t, path, "")
			v, params, err := m.Tune(model.Selection{}, modeltest.Heap)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, p := range params {
				names = append(names, p.Name)
				x := src.Tensors[p.Name]
				if src.GGUF == nil && !slices.Equal(x.Shape, p.Shape) {
					t.Errorf("%s has the shape %v and in its file %v", p.Name, p.Shape, x.Shape)
				}
			}
			if want := slices.Sorted(maps.Keys(src.Tensors)); src.GGUF == nil && !slices.Equal(slices.Sorted(slices.Values(names)), want) {
				t.Errorf("the weights are\n%v and in the file\n%v", names, want)
			}
			base := logitsOf(t, m)
			equal(t, "a view of everything", logitsOf(t, v), base)
			for _, p := range params {
				for i := range p.W {
					p.W[i] *= 1 + float32(i%7)/50
				}
			}
			changed := logitsOf(t, v)
			if slices.Equal(changed, base) {
				t.Error("changed weights change nothing")
			}
			equal(t, "the base", logitsOf(t, m), base)
			file := stored(params)
			for _, strength := range []float32{1, 0, 0.5, -2} {
				r, err := m.Replace(file, strength, modeltest.Heap)
				if err != nil {
					t.Fatal(err)
				}
				switch strength {
				case 1:
					modeltest.Near(t, "at strength 1", logitsOf(t, r), changed, 1e-5)
				case 0:
					modeltest.Near(t, "at strength 0", logitsOf(t, r), base, 1e-5)
				default:
					between(t, m, v, r, strength)
				}
			}
			part, err := m.Replace(map[string]weights.Tensor{"model.norm.weight": file["model.norm.weight"]}, 1, modeltest.Heap)
			if err != nil || slices.Equal(logitsOf(t, part), base) {
				t.Errorf("one weight in place of the base's changes nothing (%v)", err)
			}
			if _, again, err := m.Tune(model.Selection{Modules: []string{"norm"}}, modeltest.Heap); err != nil || len(again) >= len(params) || again[0].Name == params[0].Name {
				t.Errorf("norms alone: %d weights (%v)", len(again), err)
			}
		})
	}
}

// between holds that the weights of r are at a strength from those of m to those
// of v.
func between(t *testing.T, m, v, r *model.Model, strength float32) {
	t.Helper()
	row := func(x *tensor.Matrix) []float32 {
		out := make([]float32, x.Cols)
		x.WidenRow(out, x.Rows/2)
		return out
	}
	check := func(what string, a, b, c []float32) {
		for i := range a {
			want := float64(a[i]) + float64(strength)*(float64(b[i])-float64(a[i]))
			if math.Abs(float64(c[i])-want) > 1e-5*(1+math.Abs(want)) {
				t.Fatalf("%s at strength %g: %g of %g and %g", what, strength, c[i], a[i], b[i])
			}
		}
	}
	check("the embedding", row(&m.Embed), row(&v.Embed), row(&r.Embed))
	check("the head", row(&m.Head), row(&v.Head), row(&r.Head))
	check("the last norm", m.Norm, v.Norm, r.Norm)
	for l := range m.Layer {
		a, b, c := &m.Layer[l], &v.Layer[l], &r.Layer[l]
		check("a norm", a.AttnNorm, b.AttnNorm, c.AttnNorm)
		for i := range a.Weights {
			check(a.Weights[i].Name, row(&a.Weights[i]), row(&b.Weights[i]), row(&c.Weights[i]))
			check("a bias", a.Bias[i], b.Bias[i], c.Bias[i])
		}
	}
}

func equal(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: logit %d is %g and not %g", what, i, got[i], want[i])
		}
	}
}

func TestReplaceRefuses(t *testing.T) {
	m := modeltest.Load(t, filepath.Join(testdata, "tiny/base"), "")
	x := func(name string, shape ...int) map[string]weights.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return map[string]weights.Tensor{name: {Name: name, DType: tensor.F32, Shape: shape, Data: make([]byte, 4*n)}}
	}
	for _, tensors := range []map[string]weights.Tensor{
		x("model.layers.3.self_attn.q_proj.weight", 32, 32), x("model.layers.1.self_attn.q_proj.weight", 32, 16),
		x("model.layers.1.self_attn.q_proj.weight", 1024), x("model.norm.weight", 33), x("model.norm.weight", 32, 1), x("head", 1),
	} {
		_, err := m.Replace(tensors, 1, modeltest.Heap)
		if bad := (*model.ReplaceError)(nil); !errors.As(err, &bad) {
			t.Errorf("%v: %v", slices.Sorted(maps.Keys(tensors)), err)
		}
	}
}
