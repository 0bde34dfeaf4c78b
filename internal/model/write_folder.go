package model

import (
	"encoding/json"
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// NotFolderError says what of a model cannot be said in a config.json here.
type NotFolderError struct {
	What string
}

// Error names it.
func (e *NotFolderError) Error() string {
	return "the model has " + e.What + ", which cannot be written in a config.json"
}

// Hint says what to do.
func (e *NotFolderError) Hint() string {
	return "write a GGUF file, or use the model's own Hugging Face folder as the base"
}

// classes are the names that transformers has for architectures whose config.json
// can be written.
var classes = map[string]string{"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}

// ConfigJSON is what a config.json says of the model: FolderDecoder reads the same
// from it. The error is a NotFolderError.
func (m *Model) ConfigJSON() ([]byte, error) {
	class, ok := classes[m.Architecture]
	if !ok {
		return nil, &NotFolderError{"the architecture " + m.Architecture}
	}
	c := map[string]any{
		"architectures": []string{class}, "model_type": m.Architecture, "vocab_size": m.Vocab, "hidden_size": m.Dim,
		"intermediate_size": m.FFN, "num_hidden_layers": m.Layers, "num_attention_heads": m.Heads, "num_key_value_heads": m.KVHeads,
		"head_dim": m.HeadSize, "max_position_embeddings": m.Context, "rms_norm_eps": m.Eps, "hidden_act": "silu",
		"tie_word_embeddings": m.tied(), "rope_theta": m.Rope.Theta, "torch_dtype": "float16",
	}
	switch r := &m.Rope; r.Scaling {
	case "":
		if r.Divide != nil {
			return nil, &NotFolderError{"a rotation whose frequencies are divided one by one"}
		}
		c["rope_scaling"] = nil
	case "linear":
		c["rope_scaling"] = map[string]any{"rope_type": "linear", "factor": r.Factor}
	case "llama3":
		c["rope_scaling"] = map[string]any{"rope_type": "llama3", "factor": r.Factor, "low_freq_factor": r.Low, "high_freq_factor": r.High,
			"original_max_position_embeddings": r.Origin}
	case "yarn":
		s := map[string]any{"rope_type": "yarn", "factor": r.Factor, "original_max_position_embeddings": r.Origin,
			"beta_fast": r.Fast, "beta_slow": r.Slow, "truncate": !r.NoTrunc}
		if r.Attn != 0 {
			s["attention_factor"] = r.Attn
		}
		c["rope_scaling"] = s
	}
	attention, mlp := false, false
	for l := range m.Layer {
		L := &m.Layer[l]
		if L.Window > 0 {
			return nil, &NotFolderError{"attention with a window"}
		}
		for i, b := range L.Bias {
			attention = attention || b != nil && lora.Module(i) <= lora.OProj
			mlp = mlp || b != nil && lora.Module(i) > lora.OProj
		}
	}
	if m.Architecture != "qwen2" { // there q, k and v always have one
		c["attention_bias"] = attention
	}
	if m.Architecture == "llama" {
		c["mlp_bias"] = mlp
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write config.json: %w", err)
	}
	return append(b, '\n'), nil
}

// Tensors are all weights of the model as a Hugging Face folder has them: matrices
// in F32, F16 and BF16 as they lie, others widened and written in F16, vectors in
// F32. The error is of a weight that F16 cannot hold, or of a file that has become
// unreadable.
func (m *Model) Tensors() ([]weights.Tensor, error) {
	var out []weights.Tensor
	all := m.places()
	err := weights.Guard(func() error {
		for i := range all {
			t, err := all[i].tensor()
			if err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
			out = append(out, t)
		}
		return nil
	})
	return out, err
}

// tensor is the weight in Hugging Face's order.
func (p *place) tensor() (weights.Tensor, error) {
	t := weights.Tensor{Name: p.name, DType: tensor.F32, Shape: p.shape()}
	if p.matrix == nil {
		w := append([]float32(nil), *p.vector...)
		for i := range w {
			w[i] -= p.shift
		}
		t.Data = tensor.Bytes(w)
		return t, nil
	}
	w := p.matrix
	if elems, _ := w.DType.Block(); elems > 1 {
		t.DType = tensor.F16
		size := tensor.F16.RowBytes(w.Cols)
		t.Data = make([]byte, w.Rows*size)
		row := make([]float32, w.Cols)
		for r := range w.Rows {
			w.WidenRow(row, r)
			if err := tensor.Narrow(t.Data[r*size:(r+1)*size], row, tensor.F16); err != nil {
				return t, err
			}
		}
		return t, nil
	}
	t.DType, t.Data = w.DType, w.Data
	if w.Order != nil {
		t.Data = make([]byte, 0, len(w.Data))
		for r := range w.Rows {
			t.Data = append(t.Data, w.Row(r)...)
		}
	}
	return t, nil
}
