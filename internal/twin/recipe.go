package twin

import (
	"fmt"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/examples"
)

// Recipe is how a version is made. It is data: printed by --show-recipe, kept
// with each version.
type Recipe struct {
	Method  string        `json:"method"` // "lora"
	Epochs  int           `json:"epochs"` // trained; the best on select documents is taken
	Options train.Options `json:"options"`
	Mix     examples.Mix  `json:"mix"`
	On      string        `json:"on,omitempty"`        // adapter it starts from
	OnHash  string        `json:"on_sha256,omitempty"` // of that adapter's weights
	Stack   bool          `json:"stack,omitempty"`     // that adapter stays as it is, below the new one
	Prompt  Prompt        `json:"prompt"`
}

// Prompt says which of the writer's passages stand before what a twin writes.
type Prompt struct {
	Tokens int `json:"tokens"` // of all passages, at the most
	Each   int `json:"each"`   // of one
}

// DefaultRecipe is the recipe for an amount of train text: rank 16 on all
// linears, three epochs, and with little text smaller steps, so that there are
// some.
func DefaultRecipe(words int) Recipe {
	step := 2048
	if words < 4000 {
		step = 1024
	}
	return Recipe{
		Method: "lora", Epochs: 3,
		Options: train.Options{LoRA: lora.Options{Rank: 16, Alpha: 32}, Rate: 1e-3, Warmup: 0.05, Schedule: train.Linear, TokensPerStep: step,
			Clip: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Seed: 1},
		Mix:    examples.DefaultMix(),
		Prompt: Prompt{Tokens: 1400, Each: 340},
	}
}

// Validate says what of a recipe is out of range.
func (r *Recipe) Validate() error {
	err := r.Options.Validate()
	switch {
	case err != nil:
	case r.Epochs < 1 || r.Epochs > 1000:
		err = fmt.Errorf("%d epochs: there must be from 1 to 1000", r.Epochs)
	case r.Mix.Length < 64 || r.Mix.Length > 8192:
		err = fmt.Errorf("sequences of %d tokens: they must have from 64 to 8192", r.Mix.Length)
	}
	if err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe cannot be used", Err: err, Hint: "stroke train --show-recipe FOLDER prints the one that is used by default"}
	}
	return nil
}
