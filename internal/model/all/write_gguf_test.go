package all_test

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/all"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// written writes a model as a GGUF file in float32 and loads it.
func written(t *testing.T, m *model.Model) *model.Model {
	t.Helper()
	meta, list, err := m.GGUF()
	if err != nil {
		t.Fatal(err)
	}
	var tensors []weights.Tensor
	for _, w := range list {
		tensors = append(tensors, weights.Tensor{Name: w.Name, DType: tensor.F32, Shape: w.Shape})
	}
	path := filepath.Join(t.TempDir(), "m.gguf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	err = weights.StreamGGUF(f, meta, tensors, func(i int, out io.Writer) error {
		w := &list[i]
		cols := w.Shape[len(w.Shape)-1]
		row, b := make([]float32, cols), make([]byte, 4*cols)
		rows := 1
		if len(w.Shape) == 2 {
			rows = w.Shape[0]
		}
		for r := range rows {
			w.Row(row, r)
			if err := tensor.Narrow(b, row, tensor.F32); err != nil {
				return err
			}
			if _, err := out.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		t.Fatal(err)
	}
	return modeltest.Load(t, path, "")
}

// TestWriteGGUF writes toys of each architecture as GGUF files: what is read from
// them has the same logits, in bits where all numbers are the same.
func TestWriteGGUF(t *testing.T) {
	const tiny, arch = "../../testkit/testdata/tiny/", arch + "/"
	heads := map[string]any{"query_pre_attn_scalar": 8.} // the root of which GGUF takes for granted
	for _, c := range []struct {
		folder, config string
		near           bool   // numbers go through float32
		context        int    // that the file says; 0 for the model's own
		no             string // what has no GGUF form
		set            map[string]any
	}{
		{folder: tiny + "base"}, {folder: tiny + "tied"}, {folder: tiny + "bias"},
		{folder: tiny + "base", config: tiny + "rope/linear"},
		{folder: tiny + "base", config: tiny + "rope/llama3", near: true},
		{folder: tiny + "base", config: tiny + "rope/yarn", near: true},
		{folder: tiny + "base", config: tiny + "rope/yarn-attention-factor", near: true},
		{folder: tiny + "base", config: tiny + "rope/yarn-mscale", no: "YaRN without truncation"},
		{folder: arch + "qwen2"}, {folder: arch + "qwen2", config: arch + "qwen2/variants/yarn", near: true},
		{folder: arch + "qwen2", config: arch + "qwen2/variants/sliding", context: 8},
		{folder: arch + "qwen3"}, {folder: arch + "smollm3"},
		{folder: arch + "smollm3", config: arch + "smollm3/variants/nope", no: "positions"},
		{folder: arch + "mistral", context: 8}, {folder: arch + "mistral", config: arch + "mistral/variants/full"},
		{folder: arch + "gemma3_text", no: "scores scaled"}, {folder: arch + "gemma3_text", set: heads},
		{folder: arch + "gemma3_text", config: arch + "gemma3_text/variants/mixed", set: heads, no: "a window"},
	} {
		config := ""
		name := filepath.Base(c.folder)
		if c.config != "" {
			config, name = filepath.Join(c.config, "config.json"), name+" "+filepath.Base(c.config)
		}
		t.Run(name, func(t *testing.T) {
			src := modeltest.Open(t, c.folder, config)
			maps.Copy(src.Folder.Config, c.set)
			m, err := model.Load(src)
			if err != nil {
				t.Fatal(err)
			}
			if c.no != "" {
				var no *model.NotGGUFError
				if _, _, err := m.GGUF(); !errors.As(err, &no) || !strings.Contains(no.What, c.no) {
					t.Errorf("it is written all the same: %v", err)
				}
				return
			}
			again := written(t, m)
			if c.context == 0 {
				c.context = m.Context
			}
			if again.Context != c.context {
				t.Errorf("the context is %d, want %d", again.Context, c.context)
			}
			ids := make([]int32, min(c.context, 40))
			for i := range ids {
				ids[i] = int32((1 + 17*i + i*i) % m.Vocab)
			}
			var logits [2][]float32
			for i, m := range []*model.Model{m, again} {
				s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 1, Context: len(ids)})
				logits[i] = modeltest.Logits(t, s, m, ids, nil)
			}
			if c.near {
				modeltest.Near(t, "logits", logits[1], logits[0], 1e-5)
			} else if !slices.Equal(logits[0], logits[1]) {
				t.Error("other logits")
			}
		})
	}
}
