package all_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
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
	// variants are further config.json files that a GGUF file can say.
	variants []string
	more     []weights.MetaEntry // of this architecture, without its name
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

// divisors is the weight by which llama.cpp states the scaling of Llama 3.
func divisors(r *model.Rope, size int) weights.Tensor {
	x := weights.Tensor{Name: "rope_freqs.weight", DType: tensor.F32, Shape: []int{size / 2}}
	for i := range size / 2 {
		wave := 2 * math.Pi * math.Pow(r.Theta, float64(2*i)/float64(size))
		divisor := 1.0
		switch {
		case wave > r.Origin/r.Low:
			divisor = r.Factor
		case wave >= r.Origin/r.High:
			smooth := (r.Origin/wave - r.Low) / (r.High - r.Low)
			divisor = 1 / ((1-smooth)/r.Factor + smooth)
		}
		x.Data = binary.LittleEndian.AppendUint32(x.Data, math.Float32bits(float32(divisor)))
	}
	return x
}

// widened is a vector in F32, with one added to each number where it is asked.
func widened(x weights.Tensor, plusOne bool) []byte {
	v := make([]float32, x.Shape[0])
	m := tensor.NewMatrix(x.Name, x.DType, 1, len(v), x.Data)
	m.WidenRow(v, 0)
	var out []byte
	for _, f := range v {
		if plusOne {
			f++
		}
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f))
	}
	return out
}

