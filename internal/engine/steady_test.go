package engine

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
)

// TestSteadyState makes passes of streams that write, with every kind of
// sampling, adapter and guess: once it runs, a pass allocates nothing, pages that
// become full included.
func TestSteadyState(t *testing.T) {
	m, a := tiny(t)
	was := kernel.Name()
	defer kernel.Use(was)
	for _, k := range kernel.Kinds() {
		if err := kernel.Use(k); err != nil {
			t.Fatal(err)
		}
		for _, kv := range []tensor.DType{tensor.F32, tensor.F16} {
			t.Run(fmt.Sprintf("%s/%s", k, kv), func(t *testing.T) {
				e := still(t, m, Options{Streams: 4, Batch: 64, KV: kv})
				for i, r := range []Request{
					{Prompt: []int32{1, 2, 3}},
					{Prompt: []int32{4, 5}, Sampling: Sampling{Temperature: 1, TopP: 0.9, MinP: 0.02, Repeat: 1.1, Seed: 1}},
					{Prompt: []int32{6}, Sampling: Sampling{Temperature: 0.8, TopK: 20}, Adapters: []lora.Applied{{Adapter: a, Strength: 1}}},
					{Prompt: []int32{7, 8, 7, 8, 7, 8, 7}, Lookup: true, Adapters: []lora.Applied{{Adapter: a, Strength: 0.5}, {Adapter: a, Strength: 1}}},
				} {
					r.Max = 100 - i
					submit(t, e, context.Background(), r)
				}
				e.admit()
				for range 5 {
					e.step() // reads the prompts; memory that grows to its size does so here
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range 75 {
					e.admit()
					e.step()
				}
				runtime.ReadMemStats(&after)
				// The runtime itself may allocate a little meanwhile.
				if n := after.Mallocs - before.Mallocs; n > 25 {
					t.Errorf("75 passes allocate %d times", n)
				}
				if len(e.streams) < 3 || e.streams[0].filled < 70 {
					t.Errorf("the test saw %d streams of %d positions: no page became full", len(e.streams), e.streams[0].filled)
				}
				finish(t, e)
			})
		}
	}
}
