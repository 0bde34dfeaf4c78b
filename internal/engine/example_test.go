package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"path/filepath"
	"sync"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/llama"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/weights"
)

// toy opens a model of a few thousand random weights.
func toy() (*model.Model, func()) {
	src, err := weights.Open(filepath.Join("..", "testkit", "testdata", "tiny", "base"))
	if err != nil {
		log.Fatal(err)
	}
	m, err := model.Load(src)
	if err != nil {
		log.Fatal(err)
	}
	return m, func() { src.Close() }
}

// Two texts at once, one of them through an adapter. Each is what it would be
// alone.
func Example() {
	m, done := toy()
	defer done()
	e, err := engine.New(m, engine.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	adapter := lora.New(m.Shape(), lora.Options{Rank: 8, Alpha: 16}, 1, nil)
	requests := []engine.Request{
		{Prompt: []int32{1, 7, 9}, Max: 8},
		{Prompt: []int32{1, 7, 9}, Max: 8, Adapters: []lora.Applied{{Adapter: adapter, Strength: 0.5}},
			Sampling: engine.Sampling{Temperature: 0.8, TopP: 0.95, Seed: 1}},
	}
	results := make([]engine.Result, len(requests))
	var wg sync.WaitGroup
	for i, r := range requests {
		wg.Go(func() {
			var err error
			results[i], err = e.Generate(context.Background(), r, nil)
			if err != nil {
				log.Fatal(err)
			}
		})
	}
	wg.Wait()
	for _, r := range results {
		fmt.Println(len(r.Tokens), r.Reason)
	}
	// Output:
	// 8 length
	// 8 length
}

// Tokens are handed out as they come; an error ends the text.
func ExampleEngine_Generate() {
	m, done := toy()
	defer done()
	e, err := engine.New(m, engine.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	enough := errors.New("enough")
	n := 0
	_, err = e.Generate(context.Background(), engine.Request{Prompt: []int32{1}, Max: 100}, func(id int32) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	fmt.Println(n, err)

	var long *engine.ContextError
	_, err = e.Generate(context.Background(), engine.Request{Prompt: make([]int32, 5000), Max: 1}, nil)
	if errors.As(err, &long) {
		fmt.Println(long.Tokens, "tokens are too many for", long.Context)
	}
	// Output:
	// 3 enough
	// 5000 tokens are too many for 128
}

// A training run as a guest: its memory is of the engine's budget, and it lets
// streams go first.
func ExampleEngine_Yield() {
	m, done := toy()
	defer done()
	e, err := engine.New(m, engine.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	const room = 32 << 20
	if err := e.Budget().Reserve("training", room); err != nil {
		log.Fatal(err)
	}
	defer e.Budget().Release(room)
	run, err := train.New(train.Job{
		Model: m, Memory: room, Pause: e.Yield,
		Epochs: [][]train.Example{{{Tokens: []int32{1, 5, 6, 7, 5, 6, 7}}}},
		Options: train.Options{LoRA: lora.Options{Rank: 4, Alpha: 8}, Rate: 1e-2, Schedule: train.Constant,
			TokensPerStep: 16, Clip: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer run.Close()

	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			_, more, err := run.Step(context.Background())
			if err != nil {
				log.Fatal(err)
			}
			if !more {
				return
			}
		}
	})
	r, err := e.Generate(context.Background(), engine.Request{Prompt: []int32{1, 2}, Max: 5}, nil)
	if err != nil {
		log.Fatal(err)
	}
	wg.Wait()
	fmt.Println(len(r.Tokens), "tokens written,", run.Done(), "step done")
	// Output:
	// 5 tokens written, 1 step done
}
