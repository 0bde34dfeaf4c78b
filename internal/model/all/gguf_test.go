package all_test

import (
	"encoding/binary"
	"maps"
	"math"
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

// conversion is how llama.cpp's converter turns a folder of an architecture into
// a GGUF file.
type conversion struct {
	arch       string
	interleave bool // rows of q and k are put in the order of an interleaved rotation
	plusOne    bool // one is added to norms
	// without are settings that GGUF files have no place for, as they must be in
	// config.json for both to say the same.
	without map[string]any
}

// ggufName maps the names of weights; those within a layer follow blk.N.
var ggufName = map[string]string{
	"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
	"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
	"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
	"self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
	"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
	"pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm",
}

func (c *conversion) rename(t *testing.T, name string) string {
	t.Helper()
	stem, kind, layer := name, "", ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		stem, kind = name[:i], name[i:]
	}
	if rest, ok := strings.CutPrefix(stem, "model.layers."); ok {
		l, inner, _ := strings.Cut(rest, ".")
		layer, stem = "blk."+l+".", inner
	}
	if c.arch == "gemma3" && stem == "post_attention_layernorm" {
		return layer + "post_attention_norm" + kind
	}
	to, ok := ggufName[stem]
	if !ok {
		t.Fatalf("the weight %s has no name in a GGUF file", name)
	}
	return layer + to + kind
}

// interleaved puts rows in an order in which features that turn together are
// neighbours: of each head the first half and the second take turns.
func interleaved(x weights.Tensor, heads int) []byte {
	size := len(x.Data) / heads
	row := len(x.Data) / x.Shape[0]
	out := make([]byte, 0, len(x.Data))
	for h := range heads {
		head := x.Data[h*size : (h+1)*size]
		for i := 0; i < size/2; i += row {
			out = append(out, head[i:i+row]...)
			out = append(out, head[size/2+i:size/2+i+row]...)
		}
	}
	return out
}

func plusOne(b []byte) []byte {
	out := make([]byte, len(b))
	for i := 0; i < len(b); i += 4 {
		x := math.Float32frombits(binary.LittleEndian.Uint32(b[i:]))
		binary.LittleEndian.PutUint32(out[i:], math.Float32bits(x+1))
	}
	return out
}

// convert writes the model in src as a GGUF file. Weights stay F32.
func (c *conversion) convert(t *testing.T, path string, src *weights.Source) {
	t.Helper()
	config := src.Folder.Config
	number := func(key string) float64 {
		x, ok := config[key].(float64)
		if !ok {
			t.Fatalf("config.json has no number %s", key)
		}
		return x
	}
	heads, kv := int(number("num_attention_heads")), int(number("num_key_value_heads"))
	meta := []weights.MetaEntry{{Key: "general.architecture", Value: c.arch}}
	add := func(key string, value any) {
		meta = append(meta, weights.MetaEntry{Key: c.arch + "." + key, Value: value})
	}
	for _, k := range [][2]string{
		{"vocab_size", "vocab_size"}, {"context_length", "max_position_embeddings"}, {"embedding_length", "hidden_size"},
		{"block_count", "num_hidden_layers"}, {"feed_forward_length", "intermediate_size"},
		{"attention.head_count", "num_attention_heads"}, {"attention.head_count_kv", "num_key_value_heads"},
	} {
		add(k[0], uint32(number(k[1])))
	}
	add("attention.layer_norm_rms_epsilon", float32(number("rms_norm_eps")))
	if size, ok := config["head_dim"].(float64); ok {
		add("attention.key_length", uint32(size))
		add("attention.value_length", uint32(size))
	}
	rope := config["rope_parameters"].(map[string]any)
	if full, ok := rope["full_attention"].(map[string]any); ok {
		add("rope.freq_base_swa", float32(rope["sliding_attention"].(map[string]any)["rope_theta"].(float64)))
		rope = full
	}
	add("rope.freq_base", float32(rope["rope_theta"].(float64)))
	if kind := rope["rope_type"]; kind != "default" {
		add("rope.scaling.type", kind)
		add("rope.scaling.factor", float32(rope["factor"].(float64)))
	}
	if window, ok := config["sliding_window"].(float64); ok {
		add("attention.sliding_window", uint32(window))
	}
	// A model without a tokenizer, as far as llama.cpp is concerned.
	meta = append(meta, weights.MetaEntry{Key: "tokenizer.ggml.model", Value: "none"})

	var tensors []weights.Tensor
	for _, name := range slices.Sorted(maps.Keys(src.Tensors)) {
		x := src.Tensors[name]
		if x.DType != tensor.F32 {
			t.Fatalf("%s is %s", name, x.DType)
		}
		out := weights.Tensor{Name: c.rename(t, name), DType: x.DType, Shape: x.Shape, Data: x.Data}
		switch {
		case c.interleave && strings.Contains(name, ".q_proj."):
			out.Data = interleaved(x, heads)
		case c.interleave && strings.Contains(name, ".k_proj."):
			out.Data = interleaved(x, kv)
		case c.plusOne && strings.HasSuffix(name, "norm.weight"):
			out.Data = plusOne(x.Data)
		}
		tensors = append(tensors, out)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.WriteGGUF(f, meta, tensors); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestGGUF demands the same bits of a model from a GGUF file as from its folder.
func TestGGUF(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			dir := filepath.Join(arch, a.name)
			src := modeltest.Open(t, dir, "")
			for key, value := range a.gguf.without {
				src.Folder.Config[key] = value
			}
			folder, err := model.Load(src)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "model.gguf")
			if keep := os.Getenv("STROKE_KEEP"); keep != "" {
				path = filepath.Join(keep, a.name+".gguf")
			}
			a.gguf.convert(t, path, src)
			file := modeltest.Load(t, path, "")
			var d dump
			modeltest.ReadDump(t, dir, &d)
			_, use := adapter(t, dir, folder)
			modeltest.EachKernel(t, func(t *testing.T) {
				var logits [2][]float32
				for i, m := range []*model.Model{folder, file} {
					s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 1, Context: 64, Pad: 16})
					logits[i] = modeltest.Logits(t, s, m, d.Sequences[2].IDs, use)
				}
				for i, want := range logits[0] {
					if got := logits[1][i]; math.Float32bits(got) != math.Float32bits(want) {
						t.Fatalf("logit %d of token %d is %g from the folder and %g from the file", i%file.Vocab, i/file.Vocab, want, got)
					}
				}
			})
		})
	}
}
