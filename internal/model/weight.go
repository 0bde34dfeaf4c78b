package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
)

// Names of weights beside the linears, as a Selection has them.
const (
	NormModule  = "norm"         // of a layer: all its norms; beyond the layers: the last one
	EmbedModule = "embed_tokens" // the embedding, and the head where they are one
	HeadModule  = "lm_head"      // the head where it is not the embedding
)

// Selection names weights of a model.
type Selection struct {
	// Layers are the layers, counted from 0, whose weights are meant; empty for
	// all.
	Layers []int `json:"layers,omitempty"`
	// Modules are names of linears (with their biases), NormModule, EmbedModule
	// and HeadModule; empty for all there are. With layers given, the embedding,
	// the head and the last norm are meant only where they are named here.
	Modules []string `json:"modules,omitempty"`
}

// All says whether the selection is the whole model.
func (s *Selection) All() bool { return len(s.Layers) == 0 && len(s.Modules) == 0 }

// SelectionError names what a selection asks for and a model does not have.
type SelectionError struct {
	Msg  string
	Have string
}

// Error says what is not there.
func (e *SelectionError) Error() string { return e.Msg }

// Hint says what is.
func (e *SelectionError) Hint() string { return "this base has " + e.Have }

// has says whether the selection names a weight of a layer, -1 for one beyond
// the layers.
func (s *Selection) has(module string, layer int) bool {
	named := slices.Contains(s.Modules, module)
	if layer < 0 {
		// The last norm is a norm, but that of no layer.
		return named && (module != NormModule || len(s.Layers) == 0) || s.All()
	}
	return (named || len(s.Modules) == 0) && (len(s.Layers) == 0 || slices.Contains(s.Layers, layer))
}

// place is where a weight lies in a model: a matrix or a vector, and its
// gradient where the model is a view that has one.
type place struct {
	name   string // Hugging Face's
	gguf   string // llama.cpp's
	module string
	layer  int // -1 beyond the layers
	matrix *tensor.Matrix
	vector *[]float32
	grad   *[]float32
	shift  float32 // what a vector is more than files of Hugging Face say
}

func (p *place) shape() []int {
	if p.matrix != nil {
		return []int{p.matrix.Rows, p.matrix.Cols}
	}
	return []int{len(*p.vector)}
}

func (p *place) size() int {
	if p.matrix != nil {
		return p.matrix.Rows * p.matrix.Cols
	}
	return len(*p.vector)
}

// tied says whether the head is the embedding.
func (m *Model) tied() bool {
	return len(m.Head.Data) > 0 && &m.Head.Data[0] == &m.Embed.Data[0]
}

// grads are the gradients of a view's weights; nil for those that are frozen.
type grads struct {
	embed, head, norm []float32 // embed and head are one where the weights are
	layers            []layerGrads
}

type layerGrads struct {
	weights, bias                                      [lora.Modules][]float32
	attnNorm, mlpNorm, attnPost, mlpPost, qNorm, kNorm []float32
}

// any says whether anything of the layer is trained.
func (g *layerGrads) any() bool {
	for i := range lora.Modules {
		if g.weights[i] != nil || g.bias[i] != nil {
			return true
		}
	}
	return g.attnNorm != nil || g.mlpNorm != nil || g.attnPost != nil || g.mlpPost != nil || g.qNorm != nil || g.kNorm != nil
}

// frozen has no gradients.
var frozen layerGrads

// gradsOf are the gradients of a layer.
func (m *Model) gradsOf(l int) *layerGrads {
	if m.grads == nil {
		return &frozen
	}
	return &m.grads.layers[l]
}

