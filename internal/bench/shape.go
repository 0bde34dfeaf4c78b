package bench

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strings"
	"unsafe"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
)

// shapes are the true shapes of models that writers use, as their config.json
// states them; heads are all tied.
var shapes = map[string]struct {
	model.Config
	norms, post bool // of heads; after attention and feed-forward
	window      int  // of five layers in six
}{
	"qwen3-0.6b": {Config: model.Config{Architecture: "qwen3", Vocab: 151936, Dim: 1024, Layers: 28, Heads: 16, KVHeads: 8, HeadSize: 128, FFN: 3072,
		Context: 40960, Eps: 1e-6, Rope: model.Rope{Theta: 1e6}}, norms: true},
	"llama-3.2-1b": {Config: model.Config{Architecture: "llama", Vocab: 128256, Dim: 2048, Layers: 16, Heads: 32, KVHeads: 8, HeadSize: 64, FFN: 8192,
		Context: 131072, Eps: 1e-5, Rope: model.Rope{Theta: 500000, Scaling: "llama3", Factor: 32, Low: 1, High: 4, Origin: 8192}}},
	"smollm2-1.7b": {Config: model.Config{Architecture: "llama", Vocab: 49152, Dim: 2048, Layers: 24, Heads: 32, KVHeads: 32, HeadSize: 64, FFN: 8192,
		Context: 8192, Eps: 1e-5, Rope: model.Rope{Theta: 130000}}},
	"gemma-3-1b": {Config: model.Config{Architecture: "gemma3_text", Vocab: 262144, Dim: 1152, Layers: 26, Heads: 4, KVHeads: 1, HeadSize: 256, FFN: 6912,
		Context: 32768, Eps: 1e-6, Rope: model.Rope{Theta: 1e6}, Local: &model.Rope{Theta: 10000}, Gelu: true, EmbedScale: 33.941126}, norms: true, post: true, window: 512},
}

// Shapes are the names that Shape knows.
func Shapes() []string {
	var names []string
	for n := range shapes {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Shape makes a model of the true shape of the named one with random weights in
// Q4_0, for measurements without a download. done gives its memory back.
func Shape(name string) (m *model.Model, done func(), err error) {
	s, ok := shapes[name]
	if !ok {
		return nil, nil, fmt.Errorf("the shape %q is not known: there are %s", name, strings.Join(Shapes(), ", "))
	}
	m = &model.Model{Config: s.Config, Name: name}
	size := tensor.Q4_0.RowBytes(m.Dim) * m.Vocab
	shape := m.Shape()
	for i := range lora.Modules {
		size += m.Layers * (tensor.Q4_0.RowBytes(shape.In[i])*shape.Out[i] + 64)
	}
	arena, err := tensor.NewArena(size + 4096)
	if err != nil {
		return nil, nil, fmt.Errorf("make a model of the shape of %s: %w", name, err)
	}
	r := &filler{state: 1}
	matrix := func(what string, rows, cols int) tensor.Matrix {
		n := tensor.Q4_0.RowBytes(cols) * rows
		f := arena.Floats((n + 3) / 4)
		b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), n)
		r.fill(b, cols)
		return tensor.NewMatrix(what, tensor.Q4_0, rows, cols, b)
	}
	ones := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = 1
		}
		return v
	}
	m.Embed = matrix("embed", m.Vocab, m.Dim)
	m.Head, m.Norm = m.Embed, ones(m.Dim)
	m.Layer = make([]model.Layer, m.Layers)
	for l := range m.Layer {
		L := &m.Layer[l]
		L.AttnNorm, L.MLPNorm = ones(m.Dim), ones(m.Dim)
		if s.norms {
			L.QNorm, L.KNorm = ones(m.HeadSize), ones(m.HeadSize)
		}
		if s.post {
			L.AttnPost, L.MLPPost = ones(m.Dim), ones(m.Dim)
		}
		if s.window > 0 && (l+1)%6 != 0 {
			L.Window = s.window
		}
		for i := range lora.Modules {
			L.Weights[i] = matrix(i.String(), shape.Out[i], shape.In[i])
		}
	}
	return m, func() { arena.Close() }, nil
}

// filler makes random weights.
type filler struct{ state uint64 }

// fill writes blocks of Q4_0 whose weights have about the size that keeps the
// outputs of a linear of cols inputs as large as its inputs.
func (r *filler) fill(b []byte, cols int) {
	scale := uint16(halfBits(1 / (4.6 * math.Sqrt(float64(cols)))))
	for ; len(b) >= 18; b = b[18:] {
		binary.LittleEndian.PutUint16(b, scale)
		for i := 2; i < 18; i += 8 {
			r.state ^= r.state << 13
			r.state ^= r.state >> 7
			r.state ^= r.state << 17
			binary.LittleEndian.PutUint64(b[i:], r.state)
		}
	}
}

// halfBits is a positive number in binary16, cut to its precision.
func halfBits(x float64) uint32 {
	b := math.Float32bits(float32(x))
	return (b>>23-112)<<10 | b>>13&0x3ff
}
