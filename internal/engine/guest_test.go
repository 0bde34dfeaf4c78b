package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/train"
)

func TestYield(t *testing.T) {
	m, _ := tiny(t)
	e := start(t, m, Options{Streams: 2, Batch: 64})
	begin := time.Now()
	for range 1000 {
		e.Yield()
	}
	if took := time.Since(begin); took > patience {
		t.Errorf("a thousand times with nobody waiting took %s", took)
	}
	release, written := make(chan struct{}), make(chan struct{}, 1)
	var wg sync.WaitGroup
	var ended atomic.Bool
	wg.Go(func() {
		_, err := e.Generate(context.Background(), Request{Prompt: []int32{1}, Max: 1}, func(int32) error {
			written <- struct{}{}
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		ended.Store(true)
	})
	<-written
	begin = time.Now()
	e.Yield()
	if took := time.Since(begin); took < patience || ended.Load() {
		t.Errorf("beside a stream the guest went on after %s", took)
	}
	wg.Go(func() {
		time.Sleep(patience / 5)
		close(release)
	})
	begin = time.Now()
	e.Yield()
	if took := time.Since(begin); took >= patience {
		t.Errorf("the stream ended, and the guest went on after %s", took)
	}
	wg.Wait()
	if _, err := e.Generate(context.Background(), Request{Prompt: []int32{1}, Max: 0}, nil); err == nil {
		t.Error("no tokens are asked for, and no error")
	}
	e.Yield() // a request that was refused is not waited for
}

// trained plans a run of some steps on random sequences, of an adapter.
func trained(t testing.TB, m *model.Model, tokens, steps int, pause func()) *train.Trainer {
	t.Helper()
	return trainedWith(t, m, tokens, steps, pause, func(*train.Options) {})
}

func trainedWith(t testing.TB, m *model.Model, tokens, steps int, pause func(), change func(o *train.Options)) *train.Trainer {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 5))
	var examples []train.Example
	for range steps {
		x := train.Example{Tokens: make([]int32, tokens)}
		for i := range x.Tokens {
			x.Tokens[i] = int32(rng.IntN(m.Vocab))
		}
		examples = append(examples, x)
	}
	o := train.Options{LoRA: lora.Options{Rank: 4, Alpha: 8, Dropout: 0.1}, Rate: 1e-3, Schedule: train.Cosine, TokensPerStep: tokens, Clip: 1,
		Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Seed: 7}
	change(&o)
	tr, err := train.New(train.Job{Model: m, Epochs: [][]train.Example{examples}, Batch: tokens, Pause: pause, Options: o})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// finished does the steps that are left and gives the numbers that were trained.
func finished(t testing.TB, tr *train.Trainer) []float32 {
	for {
		if _, ok, err := tr.Step(context.Background()); err != nil {
			t.Error(err)
			return nil
		} else if !ok {
			break
		}
	}
	var out []float32
	for _, p := range tr.Params() {
		out = append(out, p.W...)
	}
	if tr.Adapter() == nil {
		return out
	}
	tr.Adapter().Each(func(_ int, _ lora.Module, p *op.Pair) { out = append(append(out, p.A...), p.B...) })
	return out
}

// TestGuest trains an adapter, and all weights, beside streams: the bits are
// those without them, and the texts those without training.
func TestGuest(t *testing.T) {
	m, a := tiny(t)
	all := requests(t, rand.New(rand.NewPCG(8, 2)), m, a, Options{}, 12)
	for name, change := range map[string]func(o *train.Options){
		"adapter": func(*train.Options) {},
		"bf16":    func(o *train.Options) { o.Arithmetic = train.BF16 },
		"weights": func(o *train.Options) { o.LoRA, o.Weights = lora.Options{}, &model.Selection{} },
		"weights by Adafactor": func(o *train.Options) {
			o.LoRA, o.Weights, o.Optimizer = lora.Options{}, &model.Selection{}, train.Adafactor
		},
	} {
		t.Run(name, func(t *testing.T) {
			quiet := trainedWith(t, m, 90, 20, nil, change)
			defer quiet.Close()
			want := finished(t, quiet)
			e := start(t, m, Options{Streams: 4, Batch: 64})
			var pauses atomic.Int64
			tr := trainedWith(t, m, 90, 20, func() {
				pauses.Add(1)
				e.Yield()
			}, change)
			defer tr.Close()
			if err := e.Budget().Reserve("training", tr.Bytes()); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range all {
				wg.Go(func() {
					time.Sleep(8 * all[i].delay)
					all[i].serve(t, e, false)
				})
			}
			got := finished(t, tr)
			wg.Wait()
			if len(got) != len(want) || len(got) == 0 {
				t.Fatalf("%d numbers beside streams and %d alone", len(got), len(want))
			}
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("weight %d is %g beside streams and %g alone", i, got[i], want[i])
				}
			}
			if pauses.Load() < int64(20*m.Layers) {
				t.Errorf("%d pauses in 20 steps", pauses.Load())
			}
			e.Budget().Release(tr.Bytes())
			settled(t, e)
		})
	}
}

// BenchmarkGuest is the time to the first token after a prompt of 64 tokens, with
// and without a training run beside it.
func BenchmarkGuest(b *testing.B) {
	m := open(b, testkit.Base(b))
	for _, training := range []bool{false, true} {
		b.Run(fmt.Sprintf("training=%v/%s", training, kernel.Name()), func(b *testing.B) {
			e, err := New(m, Options{Streams: 2, Context: 256, Memory: 256 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			ctx, cancel := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			if training {
				tr := trained(b, m, 512, 1000, e.Yield)
				defer tr.Close()
				wg.Go(func() {
					for {
						if _, ok, err := tr.Step(ctx); !ok {
							if err != nil && !errors.Is(err, context.Canceled) {
								b.Error(err)
							}
							return
						}
					}
				})
				time.Sleep(time.Second)
			}
			rng := rand.New(rand.NewPCG(1, 1))
			var times []time.Duration
			for b.Loop() {
				prompt := make([]int32, 64)
				for i := range prompt {
					prompt[i] = int32(rng.IntN(m.Vocab))
				}
				time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond) // anywhere within a step of training
				begin := time.Now()
				if _, err := e.Generate(context.Background(), Request{Prompt: prompt, Max: 1}, nil); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(begin))
			}
			cancel()
			wg.Wait()
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1e3, "median-ms")
			b.ReportMetric(float64(times[len(times)-1].Microseconds())/1e3, "longest-ms")
		})
	}
}
