package eval

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/llama"
	"github.com/getstroke/stroke/internal/weights"
)

func toy(t *testing.T) *model.Model {
	t.Helper()
	src, err := weights.Open(filepath.Join("..", "testkit", "testdata", "tiny", "base"))
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

// TestScore compares with logits of the whole text in one pass.
func TestScore(t *testing.T) {
	m := toy(t)
	rng := rand.New(rand.NewPCG(1, 1))
	ids := func(n int) []int32 {
		out := make([]int32, n)
		for i := range out {
			out[i] = int32(rng.IntN(m.Vocab))
		}
		return out
	}
	a := lora.New(m.Shape(), lora.Options{Rank: 4, Alpha: 8}, 1, nil)
	for i := range a.Pairs[0][lora.QProj].B {
		a.Pairs[0][lora.QProj].B[i] = 0.1
	}
	use := []lora.Applied{{Adapter: a, Strength: 1}}
	s, err := NewScorer(m, 120, 16, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	pieces := []Piece{{Tokens: ids(40)}, {Context: ids(70), Tokens: ids(50), From: 7}, {Tokens: ids(1)}, {Context: ids(3), Tokens: ids(2)}}
	// These begin alike, and the last within what does not count.
	common := ids(60)
	for n := range 3 {
		pieces = append(pieces, Piece{Context: common[:30+n], Tokens: append(append([]int32(nil), common[30+n:40+n]...), ids(10)...), From: 3 * n})
	}
	pieces = append(pieces, Piece{Context: common[:5], Tokens: common[5:60], From: 50}, Piece{Tokens: common[:20]})
	got, err := s.Score(context.Background(), pieces, use, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := m.NewSession(model.Limits{Tokens: 120, Rows: 1, Context: 120, Pad: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	for i, p := range pieces {
		alone, err := s.Score(context.Background(), pieces[i:i+1], use, nil)
		if err != nil || alone[0].Nats != got[i].Nats || !slices.Equal(alone[0].Each, got[i].Each) {
			t.Errorf("piece %d costs %v alone and %v behind others: %v", i, alone, got[i], err)
		}
		all := append(append([]int32(nil), p.Context...), p.Tokens...)
		if err := whole.Forward([]model.Row{{Tokens: all, Adapters: use}}); err != nil {
			t.Fatal(err)
		}
		var want float64
		n := 0
		logits := make([]float32, m.Vocab)
		for at := max(1, len(p.Context)+p.From); at < len(all); at++ {
			if err := whole.Logits(logits, []int32{int32(at - 1)}); err != nil {
				t.Fatal(err)
			}
			var sum float64
			for _, l := range logits {
				sum += math.Exp(float64(l))
			}
			want += math.Log(sum) - float64(logits[all[at]])
			n++
		}
		if got[i].Tokens != n || math.Abs(got[i].Nats-want) > 1e-4*max(want, 1) || len(got[i].Each) != n {
			t.Errorf("piece %d: %d tokens, %.6f nats, where the logits say %d and %.6f", i, got[i].Tokens, got[i].Nats, n, want)
		}
	}
	if _, err := s.Score(context.Background(), []Piece{{Tokens: ids(121)}}, use, nil); err == nil {
		t.Error("a piece beyond the context is scored")
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Score(cancelled, pieces, use, nil); err == nil {
		t.Error("a cancelled score goes on")
	}
}

// TestScorerBytes holds what a scorer is said to take to what it has.
func TestScorerBytes(t *testing.T) {
	m := toy(t)
	for _, context := range []int{2, 65, 120, 1 << 20} {
		for _, bf16 := range []bool{false, true} {
			s, err := NewScorer(m, context, 8, bf16)
			if err != nil {
				t.Fatal(err)
			}
			has := m.Need(s.session.Limits()) + int64(s.arena.Size()) + 4*int64(len(s.nll)+len(s.targets))
			if said := ScorerBytes(m, context, 8, bf16); said != has {
				t.Errorf("for %d tokens, bf16 %v, it is said to take %d bytes and has %d", context, bf16, said, has)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestBootstrapCovers draws many samples and counts how often the interval
// holds the truth.
func TestBootstrapCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const trials, truth = 300, 0.05
	in := 0
	for range trials {
		var units []Unit
		for range 30 {
			n := 150 + rng.IntN(150)
			units = append(units, Unit{Saved: float64(n) * (truth + 0.1*rng.NormFloat64()), Tokens: n})
		}
		i := Bootstrap(units, 0.95, 500, rng.Uint64())
		if i.Low > i.Mean || i.Mean > i.High {
			t.Fatalf("the interval is %+v", i)
		}
		if i.Low <= truth && truth <= i.High {
			in++
		}
	}
	if share := float64(in) / trials; share < 0.88 || share > 0.99 {
		t.Errorf("the interval holds the truth in %.2f of the trials where 0.95 is stated", share)
	}
}

func TestBlocks(t *testing.T) {
	long := Loss{Each: make([]float32, 730)}
	short := Loss{Each: make([]float32, 90)}
	for i := range long.Each {
		long.Each[i] = 2
	}
	zero := Loss{Each: make([]float32, 730)}
	u := Blocks([]Loss{long, short}, []Loss{zero, short}, 200)
	if len(u) != 4 {
		t.Fatalf("%d blocks", len(u))
	}
	tokens := 0
	for _, b := range u {
		tokens += b.Tokens
	}
	if tokens != 820 || u[0].Saved != 2*float64(u[0].Tokens) || u[3].Saved != 0 {
		t.Errorf("the blocks are %+v", u)
	}
}
