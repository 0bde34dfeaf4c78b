package all_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// TestRefusedSettings changes one setting of a toy model to one that cannot be
// or is not supported; the error must say which.
func TestRefusedSettings(t *testing.T) {
	for _, c := range []struct {
		name, key string
		value     any
		says      string
	}{
		{"qwen2", "model_type", "qwen9", `"qwen9" is not known`},
		{"qwen2", "model_type", nil, "no model_type"},
		{"qwen2", "model_type", "qwen3", "norms of q and k are missing"},
		{"qwen2", "model_type", "gemma3_text", "pre_feedforward_layernorm.weight is missing"},
		{"qwen2", "hidden_size", nil, "no hidden_size"},
		{"qwen2", "hidden_size", "32", "hidden_size in config.json is not a number"},
		{"qwen2", "hidden_size", 64., "where [64, 64] is expected"},
		{"qwen2", "num_hidden_layers", 0., "0 layers"},
		{"qwen2", "num_hidden_layers", 1e300, "layers of 4 heads"},
		{"qwen2", "num_hidden_layers", 4., "model.layers.3.input_layernorm.weight is missing"},
		{"qwen2", "num_attention_heads", 3., "3 heads cannot share 2 key-value heads"},
		{"qwen2", "num_key_value_heads", -2., "-2 key-value heads"},
		{"qwen2", "num_key_value_heads", 0., "0 key-value heads"},
		{"qwen2", "head_dim", 0., "the head size is 0"},
		{"qwen2", "rms_norm_eps", 0., "epsilon"},
		{"qwen2", "max_position_embeddings", 1e12, "context"},
		{"qwen2", "hidden_act", "relu", `"relu"`},
		{"qwen2", "partial_rotary_factor", 0.5, "partial_rotary_factor"},
		{"qwen2", "rope_parameters", map[string]any{"rope_type": "longrope", "rope_theta": 1e4}, `"longrope"`},
		{"qwen2", "rope_parameters", map[string]any{"rope_type": "linear", "rope_theta": 1e4}, "the factor of RoPE scaling"},
		{"qwen3", "head_dim", 7., "head size of 7"},
		{"qwen3", "head_dim", 16., "a norm of layer 0 has 8 weights where 16"},
		{"gemma3_text", "layer_types", []any{"full_attention"}, "1 entries for 6 layers"},
		{"gemma3_text", "layer_types", []any{"full_attention", "full_attention", "chunked_attention", "full_attention", "full_attention", "full_attention"}, "chunked_attention"},
		{"gemma3_text", "sliding_window", -8., "window of layer 0 is -8"},
		{"gemma3_text", "sliding_window_pattern", 0., "sliding_window_pattern of 0"},
		{"gemma3_text", "query_pre_attn_scalar", 0., "query_pre_attn_scalar of 0"},
		{"gemma3_text", "final_logit_softcapping", 30., "soft caps"},
		{"gemma3_text", "use_bidirectional_attention", true, "what follows"},
		{"gemma3_text", "text_config", map[string]any{}, "images and text"},
		{"gemma3_text", "rope_parameters", map[string]any{"sliding_attention": map[string]any{"rope_theta": -1.}}, "RoPE base frequency is -1"},
	} {
		t.Run(c.name+"/"+c.key, func(t *testing.T) {
			src := modeltest.Open(t, filepath.Join(arch, c.name), "")
			src.Folder.Config[c.key] = c.value
			_, err := model.Load(src)
			refused(t, err, c.says)
		})
	}
}

// TestRefusedFiles does the same with GGUF files.
func TestRefusedFiles(t *testing.T) {
	for _, c := range []struct {
		name, says string
		conversion conversion
	}{
		{"mistral", "GGUF files of such models say llama", conversion{arch: "mistral", interleave: true}},
		{"qwen2", "norms of q and k are missing", conversion{arch: "qwen3"}},
		{"gemma3_text", "soft caps", conversion{arch: "gemma3", plusOne: true,
			more: []weights.MetaEntry{{Key: "final_logit_softcapping", Value: float32(30)}}}},
		{"gemma3_text", "2 entries for 6 layers", conversion{arch: "gemma3", plusOne: true,
			more: []weights.MetaEntry{{Key: "attention.sliding_window_pattern", Value: []bool{true, false}}}}},
		{"smollm3", "rotary positions on 4 of 8", conversion{arch: "smollm3", interleave: true,
			more: []weights.MetaEntry{{Key: "rope.dimension_count", Value: uint32(4)}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := modeltest.Open(t, filepath.Join(arch, c.name), "")
			m, err := model.Load(src)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "model.gguf")
			c.conversion.convert(t, path, src, m)
			_, err = model.Load(modeltest.Open(t, path, ""))
			refused(t, err, c.says)
		})
	}
}

