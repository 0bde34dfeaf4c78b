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
	case "", "none":
		if f := r.FloatOr("rope.scale_linear", 1); f != 1 {
			rope.Scaling, rope.Factor = "linear", f
		}
	case "linear":
		rope.Scaling, rope.Factor = "linear", r.FloatOr("rope.scaling.factor", 1)
	case "yarn":
		rope.Scaling, rope.Factor = "yarn", r.FloatOr("rope.scaling.factor", 1)
		rope.Origin = r.FloatOr("rope.scaling.original_context_length", r.Float("context_length"))
		rope.Fast, rope.Slow = r.FloatOr("rope.scaling.yarn_beta_fast", 32), r.FloatOr("rope.scaling.yarn_beta_slow", 1)
		rope.Attn = r.FloatOr("rope.scaling.attn_factor", 0)
	default:
		r.fail("the RoPE scaling %q is not known", kind)
	}
	return rope
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
