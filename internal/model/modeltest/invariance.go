package modeltest

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
)

// RandomAdapter makes an adapter that changes something. With an even rank its
// numbers are those of F16, as one that comes from a file has them.
func RandomAdapter(m *model.Model, rank int, seed uint64) *lora.Adapter {
	a := lora.New(m.Shape(), lora.Options{Rank: rank, Alpha: 16}, seed, nil)
	rng := rand.New(rand.NewPCG(seed, 1))
	a.Each(func(_ int, _ lora.Module, p *op.Pair) {
		for i := range p.B[:p.Rank*p.Out] {
			p.B[i] = float32(rng.NormFloat64()) * 0.02
		}
		if rank%2 == 0 {
			half := make([]byte, 2*p.Rank*p.In)
			kernel.NarrowF16(half, p.A[:p.Rank*p.In])
			kernel.Widen(p.A[:p.Rank*p.In], half, kernel.F16)
			p.KeepHalf()
		}
	})
	return a
}

func pagesOf(m *model.Model, positions int) []model.Page {
	pages := make([]model.Page, (positions+model.PageLen-1)/model.PageLen)
	for i := range pages {
		pages[i] = make(model.Page, m.PageFloats())
		for k := range pages[i] {
			pages[i][k] = float32(math.NaN()) // what was not written must not be read
		}
	}
	return pages
}

// interleaved is the model with weights in the kernel's order.
func interleaved(t *testing.T, m *model.Model) *model.Model {
	t.Helper()
	v, err := m.Interleaved(func(n int) []float32 { return make([]float32, n) }, true)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Invariance checks that the logits of a text are the same bits alone and in
// one go as in random cuts beside random other rows, with any number of
// workers, and in integers with weights in the kernel's order too. Only names the
// ways of computing that are checked; none stands for all. Where tiles are computed in
// plain Go, bfloat16 has half the trials.
func Invariance(t *testing.T, m *model.Model, length, trials int, only ...string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 9))
	adapters := []*lora.Adapter{RandomAdapter(m, 4, 1), RandomAdapter(m, 16, 2), RandomAdapter(m, 7, 3)}
	for _, a := range adapters[:2] { // the third shows what is packed each time
		a.Each(func(_ int, _ lora.Module, p *op.Pair) { p.KeepTiles() })
	}
	random := func(n int) []int32 {
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = int32(rng.IntN(m.Vocab))
		}
		return ids
	}
	workers := kernel.Workers()
	defer kernel.SetWorkers(workers)
	ways := map[string][]lora.Applied{
		"base": nil, "strength 0": {{Adapter: adapters[0], Strength: 0}},
		"adapter": {{Adapter: adapters[1], Strength: 0.7}}, "two adapters": {{Adapter: adapters[0], Strength: 1}, {Adapter: adapters[2], Strength: -0.5}},
		"bf16": {{Adapter: adapters[1], Strength: 0.7}}, "bf16, two adapters": {{Adapter: adapters[0], Strength: 1}, {Adapter: adapters[2], Strength: -0.5}},
		"bf16, the other first": {{Adapter: adapters[2], Strength: -0.5}, {Adapter: adapters[0], Strength: 1}},
		"int8":                  nil, "int16": {{Adapter: adapters[1], Strength: 0.7}}, "int8, two adapters": {{Adapter: adapters[1], Strength: 1}, {Adapter: adapters[2], Strength: -0.5}},
	}
	for _, name := range only {
		if _, ok := ways[name]; !ok {
			t.Fatalf("there is no way of computing %q", name)
		}
	}
	for name, use := range ways {
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		arithmetic, trials := op.F32, trials
		for _, a := range []op.Arithmetic{op.BF16, op.Int8, op.Int16} {
			if strings.HasPrefix(name, string(a)) {
				arithmetic = a
			}
		}
		if arithmetic == op.BF16 && !kernel.FastTiles() {
			trials = max(trials/2, 1)
		}
		t.Run(name, func(t *testing.T) {
			if arithmetic == op.BF16 && !kernel.FastTiles() && m.Vocab > 4096 {
				t.Skip("without tiles in hardware a base of this size takes too long")
			}
			ids := random(length)
			kernel.SetWorkers(workers)
			alone := Session(t, m, model.Limits{Tokens: length, Rows: 1, Context: length, Pad: 64, Arithmetic: arithmetic})
			if err := alone.Forward([]model.Row{{Tokens: ids, Adapters: use}}); err != nil {
				t.Fatal(err)
			}
			want := make([]float32, length*m.Vocab)
			if err := alone.Logits(want, Places(length)); err != nil {
				t.Fatal(err)
			}
			laid := m
			if arithmetic == op.Int16 {
				laid = interleaved(t, m)
			}
			for trial := range trials {
				kernel.SetWorkers(1 + trial%3)
				on := m
				if trial%2 == 0 {
					on = laid
				}
				s := Session(t, on, model.Limits{Tokens: length + 80, Rows: 5, Context: length + 40, Pad: 64, Arithmetic: arithmetic})
				pages := pagesOf(m, length)
				for at := 0; at < length; {
					n := min(1+rng.IntN(1+rng.IntN(length)), length-at)
					rows := []model.Row{{Tokens: ids[at : at+n], Start: at, Pages: pages, Adapters: use}}
					for range rng.IntN(4) {
						other := model.Row{Tokens: random(1 + rng.IntN(20))}
						if rng.IntN(3) > 0 {
							other.Adapters = []lora.Applied{{Adapter: adapters[rng.IntN(3)], Strength: rng.Float32()}}
						}
						rows = append(rows, other)
					}
					mine := 0
					if k := rng.IntN(len(rows)); k > 0 {
						rows[0], rows[k] = rows[k], rows[0]
						mine = k
					}
					lo := 0
					for _, r := range rows[:mine] {
						lo += len(r.Tokens)
					}
					if err := s.Forward(rows); err != nil {
						t.Fatal(err)
					}
					where := Places(n)
					for i := range where {
						where[i] += int32(lo)
					}
					got := make([]float32, n*m.Vocab)
					if err := s.Logits(got, where); err != nil {
						t.Fatal(err)
					}
					for i, x := range got {
						if w := want[at*m.Vocab+i]; math.Float32bits(x) != math.Float32bits(w) {
							t.Fatalf("trial %d, position %d, token %d: %g is not %g", trial, at+i/m.Vocab, i%m.Vocab, x, w)
						}
					}
					at += n
				}
			}
		})
	}
}
