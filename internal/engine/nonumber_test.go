package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
)

// TestNoNumberIsForgotten has the keys and values of texts become no numbers, and then
// what made them so go away: nothing of them is found any more, and other texts are.
func TestNoNumberIsForgotten(t *testing.T) {
	m, a := tiny(t)
	rng := rand.New(rand.NewPCG(4, 8))
	ids := make([]int32, 120)
	for i := range ids {
		ids[i] = int32(rng.IntN(m.Vocab))
	}
	use := []lora.Applied{{Adapter: a, Strength: 1}}
	long := Request{Prompt: ids[:100], Max: 4, Adapters: use}
	other := Request{Prompt: ids[20:100], Max: 4, Adapters: use}
	weight := &a.Pairs[0][lora.VProj].B[0]
	sound := *weight
	spoil, heal := func() { *weight = float32(math.NaN()) }, func() { *weight = sound }
	want, wantOther := alone(t, m, long), alone(t, m, other)
	for _, kv := range []tensor.DType{tensor.F32, tensor.F16} {
		e := still(t, m, Options{Streams: 2, Batch: 64, KV: kv})
		ask := func(what string, r Request, want []int32, cached int) {
			t.Helper()
			s := submit(t, e, context.Background(), r)
			finish(t, e)
			if s.result.Cached != cached {
				t.Errorf("%s, %s: %d tokens were known where %d are", kv, what, s.result.Cached, cached)
			}
			switch {
			case want == nil && !errors.Is(s.err, ErrNoNumber):
				t.Errorf("%s, %s: %v", kv, what, s.err)
			case want != nil && (s.err != nil || kv == tensor.F32 && !slices.Equal(s.result.Tokens, want)):
				t.Errorf("%s, %s: %v and alone %v, %v", kv, what, s.result.Tokens, want, s.err)
			}
		}
		ask("another text", other, wantOther, 0)
		kept := e.Stats().Remembered

		spoil()
		ask("spoilt in several passes", long, nil, 0)
		heal()
		if n := e.Stats().Remembered; n != kept {
			t.Errorf("%s: %d pages are remembered where %d were", kv, n, kept)
		}
		ask("healed", long, want, 0)
		ask("the same", long, want, 99)

		// The text was sound, and what follows is not.
		spoil()
		ask("spoilt behind what is known", Request{Prompt: ids, Max: 4, Adapters: use}, nil, 100)
		heal()
		ask("healed again", long, want, 0)

		// A text that ends before it has a number.
		e.Forget(a)
		ask("another text", other, wantOther, 0)
		spoil()
		ctx, cancel := context.WithCancel(context.Background())
		s := submit(t, e, ctx, long)
		for range 1 {
			e.admit()
			e.step()
		}
		cancel()
		finish(t, e)
		if !errors.Is(s.err, context.Canceled) {
			t.Errorf("%s: %v", kv, s.err)
		}
		heal()
		begins := Request{Prompt: slices.Concat(ids[:40], ids[60:70]), Max: 4, Adapters: use}
		wantBegins := alone(t, m, begins)
		ask("the beginning of a page", begins, nil, 40)
		ask("the beginning again", begins, wantBegins, 0)
		ask("the whole", long, want, 40)
		ask("another text", other, wantOther, 79)
	}
}
