package llama_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/model/modeltest"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestPackedKeys reads a text with keys and values in each of their types: the
// bits of its logits do not depend on the cuts, on other rows or on which memory
// the pages are, and they are near those of F32.
func TestPackedKeys(t *testing.T) {
	m := modeltest.Load(t, testkit.Toy(t, testkit.ToyShape{Hidden: 128, FFN: 96}), "")
	const length = 150
	rng := rand.New(rand.NewPCG(6, 1))
	ids := make([]int32, length)
	for i := range ids {
		ids[i] = int32(rng.IntN(m.Vocab))
	}
	use := []lora.Applied{{Adapter: modeltest.RandomAdapter(m, 4, 1), Strength: 1}}
	modeltest.EachKernel(t, func(t *testing.T) {
		var exact []float32
		for _, kv := range []tensor.DType{tensor.F32, tensor.F16, tensor.Q8_0} {
			s := modeltest.Session(t, m, model.Limits{Tokens: length + 40, Rows: 3, Context: length, Pad: 16, KV: kv})
			pages := func() []model.Page {
				p := make([]model.Page, (length+model.PageLen-1)/model.PageLen)
				for i := range p {
					p[i] = make(model.Page, m.PageSize(kv))
					for k := range p[i] {
						p[i][k] = float32(math.NaN()) // what was not written must not be read
					}
				}
				return p
			}
			// read gives the logits of every position; cut says how many tokens go
			// through together.
			read := func(cut func() int, others bool) []float32 {
				got := make([]float32, length*m.Vocab)
				mine := pages()
				for at := 0; at < length; {
					n := min(cut(), length-at)
					rows := []model.Row{{Tokens: ids[at : at+n], Start: at, Pages: mine, Adapters: use}}
					if others {
						rows = append(rows, model.Row{Tokens: ids[:1+rng.IntN(30)], Pages: pages()})
					}
					if err := s.Forward(rows); err != nil {
						t.Fatal(err)
					}
					if err := s.Logits(got[at*m.Vocab:], modeltest.Places(n)); err != nil {
						t.Fatal(err)
					}
					at += n
					if others {
						// The page that is being filled moves to other memory.
						if k := at / model.PageLen; k < len(mine) {
							fresh := pages()[k]
							m.CopyPage(fresh, mine[k], at%model.PageLen, kv)
							mine[k] = fresh
						}
					}
				}
				return got
			}
			want := read(func() int { return length }, false)
			same := func(how string, got []float32) {
				for i, x := range got {
					if math.Float32bits(x) != math.Float32bits(want[i]) {
						t.Fatalf("%s, %s: logit %d of position %d is %g and in one go %g", kv, how, i%m.Vocab, i/m.Vocab, x, want[i])
					}
				}
			}
			same("token by token", read(func() int { return 1 }, false))
			for range 5 {
				same("in cuts", read(func() int { return 1 + rng.IntN(60) }, true))
			}
			if kv == tensor.F32 {
				exact = want
				continue
			}
			var off, all float64
			for i, x := range want {
				off += float64(x-exact[i]) * float64(x-exact[i])
				all += float64(exact[i]) * float64(exact[i])
			}
			limit := map[tensor.DType]float64{tensor.F16: 1e-6, tensor.Q8_0: 1e-3}[kv]
			if nmse := off / all; nmse == 0 || nmse > limit {
				t.Errorf("%s: the logits are off by %.3g of their square, and not by up to %g", kv, nmse, limit)
			}
		}
	})
}

// TestCheckKV asks for types that keys and values cannot have.
func TestCheckKV(t *testing.T) {
	m := load(t, "base", "") // heads of 8 features
	for kv, possible := range map[tensor.DType]bool{tensor.F32: true, tensor.F16: true, tensor.BF16: false, tensor.Q8_0: false, tensor.Q4_1: false} {
		s, err := m.NewSession(model.Limits{Tokens: 1, Rows: 1, Context: 1, KV: kv})
		if (err == nil) != possible {
			t.Errorf("%s: %v", kv, err)
		}
		if err == nil {
			s.Close()
		}
	}
}
