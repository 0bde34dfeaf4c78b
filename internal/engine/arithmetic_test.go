package engine

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
)

// spell computes the logits behind a prompt and each token of what follows it by
// hand: the prompt in one arithmetic, one token after the other in another.
func spell(t *testing.T, m *model.Model, use []lora.Applied, prompt, text []int32, reading, writing op.Arithmetic) [][]float32 {
	t.Helper()
	s, err := m.NewSession(model.Limits{Tokens: len(prompt), Rows: 1, Context: 128, Pad: 64, Arithmetic: writing, Other: reading})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var pages []model.Page
	for range 2 {
		pages = append(pages, make(model.Page, m.PageFloats()))
	}
	var out [][]float32
	pass := func(a op.Arithmetic, at int, tokens []int32) {
		s.Use(a)
		if err := s.Forward([]model.Row{{Tokens: tokens, Start: at, Pages: pages, Adapters: use}}); err != nil {
			t.Fatal(err)
		}
		s.Use(writing)
		logits := make([]float32, m.Vocab)
		if err := s.Logits(logits, []int32{int32(len(tokens) - 1)}); err != nil {
			t.Fatal(err)
		}
		out = append(out, logits)
	}
	pass(reading, 0, prompt)
	for i := range text {
		pass(writing, len(prompt)+i, text[i:i+1])
	}
	return out
}

// TestTwoArithmetics demands that rows of a prompt are computed in one arithmetic
// and those of a text in the other, whatever is known, however the prompt is cut,
// and where tokens are guessed.
func TestTwoArithmetics(t *testing.T) {
	m, a := tiny(t)
	rng := rand.New(rand.NewPCG(7, 7))
	sampling := Sampling{Temperature: 0.02, Seed: 5}
	var prompt []int32
	for range 70 {
		prompt = append(prompt, int32(rng.IntN(3)))
	}
	for _, pair := range []struct{ writing, reading op.Arithmetic }{{op.F32, op.BF16}, {op.BF16, op.F32}} {
		for _, use := range [][]lora.Applied{nil, {{Adapter: a, Strength: 1}}} {
			o := Options{Streams: 2, Context: 128, Arithmetic: pair.writing, Reading: pair.reading}
			ask := func(o Options, prompts ...[]int32) Result {
				t.Helper()
				e := start(t, m, o)
				var r Result
				for _, p := range prompts {
					var err error
					if r, err = e.Generate(context.Background(), Request{Prompt: p, Adapters: use, Max: 25, Lookup: true, Sampling: sampling}, nil); err != nil {
						t.Fatal(err)
					}
				}
				return r
			}
			first := ask(o, prompt)
			if first.Guessed == 0 {
				t.Errorf("%v: nothing was guessed", pair)
			}
			text := first.Tokens
			// What the engine drew is what the same sampler draws from the logits that
			// are computed by hand.
			logits := spell(t, m, use, prompt, text, pair.reading, pair.writing)
			if one := spell(t, m, use, prompt, text, pair.writing, pair.writing); slices.Equal(one[len(text)], logits[len(text)]) {
				t.Fatalf("%v: both arithmetics have the same logits, and this test shows nothing", pair)
			}
			draw, tokens := NewSampler(sampling, m.Vocab), slices.Clone(prompt)
			for i, w := range text {
				id := draw.Next(logits[i], tokens)
				if id != w {
					t.Fatalf("%v: token %d is %d and by hand %d", pair, i, w, id)
				}
				tokens = append(tokens, id)
			}
			small := o
			small.Batch, small.Chunk = 7, 7
			// tokens is the prompt with its text: what comes back in the next prompt.
			for name, c := range map[string]struct {
				got    Result
				prompt []int32
				cached int
			}{
				"cut":                   {ask(small, prompt), prompt, 0},
				"known":                 {ask(o, prompt, prompt), prompt, len(prompt) - 1},
				"known in part":         {ask(o, prompt[:30], prompt), prompt, 30},
				"its beginning written": {ask(o, tokens[:60], tokens[:80], prompt), prompt, len(prompt) - 1},
				"the text comes back":   {ask(o, prompt, tokens), tokens, len(prompt)},
				"and again":             {ask(o, prompt, tokens, tokens), tokens, len(tokens) - 1},
				"cut when it does":      {ask(small, prompt, tokens), tokens, len(prompt)},
			} {
				if want := ask(o, c.prompt).Tokens; !slices.Equal(c.got.Tokens, want) {
					t.Errorf("%v, %s: %v and alone %v", pair, name, c.got.Tokens, want)
				}
				if c.got.Cached != c.cached {
					t.Errorf("%v, %s: %d positions were found and not %d", pair, name, c.got.Cached, c.cached)
				}
			}
		}
	}
}
