// Package llama reads models of the architecture llama: RMS norms before
// attention and feed-forward, rotary positions, grouped-query attention and
// SwiGLU, from GGUF files and Hugging Face folders.
package llama

import (
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "llama") }

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	if src.GGUF != nil {
		return fromGGUF(src)
	}
	return fromFolder(src)
}

// fromGGUF reads llama.cpp's names and metadata. Its rows of q and k are in the
// order of interleaved rotation; the model sees them in Hugging Face's.
func fromGGUF(src *weights.Source) (*model.Model, error) {
	r := model.GGUFReader(src, "llama")
	m := &model.Model{Config: model.Config{
		Architecture: "llama",
		Dim:          r.Int("embedding_length"),
		Layers:       r.Int("block_count"),
		Heads:        r.Int("attention.head_count"),
		FFN:          r.Int("feed_forward_length"),
		Context:      r.Int("context_length"),
		Eps:          float32(r.Float("attention.layer_norm_rms_epsilon")),
	}}
	m.KVHeads = r.IntOr("attention.head_count_kv", m.Heads)
	if err := r.Err(); err != nil {
		return nil, err
	}
	if m.Heads <= 0 || m.KVHeads <= 0 || m.Layers <= 0 || m.Layers > 1024 {
		return nil, fmt.Errorf("%d layers of %d heads and %d key-value heads cannot be: the file is damaged", m.Layers, m.Heads, m.KVHeads)
	}
	m.HeadSize = r.IntOr("attention.key_length", m.Dim/m.Heads)
	if rope := r.IntOr("rope.dimension_count", m.HeadSize); rope != m.HeadSize {
		return nil, fmt.Errorf("rotary positions on %d of %d features of a head are not supported", rope, m.HeadSize)
	}
	m.Rope = r.Rope()
	m.Embed = r.Matrix("token_embd.weight")
	m.Vocab = m.Embed.Rows
	m.Head = m.Embed
	if r.Has("output.weight") {
		m.Head = r.Matrix("output.weight")
	}
	m.Norm = r.Vector("output_norm.weight")
	names := [lora.Modules]string{"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}
	m.Layer = make([]model.Layer, m.Layers)
	for l := range m.Layer {
		L, p := &m.Layer[l], fmt.Sprintf("blk.%d.", l)
		L.AttnNorm, L.MLPNorm = r.Vector(p+"attn_norm.weight"), r.Vector(p+"ffn_norm.weight")
		for i, name := range names {
			L.Weights[i] = r.Matrix(p + name + ".weight")
			if r.Has(p + name + ".bias") {
				L.Bias[i] = r.Vector(p + name + ".bias")
			}
		}
		if r.Err() != nil {
			break
		}
		for i, heads := range map[lora.Module]int{lora.QProj: m.Heads, lora.KProj: m.KVHeads} {
			order, err := model.HalfOrder(heads, m.HeadSize, L.Weights[i].Rows)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", L.Weights[i].Name, err)
			}
			L.Weights[i].Order = order
			L.Bias[i] = model.Reorder(L.Bias[i], order)
		}
	}
	return m, r.Err()
}

func fromFolder(src *weights.Source) (*model.Model, error) {
	r := model.FolderReader(src)
	m := &model.Model{Config: model.Config{
		Architecture: "llama",
		Dim:          r.Int("hidden_size"),
		Layers:       r.Int("num_hidden_layers"),
		Heads:        r.Int("num_attention_heads"),
		FFN:          r.Int("intermediate_size"),
		Context:      r.IntOr("max_position_embeddings", 2048),
		Eps:          float32(r.FloatOr("rms_norm_eps", 1e-6)),
	}}
	m.KVHeads = r.IntOr("num_key_value_heads", m.Heads)
	if err := r.Err(); err != nil {
		return nil, err
	}
	if m.Heads <= 0 || m.Layers <= 0 || m.Layers > 1024 {
		return nil, fmt.Errorf("%d layers of %d heads cannot be: config.json is damaged", m.Layers, m.Heads)
	}
	if act := r.StringOr("hidden_act", "silu"); act != "silu" {
		return nil, fmt.Errorf("the activation %q is not supported for llama", act)
	}
	m.HeadSize = r.IntOr("head_dim", m.Dim/m.Heads)
	m.Rope = r.Rope(10000)
	r.Layers(m, true)
	return m, r.Err()
}
