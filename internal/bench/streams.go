package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
)

// streamAdapters is how many adapters the streams are spread over.
const streamAdapters = 4

// Streams measures o.Rows streams over four adapters that write o.Tokens tokens
// each at the same time; the figure is tokens per second of all together.
func Streams(ctx context.Context, m *model.Model, o Options) (Result, error) {
	r := Result{Event: "done", Bench: "streams", Shape: fmt.Sprintf("%dx%d", o.Rows, o.Tokens)}
	size := engine.Options{Batch: max(64, o.Rows), Streams: o.Rows, Context: o.Tokens + 66}
	size.Arithmetic, size.Reading = o.served()
	size.KV = o.kv()
	r.by(size)
	size.InOrder = true
	size.Memory = engine.Need(m, size) + engine.InOrder(m, size) + streamAdapters*adapterRoom(m)
	e, err := engine.New(m, size)
	if err != nil {
		return r, err
	}
	defer e.Close()
	var adapters []lora.Applied
	for range streamAdapters {
		adapters = append(adapters, (&Options{Adapter: true, Arithmetic: o.Arithmetic, Reading: o.Reading}).adapters(m)...)
	}
	rng := rand.New(rand.NewPCG(1, 4))
	err = r.repeat(o, o.Rows*o.Tokens, func(int) (time.Duration, error) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		var first error
		begin := time.Now()
		for s := range o.Rows {
			ids := randomTokens(rng, 8, m.Vocab)
			wg.Go(func() {
				_, err := e.Generate(ctx, engine.Request{Prompt: ids, Adapters: adapters[s%streamAdapters : s%streamAdapters+1], Max: o.Tokens}, nil)
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
			})
		}
		wg.Wait()
		return time.Since(begin), first
	})
	if err != nil {
		return r, err
	}
	r.finish(forwardFlops(m, o.Tokens/2, adapterOptions.Rank) + 2*float64(m.Vocab)*float64(m.Dim))
	return r, nil
}
