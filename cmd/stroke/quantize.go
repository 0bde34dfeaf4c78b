package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/quantize"
)

func newQuantize(e *env) *cobra.Command {
	var o quantize.Options
	c := &cobra.Command{
		Use:   "quantize BASE|FILE|DIR --to FORMAT -o OUT.gguf",
		Short: "Write a base in another format, and measure what it costs",
		Long: `Quantize reads a base of the catalog, a GGUF file or a Hugging Face folder and
writes a GGUF file that Stroke and llama.cpp load. Scales are searched for, so that
the squared error is least. Norms and biases stay in float32; the output matrix, or
the embedding where it is the same, is written in q6_k where the rest has four bits.
Where rows are no whole number of a format's blocks, q5_0 stands in for q4_k, q8_0
for q6_k and f16 for the others.

Then a text is scored with the source and with the file, in nats per token.

Exit status: 0; 1 failure; 10 no such base or file; 130 interrupted.`,
		Example: `  stroke quantize smollm2-135m-instruct --to q8_0 -o smollm2.q8_0.gguf
  stroke quantize ~/models/Qwen3-0.6B --to q4_k -o qwen3.q4_k.gguf --text essay.md
  stroke base pull qwen3 --from qwen3.q4_k.gguf`,
		Args: exactly(1, "a base, a GGUF file or a folder"),
		RunE: func(c *cobra.Command, args []string) error {
			o.Source = args[0]
			for _, flag := range []string{"text", "dump"} {
				if o.NoLoss && c.Flags().Changed(flag) {
					return &stroke.Error{Code: stroke.CodeInput, Msg: "--" + flag + " is for the measurement that --no-loss leaves out", Hint: "give one of them"}
				}
			}
			return quantize.Run(c.Context(), o, e.printer().Emit)
		},
	}
	c.Flags().StringVar(&o.To, "to", "", "format: "+strings.Join(quantize.Formats(), ", "))
	c.Flags().StringVarP(&o.Out, "out", "o", "", "file to write")
	c.Flags().BoolVar(&o.Force, "force", false, "replace the file if it is there")
	c.Flags().StringVar(&o.Text, "text", "", "text to measure the loss on, in place of the program's own")
	c.Flags().BoolVar(&o.NoLoss, "no-loss", false, "measure no loss on a text")
	c.Flags().StringVar(&o.Dump, "dump", "", "also write the token ids that are scored and what each cost, a line of JSON for each stretch, to this file")
	return c
}
