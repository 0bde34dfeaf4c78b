package model

import (
	"fmt"
	"math"
	"slices"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// NotGGUFError says what of a model llama.cpp's form of its architecture has no
// place for.
type NotGGUFError struct {
	What string
}

// Error names it.
func (e *NotGGUFError) Error() string {
	return "the model has " + e.What + ", for which a GGUF file of its architecture has no place"
}

// GGUFWeight is a weight as a GGUF file holds it: its name, its shape, and its rows
// in llama.cpp's order.
type GGUFWeight struct {
	Name  string
	Shape []int // [out, in], or [n] of a vector

	matrix *tensor.Matrix // nil for a vector
	vector []float32
	order  []int32 // the logical row of each row of the file; nil where they are the same
}

// Stored is the format in which the weight lies in its source; F32 for a vector.
func (w *GGUFWeight) Stored() tensor.DType {
	if w.matrix == nil {
		return tensor.F32
	}
	return w.matrix.DType
}

// Raw is row i of the file in the format Stored, nil for a vector.
func (w *GGUFWeight) Raw(i int) []byte {
	if w.matrix == nil {
		return nil
	}
	return w.matrix.Row(w.logical(i))
}

func (w *GGUFWeight) logical(i int) int {
	if w.order == nil {
		return i
	}
	return int(w.order[i])
}

// Row overwrites dst, as long as the last side of the shape, with row i of the file.
func (w *GGUFWeight) Row(dst []float32, i int) {
	if w.matrix == nil {
		copy(dst, w.vector)
		return
	}
	w.matrix.WidenRow(dst, w.logical(i))
}

// ggufName is llama.cpp's name of the architectures that it calls otherwise, and
// whether rows of q and k turn in neighbouring pairs there.
func (c *Config) ggufName() (name string, halved bool) {
	switch c.Architecture {
	case "mistral":
		return "llama", true
	case "gemma3_text":
		return "gemma3", false
	case "llama", "smollm3":
		return c.Architecture, true
	}
	return c.Architecture, false
}

// GGUFContext is the context of the model's GGUF form. Where attention has a window
// that the architecture's form lacks, it is no longer than the window: within it both
// models are the same.
func (m *Model) GGUFContext() int {
	context := m.Context
	if name, _ := m.ggufName(); name != "gemma3" {
		for l := range m.Layer {
			if w := m.Layer[l].Window; w > 0 {
				context = min(context, w)
			}
		}
	}
	return context
}

// GGUF gives what a GGUF file of the model says of its shape, and its weights in
// the order in which they are used: Load reads the same model from them, but for the
// context ([Model.GGUFContext]). What belongs to the tokenizer and to the file as a
// whole is for the caller to add. The error is a NotGGUFError.
func (m *Model) GGUF() ([]weights.MetaEntry, []GGUFWeight, error) {
	name, halved := m.ggufName()
	if err := m.ggufFits(name); err != nil {
		return nil, nil, err
	}
	meta := []weights.MetaEntry{{Key: "general.architecture", Value: name}}
	add := func(key string, value any) {
		meta = append(meta, weights.MetaEntry{Key: name + "." + key, Value: value})
	}
	add("block_count", uint32(m.Layers))
	add("context_length", uint32(m.GGUFContext()))
	add("embedding_length", uint32(m.Dim))
	add("feed_forward_length", uint32(m.FFN))
	add("attention.head_count", uint32(m.Heads))
	add("attention.head_count_kv", uint32(m.KVHeads))
	add("attention.layer_norm_rms_epsilon", m.Eps)
	add("attention.key_length", uint32(m.HeadSize))
	add("attention.value_length", uint32(m.HeadSize))
	add("vocab_size", uint32(m.Vocab))
	add("rope.dimension_count", uint32(m.HeadSize))
	add("rope.freq_base", float32(m.Rope.Theta))
	all := m.places()
	out := make([]GGUFWeight, 0, len(all)+1)
	switch r := &m.Rope; r.Scaling {
	case "linear":
		add("rope.scaling.type", "linear")
		add("rope.scaling.factor", float32(r.Factor))
	case "yarn":
		add("rope.scaling.type", "yarn")
		add("rope.scaling.factor", float32(r.Factor))
		add("rope.scaling.original_context_length", uint32(r.Origin))
		add("rope.scaling.yarn_beta_fast", float32(r.Fast))
		add("rope.scaling.yarn_beta_slow", float32(r.Slow))
		if r.Attn != 0 {
			// llama.cpp's factor comes on top of YaRN's own.
			add("rope.scaling.attn_factor", float32(r.Attn/yarnScale(r.Factor, 1)))
		}
	}
	if d, err := m.Rope.divisors(m.HeadSize); err != nil {
		return nil, nil, err
	} else if d != nil {
		out = append(out, GGUFWeight{Name: "rope_freqs.weight", Shape: []int{len(d)}, vector: d})
	}
	if name == "gemma3" {
		add("rope.freq_base_swa", float32(m.Local.Theta))
		add("attention.sliding_window", uint32(m.window()))
	}
	for i := range all {
		p := &all[i]
		w := GGUFWeight{Name: p.gguf, Shape: p.shape(), matrix: p.matrix}
		heads := map[string]int{lora.QProj.String(): m.Heads, lora.KProj.String(): m.KVHeads}[p.module]
		if halved && heads > 0 {
			order, err := HalfOrder(heads, m.HeadSize, w.Shape[0])
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", p.name, err)
			}
			w.order = make([]int32, len(order))
			for logical, stored := range order {
				w.order[stored] = int32(logical)
			}
		}
		if p.vector != nil {
			w.vector = *p.vector
			if w.order != nil {
				w.vector, w.order = Reorder(w.vector, w.order), nil
			}
		}
		out = append(out, w)
	}
	return meta, out, nil
}

