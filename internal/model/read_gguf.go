package model

// GGUF reads an architecture's metadata and weights from a GGUF file.
type GGUF struct {
	tensors
	arch string
}

func (r *GGUF) number(key string) (float64, bool) {
	v, ok := r.src.GGUF.Meta[r.arch+"."+key]
	if !ok {
		return 0, false
	}
	f, ok := toFloat(v)
	if !ok {
		r.fail("the metadata %s.%s is not a number", r.arch, key)
	}
	return f, ok
}

// Int is the whole number at key; it must be there.
func (r *GGUF) Int(key string) int { return int(r.Float(key)) }

// Float is the number at key; it must be there.
func (r *GGUF) Float(key string) float64 {
	f, ok := r.number(key)
	if !ok {
		r.fail("the metadata %s.%s is missing", r.arch, key)
	}
	return f
}

// IntOr is the whole number at key, or def.
func (r *GGUF) IntOr(key string, def int) int {
	if f, ok := r.number(key); ok {
		return int(f)
	}
	return def
}

// FloatOr is the number at key, or def.
func (r *GGUF) FloatOr(key string, def float64) float64 {
	if f, ok := r.number(key); ok {
		return f
	}
	return def
}

// Rope reads the rotary settings: llama.cpp states linear and YaRN scaling as
// metadata, and Llama 3's as divisors of the frequencies.
func (r *GGUF) Rope() Rope {
	rope := Rope{Theta: r.FloatOr("rope.freq_base", 10000)}
	if r.Has("rope_freqs.weight") {
		rope.Divide = r.Vector("rope_freqs.weight")
	}
	kind, _ := r.src.GGUF.Meta[r.arch+".rope.scaling.type"].(string)
	switch kind {
	case "none":
	case "", "linear":
		if f := r.FloatOr("rope.scaling.factor", r.FloatOr("rope.scale_linear", 1)); f != 1 {
			rope.Scaling, rope.Factor = "linear", f
		}
	case "yarn":
		rope.Scaling, rope.Factor = "yarn", r.FloatOr("rope.scaling.factor", 1)
		rope.Origin = r.FloatOr("rope.scaling.original_context_length", r.Float("context_length"))
		rope.Fast, rope.Slow = r.FloatOr("rope.scaling.yarn_beta_fast", 32), r.FloatOr("rope.scaling.yarn_beta_slow", 1)
		// Hugging Face's attention_factor takes the place of YaRN's, llama.cpp's
		// attn_factor is on top of it.
		rope.Attn = yarnScale(rope.Factor, 1) * r.FloatOr("rope.scaling.attn_factor", 1)
	default:
		r.fail("the RoPE scaling %q is not known", kind)
	}
	return rope
}

// Windows gives layers their window: all but each n-th, where n is in the
// metadata or else every, and all where it is 0; or those that the metadata lists.
func (r *GGUF) Windows(m *Model, every int) {
	window := r.IntOr("attention.sliding_window", 0)
	const key = "attention.sliding_window_pattern"
	kinds, listed := r.src.GGUF.Meta[r.arch+"."+key].([]bool)
	if listed && len(kinds) != len(m.Layer) {
		r.fail("the metadata %s.%s has %d entries for %d layers", r.arch, key, len(kinds), len(m.Layer))
		return
	}
	if !listed {
		every = r.IntOr(key, every)
	}
	for l := range m.Layer {
		if listed && kinds[l] || !listed && (every <= 0 || (l+1)%every != 0) {
			m.Layer[l].Window = window
		}
	}
}

func toFloat(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case float32:
		return float64(x), true
	case int:
		return float64(x), true
	case int8:
		return float64(x), true
	case int16:
		return float64(x), true
	case int32:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint8:
		return float64(x), true
	case uint16:
		return float64(x), true
	case uint32:
		return float64(x), true
	case uint64:
		return float64(x), true
	}
	return 0, false
}
