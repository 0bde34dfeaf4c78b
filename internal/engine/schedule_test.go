package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// asked is a request, and how it comes.
type asked struct {
	Request
	want   []int32       // its text alone
	delay  time.Duration // before it comes
	cancel int           // after so many tokens its context ends; 0 for never
}

// requests makes n requests at random, with the text that each has alone in an
// engine with the arithmetics of o.
func requests(t testing.TB, rng *rand.Rand, m *model.Model, a *lora.Adapter, o Options, n int) []asked {
	t.Helper()
	var all []asked
	for range n {
		r := asked{Request: Request{Max: 1 + rng.IntN(30), Sampling: Sampling{Temperature: 1, TopP: 0.95, MinP: 0.02, Seed: rng.Uint64()}}}
		for range 1 + rng.IntN(90) {
			r.Prompt = append(r.Prompt, int32(rng.IntN(3))) // few, so that prefixes recur
		}
		if rng.IntN(2) == 0 {
			r.Adapters = []lora.Applied{{Adapter: a, Strength: float32(1 + rng.IntN(2))}}
		}
		if rng.IntN(4) > 0 {
			r.Sampling.Temperature = 0.02 // repeats itself, so that guesses are right
			r.Lookup = true
		}
		if rng.IntN(6) == 0 {
			r.cancel = 1 + rng.IntN(r.Max)
		}
		r.delay = time.Duration(rng.IntN(15)) * time.Millisecond
		e, err := New(m, Options{Streams: 1, Batch: 128, KV: o.KV, Arithmetic: o.Arithmetic, Reading: o.Reading})
		if err != nil {
			t.Fatal(err)
		}
		single := r.Request
		single.Lookup = false
		got, err := e.Generate(context.Background(), single, nil)
		if err != nil {
			t.Fatal(err)
		}
		e.Close()
		r.want = got.Tokens
		all = append(all, r)
	}
	return all
}

// serve sends a request and compares its text with that alone. Where short is
// true, memory may be short.
func (r *asked) serve(t testing.TB, e *Engine, short bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	got, err := e.Generate(ctx, r.Request, func(int32) error {
		if n++; n == r.cancel {
			cancel()
		}
		return nil
	})
	switch {
	case err == nil && !slices.Equal(got.Tokens, r.want):
		t.Errorf("%d tokens of prompt: %v and alone %v", len(r.Prompt), got.Tokens, r.want)
	case err == nil, short && isBudget(err):
	case errors.Is(err, context.Canceled) && r.cancel > 0:
		if len(got.Tokens) < r.cancel || !slices.Equal(got.Tokens, r.want[:len(got.Tokens)]) {
			t.Errorf("cancelled after %d tokens: %v and alone %v", r.cancel, got.Tokens, r.want)
		}
	default:
		t.Error(err)
	}
}

// settled demands that all memory has come back once nobody is served.
func settled(t testing.TB, e *Engine) {
	t.Helper()
	if total, free, kept := e.pool.counts(); free+kept != total {
		t.Errorf("of %d pages %d are free and %d remembered", total, free, kept)
	}
	b := e.Budget()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if b.Left() != b.Limit() || b.Peak() > b.Limit() {
		t.Errorf("%d bytes of %d are left after the end, and %d were taken at most", b.Left(), b.Limit(), b.Peak())
	}
}

// withPages is the memory that an engine with these options and so many pages
// takes.
func withPages(m *model.Model, o Options, pages int) int64 {
	o.defaults(m)
	return o.fixed(m) + int64(pages)*pageBytes(m, o.KV)
}

// TestSchedule lets many streams come and go at random and demands the text
// that each has alone.
func TestSchedule(t *testing.T) {
	m, a := tiny(t)
	all := requests(t, rand.New(rand.NewPCG(4, 2)), m, a, Options{}, 60)
	apart := requests(t, rand.New(rand.NewPCG(4, 2)), m, a, Options{Reading: op.BF16}, 60)
	for _, o := range []Options{
		{Streams: 4, Batch: 16},
		{Streams: 7, Batch: 64, Chunk: 10, Memory: withPages(m, Options{Streams: 7, Batch: 64}, 6) + AdapterBytes(a)},
		{Streams: 16, Batch: 128},
		{Streams: 4, Batch: 16, Reading: op.BF16},
		{Streams: 7, Batch: 64, Chunk: 10, Reading: op.BF16, Memory: withPages(m, Options{Streams: 7, Batch: 64, Reading: op.BF16}, 6) + AdapterBytes(a)},
		{Streams: 16, Batch: 128, Reading: op.BF16},
	} {
		all := all
		if o.two() {
			all = apart
		}
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			e := start(t, m, o)
			var wg sync.WaitGroup
			for i := range all {
				wg.Go(func() {
					time.Sleep(all[i].delay)
					all[i].serve(t, e, false)
				})
			}
			wg.Wait()
			settled(t, e)
		})
	}
}

// FuzzSchedule serves random requests with random arrivals and cancels in a
// random budget, of which a guest takes random parts.
func FuzzSchedule(f *testing.F) {
	for _, seed := range []uint64{0, 1, 2, 3, 4, 5, 349, 373} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		m, a := tiny(t)
		rng := rand.New(rand.NewPCG(seed, 3))
		o := Options{Streams: 1 + rng.IntN(8), Batch: 8 + rng.IntN(120), Chunk: 1 + rng.IntN(40), KV: []tensor.DType{tensor.F32, tensor.F16}[rng.IntN(2)], Arithmetic: []op.Arithmetic{op.F32, op.F32, op.BF16, op.Int8}[rng.IntN(4)]}
		o.Reading = []op.Arithmetic{"", op.F32, op.BF16, op.Int8}[rng.IntN(4)]
		o.Memory = withPages(m, o, 2+rng.IntN(10)) + AdapterBytes(a)
		all := requests(t, rng, m, a, o, 12)
		e := start(t, m, o)
		guest := rng.IntN(2) == 0
		part := rng.Int64N(o.Memory)
		var wg sync.WaitGroup
		if guest {
			wg.Go(func() {
				for range 5 {
					if e.Budget().Reserve("a guest", part) == nil {
						time.Sleep(2 * time.Millisecond)
						e.Budget().Release(part)
					}
					e.Yield()
				}
			})
		}
		for i := range all {
			wg.Go(func() {
				time.Sleep(all[i].delay)
				all[i].serve(t, e, guest)
			})
		}
		wg.Wait()
		settled(t, e)
	})
}
