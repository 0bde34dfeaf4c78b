package quantize

import (
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
)

// logits are those behind each of the tokens, in one arithmetic.
func logits(t *testing.T, m *model.Model, a op.Arithmetic, ids []int32) []float32 {
	t.Helper()
	s, err := m.NewSession(model.Limits{Tokens: len(ids), Rows: len(ids), Context: 128, Pad: 64, Arithmetic: a})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	pages := []model.Page{make(model.Page, m.PageFloats()), make(model.Page, m.PageFloats())}
	if err := s.Forward([]model.Row{{Tokens: ids, Pages: pages}}); err != nil {
		t.Fatal(err)
	}
	rows := make([]int32, len(ids))
	for i := range rows {
		rows[i] = int32(i)
	}
	y := make([]float32, len(ids)*m.Vocab)
	if err := s.Logits(y, rows); err != nil {
		t.Fatal(err)
	}
	return y
}

// TestIntegers writes bases in K types and uses the files: in int16 logits are next
// to those of float32, and a text is the same however its prompt is cut, whatever
// else is written beside it and whoever computes, with every kernel.
func TestIntegers(t *testing.T) {
	defer kernel.SetWorkers(kernel.Workers())
	defer kernel.Use(kernel.Name())
	for name, c := range map[string]struct {
		source string
		types  []tensor.DType // that are in the file, among others
	}{
		"toy":  {testkit.Toy(t, testkit.ToyShape{Hidden: 256, FFN: 512}), []tensor.DType{tensor.Q4_K, tensor.Q6_K}},
		"base": {testkit.Base(t), []tensor.DType{tensor.Q4_K, tensor.Q5_0}},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.gguf")
			result(t, Options{Source: c.source, To: "q4_k", Out: out, NoLoss: true})
			b, err := open(out)
			if err != nil {
				t.Fatal(err)
			}
			defer b.close()
			there := map[tensor.DType]bool{b.model.Head.DType: true}
			for l := range b.model.Layer {
				for i := range b.model.Layer[l].Weights {
					there[b.model.Layer[l].Weights[i].DType] = true
				}
			}
			for _, d := range c.types {
				if !there[d] {
					t.Fatalf("nothing in the file is %s", d)
				}
			}
			ids := b.tok.Encode("The ferry was late again, and nobody on the pier knew why it had been so for a week.")
			for _, k := range kernel.Kinds() {
				if k == "go" && name == "base" {
					continue // slow
				}
				if err := kernel.Use(k); err != nil {
					t.Fatal(err)
				}
				exact, got := logits(t, b.model, op.F32, ids), logits(t, b.model, op.Int16, ids)
				var off, size float64
				for i := range exact {
					off += math.Pow(float64(got[i]-exact[i]), 2)
					size += math.Pow(float64(exact[i]), 2)
				}
				if rel := math.Sqrt(off / size); !(rel > 0 && rel < 5e-4) {
					t.Errorf("%s: logits are %g from those of float32", k, rel)
				}
				ask := func(workers, chunk, beside int) []int32 {
					t.Helper()
					kernel.SetWorkers(workers)
					e, err := engine.New(b.model, engine.Options{Streams: 1 + beside, Context: 128, Batch: max(chunk, 1+beside), Chunk: chunk, Arithmetic: op.Int16})
					if err != nil {
						t.Fatal(err)
					}
					defer e.Close()
					var all sync.WaitGroup
					for i := range beside {
						all.Go(func() {
							e.Generate(t.Context(), engine.Request{Prompt: ids[i+1:], Max: 12}, nil)
						})
					}
					r, err := e.Generate(t.Context(), engine.Request{Prompt: ids, Max: 10}, nil)
					all.Wait()
					if err != nil {
						t.Fatal(err)
					}
					return r.Tokens
				}
				alone := ask(2, 64, 0)
				for _, other := range [][]int32{ask(1, 64, 0), ask(3, 7, 0), ask(2, 64, 5)} {
					if !slices.Equal(other, alone) {
						t.Errorf("%s: %v, and alone, in one piece %v", k, other, alone)
					}
				}
			}
		})
	}
}
