package model

// Folder reads an architecture's settings and weights from a Hugging Face
// folder.
type Folder struct {
	tensors
	config map[string]any
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

// Value is what config.json has at key; nil for nothing.
func (r *Folder) Value(key string) any { return r.config[key] }

// Rope reads the rotary settings, in the form of transformers 5
// (rope_parameters) or 4 (rope_theta and rope_scaling).
func (r *Folder) Rope(theta float64) Rope {
	m, _ := r.config["rope_parameters"].(map[string]any)
	if m == nil {
		m, _ = r.config["rope_scaling"].(map[string]any)
	}
	if full, ok := m["full_attention"].(map[string]any); ok {
		m = full // by kind of layer; RopeOf reads the others
	}
	return r.rope(m, r.FloatOr("rope_theta", theta))
}

// RopeOf reads the rotary settings of one kind of layer where transformers 5
// keeps them by kind; those with base frequency theta where it does not.
func (r *Folder) RopeOf(kind string, theta float64) Rope {
	m, _ := r.config["rope_parameters"].(map[string]any)
	m, _ = m[kind].(map[string]any)
	return r.rope(m, theta)
}

func (r *Folder) rope(m map[string]any, theta float64) Rope {
	rope := Rope{Theta: theta}
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

// Window is the size of the window that attention has, usual where config.json
// does not say; 0 for none.
func (r *Folder) Window(usual int) int {
	if v, ok := r.config["sliding_window"]; ok && v == nil {
		return 0
	}
	return r.IntOr("sliding_window", usual)
}

// Windows gives layers their window (see Window): those of the kind sliding_attention in
// layer_types, or where there is no such list those for which slides is true.
func (r *Folder) Windows(m *Model, usual int, slides func(l int) bool) {
	window := r.Window(usual)
	kinds, listed := r.config["layer_types"].([]any)
	if listed && len(kinds) != len(m.Layer) {
		r.fail("layer_types in config.json has %d entries for %d layers", len(kinds), len(m.Layer))
		return
	}
	for l := range m.Layer {
		if listed && kinds[l] != "sliding_attention" && kinds[l] != "full_attention" {
			r.fail("layers of the kind %v are not supported", kinds[l])
		}
		if listed && kinds[l] == "sliding_attention" || !listed && slides(l) {
			m.Layer[l].Window = window
		}
	}
}
