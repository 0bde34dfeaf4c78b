package twin

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/examples"
)

// Recipe is how a version is made. It is data: printed by --show-recipe, kept
// with each version.
type Recipe struct {
	Name     string        `json:"name,omitempty"` // in the library, where it began as one of those
	Method   Method        `json:"method"`
	DType    string        `json:"dtype,omitempty"` // of weights as they are written: F16, BF16 or F32
	Epochs   int           `json:"epochs"`          // trained; the best on select documents is taken
	Mean     bool          `json:"mean,omitempty"`  // what an epoch comes to is the mean of the adapters after it and those before
	Options  train.Options `json:"options"`
	Mix      examples.Mix  `json:"mix"`
	On       string        `json:"on,omitempty"`               // adapter it starts from
	OnHash   string        `json:"on_sha256,omitempty"`        // of that adapter's weights
	OnConfig string        `json:"on_config_sha256,omitempty"` // of its config
	Stack    bool          `json:"stack,omitempty"`            // that adapter stays as it is, below the new one
	Genre    Stage         `json:"genre,omitzero"`
	Prompt   Prompt        `json:"prompt"`
}

// Method is what of a model a run trains.
type Method string

// The methods.
const (
	LoRA    Method = "lora"    // an adapter beside the base
	Full    Method = "full"    // all weights of the base
	Partial Method = "partial" // those that the recipe's options name
)

// Tune makes the recipe one that trains weights of the base: all, or those that
// s names. Weights that already know something move less than an adapter that
// begins at nothing.
func (r *Recipe) Tune(m Method, s model.Selection) {
	r.Name, r.Method, r.DType, r.Mean = "", m, tensor.F16.String(), false
	r.Options.LoRA, r.Genre = lora.Options{}, Stage{}
	r.Options.Weights, r.Options.Optimizer = &s, train.AdamW
	r.Options.Rate = weightsRate
	r.Options.Arithmetic = train.F32 // what is faster has been proven for adapters alone
}

// Factor makes the recipe one whose optimizer is Adafactor. Its rate is relative
// to the weights.
func (r *Recipe) Factor() {
	r.Options.Optimizer, r.Options.Rate = train.Adafactor, factoredRate
}

// Peak rates for weights of a base; docs/LOG.md has what they were compared with.
const (
	weightsRate  = 1e-4
	factoredRate = 5e-4
)

// weightTypes are those in which weights can be written.
var weightTypes = map[string]tensor.DType{"F16": tensor.F16, "BF16": tensor.BF16, "F32": tensor.F32}

// method says what of a recipe's method does not go together.
func (r *Recipe) method() error {
	s := r.Options.Weights
	_, known := weightTypes[r.DType]
	switch {
	case r.Method != LoRA && r.Method != Full && r.Method != Partial:
		return fmt.Errorf("the method %q is not known: it is lora, full or partial", r.Method)
	case r.Method == LoRA && s != nil || r.Method != LoRA && s == nil || r.Method == Full && !s.All():
		return fmt.Errorf("layers and modules of the base are chosen for the method partial, and this is %s", r.Method)
	case r.Method == Partial && s.All():
		return fmt.Errorf("the method partial trains some of the base, and it is not said which")
	case r.Method == LoRA && r.DType != "":
		return fmt.Errorf("a type of weights is given, %q, and an adapter is written in F16", r.DType)
	case r.Method != LoRA && !known:
		return fmt.Errorf("weights cannot be written as %q: as F16, BF16 or F32", r.DType)
	case r.Method != LoRA && r.Mean:
		return fmt.Errorf("the mean of epochs is taken of adapters, and this is %s", r.Method)
	case r.Method != LoRA && r.On != "":
		return fmt.Errorf("an adapter to start from goes with the method lora, and this is %s", r.Method)
	}
	return nil
}

// Prompt says which of the writer's passages stand before what a twin writes.
type Prompt struct {
	Tokens int `json:"tokens"` // of all passages, at the most
	Each   int `json:"each"`   // of one
	// Between is the text behind each passage. Where it is empty the base's separator
	// stands there, and says to the base that what follows has nothing to do with it.
	Between string `json:"between,omitempty"`
	// Choose has the bounds that Tokens is chosen from, by select documents and with
	// what was learnt; where it is empty Tokens stays.
	Choose []int `json:"choose,omitempty"`
}

// breaks is how many line ends stand between passages, where nothing else does: a
// text that comes to so many has gone on to the next one.
func (p *Prompt) breaks() int {
	if strings.Trim(p.Between, "\n") != "" {
		return 0
	}
	return len(p.Between)
}

// plainName is the recipe of the library that changes least.
const plainName = "plain"

// plainRecipe is what recipes of the library are changes of: rank 16 on all
// linears, three epochs.
func plainRecipe() Recipe {
	return Recipe{
		Method: LoRA, Epochs: 3,
		Options: train.Options{LoRA: lora.Options{Rank: 16, Alpha: 32}, Rate: 1e-3, Warmup: 0.05, Schedule: train.Linear, TokensPerStep: 2048,
			Clip: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Seed: 1, Arithmetic: train.Fastest()},
		Mix:    examples.DefaultMix(),
		Genre:  defaultStage(),
		Prompt: Prompt{Tokens: 350, Each: 340, Between: examples.Between, Choose: []int{0, 350, 1400}},
	}
}

// DefaultRecipe is the recipe of the library for an amount of train text and an
// adapter that begins at the base.
func DefaultRecipe(words int) Recipe { return pick(words, StartBase).Recipe() }

// Validate says what of a recipe is out of range.
func (r *Recipe) Validate() error {
	err := r.Options.Validate()
	if err == nil {
		err = r.method()
	}
	if err == nil {
		err = r.Genre.check(r.Method, r.On)
	}
	if err == nil {
		err = r.Prompt.check()
	}
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
