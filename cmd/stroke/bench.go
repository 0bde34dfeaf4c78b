package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin"
)

// measurements are those of a model.
var measurements = map[string]func(context.Context, *model.Model, bench.Options) (bench.Result, error){
	"train": bench.Train, "prefill": bench.Prefill, "decode": bench.Decode, "streams": bench.Streams, "first": bench.First,
}

func newBench(e *env) *cobra.Command {
	var shape, baseName, shapeOf, format, memory, method, optimizer, arithmetic, reading, kv string
	var adapter, exact bool
	repeats, behind := 5, 0
	c := &cobra.Command{
		Use:   "bench train|prefill|decode|streams|first|peak",
		Short: "Measure the engine on this machine",
		Long: `Bench measures training steps, the reading of a prompt, the writing of one text or
of several at once (streams, with four adapters among them), and sets them against
what the machine itself can do. First is the time to the first token: of a prompt,
of one behind 1,400 tokens of examples that are new, saved or cached, and of one
beside a training run. With --shape-of a larger model's true shape is measured, with
random weights in the --format and no download. The median of the repeats counts,
after one to warm up; run it alone on the machine.

Exit status: 0; 1 failure.`,
		Example: `  stroke bench train --shape 1x512
  STROKE_KERNEL=avx2 stroke bench decode --adapter --json
  stroke bench train --shape-of smollm2-1.7b --memory 1500M`,
		Args:      exactly(1, "train, prefill, decode, streams, first or peak"),
		ValidArgs: []string{"train", "prefill", "decode", "streams", "first", "peak"},
		RunE: func(c *cobra.Command, args []string) error {
			measure := measurements[args[0]]
			if measure == nil && args[0] != "peak" {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("there is no measurement %q", args[0]), Hint: "there are train, prefill, decode, streams, first and peak"}
			}
			if err := fitting(c, args[0]); err != nil {
				return err
			}
			if args[0] == "peak" {
				return printBench(e, bench.Peak())
			}
			o := bench.Options{Rows: 1, Tokens: 512, Repeats: repeats, Adapter: adapter, Arithmetic: train.Arithmetic(arithmetic), Reading: train.Arithmetic(reading)}
			if exact {
				o.Arithmetic, o.Reading = train.F32, train.F32
				for _, x := range []struct{ flag, value string }{{"arithmetic", arithmetic}, {"reading", reading}, {"kv", kv}} {
					if x.value != "" && x.value != "f32" {
						return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--exact is float32 throughout, and --%s %s is not", x.flag, x.value), Hint: "give one of them"}
					}
				}
			}
			if a := o.Arithmetic; a != "" && !slices.Contains(op.Arithmetics, a) {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--arithmetic %q is not known", a), Hint: "it is f32, bf16, int8 or int16"}
			} else if a != "" && !a.Trains() && args[0] == "train" {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("nothing is trained in %s", a), Hint: "give --arithmetic f32 or bf16"}
			}
			if a := o.Reading; a != "" && !slices.Contains(op.Arithmetics, a) {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--reading %q is not known", a), Hint: "it is f32, bf16, int8 or int16"}
			}
			if _, known := bench.KVTypes[kv]; kv != "" && !known {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--kv %q is not known", kv), Hint: "it is f32, f16 or q8_0"}
			}
			o.KV = kv
			switch args[0] {
			case "decode", "first":
				o.Tokens = 64
			case "streams":
				o.Rows, o.Tokens = 16, 64
			}
			if shape != "" {
				var ok bool
				if o.Rows, o.Tokens, ok = parseShape(shape); !ok {
					return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--shape %q is no shape", shape), Hint: "give rows and tokens, for example --shape 4x256"}
				}
			}
			if o.Rows > 1 && slices.Contains(ofOneRow, args[0]) {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--shape %s: %s is measured with one row", shape, args[0]), Hint: fmt.Sprintf("give --shape 1x%d, or measure streams", o.Tokens)}
			}
			if behind < 0 || behind > mostShape {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--behind is %d: it is how many tokens stand before what is written", behind), Hint: "for example --behind 1400"}
			}
			o.Behind = behind
			if repeats < 1 || repeats > 1000 {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--repeats is %d: it must be from 1 to 1000", repeats), Hint: "for example --repeats 5"}
			}
			if method != "lora" && method != "full" || optimizer != "" && method != "full" {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--method %q with --optimizer %q cannot be measured", method, optimizer), Hint: "give --method lora, or full with adamw or adafactor"}
			}
			if c.Flags().Changed("format") && shapeOf == "" {
				return &stroke.Error{Code: stroke.CodeInput, Msg: "--format is for the random weights of --shape-of: a base has its own", Hint: "for example --shape-of llama-3.2-1b --format q4_k_m"}
			}
			if c.Flags().Changed("base") && shapeOf != "" {
				return &stroke.Error{Code: stroke.CodeInput, Msg: "--base measures a base, and --shape-of a shape with random weights", Hint: "leave one of them out"}
			}
			o.Full, o.Optimizer = method == "full", train.Method(optimizer)
			var err error
			if o.Memory, err = parseBytes(memory); err != nil {
				return err
			}
			m, done, err := benchModel(c, e, baseName, shapeOf, format)
			if err != nil {
				return err
			}
			defer done()
			most := m.Context - 1
			if args[0] == "decode" {
				most-- // a prompt has one token at the least
			}
			if o.Behind+o.Tokens > most {
				e := &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--shape %dx%d: a text of %d tokens goes past the context of %s, which is %d", o.Rows, o.Tokens, o.Tokens, m.Name, m.Context),
					Hint: fmt.Sprintf("for example --shape 1x%d", min(512, m.Context/2))}
				if behind > 0 {
					e.Msg = fmt.Sprintf("--behind %d: with %d more tokens a text goes past the context of %s, which is %d", behind, o.Tokens, m.Name, m.Context)
					e.Hint = fmt.Sprintf("for example --behind %d", m.Context/2)
				}
				return e
			}
			r, err := measure(c.Context(), m, o)
			if err != nil {
				return err
			}
			r.Base, r.WeightBytes = m.Name, m.Bytes()
			return printBench(e, r)
		},
	}
	c.Flags().StringVar(&shape, "shape", "", "rows and tokens, as 1x512 (decode: 1x64)")
	c.Flags().IntVar(&behind, "behind", 0, "decode: behind a prompt of so many tokens")
	c.Flags().StringVar(&baseName, "base", "smollm2-135m-instruct", "base model")
	c.Flags().StringVar(&shapeOf, "shape-of", "", "measure the shape of a larger model with random weights: "+strings.Join(bench.Shapes(), ", "))
	c.Flags().StringVar(&format, "format", "q4_0", "with --shape-of, what its weights are stored in: "+strings.Join(bench.Formats(), ", "))
	c.Flags().StringVar(&memory, "memory", "", "train: memory beside the base, as 400M")
	c.Flags().StringVar(&method, "method", "lora", "train: lora, or full for all weights of the base")
	c.Flags().StringVar(&optimizer, "optimizer", "", "train: with --method full, adamw or adafactor")
	c.Flags().BoolVar(&adapter, "adapter", false, "prefill, decode and first with an adapter of rank 16")
	c.Flags().StringVar(&arithmetic, "arithmetic", "", "of the base's products: f32, bf16 or, but for train, int8 or int16 (the fastest that is proven)")
	c.Flags().StringVar(&reading, "reading", "", "prefill, streams and first: arithmetic of prompts (that of --arithmetic, or the fastest that is proven)")
	c.Flags().StringVar(&kv, "kv", "", "prefill, decode, streams and first: how keys and values are kept, f32, f16 or q8_0 (the fastest that is proven)")
	c.Flags().BoolVar(&exact, "exact", false, "float32 throughout, also where the machine has something faster")
	c.Flags().IntVar(&repeats, "repeats", repeats, "measurements after the first, which does not count")
	return c
}