// places are all weights of the model in the order in which they are computed
// with: the embedding, the layers, the last norm, the head.
func (m *Model) places() []place {
	g := m.grads
	if g == nil {
		g = &grads{layers: make([]layerGrads, len(m.Layer))}
	}
	all := []place{{name: "model.embed_tokens.weight", gguf: "token_embd.weight", module: EmbedModule, layer: -1, matrix: &m.Embed, grad: &g.embed}}
	for l := range m.Layer {
		L, d := &m.Layer[l], &g.layers[l]
		hf, gg := fmt.Sprintf("model.layers.%d.", l), fmt.Sprintf("blk.%d.", l)
		norm := func(name, gguf string, w *[]float32, grad *[]float32) {
			if *w != nil {
				all = append(all, place{name: hf + name + ".weight", gguf: gg + gguf + ".weight", module: NormModule, layer: l, vector: w, grad: grad, shift: m.NormShift})
			}
		}
		// What llama calls post_attention_layernorm comes before the feed-forward;
		// where there are norms after both, it comes after attention.
		before := "post_attention_layernorm"
		if L.AttnPost != nil {
			before = "pre_feedforward_layernorm"
		}
		norm("input_layernorm", "attn_norm", &L.AttnNorm, &d.attnNorm)
		norm("self_attn.q_norm", "attn_q_norm", &L.QNorm, &d.qNorm)
		norm("self_attn.k_norm", "attn_k_norm", &L.KNorm, &d.kNorm)
		norm("post_attention_layernorm", "post_attention_norm", &L.AttnPost, &d.attnPost)
		norm(before, "ffn_norm", &L.MLPNorm, &d.mlpNorm)
		norm("post_feedforward_layernorm", "post_ffw_norm", &L.MLPPost, &d.mlpPost)
		for i := range lora.Modules {
			block := "mlp."
			if i <= lora.OProj {
				block = "self_attn."
			}
			at := place{name: hf + block + i.String() + ".weight", gguf: gg + ggufNames[i] + ".weight", module: i.String(), layer: l,
				matrix: &L.Weights[i], grad: &d.weights[i]}
			all = append(all, at)
			if L.Bias[i] != nil {
				all = append(all, place{name: hf + block + i.String() + ".bias", gguf: gg + ggufNames[i] + ".bias", module: i.String(), layer: l,
					vector: &L.Bias[i], grad: &d.bias[i]})
			}
		}
	}
	all = append(all, place{name: "model.norm.weight", gguf: "output_norm.weight", module: NormModule, layer: -1, vector: &m.Norm, grad: &g.norm, shift: m.NormShift})
	if !m.tied() {
		all = append(all, place{name: "lm_head.weight", gguf: "output.weight", module: HeadModule, layer: -1, matrix: &m.Head, grad: &g.head})
	}
	return all
}

// selected are the places that a selection names.
func (m *Model) selected(s *Selection) ([]place, error) {
	for _, l := range s.Layers {
		if l < 0 || l >= m.Layers {
			return nil, &SelectionError{Msg: fmt.Sprintf("there is no layer %d", l), Have: fmt.Sprintf("the layers 0 to %d", m.Layers-1)}
		}
	}
	all := m.places()
	var have []string
	for i := range all {
		if !slices.Contains(have, all[i].module) {
			have = append(have, all[i].module)
		}
	}
	for _, name := range s.Modules {
		if !slices.Contains(have, name) {
			e := &SelectionError{Msg: fmt.Sprintf("there is no module %q", name), Have: "the modules " + strings.Join(have, ", ")}
			if name == HeadModule {
				e.Msg = "the head of this base is its embedding"
			}
			return nil, e
		}
	}
	var out []place
	for i := range all {
		if s.has(all[i].module, all[i].layer) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

// Weights is the number of weights that a selection names. The error is a
// SelectionError.
func (m *Model) Weights(s Selection) (int, error) {
	places, err := m.selected(&s)
	n := 0
	for i := range places {
		n += places[i].size()
	}
	return n, err
}

// Sizes are the sizes of the tensors that a selection names, in the order of
// Tune. The error is a SelectionError.
func (m *Model) Sizes(s Selection) ([][]int, error) {
	places, err := m.selected(&s)
	var sizes [][]int
	for i := range places {
		sizes = append(sizes, places[i].shape())
	}
	return sizes, err
}