// TestRefusedShapes reads GGUF files of one layer whose weights have no sizes of any
// model: what is allocated follows from what a file holds and not from what it says.
func TestRefusedShapes(t *testing.T) {
	whole := map[string][]int{
		"token_embd.weight": {8, 4}, "output_norm.weight": {4}, "blk.0.attn_norm.weight": {4}, "blk.0.ffn_norm.weight": {4},
		"blk.0.attn_q.weight": {4, 4}, "blk.0.attn_k.weight": {4, 4}, "blk.0.attn_v.weight": {4, 4}, "blk.0.attn_output.weight": {4, 4},
		"blk.0.ffn_gate.weight": {8, 4}, "blk.0.ffn_up.weight": {8, 4}, "blk.0.ffn_down.weight": {4, 8},
	}
	const q, bias = "blk.0.attn_q.weight", "blk.0.attn_q.bias"
	for _, c := range []struct {
		name  string
		says  string // empty where the file can be read
		heads uint32
		size  uint32
		with  map[string][]int
	}{
		{"whole", "", 2, 2, nil},
		{"bias", "", 2, 2, map[string][]int{bias: {4}}},
		{"no columns", "attn_q.weight has shape [17179869184 0]", 1 << 17, 1 << 17, map[string][]int{q: {1 << 34, 0}}},
		{"no rows", "ffn_down.weight has shape [0 8] where a matrix with rows and columns is expected: the file is damaged", 2, 2, map[string][]int{"blk.0.ffn_down.weight": {0, 8}}},
		{"no frequency", "rope_freqs has the entry 0", 2, 2, map[string][]int{"rope_freqs.weight": {1}}},
		{"short bias", "attn_q.bias has 1 weights where 4", 2, 2, map[string][]int{bias: {1}}},
		{"long bias", "attn_k.bias has 6 weights where 4", 2, 2, map[string][]int{"blk.0.attn_k.bias": {6}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tensors []weights.Tensor
			shapes := maps.Clone(whole)
			maps.Copy(shapes, c.with)
			for _, name := range slices.Sorted(maps.Keys(shapes)) {
				n := 4
				for _, side := range shapes[name] {
					n *= side
				}
				tensors = append(tensors, weights.Tensor{Name: name, DType: tensor.F32, Shape: shapes[name], Data: make([]byte, n)})
			}
			path := filepath.Join(t.TempDir(), "model.gguf")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := weights.WriteGGUF(f, []weights.MetaEntry{
				{Key: "general.architecture", Value: "llama"}, {Key: "llama.embedding_length", Value: uint32(4)},
				{Key: "llama.block_count", Value: uint32(1)}, {Key: "llama.attention.head_count", Value: c.heads},
				{Key: "llama.feed_forward_length", Value: uint32(8)}, {Key: "llama.context_length", Value: uint32(16)},
				{Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(1e-5)}, {Key: "llama.attention.key_length", Value: c.size},
			}, tensors); err != nil {
				t.Fatal(err)
			}
			_, err = model.Load(modeltest.Open(t, path, ""))
			if c.says != "" {
				refused(t, err, c.says)
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func refused(t *testing.T, err error, says string) {
	t.Helper()
	if err == nil {
		t.Fatalf("loaded, where the error should say %q", says)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("the error is %q and does not say %q", err, says)
	}
}

// TestEndlessWindow loads a window to which nothing can be added without overflow.
func TestEndlessWindow(t *testing.T) {
	src := modeltest.Open(t, filepath.Join(arch, "mistral"), "")
	src.Folder.Config["sliding_window"] = 0x1p63 - 1024
	m, err := model.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	for l := range m.Layer {
		if w := m.Layer[l].Window; w < m.Context || w > 1<<24 {
			t.Errorf("the window of layer %d is %d", l, w)
		}
	}
}

// TestDefaultWindow leaves out the setting that transformers has a default for.
func TestDefaultWindow(t *testing.T) {
	src := modeltest.Open(t, filepath.Join(arch, "mistral"), "")
	delete(src.Folder.Config, "sliding_window")
	m, err := model.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	for l := range m.Layer {
		if w := m.Layer[l].Window; w != 4096 {
			t.Errorf("the window of layer %d is %d", l, w)
		}
	}
}