// window is that of the layers that have one.
func (m *Model) window() int {
	for l := range m.Layer {
		if w := m.Layer[l].Window; w > 0 {
			return w
		}
	}
	return 0
}

// ggufFits says what of the model llama.cpp's form of the architecture lacks.
func (m *Model) ggufFits(name string) error {
	gemma := name == "gemma3"
	no := func(format string, args ...any) error { return &NotGGUFError{fmt.Sprintf(format, args...)} }
	if !slices.Contains([]string{"llama", "qwen2", "qwen3", "smollm3", "gemma3"}, name) {
		return no("the architecture %s", name)
	}
	if m.Rope.NoTrunc {
		return no("YaRN without truncation")
	}
	if m.Gelu != gemma || (m.EmbedScale != 0) != gemma || (m.Local != nil) != gemma || m.postNorm() != gemma {
		return no("an activation, scale or norm of another architecture")
	}
	if m.qkNorm() != (gemma || name == "qwen3") {
		return no("norms of q and k (or none)")
	}
	scale := m.ScoreScale
	if gemma && len(m.Layer) == 62 { // the one of 27B parameters
		scale *= float32(math.Sqrt(float64(m.Dim / m.Heads)))
	} else {
		scale *= float32(math.Sqrt(float64(m.HeadSize)))
	}
	if m.ScoreScale != 0 && math.Abs(float64(scale)-1) > 1e-6 {
		return no("scores scaled by %g", m.ScoreScale)
	}
	if gemma && m.Local.Scaling != "" {
		return no("a scaling of the rotation of layers with a window")
	}
	for l := range m.Layer {
		L := &m.Layer[l]
		if gemma && ((L.Window > 0) != ((l+1)%6 != 0) || L.Window > 0 && L.Window != m.window()) {
			return no("a window of %d on layer %d", L.Window, l)
		}
		if L.NoRope != (name == "smollm3" && (l+1)%4 == 0) {
			return no("positions that turn, or do not, on layer %d", l)
		}
		for i, b := range L.Bias {
			if b != nil && name != "llama" && (name != "qwen2" || lora.Module(i) >= lora.OProj) {
				return no("a bias on %s", lora.Module(i))
			}
		}
	}
	return nil
}

// divisors are what GGUF's rope_freqs says: what each frequency is divided by, nil
// where that is said otherwise.
func (r *Rope) divisors(size int) ([]float32, error) {
	if r.Scaling != "llama3" {
		return r.Divide, nil
	}
	plain, _, err := (&Rope{Theta: r.Theta}).frequencies(size)
	if err != nil {
		return nil, err
	}
	scaled, _, err := r.frequencies(size)
	if err != nil {
		return nil, err
	}
	d := make([]float32, len(plain))
	for i := range d {
		d[i] = float32(plain[i] / scaled[i])
	}
	return d, nil
}
