package model

import (
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/weights"
)

// Folder reads an architecture's settings and weights from a Hugging Face
// folder.
type Folder struct {
	tensors
	config map[string]any
}

// FolderReader reads config.json and weights by Hugging Face's names.
func FolderReader(src *weights.Source) *Folder {
	return &Folder{tensors: tensors{src: src}, config: src.Folder.Config}
}

func (r *Folder) number(m map[string]any, key string) (float64, bool) {
	v, ok := m[key]
	if !ok || v == nil {
		return 0, false
	}
	f, ok := toFloat(v)
	if !ok {
		r.fail("%s in config.json is not a number", key)
	}
	return f, ok
}

// Int is the whole number at key; it must be there.
func (r *Folder) Int(key string) int {
	f, ok := r.number(r.config, key)
	if !ok {
		r.fail("config.json has no %s", key)
	}
	return int(f)
}

// IntOr is the whole number at key, or def.
func (r *Folder) IntOr(key string, def int) int { return int(r.FloatOr(key, float64(def))) }

// FloatOr is the number at key, or def.
func (r *Folder) FloatOr(key string, def float64) float64 {
	if f, ok := r.number(r.config, key); ok {
		return f
	}
	return def
}

// StringOr is the text at key, or def.
func (r *Folder) StringOr(key, def string) string {
	if s, ok := r.config[key].(string); ok {
		return s
	}
	return def
}

// BoolOr is the truth value at key, or def.
func (r *Folder) BoolOr(key string, def bool) bool {
	if b, ok := r.config[key].(bool); ok {
		return b
	}
	return def
}

// Rope reads the rotary settings, in the form of transformers 5
// (rope_parameters) or 4 (rope_theta and rope_scaling).
func (r *Folder) Rope(theta float64) Rope {
	m, _ := r.config["rope_parameters"].(map[string]any)
	if m == nil {
		m, _ = r.config["rope_scaling"].(map[string]any)
	}
	rope := Rope{Theta: r.FloatOr("rope_theta", theta)}
	if f, ok := r.number(m, "rope_theta"); ok {
		rope.Theta = f
	}
	get := func(key string, def float64) float64 {
		if f, ok := r.number(m, key); ok {
			return f
		}
		return def
	}
	if get("partial_rotary_factor", r.FloatOr("partial_rotary_factor", 1)) != 1 {
		r.fail("a partial_rotary_factor is not supported")
	}
	kind, _ := m["rope_type"].(string)
	if kind == "" {
		kind, _ = m["type"].(string)
	}
	context := r.FloatOr("max_position_embeddings", 2048)
	switch kind {
	case "", "default":
	case "linear":
		rope.Scaling, rope.Factor = kind, get("factor", 0)
	case "llama3":
		rope.Scaling, rope.Factor = kind, get("factor", 0)
		rope.Low, rope.High = get("low_freq_factor", 0), get("high_freq_factor", 0)
		rope.Origin = get("original_max_position_embeddings", context)
	case "yarn":
		rope.Scaling, rope.Factor = kind, get("factor", 0)
		rope.Origin = get("original_max_position_embeddings", context)
		rope.Fast, rope.Slow, rope.Attn = get("beta_fast", 32), get("beta_slow", 1), get("attention_factor", 0)
		if t, ok := m["truncate"].(bool); ok {
			rope.NoTrunc = !t
		}
		if a, b := get("mscale", 0), get("mscale_all_dim", 0); rope.Attn == 0 && a != 0 && b != 0 {
			rope.Attn = yarnScale(rope.Factor, a) / yarnScale(rope.Factor, b)
		}
	default:
		r.fail("the RoPE scaling %q is not known", kind)
	}
	return rope
}

// Layers reads embedding, norms, linears, their biases where there are any,
// and the head, which is the embedding where the config ties them or, with
// mayTie, where the file has no head.
func (r *Folder) Layers(m *Model, mayTie bool) {
	m.Embed = r.Matrix("model.embed_tokens.weight")
	m.Vocab = m.Embed.Rows
	m.Norm = r.Vector("model.norm.weight")
	m.Head = m.Embed
	if tied := r.BoolOr("tie_word_embeddings", false); !tied && (!mayTie || r.Has("lm_head.weight")) {
		m.Head = r.Matrix("lm_head.weight")
	}
	m.Layer = make([]Layer, m.Layers)
	for l := range m.Layer {
		L, p := &m.Layer[l], fmt.Sprintf("model.layers.%d.", l)
		L.AttnNorm, L.MLPNorm = r.Vector(p+"input_layernorm.weight"), r.Vector(p+"post_attention_layernorm.weight")
		for i := range lora.Modules {
			at := p + "mlp."
			if i <= lora.OProj {
				at = p + "self_attn."
			}
			L.Weights[i] = r.Matrix(at + i.String() + ".weight")
			if bias := at + i.String() + ".bias"; r.Has(bias) {
				L.Bias[i] = r.Vector(bias)
			}
		}
		if r.Err() != nil {
			return
		}
	}
}