// benchModel is the model to measure: a base, or a shape.
func benchModel(c *cobra.Command, e *env, name, shapeOf, format string) (*model.Model, func(), error) {
	if shapeOf != "" {
		m, done, err := bench.Shape(shapeOf, format)
		if err != nil {
			return nil, nil, &stroke.Error{Code: stroke.CodeInput, Msg: err.Error(), Hint: "for example --shape-of llama-3.2-1b --format q4_k_m"}
		}
		return m, done, nil
	}
	store, err := base.NewStore()
	if err != nil {
		return nil, nil, err
	}
	return twin.OpenModel(c.Context(), store, name, e.tell)
}

func printBench(e *env, r bench.Result) error {
	if e.json {
		return printJSON(e, r, false)
	}
	if r.Bench == "peak" {
		tiles := ""
		if r.PeakTiles > 0 {
			tiles = fmt.Sprintf("%.0f in bfloat16, ", r.PeakTiles)
		}
		fmt.Fprintf(e.out, "%s, %d workers: %.0f GFLOP/s in float32, %s%.1f GB/s read from memory\n", r.Kernel, r.Workers, r.PeakGFLOPS, tiles, r.PeakGB)
		return nil
	}
	prompts := ""
	if r.Reading != "" {
		prompts = ", prompts in " + r.Reading
	}
	if f := r.First; f != nil {
		fmt.Fprintf(e.out, "first %s, %s %s%s, %d workers: %.0f ms; behind %d tokens of examples %.0f ms, saved ones %.0f ms, cached ones %.0f ms; beside training %.0f ms, %+.0f\n",
			r.Shape, r.Kernel, r.Arithmetic, prompts, r.Workers, f.Prompt, bench.ExampleTokens, f.Examples, f.Saved, f.Cached, f.Training, f.Delay)
		return nil
	}
	if r.Method != "" {
		r.Bench += " " + r.Method
	}
	if r.Behind > 0 {
		r.Shape += fmt.Sprintf(" behind %d", r.Behind)
	}
	by := r.Kernel
	if r.Arithmetic != "" {
		by += " " + r.Arithmetic + prompts
	}
	fmt.Fprintf(e.out, "%s %s, %s, %d workers: %.1f tokens/s, %.0f GFLOP/s, %.0f %% of the machine's %.0f", r.Bench, r.Shape, by, r.Workers,
		r.TokensPerSecond, r.GFLOPS, 100*r.ShareOfPeak, r.GFLOPS/r.ShareOfPeak)
	if r.PeakGB > 0 {
		fmt.Fprintf(e.out, "; reads %.1f GB/s of weights, %.0f %% of %.1f", r.GBPerSecond, 100*r.ShareOfRead, r.PeakGB)
	}
	if r.JoulesPerToken != nil {
		fmt.Fprintf(e.out, "; %.3g J a token", *r.JoulesPerToken)
	}
	fmt.Fprintf(e.out, "; %.0f MB resident at the most\n", float64(r.PeakRSS)/1e6)
	return nil
}
