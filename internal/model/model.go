// Package model runs decoder-only language models over ragged batches: one
// forward pass for training, prefill, decoding and scoring, and its explicit
// backward pass, layer by layer. What differs between architectures is data
// that a package per architecture (model/llama, …) fills in from a file.
package model

import (
	"fmt"
	"sort"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// Config is the shape and the constants of a decoder.
type Config struct {
	Architecture string // Hugging Face's model_type
	Vocab        int
	Dim          int // hidden size
	Layers       int
	Heads        int // query heads
	KVHeads      int
	HeadSize     int
	FFN          int // intermediate size
	Context      int // positions the model was made for
	Eps          float32
	Rope         Rope
	// Local is the rotation of layers with a window, where it is another (gemma3).
	Local *Rope
	// Gelu takes the place of SiLU in the feed-forward (gemma3).
	Gelu bool
	// EmbedScale multiplies embeddings; 0 for 1 (gemma3).
	EmbedScale float32
	// ScoreScale multiplies attention's scores; 0 for 1/√HeadSize.
	ScoreScale float32
	// NormShift is what norms are more than files of Hugging Face say (gemma3).
	NormShift float32
}

// Model is a base model: frozen weights, in the file's own format, shared by
// everything in the process.
type Model struct {
	Config
	Name   string
	Source *weights.Source
	Embed  tensor.Matrix // [Vocab, Dim]
	Head   tensor.Matrix // [Vocab, Dim]; the same memory as Embed where tied
	Norm   []float32     // [Dim]
	Layer  []Layer

	grads *grads // of a view in training; nil where all weights are frozen
}

// Layer is one decoder layer.
type Layer struct {
	AttnNorm, MLPNorm []float32                   // [Dim]: before attention and feed-forward
	AttnPost, MLPPost []float32                   // [Dim]: after them, before the residual; nil for none (gemma3)
	QNorm, KNorm      []float32                   // [HeadSize]: of each head, before it turns; nil for none (qwen3, gemma3)
	Window            int                         // positions that attention sees, its own included; 0 for all
	NoRope            bool                        // positions do not turn (smollm3)
	Weights           [lora.Modules]tensor.Matrix // [out, in]
	Bias              [lora.Modules][]float32     // nil where there is none
}

// Loader reads the model of one architecture from a source.
type Loader func(*weights.Source) (*Model, error)

var loaders = map[string]Loader{}

// Register makes an architecture known under the names given. It is called by
// the init functions of the packages below model.
func Register(l Loader, names ...string) {
	for _, n := range names {
		loaders[n] = l
	}
}

// Architectures are the names of the architectures known.
func Architectures() []string {
	var names []string
	for n := range loaders {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// UnknownArchitectureError names an architecture that no package knows.
type UnknownArchitectureError struct {
	Name string
}

// Error names the architecture.
func (e *UnknownArchitectureError) Error() string {
	return fmt.Sprintf("the architecture %q is not known", e.Name)
}

// Hint says what is.
func (e *UnknownArchitectureError) Hint() string {
	return fmt.Sprintf("choose a base of one of these architectures: %v", Architectures())
}

// Load reads the model in src. The source must stay open as long as the model
// is used.
func Load(src *weights.Source) (*Model, error) {
	name, err := architecture(src)
	if err != nil {
		return nil, err
	}
	load, ok := loaders[name]
	if !ok {
		return nil, &UnknownArchitectureError{Name: name}
	}
	var m *Model
	err = weights.Guard(func() (err error) {
		m, err = load(src)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", src.Path, err)
	}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("load %s: %w", src.Path, err)
	}
	for l := range m.Layer {
		// One that reaches further is no other, and adding to it could overflow.
		m.Layer[l].Window = min(m.Layer[l].Window, maxContext)
	}
	for _, r := range []*Rope{&m.Rope, m.Local} {
		if r == nil {
			continue
		}
		if _, _, err := r.frequencies(m.HeadSize); err != nil {
			return nil, fmt.Errorf("load %s: %w", src.Path, err)
		}
	}
	m.Source = src
	return m, nil
}

func architecture(src *weights.Source) (string, error) {
	if src.GGUF != nil {
		name, ok := src.GGUF.Meta["general.architecture"].(string)
		if !ok {
			return "", fmt.Errorf("load %s: the file names no architecture", src.Path)
		}
		return name, nil
	}
	name, ok := src.Folder.Config["model_type"].(string)
	if !ok {
		return "", fmt.Errorf("load %s: config.json has no model_type", src.Path)
	}
	return name, nil
}

// Shape is the shape of the model's linears, for adapters.
func (m *Model) Shape() lora.Shape {
	s := lora.Shape{Layers: m.Layers}
	for i := range lora.Modules {
		s.Out[i], s.In[i] = m.linear(i)
	}
	return s
}

// linear is the [out, in] of a module.
func (c *Config) linear(m lora.Module) (out, in int) {
	q, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	switch m {
	case lora.QProj:
		return q, c.Dim
	case lora.KProj, lora.VProj:
		return kv, c.Dim
	case lora.OProj:
		return c.Dim, q
	case lora.GateProj, lora.UpProj:
		return c.FFN, c.Dim
	default:
		return c.Dim, c.FFN
	}
}

// limits of what a file may ask for.
const (
	maxLayers  = 1024
	maxDim     = 1 << 17
	maxVocab   = 1 << 22
	maxContext = 1 << 24
)

func (m *Model) validate() error {
	c := &m.Config
	for _, f := range []struct {
		name     string
		v, limit int
	}{
		{"vocabulary", c.Vocab, maxVocab}, {"hidden size", c.Dim, maxDim}, {"number of layers", c.Layers, maxLayers},
		{"number of heads", c.Heads, maxDim}, {"number of key-value heads", c.KVHeads, maxDim},
		{"head size", c.HeadSize, maxDim}, {"intermediate size", c.FFN, maxDim}, {"context", c.Context, maxContext},
	} {
		if f.v <= 0 || f.v > f.limit {
			return fmt.Errorf("the %s is %d, which cannot be: the file is damaged", f.name, f.v)
		}
	}
	if c.Heads%c.KVHeads != 0 {
		return fmt.Errorf("%d heads cannot share %d key-value heads: the file is damaged", c.Heads, c.KVHeads)
	}
	if c.HeadSize%2 != 0 {
		return fmt.Errorf("a head size of %d is odd: the file is damaged", c.HeadSize)
	}
	if !(c.Eps > 0 && c.Eps < 1) {
		return fmt.Errorf("a norm's epsilon is %g: the file is damaged", c.Eps)
	}
	if m.Embed.Rows != c.Vocab || m.Embed.Cols != c.Dim || m.Head.Rows != c.Vocab || m.Head.Cols != c.Dim || len(m.Norm) != c.Dim {
		return fmt.Errorf("the embedding is [%d, %d], the head [%d, %d] and the norm [%d], where [%d, %d] is expected",
			m.Embed.Rows, m.Embed.Cols, m.Head.Rows, m.Head.Cols, len(m.Norm), c.Vocab, c.Dim)
	}
	for l := range m.Layer {
		L := &m.Layer[l]
		for _, v := range []struct {
			norm    []float32
			size    int
			present bool
		}{
			{L.AttnNorm, c.Dim, true}, {L.MLPNorm, c.Dim, true},
			{L.AttnPost, c.Dim, m.postNorm()}, {L.MLPPost, c.Dim, m.postNorm()},
			{L.QNorm, c.HeadSize, m.qkNorm()}, {L.KNorm, c.HeadSize, m.qkNorm()},
		} {
			if v.present && len(v.norm) != v.size || !v.present && v.norm != nil {
				return fmt.Errorf("a norm of layer %d has %d weights where %d are expected", l, len(v.norm), v.size)
			}
		}
		if L.Window < 0 {
			return fmt.Errorf("the window of layer %d is %d: the file is damaged", l, L.Window)
		}
		for i := range lora.Modules {
			out, in := c.linear(i)
			if w := &L.Weights[i]; w.Rows != out || w.Cols != in {
				return fmt.Errorf("%s of layer %d is [%d, %d] where [%d, %d] is expected", i, l, w.Rows, w.Cols, out, in)
			}
			if b := L.Bias[i]; b != nil && len(b) != out {
				return fmt.Errorf("the bias of %s in layer %d has %d weights where %d are expected", i, l, len(b), out)
			}
		}
	}
	return nil
}

// heads describes the attention of a layer.
func (m *Model) heads(l int) op.Heads {
	scale := m.ScoreScale
	if scale == 0 {
		scale = op.DefaultScale(m.HeadSize)
	}
	return op.Heads{Q: m.Heads, KV: m.KVHeads, Size: m.HeadSize, Scale: scale, Window: m.Layer[l].Window}
}

// qkNorm and postNorm say whether any layer has such norms.
func (m *Model) qkNorm() bool { return len(m.Layer) > 0 && m.Layer[0].QNorm != nil }

func (m *Model) postNorm() bool { return len(m.Layer) > 0 && m.Layer[0].AttnPost != nil }

// Bytes is the size of the weights as they lie in the file.
func (m *Model) Bytes() int64 {
	n := int64(len(m.Embed.Data))
	if !m.tied() {
		n += int64(len(m.Head.Data))
	}
	for l := range m.Layer {
		for i := range m.Layer[l].Weights {
			n += int64(len(m.Layer[l].Weights[i].Data))
		}
	}
	return n
}
