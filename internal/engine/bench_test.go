package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
)

// BenchmarkKV writes after a prompt of 1,400 tokens, with keys and values in each
// of their types.
func BenchmarkKV(b *testing.B) {
	m := open(b, testkit.Base(b))
	rng := rand.New(rand.NewPCG(1, 2))
	prompt := make([]int32, 1400)
	for i := range prompt {
		prompt[i] = int32(rng.IntN(m.Vocab))
	}
	for _, kv := range []tensor.DType{tensor.F32, tensor.F16, tensor.Q8_0} {
		b.Run(fmt.Sprintf("kv=%s/%s", kv, kernel.Name()), func(b *testing.B) {
			e, err := New(m, Options{Streams: 1, Context: 1536, KV: kv, Memory: 512 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			n := 0
			var took, first time.Duration
			for b.Loop() {
				begin := time.Now()
				var wrote time.Time
				r, err := e.Generate(context.Background(), Request{Prompt: prompt, Max: 64}, func(int32) error {
					if wrote.IsZero() {
						wrote = time.Now()
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				took += time.Since(wrote)
				n += len(r.Tokens) - 1
				if r.Cached == 0 {
					first = wrote.Sub(begin)
				}
			}
			b.ReportMetric(float64(n)/took.Seconds(), "tok/s")
			b.ReportMetric(first.Seconds(), "s-to-read")
		})
	}
}

// BenchmarkSampler draws from a vocabulary of 49,152 tokens.
func BenchmarkSampler(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	logits := make([]float32, 49152)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64() * 3)
	}
	recent := make([]int32, 64)
	for name, o := range map[string]Sampling{
		"greedy": {}, "plain": {Temperature: 0.8}, "usual": {Temperature: 0.8, TopP: 0.95, MinP: 0.05, Repeat: 1.05},
		"top-p": {Temperature: 1, TopP: 0.95}, "top-k": {Temperature: 1, TopK: 40},
	} {
		b.Run(name, func(b *testing.B) {
			s := NewSampler(o, len(logits))
			for b.Loop() {
				s.Next(logits, recent)
			}
		})
	}
}
