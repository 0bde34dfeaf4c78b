// Package train trains LoRA adapters, and weights of a base: the order of the
// data, accumulation, clipping, the optimizers, the schedule of the rate,
// checkpoints. A run is exact: the same data, options, seed, batch, frozen adapters and
// kernel kind give the same bits, also after a stop and a resume.
package train

import (
	"fmt"
	"math"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
)

// Schedule is how the learning rate falls after the warm-up.
type Schedule string

// The schedules.
const (
	Linear   Schedule = "linear"
	Cosine   Schedule = "cosine"
	Constant Schedule = "constant"
)

// Options are the settings of a run.
type Options struct {
	LoRA lora.Options `json:"lora"`
	// Weights are those of the base that are trained themselves; nil where an
	// adapter is.
	Weights       *model.Selection `json:"weights,omitempty"`
	Optimizer     Method           `json:"optimizer,omitempty"` // of Weights: adamw where it is empty, or adafactor
	Rate          float64          `json:"rate"`                // peak learning rate
	Warmup        float64          `json:"warmup"`              // share of the steps over which the rate rises
	Schedule      Schedule         `json:"schedule"`            // after the warm-up
	TokensPerStep int              `json:"tokens_per_step"`     // a step takes sequences until it has as many
	Clip          float64          `json:"clip"`                // largest norm of the gradient; 0 for none
	Beta1         float64          `json:"beta1"`
	Beta2         float64          `json:"beta2"`
	Eps           float64          `json:"eps"`
	Decay         float64          `json:"decay"` // decoupled weight decay
	Seed          uint64           `json:"seed"`
	Arithmetic    Arithmetic       `json:"arithmetic"` // of the products of base weights
}

// Arithmetic names how the products of base weights are computed.
type Arithmetic = op.Arithmetic

// Fastest is the arithmetic in which the kernel in use is fastest, of those that
// are proven to train as well as float32 does: bench/results has the proof.
func Fastest() Arithmetic {
	if kernel.FastTiles() {
		return BF16
	}
	return F32
}

// The arithmetics that training knows.
const (
	F32  = op.F32
	BF16 = op.BF16
)

// Validate says what is out of range.
func (o *Options) Validate() error {
	if o.Weights == nil {
		if err := o.adapter(); err != nil {
			return err
		}
	}
	switch {
	case o.Optimizer != "" && o.Optimizer != AdamW && o.Optimizer != Adafactor:
		return fmt.Errorf("the optimizer %q is not known: it is adamw or adafactor", o.Optimizer)
	case o.Optimizer == Adafactor && o.Weights == nil:
		return fmt.Errorf("adafactor is for weights of the base: an adapter is trained with adamw")
	case !(o.Rate > 0 && o.Rate < 1):
		return fmt.Errorf("the learning rate is %g: it must be above 0 and below 1", o.Rate)
	case !(o.Warmup >= 0 && o.Warmup <= 1):
		return fmt.Errorf("the warm-up is %g: it must be from 0 to 1 of the steps", o.Warmup)
	case o.Schedule != Linear && o.Schedule != Cosine && o.Schedule != Constant:
		return fmt.Errorf("the schedule %q is not known: it is linear, cosine or constant", o.Schedule)
	case o.TokensPerStep < 1:
		return fmt.Errorf("a step takes %d tokens: it must take at least 1", o.TokensPerStep)
	case !(o.Clip >= 0) || !finite(o.Clip):
		return fmt.Errorf("the largest gradient norm is %g: it must be a number and not negative, and is 0 for none", o.Clip)
	case !(o.Beta1 >= 0 && o.Beta1 < 1) || !(o.Beta2 >= 0 && o.Beta2 < 1):
		return fmt.Errorf("AdamW's betas are %g and %g: they must be from 0 to below 1", o.Beta1, o.Beta2)
	case !(o.Eps > 0) || !finite(o.Eps):
		return fmt.Errorf("AdamW's epsilon is %g: it must be a number above 0", o.Eps)
	case o.Arithmetic != "" && o.Arithmetic != F32 && o.Arithmetic != BF16:
		return fmt.Errorf("the arithmetic %q is not known: it is f32 or bf16", o.Arithmetic)
	case !(o.Decay >= 0 && o.Decay < 1):
		return fmt.Errorf("the weight decay is %g: it must be from 0 to below 1", o.Decay)
	}
	return nil
}

// adapter says what is out of range of the options of an adapter.
func (o *Options) adapter() error {
	switch {
	case o.LoRA.Rank < 1 || o.LoRA.Rank > 1024:
		return fmt.Errorf("the rank is %d: it must be from 1 to 1024", o.LoRA.Rank)
	case !(o.LoRA.Alpha > 0 && o.LoRA.Alpha <= lora.MaxAlpha):
		return fmt.Errorf("alpha is %g: it must be above 0 and at most %g", o.LoRA.Alpha, lora.MaxAlpha)
	case !(o.LoRA.Dropout >= 0 && o.LoRA.Dropout < 1):
		return fmt.Errorf("the dropout is %g: it must be from 0 to below 1", o.LoRA.Dropout)
	}
	return nil
}

// RateAt is the learning rate of a step, counted from 0, of a run of steps:
//
//	warm = ceil(Warmup·steps)
//	Rate · (step+1)/warm                                 below warm
//	Rate · (steps-step)/(steps-warm)                     linear
//	Rate · (1+cos(π·(step-warm)/(steps-warm)))/2         cosine
func (o *Options) RateAt(step, steps int) float64 {
	warm := int(math.Ceil(o.Warmup * float64(steps)))
	if step < warm {
		return o.Rate * float64(step+1) / float64(warm)
	}
	left := float64(max(steps-warm, 1))
	switch o.Schedule {
	case Linear:
		return o.Rate * float64(steps-step) / left
	case Cosine:
		return o.Rate * (1 + math.Cos(math.Pi*float64(step-warm)/left)) / 2
	}
	return o.Rate
}
