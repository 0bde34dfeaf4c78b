package all_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/weights"
)

// TestConfigJSON reads a model under the config.json that was written of it: the
// same shape, rotation and logits.
func TestConfigJSON(t *testing.T) {
	variants, err := filepath.Glob(filepath.Join(testdata, "tiny/rope/*/config.json"))
	if err != nil || len(variants) == 0 {
		t.Fatal("no scalings of the rotation", err)
	}
	type read struct{ folder, config string }
	list := []read{{"tiny/base", ""}, {"tiny/tied", ""}, {"tiny/bias", ""}, {"arch/qwen2", ""}, {"arch/qwen2", filepath.Join(testdata, "arch/qwen2/variants/yarn/config.json")}, {"arch/qwen3", ""}}
	for _, v := range variants {
		list = append(list, read{"tiny/base", v})
	}
	for _, x := range list {
		t.Run(x.folder+filepath.Base(filepath.Dir(x.config)), func(t *testing.T) {
			path := filepath.Join(testdata, x.folder)
			m := modeltest.Load(t, path, x.config)
			b, err := m.ConfigJSON()
			if err != nil {
				t.Fatal(err)
			}
			config := filepath.Join(t.TempDir(), "config.json")
			if err := os.WriteFile(config, b, 0o600); err != nil {
				t.Fatal(err)
			}
			again := modeltest.Load(t, path, config)
			if !reflect.DeepEqual(again.Config, m.Config) {
				t.Errorf("it is read as\n%+v and was\n%+v", again.Config, m.Config)
			}
			equal(t, "the model read again", logitsOf(t, again), logitsOf(t, m))
		})
	}
	for _, folder := range []string{"arch/gemma3_text", "arch/smollm3", "arch/mistral"} {
		_, err := modeltest.Load(t, filepath.Join(testdata, folder), "").ConfigJSON()
		if bad := (*model.NotFolderError)(nil); !errors.As(err, &bad) || bad.Hint() == "" {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// TestTensors holds that the weights of a model come back as its file has them.
func TestTensors(t *testing.T) {
	for _, folder := range append(folders, "gguf", "quantized") {
		t.Run(folder, func(t *testing.T) {
			path := filepath.Join(testdata, folder)
			if folder == "gguf" || folder == "quantized" {
				path = testkit.Toy(t, testkit.ToyShape{})
			}
			m := modeltest.Load(t, path, "")
			if folder == "quantized" {
				quantized(t, &m.Layer[0].Weights[lora.KProj])
			}
			list, err := m.Tensors()
			if err != nil {
				t.Fatal(err)
			}
			all := map[string]weights.Tensor{}
			for _, x := range list {
				all[x.Name] = x
			}
			if folder != "gguf" && folder != "quantized" {
				if want := slices.Sorted(maps.Keys(modeltest.Open(t, path, "").Tensors)); !slices.Equal(slices.Sorted(maps.Keys(all)), want) {
					t.Errorf("the weights are\n%v and in the file\n%v", slices.Sorted(maps.Keys(all)), want)
				}
			}
			again, err := m.Replace(all, 1, modeltest.Heap)
			if err != nil {
				t.Fatal(err)
			}
			limit := 0.0
			switch {
			case folder == "quantized":
				limit = 1e-3
				if x := all["model.layers.0.self_attn.k_proj.weight"]; x.DType != tensor.F16 {
					t.Errorf("a quantized weight comes as %s", x.DType)
				}
			case m.NormShift != 0:
				limit = 1e-5
			}
			modeltest.Near(t, "what was written", logitsOf(t, again), logitsOf(t, m), limit)
		})
	}
}

// quantized puts the matrix in Q8_0.
func quantized(t *testing.T, m *tensor.Matrix) {
	t.Helper()
	size := tensor.Q8_0.RowBytes(m.Cols)
	data, row := make([]byte, m.Rows*size), make([]float32, m.Cols)
	for r := range m.Rows {
		m.WidenRow(row, r)
		at := m.Stored(r) * size
		if err := weights.QuantizeRow(data[at:at+size], row, tensor.Q8_0); err != nil {
			t.Fatal(err)
		}
	}
	m.DType, m.Data = tensor.Q8_0, data
}