// convert writes the model in src, which was loaded as m, as a GGUF file. Matrices
// keep their type, vectors become F32.
func (c *conversion) convert(t *testing.T, path string, src *weights.Source, m *model.Model) {
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
	add("rope.freq_base", float32(m.Rope.Theta))
	if m.Local != nil {
		add("rope.freq_base_swa", float32(m.Local.Theta))
	}
	var tensors []weights.Tensor
	switch m.Rope.Scaling {
	case "linear", "yarn":
		add("rope.scaling.type", m.Rope.Scaling)
		add("rope.scaling.factor", float32(m.Rope.Factor))
		if m.Rope.Scaling == "yarn" {
			add("rope.scaling.original_context_length", uint32(m.Rope.Origin))
			add("rope.scaling.yarn_beta_fast", float32(m.Rope.Fast))
			add("rope.scaling.yarn_beta_slow", float32(m.Rope.Slow))
		}
	case "llama3":
		tensors = append(tensors, divisors(&m.Rope, m.HeadSize))
	}
	if window, ok := config["sliding_window"].(float64); ok {
		add("attention.sliding_window", uint32(window))
	}
	for _, e := range c.more {
		add(e.Key, e.Value)
	}
	// A model without a tokenizer, as far as llama.cpp is concerned.
	meta = append(meta, weights.MetaEntry{Key: "tokenizer.ggml.model", Value: "none"})

	for _, name := range slices.Sorted(maps.Keys(src.Tensors)) {
		x := src.Tensors[name]
		out := weights.Tensor{Name: c.rename(t, name), DType: x.DType, Shape: x.Shape, Data: x.Data}
		if len(x.Shape) == 1 {
			out.DType, out.Data = tensor.F32, widened(x, c.plusOne && strings.HasSuffix(name, "norm.weight"))
		}
		switch {
		case c.interleave && strings.Contains(name, ".q_proj."):
			out.Data = interleaved(out, heads)
		case c.interleave && strings.Contains(name, ".k_proj."):
			out.Data = interleaved(out, kv)
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

var keep = flag.String("keep", "", "folder to leave the GGUF files in, for llama.cpp to read")

// TestGGUF demands the same bits of a model from a GGUF file as from its folder.
func TestGGUF(t *testing.T) {
	for _, a := range architectures {
		dir := filepath.Join(arch, a.name)
		a.gguf.test(t, a.name, dir, "", nil)
		for _, v := range a.gguf.variants {
			a.gguf.test(t, a.name+"-"+v, dir, filepath.Join(dir, "variants", v, "config.json"), nil)
		}
	}
	llama := conversion{arch: "llama", interleave: true}
	const tiny = "../../testkit/testdata/tiny"
	for _, folder := range []string{"base", "tied", "bias"} {
		llama.test(t, "llama-"+folder, filepath.Join(tiny, folder), "", nil)
	}
	for _, rope := range []string{"linear", "llama3", "llama3-wide", "yarn"} {
		llama.test(t, "llama-"+rope, filepath.Join(tiny, "base"), filepath.Join(tiny, "rope", rope, "config.json"), nil)
	}
}

// TestGGUFOfGemma3 reads what files of this architecture say in ways of their
// own: which layers have a window, and the model of 62 layers, whose scores are
// divided by the root of what each head has of the hidden size.
func TestGGUFOfGemma3(t *testing.T) {
	dir := filepath.Join(arch, "gemma3_text")
	const key = "attention.sliding_window_pattern"
	for name, c := range map[string]struct {
		pattern any
		slides  [6]bool
	}{
		"listed":  {[]bool{false, true, true, false, false, true}, [6]bool{1: true, 2: true, 5: true}},
		"counted": {uint32(2), [6]bool{0: true, 2: true, 4: true}},
		"all":     {uint32(0), [6]bool{true, true, true, true, true, true}},
		"none":    {uint32(1), [6]bool{}},
	} {
		conversion := conversion{arch: "gemma3", plusOne: true, more: []weights.MetaEntry{{Key: key, Value: c.pattern}}}
		conversion.test(t, name, dir, "", func(src *weights.Source) {
			src.Folder.Config["query_pre_attn_scalar"] = 8.
			kinds := src.Folder.Config["layer_types"].([]any)
			for l := range kinds {
				kinds[l] = "full_attention"
				if c.slides[l] {
					kinds[l] = "sliding_attention"
				}
			}
		})
	}
	large := conversion{arch: "gemma3", plusOne: true}
	large.test(t, "62 layers", dir, "", func(src *weights.Source) {
		config := src.Folder.Config
		delete(config, "layer_types")
		config["num_hidden_layers"] = 62.
		config["query_pre_attn_scalar"] = config["hidden_size"].(float64) / config["num_attention_heads"].(float64)
		all := maps.Clone(src.Tensors)
		for name, x := range src.Tensors {
			rest, ok := strings.CutPrefix(name, "model.layers.")
			if !ok {
				continue
			}
			layer, inner, _ := strings.Cut(rest, ".")
			for l := int(layer[0]-'0') + 6; l < 62; l += 6 {
				all[fmt.Sprintf("model.layers.%d.%s", l, inner)] = x
			}
		}
		src.Tensors = all
	})
}

// test compares the model in dir, under another config.json and a change where
// they are given, with its GGUF file.
func (c *conversion) test(t *testing.T, name, dir, config string, change func(*weights.Source)) {
	t.Run(name, func(t *testing.T) {
		src := modeltest.Open(t, dir, config)
		for key, value := range c.without {
			src.Folder.Config[key] = value
		}
		if change != nil {
			change(src)
		}
		folder, err := model.Load(src)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name+".gguf")
		if *keep != "" {
			path = filepath.Join(*keep, name+".gguf")
		}
		c.convert(t, path, src, folder)
		file := modeltest.Load(t, path, "")
		if file.Architecture != folder.Architecture && c.arch != "llama" {
			t.Errorf("the file's architecture is %s and the folder's %s", file.Architecture, folder.Architecture)
		}
		use := []lora.Applied{{Adapter: modeltest.RandomAdapter(folder, 4, 1), Strength: 1}}
		ids := make([]int32, 40)
		for i := range ids {
			ids[i] = int32((1 + 17*i + i*i) % folder.Vocab)
		}
		modeltest.EachKernel(t, func(t *testing.T) {
			var logits [2][]float32
			for i, m := range []*model.Model{folder, file} {
				s := modeltest.Session(t, m, model.Limits{Tokens: 64, Rows: 1, Context: 64, Pad: 16})
				logits[i] = modeltest.Logits(t, s, m, ids, use)
			}
			if folder.Rope.Scaling == "llama3" { // whose divisors a file rounds
				modeltest.Near(t, "logits", logits[1], logits[0], 1e-5)
				return
			}
			for i, want := range logits[0] {
				if got := logits[1][i]; math.Float32bits(got) != math.Float32bits(want) {
					t.Fatalf("logit %d of token %d is %g from the folder and %g from the file", i%file.Vocab, i/file.Vocab, want, got)
				}
			}
		})
	})
}
