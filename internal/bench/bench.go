// Package bench measures the engine on this machine: training steps, prefill,
// decoding, and the machine's own limits that they are compared with.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/train"
)

// Result is one measurement.
type Result struct {
	Event           string      `json:"event"` // "done"
	Bench           string      `json:"bench"`
	Base            string      `json:"base,omitempty"`         // what was measured, or whose shape
	WeightBytes     int64       `json:"weight_bytes,omitempty"` // of the base, as stored
	Shape           string      `json:"shape,omitempty"`
	Behind          int         `json:"behind,omitempty"`            // of decode: tokens of a prompt that stand before
	Method          string      `json:"method,omitempty"`            // of train: lora or full
	TokensPerSecond float64     `json:"tokens_per_second,omitempty"` // median of the repeats
	Repeats         []float64   `json:"repeats,omitempty"`           // tokens per second of each
	PeakRSS         int64       `json:"peak_rss_bytes"`
	Kernel          string      `json:"kernel"`
	Flags           []string    `json:"cpu_flags"`
	Arithmetic      string      `json:"arithmetic,omitempty"` // of the products of base weights that are measured
	Reading         string      `json:"reading,omitempty"`    // of those that read prompts, where both take part and differ
	KV              string      `json:"kv,omitempty"`         // how keys and values are kept, of an engine
	Workers         int         `json:"workers"`
	GFLOPS          float64     `json:"gflops,omitempty"`            // of the median, operations counted without recomputation
	PeakGFLOPS      float64     `json:"peak_gflops,omitempty"`       // measured, all workers
	PeakTiles       float64     `json:"peak_tiles_gflops,omitempty"` // the same, of bfloat16 where the kernel multiplies it
	ShareOfPeak     float64     `json:"share_of_peak,omitempty"`     // of PeakTiles for bf16 where there are some, else of PeakGFLOPS
	GBPerSecond     float64     `json:"gb_per_second,omitempty"`     // weights read
	PeakGB          float64     `json:"peak_gb_per_second,omitempty"`
	ShareOfRead     float64     `json:"share_of_read,omitempty"` // of the memory bandwidth
	First           *FirstToken `json:"first_token_ms,omitempty"`
	Joules          *float64    `json:"joules"` // of the whole machine over the repeats; null where it does not tell
	JoulesPerToken  *float64    `json:"joules_per_token"`
}

// Options say what to measure and how often.
type Options struct {
	Rows, Tokens int  // shape of a training batch
	Behind       int  // decode: tokens of a prompt that stand before
	Repeats      int  // after one warm-up
	Adapter      bool // prefill and decode with an adapter of rank 16
	Memory       int64
	// Arithmetic is that of the products of base weights, and Reading of those that
	// read prompts; empty for the fastest that are proven, and where one is given the
	// other is the same.
	Arithmetic, Reading train.Arithmetic
	KV                  string // f32, f16 or q8_0: of keys and values; empty for the fastest that is proven, and f32 where the arithmetics are
	Full                bool   // train: all weights of the base, and no adapter
	Optimizer           train.Method
}

// arithmetic is that of training: for all weights float32, where only adapters are
// proven in a cheaper one.
func (o *Options) arithmetic() train.Arithmetic {
	if o.Full {
		return cmp.Or(o.Arithmetic, train.F32)
	}
	return cmp.Or(o.Arithmetic, train.Fastest())
}

// served are the arithmetics of an engine.
func (o *Options) served() (writing, reading train.Arithmetic) {
	if o.Arithmetic == "" && o.Reading == "" {
		return engine.Fastest()
	}
	return cmp.Or(o.Arithmetic, o.Reading), cmp.Or(o.Reading, o.Arithmetic)
}

// KVTypes are the types that keys and values can be kept in.
var KVTypes = map[string]tensor.DType{"f32": tensor.F32, "f16": tensor.F16, "q8_0": tensor.Q8_0}

// kv is how an engine keeps keys and values.
func (o *Options) kv() tensor.DType {
	switch writing, reading := o.served(); {
	case o.KV != "":
		return KVTypes[o.KV]
	case writing == train.F32 && reading == train.F32:
		return tensor.F32
	}
	return engine.FastestKV()
}

// by notes both arithmetics of an engine, and how it keeps keys and values.
func (r *Result) by(size engine.Options) {
	r.KV = size.KV.String()
	if r.Arithmetic = string(size.Arithmetic); size.Reading != size.Arithmetic {
		r.Reading = string(size.Reading)
	}
}

