// Package gemma3 reads text models of the architecture gemma3: embeddings scaled
// by the root of their size, norms before and after attention and feed-forward
// and on every head of q and k, GeGLU, and five layers with a window and a
// rotation of their own for each that sees everything.
package gemma3

import (
	"errors"
	"fmt"
	"math"

	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "gemma3", "gemma3_text") }

// pattern is how many layers come to one that sees everything.
const pattern = 6

// layersOf27B tells the model of 27B parameters, whose scores have a scale of
// their own that GGUF files do not state; llama.cpp tells it in the same way.
const layersOf27B = 62

var errSoftCap = errors.New("soft caps on logits are not supported")

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	var m *model.Model
	var err error
	if src.GGUF != nil {
		m, err = fromGGUF(src)
	} else {
		m, err = fromFolder(src)
	}
	if err != nil {
		return nil, err
	}
	m.EmbedScale = float32(math.Sqrt(float64(m.Dim)))
	m.NormShift = 1
	for l := range m.Layer {
		if L := &m.Layer[l]; L.QNorm == nil || L.KNorm == nil || L.AttnPost == nil || L.MLPPost == nil {
			return nil, fmt.Errorf("norms of layer %d are missing: the file is not whole", l)
		}
	}
	return m, nil
}

func fromGGUF(src *weights.Source) (*model.Model, error) {
	m, r, err := model.GGUFDecoder(src, "gemma3", "gemma3_text", false)
	if err != nil {
		return nil, err
	}
	if r.FloatOr("final_logit_softcapping", 0) != 0 {
		return nil, errSoftCap
	}
	m.Gelu = true
	m.Local = &model.Rope{Theta: r.FloatOr("rope.freq_base_swa", 10000)}
	r.Windows(m, pattern)
	if m.Layers == layersOf27B {
		m.ScoreScale = float32(1 / math.Sqrt(float64(m.Dim/m.Heads)))
	}
	return m, r.Err()
}

func fromFolder(src *weights.Source) (*model.Model, error) {
	if src.Folder.Config["text_config"] != nil {
		return nil, fmt.Errorf("the folder holds a model of images and text; only a model of text alone (gemma3_text) can be read")
	}
	m, r, err := model.FolderDecoder(src, model.Defaults{Theta: 1000000, Tied: true, KVHeads: 4, HeadSize: 256, Gelu: true})
	if err != nil {
		return nil, err
	}
	if r.Value("final_logit_softcapping") != nil || r.Value("attn_logit_softcapping") != nil {
		return nil, errSoftCap
	}
	if r.BoolOr("use_bidirectional_attention", false) {
		return nil, fmt.Errorf("attention to what follows is not supported: such a model does not write text")
	}
	s := r.FloatOr("query_pre_attn_scalar", 256)
	if !(s > 0) {
		return nil, fmt.Errorf("a query_pre_attn_scalar of %g cannot be: config.json is damaged", s)
	}
	m.ScoreScale = float32(1 / math.Sqrt(s))
	local := r.RopeOf("sliding_attention", r.FloatOr("rope_local_base_freq", 10000))
	m.Local = &local
	every := r.IntOr("sliding_window_pattern", pattern)
	if every < 1 {
		return nil, fmt.Errorf("a sliding_window_pattern of %d cannot be: config.json is damaged", every)
	}
	r.Windows(m, 4096, func(l int) bool { return (l+1)%every != 0 })
	plusOne(m.Norm)
	for l := range m.Layer {
		L, p := &m.Layer[l], fmt.Sprintf("model.layers.%d.", l)
		// What llama calls post_attention_layernorm comes before the feed-forward;
		// here it comes after attention.
		L.AttnPost = L.MLPNorm
		L.MLPNorm = r.Vector(p + "pre_feedforward_layernorm.weight")
		L.MLPPost = r.Vector(p + "post_feedforward_layernorm.weight")
		for _, w := range [][]float32{L.AttnNorm, L.AttnPost, L.MLPNorm, L.MLPPost, L.QNorm, L.KNorm} {
			plusOne(w)
		}
	}
	return m, r.Err()
}

// plusOne undoes that Gemma's norms are written less one.
func plusOne(w []float32) {
	for i := range w {
		w[i]++
	}
}
