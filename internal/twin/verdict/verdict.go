// Package verdict decides whether an adapter goes live: on judge text, the base
// with the adapter and with the writer's own passages in its prompt must predict
// the writer better than the base with those passages alone; the adapter must
// predict the writer better than what it stands on and than adapters of other
// writers; what it writes must neither repeat its train text nor be all alike; and
// that text must stand in some order.
package verdict

import (
	"fmt"
	"math"
	"strings"

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

// Evidence is what a verdict is given by.
type Evidence struct {
	// Groups names the document of each piece; nil where each is one of its own.
	Groups []string `json:"-"`
	// Losses are those of the same pieces under the four conditions, piece by piece.
	Losses [Conditions][]eval.Loss
	// Start has the losses of the first pieces, without passages, under what the
	// adapter stands on; nil where that is the bare base. Controls are those of other
	// writers on the same start and the same pieces.
	Start    []eval.Loss
	Controls []Control
	// Copier and Monotone say why it is one; empty where it is none or was not
	// measured.
	Copier, Monotone string
	// Order has, for stretches of what was trained on, what each costs the bare base in
	// nats: as it is written, and with its sentences dealt anew.
	Order [][]float64
	// Unlooked says that no text was written to look for these.
	Unlooked bool
	// Look is which verdict on this judge text it is, from 1.
	Look int
	// Folds is in how many parts the text was judged, each by a twin that never saw
	// it; 0 where judge text was withheld.
	Folds int
}

// Control is what an adapter of another writer costs on each piece.
type Control struct {
	Name   string
	Losses []eval.Loss
}

// Verdict is the outcome.
type Verdict struct {
	Live     bool          `json:"live"`     // the version serves
	Unproven bool          `json:"unproven"` // too little to tell by, or what was to be told by has been learnt: Why says which
	Gain     eval.Interval `json:"gain"`     // nats per token that both saves over examples, at Level
	Units    int           `json:"units"`    // documents or blocks that the interval stands on
	Unit     string        `json:"unit"`     // "documents" or "blocks"
	Why      string        `json:"why"`      // what decided, for a person

	Look        int          `json:"look,omitempty"`  // which verdict on this judge text
	Level       float64      `json:"level,omitempty"` // of the intervals: 0.95, and more with each verdict on the same judge text
	Folds       int          `json:"folds,omitempty"` // parts that were each judged by a twin that never saw it; 0 where judge text was withheld
	Specificity *Specificity `json:"specificity,omitempty"`
	Copier      string       `json:"copier,omitempty"`   // why it is one
	Monotone    string       `json:"monotone,omitempty"` // why it is
	Order       *Order       `json:"order,omitempty"`    // nil where it was not measured
}

// Specificity is what the adapter gains for being its writer's.
type Specificity struct {
	eval.Specificity
	// Own is what it gains over what it stands on.
	Own  eval.Interval `json:"own"`
	Unit string        `json:"unit"`
}

const (
	fewDocuments = 8   // below this, blocks are the units
	fewBlocks    = 8   // below this, nothing can be told
	blockTokens  = 200 // least tokens of a block; they come to 200–300
	rounds       = 20000

	// Alpha is the chance that all verdicts on the same judge text together may
	// take of letting something through by luck, by each criterion. Of it the nth
	// verdict takes Alpha/(n·(n+1)); the shares of however many sum to no more.
	Alpha = 0.05
	// StrangerAlpha is how likely one more control may be to gain as much, at the
	// first verdict; it shrinks as Alpha does.
	StrangerAlpha = 0.05
)

// share is the part that the nth look takes of a chance of 1 in all.
func share(look int) float64 { return 1 / float64(look*(look+1)) }

// Level is the level of the two-sided intervals of the nth verdict on the same
// judge text: 0.95, 0.983, 0.992 …
func Level(look int) float64 { return 1 - 2*Alpha*share(max(look, 1)) }

// Decide compares both with examples by a paired bootstrap over documents, or
// over blocks of 200–300 tokens where there are fewer than eight documents. The
// interval's low end must be above zero, and so must that of the adapter's gain
// over its controls, where they were measured. Its gain over its start must be
// above zero, and where that may be chance the verdict is unproven. With fewer than
// eight blocks the means decide, and the verdict is unproven.
func Decide(e Evidence, seed uint64) Verdict {
	v := Verdict{Unit: "documents", Look: max(e.Look, 1), Folds: e.Folds, Copier: e.Copier, Monotone: e.Monotone}
	v.Level = Level(v.Look)
	units := e.documents(e.Losses[Examples], e.Losses[Both])
	if len(units) < fewDocuments {
		v.Unit = "blocks"
		units = eval.Blocks(e.Losses[Examples], e.Losses[Both], blockTokens)
	}
	v.Units = len(units)
	v.Gain = eval.Bootstrap(units, v.Level, rounds, seed)
	v.Unproven = v.few()
	v.Specificity = e.specificity(v.Level, seed)
	var said []string
	refused := false
	say := func(pass bool, why string) {
		refused = refused || !pass
		said = append(said, why)
	}
	switch {
	case v.Units == 0:
		v.Why = "there is no judge text, so nothing can be told"
		return v
	case v.Unproven && v.BeatsExamples():
		say(true, fmt.Sprintf("it predicts you better than your passages alone, but %d blocks of text are too few to prove it", v.Units))
	case v.Unproven:
		say(false, fmt.Sprintf("it does not predict you better than your passages alone on the %d blocks there are", v.Units))
	case v.BeatsExamples():
		say(true, fmt.Sprintf("it predicts you better than your passages alone, by %.3f nats a token (%s)", v.Gain.Mean, v.bounds(v.Gain)))
	default:
		say(false, fmt.Sprintf("it adds %.3f nats a token to your passages (%s), which may be chance", v.Gain.Mean, v.bounds(v.Gain)))
	}
	v.judgeSpecificity(e.Start != nil, say)
	if v.Copier != "" {
		say(false, "it copies: "+v.Copier)
	}
	if v.Monotone != "" {
		say(false, "it is monotone: "+v.Monotone)
	}
	if v.Order = Ordered(e.Order); !v.Order.Pass() {
		say(false, fmt.Sprintf("that what it learnt from stands in an order could not be shown: the base does not find its sentences likelier as they are written than dealt anew, beyond chance (p %.2g, over %d stretches)", v.Order.P, v.Order.Stretches))
	}
	if e.Unlooked {
		v.Unproven = true
		say(true, "whether it copies was not looked at, since there are fewer than two places in your text to write on from")
	}
	v.Live = !refused
	v.Why = strings.Join(said, "; ")
	return v
}

func (v *Verdict) bounds(i eval.Interval) string {
	return fmt.Sprintf("%s: %.3f to %.3f", eval.LevelText(v.Level), i.Low, i.High)
}

// few says whether the units of the gain over the passages are too few for an interval.
func (v *Verdict) few() bool { return v.Unit == "blocks" && v.Units < fewBlocks }

// BeatsExamples says whether the gain over the passages alone lets the version through,
// proven or not.
func (v *Verdict) BeatsExamples() bool {
	if v.few() {
		return v.Gain.Mean > 0
	}
	return v.Gain.Low > 0
}

// few says whether its units are too few for an interval.
func (s *Specificity) few() bool { return s.Unit == "blocks" && s.Units < fewBlocks }

// proven says whether a gain is above zero: beyond chance, or with few units in the mean.
func (s *Specificity) proven(i eval.Interval) bool { return i.Low > 0 || s.few() && i.Mean > 0 }

// strange says whether one more control might gain as much, at the nth verdict.
func (s *Specificity) strange(look int) bool {
	return len(s.Controls) > 1 && s.Stranger > 2*StrangerAlpha*share(look)
}

// BeatsStart says whether the gain over what it stands on lets the version through,
// proven or not.
func (s *Specificity) BeatsStart() bool { return s.proven(s.Own) || s.Own.Mean > 0 }

// BeatsControls says whether the gain over the controls lets the version through at the
// nth verdict on the same judge text; where there are none nothing is asked.
func (s *Specificity) BeatsControls(look int) bool {
	return len(s.Controls) == 0 || s.proven(s.Gain) && !s.strange(look)
}

// judgeSpecificity says what comes of the gain over the start and over controls.
func (v *Verdict) judgeSpecificity(started bool, say func(pass bool, why string)) {
	s := v.Specificity
	if s == nil {
		return
	}
	v.Unproven = v.Unproven || s.few()
	switch {
	case !started || s.proven(s.Own):
	case s.BeatsStart():
		// What it stands on serves with it, so that nothing is lost by it.
		v.Unproven = true
		say(true, fmt.Sprintf("what it adds to what it stands on, %.3f (%s), may be chance", s.Own.Mean, v.bounds(s.Own)))
	default:
		say(false, fmt.Sprintf("it adds nothing to what it stands on: %.3f (%s)", s.Own.Mean, v.bounds(s.Own)))
	}
	n := len(s.Controls)
	if n == 0 {
		return
	}
	of := "adapters of other writers"
	if n == 1 {
		of = "the adapter of another writer"
	}
	switch {
	case !s.proven(s.Gain):
		say(false, fmt.Sprintf("over %s it gains %.3f (%s): what it learnt may be what any text would have taught", of, s.Gain.Mean, v.bounds(s.Gain)))
	case s.strange(v.Look):
		say(false, fmt.Sprintf("over %s it gains %.3f, no more than one more of them might (p %.2g): what it learnt may be another's", of, s.Gain.Mean, s.Stranger))
	case s.few():
		say(true, fmt.Sprintf("and you better than %s do, by %.3f, but the %d blocks of text that they were held against are too few to prove it", of, s.Gain.Mean, s.Units))
	default:
		say(true, fmt.Sprintf("and you better than %s do, by %.3f (%s)", of, s.Gain.Mean, v.bounds(s.Gain)))
	}
}

// specificity is nil where nothing was measured for it.
func (e *Evidence) specificity(level float64, seed uint64) *Specificity {
	start := e.Start
	if start == nil {
		start = e.Losses[Base]
	}
	n := len(start)
	for _, c := range e.Controls {
		n = min(n, len(c.Losses))
	}
	if n == 0 || e.Start == nil && len(e.Controls) == 0 {
		return nil
	}
	start = start[:n]
	groups := e.groups(n)
	s := &Specificity{Unit: "documents"}
	gains := func(l []eval.Loss) []eval.Gain { return eval.Gains(groups, start, l[:n]) }
	if scored(groups, start) < fewDocuments {
		s.Unit = "blocks"
		gains = func(l []eval.Loss) []eval.Gain { return eval.BlockGains(groups, start, l[:n], blockTokens) }
	}
	// A piece of which nothing is scored is no evidence.
	whole := func(l []eval.Loss) []eval.Gain {
		var out []eval.Gain
		for _, g := range gains(l) {
			if g.Tokens > 0 {
				out = append(out, g)
			}
		}
		return out
	}
	own := whole(e.Losses[Adapter])
	if len(own) == 0 {
		return nil
	}
	units := make([]eval.Unit, len(own))
	for i, g := range own {
		units[i] = eval.Unit{Saved: g.Saved, Tokens: g.Tokens}
	}
	s.Own = eval.Bootstrap(units, level, rounds, seed)
	s.Specificity = eval.Specificity{Gain: eval.Interval{Mean: math.NaN(), Low: math.NaN(), High: math.NaN()}, P: 1, Stranger: 1, Controls: []eval.ControlGain{}, Units: len(own)}
	var controls []eval.Control
	for _, c := range e.Controls {
		controls = append(controls, eval.Control{Name: c.Name, Gains: whole(c.Losses)})
	}
	if len(controls) > 0 {
		// The pieces are the same, so it is no error.
		x, err := eval.SpecifyAt(level, own, controls, rounds, seed)
		if err != nil {
			panic(err)
		}
		s.Specificity = x
	}
	return s
}

// groups names the documents of the first n pieces.
func (e *Evidence) groups(n int) []string {
	if e.Groups != nil {
		return e.Groups[:n]
	}
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(i)
	}
	return out
}

// documents makes a unit of each document of which anything is scored: what b saves
// over a.
func (e *Evidence) documents(a, b []eval.Loss) []eval.Unit {
	var units []eval.Unit
	for _, g := range eval.Gains(e.groups(len(a)), a, b) {
		if g.Tokens > 0 {
			units = append(units, eval.Unit{Saved: g.Saved, Tokens: g.Tokens})
		}
	}
	return units
}

// scored is how many documents have pieces of which anything is scored.
func scored(groups []string, l []eval.Loss) int {
	of := map[string]bool{}
	for i, x := range l {
		if x.Tokens > 0 {
			of[groups[i]] = true
		}
	}
	return len(of)
}