// repeat measures what once does with so many tokens: it is called once to warm
// up, then o.Repeats times, and says how long it took.
func (r *Result) repeat(o Options, tokens int, once func(i int) (time.Duration, error)) error {
	var energy Energy
	for i := range o.Repeats + 1 {
		if i == 1 {
			energy = ReadEnergy()
		}
		d, err := once(i)
		if err != nil {
			return err
		}
		if i > 0 {
			r.Repeats = append(r.Repeats, float64(tokens)/d.Seconds())
		}
	}
	if r.Joules = energy.Joules(); r.Joules != nil {
		each := *r.Joules / float64(tokens*o.Repeats)
		r.JoulesPerToken = &each
	}
	return nil
}

// adapterOptions is the adapter that every measurement uses.
var adapterOptions = lora.Options{Rank: 16, Alpha: 32}

// Train measures whole training steps: forward, loss, backward, clipping and
// AdamW, with random tokens.
func Train(ctx context.Context, m *model.Model, o Options) (Result, error) {
	job := trainJob(m, o)
	flops, method := StepFlops(m, o.Tokens, adapterOptions.Rank), "lora"
	if o.Full {
		all := model.Selection{}
		job.Options.Weights, method = &all, "full"
		var err error
		if flops, err = TuneFlops(m, o.Tokens, all); err != nil {
			return Result{}, err
		}
	}
	t, err := train.New(job)
	if err != nil {
		return Result{}, err
	}
	defer t.Close()
	if o.Full && m.Source != nil {
		m.Source.Forget()
	}
	r := Result{Event: "done", Bench: "train", Method: method, Shape: fmt.Sprintf("%dx%d", o.Rows, o.Tokens), Arithmetic: string(o.arithmetic())}
	err = r.repeat(o, o.Rows*o.Tokens, func(int) (time.Duration, error) {
		begin := time.Now()
		_, _, err := t.Step(ctx)
		return time.Since(begin), err
	})
	if err != nil {
		return r, err
	}
	r.finish(flops)
	return r, nil
}

// trainJob is a run of o.Repeats+1 steps on random tokens.
func trainJob(m *model.Model, o Options) train.Job {
	rng := rand.New(rand.NewPCG(1, 1))
	var examples []train.Example
	for range o.Rows {
		examples = append(examples, train.Example{Tokens: randomTokens(rng, o.Tokens, m.Vocab)})
	}
	epochs := make([][]train.Example, o.Repeats+1)
	for i := range epochs {
		epochs[i] = examples
	}
	return train.Job{Model: m, Epochs: epochs, Memory: o.Memory, Batch: o.Rows * o.Tokens, Options: train.Options{
		LoRA: adapterOptions, Rate: 1e-4, Schedule: train.Constant, TokensPerStep: o.Rows * o.Tokens, Clip: 1,
		Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Seed: 1, Arithmetic: o.arithmetic(), Optimizer: o.Optimizer}}
}

// Prefill measures the reading of a prompt of o.Tokens tokens, up to the first
// logits.
func Prefill(ctx context.Context, m *model.Model, o Options) (Result, error) {
	r := Result{Event: "done", Bench: "prefill", Shape: fmt.Sprintf("1x%d", o.Tokens)}
	size := engine.Options{Batch: o.Tokens, Streams: 1, Context: o.Tokens + 1}
	size.Arithmetic, size.Reading = o.served()
	size.KV = o.kv()
	r.Arithmetic, r.KV = string(size.Reading), size.KV.String()
	size.InOrder = true
	size.Memory = engine.Need(m, size) + engine.InOrder(m, size) + adapterRoom(m)
	e, err := engine.New(m, size)
	if err != nil {
		return r, err
	}
	defer e.Close()
	use := o.adapters(m)
	rng := rand.New(rand.NewPCG(1, 2))
	err = r.repeat(o, o.Tokens, func(int) (time.Duration, error) {
		ids := randomTokens(rng, o.Tokens, m.Vocab)
		begin := time.Now()
		_, err := e.Generate(ctx, engine.Request{Prompt: ids, Adapters: use, Max: 1}, nil)
		return time.Since(begin), err
	})
	if err != nil {
		return r, err
	}
	r.finish(forwardFlops(m, o.Tokens, 0) + 2*float64(m.Vocab)*float64(m.Dim)/float64(o.Tokens))
	return r, nil
}

