// Package verdict decides whether an adapter goes live: on judge text, the base
// with the adapter and with the writer's own passages in its prompt must predict
// the writer better than the base with those passages alone.
package verdict

import (
	"fmt"

	"github.com/getstroke/stroke/internal/eval"
)

// Condition is one way of asking the base for the writer's text.
type Condition int

// The four conditions.
const (
	Base     Condition = iota // the bare base
	Examples                  // with the writer's passages in its prompt
	Adapter                   // with the adapter
	Both                      // with both
	Conditions
)

// String is the condition's name in figures.
func (c Condition) String() string {
	return [Conditions]string{"base", "examples", "adapter", "both"}[c]
}

// Uses says what a condition adds to the base.
func (c Condition) Uses() (passages, adapter bool) {
	return c == Examples || c == Both, c == Adapter || c == Both
}

// Figures are the losses of the four conditions on the same tokens.
type Figures struct {
	Tokens   int     `json:"tokens"`
	Base     float64 `json:"base"` // nats per token, as the others
	Examples float64 `json:"examples"`
	Adapter  float64 `json:"adapter"`
	Both     float64 `json:"both"`
}

// Pool makes the figures from the losses of each piece under each condition.
func Pool(losses [Conditions][]eval.Loss) Figures {
	var p [Conditions]eval.Loss
	for c := range losses {
		p[c] = eval.Pool(losses[c])
	}
	return Figures{Tokens: p[Base].Tokens, Base: p[Base].PerToken(), Examples: p[Examples].PerToken(), Adapter: p[Adapter].PerToken(), Both: p[Both].PerToken()}
}

// Verdict is the outcome.
type Verdict struct {
	Live     bool          `json:"live"`     // the version serves
	Unproven bool          `json:"unproven"` // too little judge text to tell
	Gain     eval.Interval `json:"gain"`     // nats per token that both saves over examples, at 95 %
	Units    int           `json:"units"`    // documents or blocks that the interval stands on
	Unit     string        `json:"unit"`     // "documents" or "blocks"
	Why      string        `json:"why"`      // one sentence
}

const (
	fewDocuments = 8   // below this, blocks are the units
	fewBlocks    = 8   // below this, nothing can be told
	blockTokens  = 200 // least tokens of a block; they come to 200–300
	rounds       = 10000
)

// Decide compares both with examples by a paired bootstrap over documents, or
// over blocks of 200–300 tokens where there are fewer than eight documents. The
// interval's low end must be above zero; with fewer than eight blocks the mean
// decides, and the verdict is unproven.
func Decide(losses [Conditions][]eval.Loss, seed uint64) Verdict {
	v := Verdict{Unit: "documents"}
	units := eval.Documents(losses[Examples], losses[Both])
	if len(units) < fewDocuments {
		v.Unit = "blocks"
		units = eval.Blocks(losses[Examples], losses[Both], blockTokens)
	}
	v.Units = len(units)
	v.Gain = eval.Bootstrap(units, 0.95, rounds, seed)
	switch {
	case v.Units == 0:
		v.Unproven = true
		v.Why = "there is no judge text, so nothing can be told; the base with your passages serves"
	case v.Unit == "blocks" && v.Units < fewBlocks:
		v.Unproven = true
		v.Live = v.Gain.Mean > 0
		if v.Live {
			v.Why = fmt.Sprintf("it predicts you better than your passages alone, but %d blocks of text are too few to prove it", v.Units)
		} else {
			v.Why = fmt.Sprintf("it does not predict you better than your passages alone on the %d blocks there are; the base with your passages serves", v.Units)
		}
	case v.Gain.Low > 0:
		v.Live = true
		v.Why = fmt.Sprintf("it predicts you better than your passages alone, by %.3f nats a token (95 %%: %.3f to %.3f)", v.Gain.Mean, v.Gain.Low, v.Gain.High)
	default:
		v.Why = fmt.Sprintf("it adds %.3f nats a token to your passages (95 %%: %.3f to %.3f), which may be chance; the base with your passages serves", v.Gain.Mean, v.Gain.Low, v.Gain.High)
	}
	return v
}
