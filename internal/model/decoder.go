package model

import (
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/weights"
)

// ggufNames are llama.cpp's names of a layer's linears.
var ggufNames = [lora.Modules]string{"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}

// GGUFDecoder reads what the architectures have in common from a GGUF file:
// shape, rotation, embedding, head, norms, linears and their biases. halved says
// that rows of q and k are in llama.cpp's order of interleaved rotation.
func GGUFDecoder(src *weights.Source, arch, modelType string, halved bool) (*Model, *GGUF, error) {
	r := &GGUF{tensors: tensors{src: src}, arch: arch}
	m := &Model{Config: Config{
		Architecture: modelType,
		Dim:          r.Int("embedding_length"),
		Layers:       r.Int("block_count"),
		Heads:        r.Int("attention.head_count"),
		FFN:          r.Int("feed_forward_length"),
		Context:      r.Int("context_length"),
		Eps:          float32(r.Float("attention.layer_norm_rms_epsilon")),
	}}
	m.KVHeads = r.IntOr("attention.head_count_kv", m.Heads)
	if err := r.Err(); err != nil {
		return nil, nil, err
	}
	if m.Heads <= 0 || m.KVHeads <= 0 || m.Layers <= 0 || m.Layers > maxLayers {
		return nil, nil, fmt.Errorf("%d layers of %d heads and %d key-value heads cannot be: the file is damaged", m.Layers, m.Heads, m.KVHeads)
	}
	m.HeadSize = r.IntOr("attention.key_length", m.Dim/m.Heads)
	if rope := r.IntOr("rope.dimension_count", m.HeadSize); rope != m.HeadSize {
		return nil, nil, fmt.Errorf("rotary positions on %d of %d features of a head are not supported", rope, m.HeadSize)
	}
	m.Rope = r.Rope()
	m.Embed = r.Matrix("token_embd.weight")
	m.Vocab = m.Embed.Rows
	m.Head = m.Embed
	if r.Has("output.weight") {
		m.Head = r.Matrix("output.weight")
	}
	m.Norm = r.Vector("output_norm.weight")
	m.Layer = make([]Layer, m.Layers)
	for l := range m.Layer {
		L, p := &m.Layer[l], fmt.Sprintf("blk.%d.", l)
		L.AttnNorm, L.MLPNorm = r.Vector(p+"attn_norm.weight"), r.Vector(p+"ffn_norm.weight")
		L.QNorm, L.KNorm = r.VectorIf(p+"attn_q_norm.weight"), r.VectorIf(p+"attn_k_norm.weight")
		L.AttnPost, L.MLPPost = r.VectorIf(p+"post_attention_norm.weight"), r.VectorIf(p+"post_ffw_norm.weight")
		for i, name := range ggufNames {
			L.Weights[i] = r.Matrix(p + name + ".weight")
			L.Bias[i] = r.VectorIf(p + name + ".bias")
		}
		if r.Err() != nil {
			return nil, nil, r.Err()
		}
		if !halved {
			continue
		}
		for i, heads := range map[lora.Module]int{lora.QProj: m.Heads, lora.KProj: m.KVHeads} {
			order, err := HalfOrder(heads, m.HeadSize, L.Weights[i].Rows)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", L.Weights[i].Name, err)
			}
			L.Weights[i].Order = order
			if b := L.Bias[i]; b != nil && len(b) != len(order) {
				return nil, nil, fmt.Errorf("%s%s.bias has %d weights where %d are expected", p, ggufNames[i], len(b), len(order))
			}
			L.Bias[i] = Reorder(L.Bias[i], order)
		}
	}
	return m, r, r.Err()
}

// Defaults are the settings that transformers takes where an architecture's
// config.json does not say.
type Defaults struct {
	Theta    float64 // the rotation's base frequency
	Tied     bool    // the head is the embedding
	KVHeads  int     // 0 for as many as query heads
	HeadSize int     // 0 for the hidden size divided by the heads
	Gelu     bool    // the tanh form of GELU in place of SiLU
}

// FolderDecoder reads what the architectures have in common from a Hugging Face
// folder.
func FolderDecoder(src *weights.Source, def Defaults) (*Model, *Folder, error) {
	r := &Folder{tensors: tensors{src: src}, config: src.Folder.Config}
	m := &Model{Config: Config{
		Architecture: r.StringOr("model_type", ""),
		Dim:          r.Int("hidden_size"),
		Layers:       r.Int("num_hidden_layers"),
		Heads:        r.Int("num_attention_heads"),
		FFN:          r.Int("intermediate_size"),
		Context:      r.IntOr("max_position_embeddings", 2048),
		Eps:          float32(r.FloatOr("rms_norm_eps", 1e-6)),
	}}
	if def.KVHeads == 0 {
		def.KVHeads = m.Heads
	}
	m.KVHeads = r.IntOr("num_key_value_heads", def.KVHeads)
	if err := r.Err(); err != nil {
		return nil, nil, err
	}
	if m.Heads <= 0 || m.KVHeads <= 0 || m.Layers <= 0 || m.Layers > maxLayers {
		return nil, nil, fmt.Errorf("%d layers of %d heads and %d key-value heads cannot be: config.json is damaged", m.Layers, m.Heads, m.KVHeads)
	}
	switch act := r.StringOr("hidden_activation", r.StringOr("hidden_act", "")); act {
	case "":
		m.Gelu = def.Gelu
	case "silu":
	case "gelu_pytorch_tanh":
		m.Gelu = true
	default:
		return nil, nil, fmt.Errorf("the activation %q is not supported", act)
	}
	if def.HeadSize == 0 {
		def.HeadSize = m.Dim / m.Heads
	}
	m.HeadSize = r.IntOr("head_dim", def.HeadSize)
	m.Rope = r.Rope(def.Theta)
	m.Embed = r.Matrix("model.embed_tokens.weight")
	m.Vocab = m.Embed.Rows
	m.Norm = r.Vector("model.norm.weight")
	m.Head = m.Embed
	if !r.BoolOr("tie_word_embeddings", def.Tied) {
		m.Head = r.Matrix("lm_head.weight")
	}
	m.Layer = make([]Layer, m.Layers)
	for l := range m.Layer {
		L, p := &m.Layer[l], fmt.Sprintf("model.layers.%d.", l)
		L.AttnNorm, L.MLPNorm = r.Vector(p+"input_layernorm.weight"), r.Vector(p+"post_attention_layernorm.weight")
		L.QNorm, L.KNorm = r.VectorIf(p+"self_attn.q_norm.weight"), r.VectorIf(p+"self_attn.k_norm.weight")
		for i := range lora.Modules {
			at := p + "mlp."
			if i <= lora.OProj {
				at = p + "self_attn."
			}
			L.Weights[i] = r.Matrix(at + i.String() + ".weight")
			L.Bias[i] = r.VectorIf(at + i.String() + ".bias")
		}
		if r.Err() != nil {
			return nil, nil, r.Err()
		}
	}
	return m, r, r.Err()
}
