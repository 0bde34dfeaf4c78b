package engine

import (
	"cmp"
	"runtime"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// A row's arithmetic follows from its part in the request alone: rows of a prompt
// go through the layers in Options.Reading, rows that the engine wrote, and those
// that it guessed, in Options.Arithmetic, in which all logits are computed too. So
// a text does not depend on what was known of its prompt, how it was cut, or what
// else was in a pass. Where the two differ, keys and values of what was written
// are of no use to a prompt, and only those of prompts are remembered.

// Fastest are the arithmetics, of what is written and of prompts, that are fastest
// with the kernel in use, of those that are proven good enough: bench/results has
// the proof. On arm64, which was never timed, they are float32.
func Fastest() (writing, reading op.Arithmetic) {
	writing, reading = op.F32, op.F32
	if kernel.FastIntegers() && runtime.GOARCH == "amd64" {
		writing, reading = op.Int16, op.Int16
	}
	if kernel.FastTiles() {
		reading = op.BF16
	}
	return writing, reading
}

// FastestKV is how keys and values are kept where writing is fastest with the kernel in
// use, of what is proven: binary16 where attention reads it as it lies.
func FastestKV() tensor.DType {
	if kernel.FastHalf() {
		return tensor.F16
	}
	return tensor.F32
}

// writing is the arithmetic of rows that were written.
func (o *Options) writing() op.Arithmetic { return cmp.Or(o.Arithmetic, op.F32) }

// reading is the arithmetic of rows of prompts.
func (o *Options) reading() op.Arithmetic { return cmp.Or(o.Reading, o.writing()) }

// two says whether rows of prompts have another arithmetic than those written.
func (o *Options) two() bool { return o.reading() != o.writing() }

// arithmetic names what the bits of keys and values of a prompt depend on beside
// the model.
func (o *Options) arithmetic() string {
	if a := o.reading(); a != op.F32 {
		return kernel.Name() + " " + string(a)
	}
	return kernel.Name()
}

// reads says whether the rows of a stream in the next pass are of its prompt: in
// one arithmetic the last token of a prompt is like one that was written.
func (e *Engine) reads(s *stream) bool {
	return len(s.tokens)-s.filled > 1 || e.opt.two() && s.filled < len(s.Prompt)
}

// common is how many positions of a stream have keys and values that a prompt
// with the same tokens would have.
func (e *Engine) common(s *stream) int {
	if e.opt.two() {
		return min(s.filled, len(s.Prompt))
	}
	return s.filled
}
