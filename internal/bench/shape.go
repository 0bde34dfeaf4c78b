package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
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

// Formats are what Shape stores weights in: Q4_0 throughout, or the mixture that
// most files of larger models are in, Q4_K with Q6_K for the head, a part of attn_v
// and ffn_down.
func Formats() []string { return []string{"q4_0", "q4_k_m"} }

// Shape makes a model of the true shape of the named one with random weights in the
// format, for measurements without a download. done gives its memory back.
func Shape(name, format string) (m *model.Model, done func(), err error) {
	s, ok := shapes[name]
	if !ok {
		return nil, nil, fmt.Errorf("the shape %q is not known: there are %s", name, strings.Join(Shapes(), ", "))
	}
	if !slices.Contains(Formats(), format) {
		return nil, nil, fmt.Errorf("the format %q is not known: there are %s", format, strings.Join(Formats(), ", "))
	}
	m = &model.Model{Config: s.Config, Name: name}
	shape := m.Shape()
	// most is the type of most weights, and more that of those that get more bits.
	most, more := tensor.Q4_0, tensor.Q4_0
	if format == "q4_k_m" {
		most, more = tensor.Q4_K, tensor.Q6_K
	}
	if elems, _ := most.Block(); m.Dim%elems != 0 {
		return nil, nil, fmt.Errorf("the shape of %s cannot be measured in %s: its rows of %d are no whole number of blocks of %d", name, format, m.Dim, elems)
	}
	kind := func(layer int, i lora.Module) tensor.DType {
		if i == lora.VProj || i == lora.DownProj {
			if eighth := m.Layers / 8; layer < eighth || layer >= 7*m.Layers/8 || (layer-eighth)%3 == 2 {
				return more
			}
		}
		return most
	}
	size := more.RowBytes(m.Dim) * m.Vocab
	for l := range m.Layers {
		for i := range lora.Modules {
			size += kind(l, i).RowBytes(shape.In[i])*shape.Out[i] + 64
		}
	}
	arena, err := tensor.NewArena(size + 4096)
	if err != nil {
		return nil, nil, fmt.Errorf("make a model of the shape of %s: %w", name, err)
	}
	r := &filler{state: 1}
	matrix := func(what string, t tensor.DType, rows, cols int) tensor.Matrix {
		n := t.RowBytes(cols) * rows
		f := arena.Floats((n + 3) / 4)
		b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), n)
		r.fill(b, t, cols)
		return tensor.NewMatrix(what, t, rows, cols, b)
	}
	ones := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = 1
		}
		return v
	}
	m.Embed = matrix("embed", more, m.Vocab, m.Dim)
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
			L.Weights[i] = matrix(i.String(), kind(l, i), shape.Out[i], shape.In[i])
		}
	}
	return m, func() { arena.Close() }, nil
}

// filler makes random weights.
type filler struct{ state uint64 }

// fill writes blocks whose weights have about the size that keeps the outputs of a
// linear of cols inputs as large as its inputs.
func (r *filler) fill(b []byte, t tensor.DType, cols int) {
	for i := 0; i+8 <= len(b); i += 8 {
		r.state ^= r.state << 13
		r.state ^= r.state >> 7
		r.state ^= r.state << 17
		binary.LittleEndian.PutUint64(b[i:], r.state)
	}
	half := func(x float64) []byte {
		return binary.LittleEndian.AppendUint16(nil, uint16(halfBits(x/math.Sqrt(float64(cols)))))
	}
	var begin, end []byte // of a block
	switch t {
	case tensor.Q4_0:
		begin = half(1 / 4.6)
	case tensor.Q4_K: // all scales and minima are 16
		begin = slices.Concat(half(1/(16*4.6)), half(7.5/(16*4.6)), bytes.Repeat([]byte{0x50}, 8), make([]byte, 4))
	case tensor.Q6_K: // all scales are 4
		end = append(bytes.Repeat([]byte{4}, 16), half(1/(4*18.5))...)
	}
	_, size := t.Block()
	for ; len(b) >= size; b = b[size:] {
		copy(b, begin)
		copy(b[size-len(end):], end)
	}
}

// halfBits is a positive number in binary16, cut to its precision.
func halfBits(x float64) uint32 {
	b := math.Float32bits(float32(x))
	return (b>>23-112)<<10 | b>>13&0x3ff
}
