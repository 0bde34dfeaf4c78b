package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/train"
)

// FirstToken is the time from a request to its first token, in milliseconds, the
// median of the repeats. The engine has been used before and the prompts are new
// to it, but for what a field names.
type FirstToken struct {
	Prompt   float64 `json:"prompt"`   // a prompt of the shape's tokens
	Examples float64 `json:"examples"` // the same behind ExampleTokens of examples, none of them known
	Saved    float64 `json:"saved"`    // the same, with the examples' keys and values in a file that is read
	Cached   float64 `json:"cached"`   // the same, with the examples known from the request before
	Training float64 `json:"training"` // the prompt alone, while a training run goes on as a guest
	Delay    float64 `json:"delay"`    // Training less Prompt
}

// ExampleTokens is how many tokens of a writer's passages stand before a prompt
// here: four of 340 and what is around them.
const ExampleTokens = 1400

// First measures the first token of prompts of o.Tokens tokens.
func First(ctx context.Context, m *model.Model, o Options) (Result, error) {
	r := Result{Event: "done", Bench: "first", Shape: fmt.Sprintf("1x%d", o.Tokens)}
	size := engine.Options{Batch: 512, Streams: 1, Context: ExampleTokens + o.Tokens + 2}
	size.Arithmetic, size.Reading = o.served()
	size.KV = o.kv()
	r.by(size)
	size.InOrder = true
	size.Memory = 4*engine.Need(m, size) + engine.InOrder(m, size) + adapterRoom(m) // so that what was read stays known
	e, err := engine.New(m, size)
	if err != nil {
		return r, err
	}
	defer e.Close()
	dir, err := os.MkdirTemp("", "stroke-bench-")
	if err != nil {
		return r, fmt.Errorf("measure saved prefixes: %w", err)
	}
	defer os.RemoveAll(dir)
	use := o.adapters(m)
	rng := rand.New(rand.NewPCG(1, 5))
	first := func(ids []int32) (float64, error) {
		var at time.Time
		begin := time.Now()
		_, err := e.Generate(ctx, engine.Request{Prompt: ids, Adapters: use, Max: 1}, func(int32) error {
			at = time.Now()
			return nil
		})
		return 1000 * at.Sub(begin).Seconds(), err
	}
	prompt := func() []int32 { return randomTokens(rng, o.Tokens, m.Vocab) }
	median := func(once func(i int) (float64, error)) (float64, error) {
		var ms []float64
		for i := range o.Repeats + 1 {
			t, err := once(i)
			if err != nil {
				return 0, err
			}
			if i > 0 {
				ms = append(ms, t)
			}
		}
		slices.Sort(ms)
		return ms[len(ms)/2], nil
	}
	f := &FirstToken{}
	r.First = f
	if f.Prompt, err = median(func(int) (float64, error) { return first(prompt()) }); err != nil {
		return r, err
	}
	if f.Examples, err = median(func(int) (float64, error) {
		return first(slices.Concat(randomTokens(rng, ExampleTokens, m.Vocab), prompt()))
	}); err != nil {
		return r, err
	}
	examples := randomTokens(rng, ExampleTokens, m.Vocab)
	if _, err := first(slices.Concat(examples, prompt())); err != nil {
		return r, err
	}
	if f.Cached, err = median(func(int) (float64, error) { return first(slices.Concat(examples, prompt())) }); err != nil {
		return r, err
	}
	if f.Saved, err = saved(ctx, m, size, &o, dir, examples, prompt, median); err != nil {
		return r, err
	}
	if f.Training, err = beside(ctx, m, e, o, func() (float64, error) { return median(func(int) (float64, error) { return first(prompt()) }) }); err != nil {
		return r, err
	}
	f.Delay = f.Training - f.Prompt
	r.about()
	return r, nil
}

// saved measures the reading of a prefix's file and the first token behind it, in
// an engine that has never seen it.
func saved(ctx context.Context, m *model.Model, size engine.Options, o *Options, dir string, examples []int32, prompt func() []int32,
	median func(func(int) (float64, error)) (float64, error)) (float64, error) {
	p := engine.Prefix{Tokens: examples, Adapters: o.adapters(m), Base: m.Name, Adapter: "bench"}
	path := filepath.Join(dir, "prefix")
	fresh := func(f func(e *engine.Engine) error) error {
		e, err := engine.New(m, size)
		if err != nil {
			return err
		}
		defer e.Close()
		// What is done once, as the packing of weights, is not to be counted.
		if _, err := e.Generate(ctx, engine.Request{Prompt: prompt(), Adapters: p.Adapters, Max: 1}, nil); err != nil {
			return err
		}
		return f(e)
	}
	if err := fresh(func(e *engine.Engine) error { return e.SavePrefix(ctx, path, p) }); err != nil {
		return 0, err
	}
	return median(func(int) (ms float64, err error) {
		err = fresh(func(e *engine.Engine) error {
			ids := slices.Concat(examples, prompt())
			begin := time.Now()
			if _, err := e.LoadPrefix(ctx, path, p); err != nil {
				return err
			}
			_, err := e.Generate(ctx, engine.Request{Prompt: ids, Adapters: p.Adapters, Max: 1}, func(int32) error {
				ms = 1000 * time.Since(begin).Seconds()
				return nil
			})
			return err
		})
		return ms, err
	})
}

// beside calls f while a training run of 1×512 goes on in the same process and
// yields to the engine.
func beside(ctx context.Context, m *model.Model, e *engine.Engine, o Options, f func() (float64, error)) (float64, error) {
	arithmetic := o.Arithmetic
	if !arithmetic.Trains() {
		arithmetic = "" // the fastest
	}
	job := trainJob(m, Options{Rows: 1, Tokens: 512, Repeats: 100000, Arithmetic: arithmetic})
	job.Pause = e.Yield
	t, err := train.New(job)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var steps atomic.Int64
	ended := make(chan error, 1)
	go func() {
		for {
			_, ok, err := t.Step(ctx)
			if err != nil || !ok {
				ended <- err
				return
			}
			steps.Add(1)
		}
	}()
	for steps.Load() == 0 && ctx.Err() == nil && len(ended) == 0 {
		time.Sleep(time.Millisecond)
	}
	ms, err := f()
	if len(ended) > 0 && err == nil {
		err = fmt.Errorf("the training run ended before the measurement: %w", <-ended)
		return 0, err
	}
	stop()
	<-ended
	return ms, err
}
