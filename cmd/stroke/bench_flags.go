package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
)

// benchFlags says which measurements a flag is for, where it is not for all of a
// model.
var benchFlags = []struct {
	flag, example string
	of            []string
}{
	{"adapter", "decode --adapter", []string{"prefill", "decode", "first"}},
	{"behind", "decode --behind 1400", []string{"decode"}},
	{"kv", "decode --behind 1400 --kv f16", []string{"prefill", "decode", "streams", "first"}},
	{"reading", "prefill --reading int16", []string{"prefill", "decode", "streams", "first"}},
	{"memory", "train --memory 400M", []string{"train"}},
	{"method", "train --method full", []string{"train"}},
	{"optimizer", "train --method full --optimizer adafactor", []string{"train"}},
}

// ofModel are the flags that peak has no use for, since it measures no model.
var ofModel = []string{"shape", "base", "shape-of", "format", "arithmetic", "exact", "repeats"}

// fitting is an error where a flag was given that a measurement does nothing with.
func fitting(c *cobra.Command, measurement string) error {
	for _, f := range benchFlags {
		if c.Flags().Changed(f.flag) && !slices.Contains(f.of, measurement) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--%s is for %s, not for %s", f.flag, strings.Join(f.of, ", "), measurement), Hint: "stroke bench " + f.example}
		}
	}
	for _, flag := range ofModel {
		if measurement == "peak" && c.Flags().Changed(flag) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--%s is of a model, and peak measures the machine alone", flag), Hint: "stroke bench peak"}
		}
	}
	return nil
}

// mostShape is the most tokens that a batch is measured with.
const mostShape = 1 << 20

// ofOneRow are the measurements of a single text.
var ofOneRow = []string{"prefill", "decode", "first"}

// parseShape reads rows and tokens, as 4x256.
func parseShape(s string) (rows, tokens int, ok bool) {
	before, after, ok := strings.Cut(s, "x")
	rows, err := strconv.Atoi(before)
	tokens, wrong := strconv.Atoi(after)
	ok = ok && err == nil && wrong == nil && rows > 0 && tokens > 1 && rows <= mostShape && tokens <= mostShape/rows
	return rows, tokens, ok
}
