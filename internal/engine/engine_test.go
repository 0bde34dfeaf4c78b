package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/llama"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/weights"
)

func open(t testing.TB, path string) *model.Model {
	t.Helper()
	src, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	m, err := model.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func start(t testing.TB, m *model.Model, o Options) *Engine {
	t.Helper()
	e, err := New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// readStories reads llama2.c's format v0, described in make.py beside the
// vector.
func readStories(t *testing.T, path string) *model.Model {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var h [7]int
	for i := range h {
		h[i] = int(int32(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	at := 28
	take := func(n int) []byte {
		at += 4 * n
		return raw[at-4*n : at]
	}
	floats := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(take(1)))
		}
		return out
	}
	m := &model.Model{Config: model.Config{Architecture: "llama", Dim: h[0], FFN: h[1], Layers: h[2], Heads: h[3], KVHeads: h[4],
		Vocab: h[5], Context: h[6], HeadSize: h[0] / h[3], Eps: 1e-5, Rope: model.Rope{Theta: 10000}}}
	matrix := func(name string, rows, cols int) tensor.Matrix {
		return tensor.NewMatrix(name, tensor.F32, rows, cols, take(rows*cols))
	}
	m.Embed = matrix("embed", m.Vocab, m.Dim)
	m.Head = m.Embed
	m.Layer = make([]model.Layer, m.Layers)
	each := func(f func(L *model.Layer)) {
		for l := range m.Layer {
			f(&m.Layer[l])
		}
	}
	linear := func(i lora.Module) {
		s := m.Shape()
		each(func(L *model.Layer) { L.Weights[i] = matrix(i.String(), s.Out[i], s.In[i]) })
	}
	each(func(L *model.Layer) { L.AttnNorm = floats(m.Dim) })
	linear(lora.QProj)
	linear(lora.KProj)
	linear(lora.VProj)
	linear(lora.OProj)
	each(func(L *model.Layer) { L.MLPNorm = floats(m.Dim) })
	linear(lora.GateProj)
	linear(lora.DownProj)
	linear(lora.UpProj)
	m.Norm = floats(m.Dim)
	each(func(L *model.Layer) {
		for i, heads := range map[lora.Module]int{lora.QProj: m.Heads, lora.KProj: m.KVHeads} {
			order, err := model.HalfOrder(heads, m.HeadSize, L.Weights[i].Rows)
			if err != nil {
				t.Fatal(err)
			}
			L.Weights[i].Order = order
		}
	})
	return m
}

// TestStories writes the greedy text of the reference implementation.
func TestStories(t *testing.T) {
	m := readStories(t, testkit.Shared(t, "models", "stories260K", "stories260K.bin"))
	var v struct {
		BOS int32
		IDs []int32
	}
	readJSON(t, "../testkit/testdata/stories260K/greedy.json", &v)
	e := start(t, m, Options{})
	r, err := e.Generate(context.Background(), Request{Prompt: []int32{v.BOS}, Max: len(v.IDs)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Tokens, v.IDs) {
		t.Errorf("wrote %v where run.c writes %v", r.Tokens, v.IDs)
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// TestGreedy goes on with five prompts as transformers does, all at once.
func TestGreedy(t *testing.T) {
	var v struct {
		Greedy []struct {
			PromptIDs []int32 `json:"prompt_ids"`
			IDs       []int32
			Text      string
		}
	}
	readJSON(t, "../testkit/testdata/smollm2/vectors.json", &v)
	m := open(t, testkit.Base(t))
	kinds := kernel.Kinds()
	was := kernel.Name()
	defer kernel.Use(was)
	for _, k := range kinds {
		if k == "go" && len(kinds) > 1 && testing.Short() {
			continue
		}
		if err := kernel.Use(k); err != nil {
			t.Fatal(err)
		}
		t.Run(k, func(t *testing.T) {
			e := start(t, m, Options{Context: 512, Memory: 256 << 20})
			var wg sync.WaitGroup
			for _, g := range v.Greedy {
				n := len(g.IDs)
				if k == "go" && len(kinds) > 1 {
					n = 8 // the others take the whole; the reference is slow
				}
				wg.Go(func() {
					r, err := e.Generate(context.Background(), Request{Prompt: g.PromptIDs, Max: n}, nil)
					if err != nil {
						t.Error(err)
					}
					if !slices.Equal(r.Tokens, g.IDs[:n]) {
						t.Errorf("wrote %v where transformers writes %v (%q)", r.Tokens, g.IDs[:n], g.Text)
					}
				})
			}
			wg.Wait()
		})
	}
}

// tiny is the toy model, with a random adapter.
func tiny(t testing.TB) (*model.Model, *lora.Adapter) {
	m := open(t, filepath.Join("..", "testkit", "testdata", "tiny", "base"))
	a := lora.New(m.Shape(), lora.Options{Rank: 4, Alpha: 8}, 1, nil)
	rng := rand.New(rand.NewPCG(1, 1))
	for l := range a.Pairs {
		for _, p := range a.Pairs[l] {
			for i := range p.B[:p.Rank*p.Out] {
				p.B[i] = float32(rng.NormFloat64()) * 0.1
			}
		}
	}
	return m, a
}

func TestBadRequests(t *testing.T) {
	m, a := tiny(t)
	e := start(t, m, Options{Context: 64, Pad: 16})
	long := make([]int32, 64)
	big := lora.New(m.Shape(), lora.Options{Rank: 40, Alpha: 8}, 1, nil)
	other := lora.New(lora.Shape{Layers: 2}, lora.Options{Rank: 4, Alpha: 8}, 1, nil)
	cut := lora.New(m.Shape(), lora.Options{Rank: 4, Alpha: 8}, 1, nil)
	cut.Pairs[0][lora.UpProj].B = cut.Pairs[0][lora.UpProj].B[:7]
	for name, r := range map[string]Request{
		"no prompt":     {Max: 1},
		"no tokens":     {Prompt: []int32{1}},
		"long prompt":   {Prompt: long, Max: 1},
		"bad token":     {Prompt: []int32{int32(m.Vocab)}, Max: 1},
		"temperature":   {Prompt: []int32{1}, Max: 1, Sampling: Sampling{Temperature: -1}},
		"big adapter":   {Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Adapter: big, Strength: 1}}},
		"cut adapter":   {Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Adapter: cut, Strength: 1}}},
		"no adapter":    {Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Strength: 1}}},
		"no strength":   {Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Adapter: a, Strength: float32(math.NaN())}}},
		"other adapter": {Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Adapter: other, Strength: 1}}},
	} {
		_, err := e.Generate(context.Background(), r, nil)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		var long *ContextError
		if errors.As(err, &long) != (name == "long prompt") || isAdapter(err) != (len(r.Adapters) > 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := e.Generate(context.Background(), Request{Prompt: long[:60], Max: 50, Adapters: []lora.Applied{{Adapter: a, Strength: 1}}}, nil)
	if err != nil || r.Reason != Full || len(r.Tokens) != 4 {
		t.Errorf("a full context ends with %d tokens, %q and %v", len(r.Tokens), r.Reason, err)
	}
	e.Close()
	if _, err := e.Generate(context.Background(), Request{Prompt: long[:1], Max: 1}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed engine says %v", err)
	}
}

// TestRepeatPenalty refuses penalties that make logits infinite, and draws with those
// at the bounds.
func TestRepeatPenalty(t *testing.T) {
	for r, ok := range map[float64]bool{0: true, 0.01: true, 1: true, 10: true, 1e-39: false, 0.009: false, 10.1: false, -1: false, math.NaN(): false, math.Inf(1): false} {
		o := Sampling{Repeat: r}
		err := o.Validate()
		if (err == nil) != ok {
			t.Errorf("a penalty of %g: %v", r, err)
		}
		if err != nil {
			continue
		}
		if id := NewSampler(o, 3).Next([]float32{3e4, -3e4, 0}, []int32{0, 1}); id < 0 {
			t.Errorf("with a penalty of %g nothing is drawn", r)
		}
	}
}

// TestSampler compares the frequencies of draws with the distribution that the
// cuts leave.
func TestSampler(t *testing.T) {
	logits := []float32{2, 1, 0.5, 0, -1, -2, -30}
	p := func(keep int, temperature float64) []float64 {
		out := make([]float64, len(logits))
		var sum float64
		for i := range keep {
			out[i] = math.Exp(float64(logits[i]) / temperature)
			sum += out[i]
		}
		for i := range out {
			out[i] /= sum
		}
		return out
	}
	for name, c := range map[string]struct {
		s    Sampling
		want []float64
	}{
		"plain":        {Sampling{Temperature: 1}, p(7, 1)},
		"temperature":  {Sampling{Temperature: 0.5}, p(7, 0.5)},
		"top-k":        {Sampling{Temperature: 1, TopK: 3}, p(3, 1)},
		"top-p":        {Sampling{Temperature: 1, TopP: 0.7}, p(2, 1)},
		"min-p":        {Sampling{Temperature: 1, MinP: 0.2}, p(3, 1)},
		"top-k, top-p": {Sampling{Temperature: 1, TopK: 3, TopP: 0.6}, p(1, 1)},
		"top-p, min-p": {Sampling{Temperature: 1, TopP: 0.99, MinP: 0.1}, p(4, 1)},
		"greedy":       {Sampling{}, p(1, 1)},
	} {
		s := NewSampler(c.s, len(logits))
		const n = 40000
		count := make([]float64, len(logits))
		for range n {
			count[s.Next(slices.Clone(logits), nil)]++
		}
		for i, w := range c.want {
			if got := count[i] / n; math.Abs(got-w) > 4*math.Sqrt(w*(1-w)/n)+1e-9 {
				t.Errorf("%s: token %d is drawn with %.4f and not %.4f", name, i, got, w)
			}
		}
		bad := slices.Clone(logits)
		bad[3] = float32(math.NaN())
		if id := s.Next(bad, nil); id != -1 {
			t.Errorf("%s: of logits that are no numbers %d is drawn", name, id)
		}
	}
}