// Decode measures the writing of o.Tokens tokens after a prompt of o.Behind and one.
func Decode(ctx context.Context, m *model.Model, o Options) (Result, error) {
	r := Result{Event: "done", Bench: "decode", Shape: fmt.Sprintf("1x%d", o.Tokens), Behind: o.Behind}
	size := engine.Options{Batch: 16, Streams: 1, Context: o.Behind + o.Tokens + 2}
	if o.Behind > 0 {
		size.Batch = 256
	}
	before := randomTokens(rand.New(rand.NewPCG(1, 1)), o.Behind, m.Vocab)
	size.Arithmetic, size.Reading = o.served()
	size.KV = o.kv()
	r.Arithmetic, r.KV = string(size.Arithmetic), size.KV.String()
	size.InOrder = true
	size.Memory = engine.Need(m, size) + engine.InOrder(m, size) + adapterRoom(m)
	e, err := engine.New(m, size)
	if err != nil {
		return r, err
	}
	defer e.Close()
	use := o.adapters(m)
	err = r.repeat(o, o.Tokens, func(i int) (time.Duration, error) {
		var begin time.Time
		n := 0
		_, err := e.Generate(ctx, engine.Request{Prompt: slices.Concat(before, []int32{int32(1000 + i)}), Adapters: use, Max: o.Tokens + 1}, func(int32) error {
			if n == 0 {
				begin = time.Now()
			}
			n++
			return nil
		})
		return time.Since(begin), err
	})
	if err != nil {
		return r, err
	}
	r.finish(forwardFlops(m, o.Behind+o.Tokens/2, 0) + 2*float64(m.Vocab)*float64(m.Dim))
	r.PeakGB = ReadPeak(0.5)
	r.GBPerSecond = r.TokensPerSecond * float64(m.Bytes()) / 1e9
	r.ShareOfRead = r.GBPerSecond / r.PeakGB
	return r, nil
}

// Peak measures the limits of the machine with the kernel in use.
func Peak() Result {
	r := Result{Event: "done", Bench: "peak", PeakGFLOPS: FlopsPeak(1), PeakTiles: TilesPeak(0.5), PeakGB: ReadPeak(1)}
	r.about()
	return r
}

// about says what was measured on, and how much memory it took.
func (r *Result) about() {
	r.Kernel, r.Workers, r.PeakRSS, r.Flags = kernel.Name(), kernel.Workers(), PeakRSS(), Flags()
}

func (r *Result) finish(flopsPerToken float64) {
	s := slices.Clone(r.Repeats)
	slices.Sort(s)
	r.TokensPerSecond = s[len(s)/2]
	if len(s)%2 == 0 {
		r.TokensPerSecond = (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	r.about()
	r.PeakGFLOPS = FlopsPeak(0.5)
	peak := r.PeakGFLOPS
	if r.Arithmetic == string(train.BF16) {
		if r.PeakTiles = TilesPeak(0.5); r.PeakTiles > 0 {
			peak = r.PeakTiles
		}
	}
	r.GFLOPS = r.TokensPerSecond * flopsPerToken / 1e9
	r.ShareOfPeak = r.GFLOPS / peak
}

func (o *Options) adapters(m *model.Model) []lora.Applied {
	if !o.Adapter {
		return nil
	}
	a := lora.New(m.Shape(), adapterOptions, 1, nil)
	rng := rand.New(rand.NewPCG(1, 3))
	a.Each(func(_ int, _ lora.Module, p *op.Pair) {
		for i := range p.B[:p.Rank*p.Out] {
			p.B[i] = float32(rng.NormFloat64()) * 0.01
		}
		// As an adapter comes from its file, in F16.
		for _, x := range [][]float32{p.A[:p.Rank*p.In], p.B[:p.Rank*p.Out]} {
			half := make([]byte, 2*len(x))
			kernel.NarrowF16(half, x)
			kernel.Widen(x, half, kernel.F16)
		}
		if writing, _ := o.served(); writing == train.BF16 {
			p.KeepTiles()
		}
	})
	a.KeepHalf()
	return []lora.Applied{{Adapter: a, Strength: 1}}
}

// adapterRoom is more memory, in bytes, than an adapter of a measurement takes.
func adapterRoom(m *model.Model) int64 {
	var n int64
	s := m.Shape()
	for i := range s.In {
		n += int64(s.Layers) * int64(adapterOptions.Rank+16) * int64(6*s.In[i]+4*s.Out[i])
	}
	return n
}

func randomTokens(rng *rand.Rand, n, vocab int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(rng.IntN(vocab))
	}
	return ids
}
