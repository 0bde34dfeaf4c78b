package eval

import (
	"context"
	_ "embed" // the text and the instructions
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed general/text.md
var generalText string

//go:embed general/instructions.json
var instructionsJSON []byte

// Paragraphs gives the general text that forgetting is measured on, paragraph by
// paragraph: plain prose of several kinds by no writer of note, part of the
// program.
func Paragraphs() []string {
	return strings.Split(strings.TrimSpace(generalText), "\n\n")
}

// Instruction is a simple request with an answer that is right, and with some
// of the same form that are not.
type Instruction struct {
	Ask   string   `json:"ask"`
	Right string   `json:"right"`
	Wrong []string `json:"wrong"`
}

// Instructions gives the fixed set of simple instructions that forgetting is
// measured on, part of the program.
func Instructions() ([]Instruction, error) {
	var list []Instruction
	if err := json.Unmarshal(instructionsJSON, &list); err != nil {
		return nil, fmt.Errorf("read the instructions: %w", err)
	}
	return list, nil
}

// Task is an instruction in tokens: the prompt up to where the answer begins,
// and the answers, each with whatever ends it.
type Task struct {
	Prompt []int32
	Right  []int32
	Wrong  [][]int32
}

// General is what forgetting is measured on, in the base's tokens.
type General struct {
	Text  []Piece // a paragraph each
	Tasks []Task
}

// Longest is the context that a [Scorer] must have room for.
func (g General) Longest() int {
	pieces := append([]Piece(nil), g.Text...)
	for _, t := range g.Tasks {
		pieces = append(pieces, t.pieces()...)
	}
	context, _ := Room(pieces, System{})
	return context
}

// Tokens is how many go through the base for one system.
func (g General) Tokens() int {
	n := 0
	for _, p := range g.Text {
		n += len(p.Context) + len(p.Tokens)
	}
	for _, t := range g.Tasks {
		n += len(t.Prompt)
		for _, p := range t.pieces() {
			n += len(p.Tokens)
		}
	}
	return n
}

// pieces are the task's answers, the right one first.
func (t Task) pieces() []Piece {
	out := []Piece{{Context: t.Prompt, Tokens: t.Right}}
	for _, w := range t.Wrong {
		out = append(out, Piece{Context: t.Prompt, Tokens: w})
	}
	return out
}

// Forgetting is what a base has lost of what it could, with adapters on at one
// strength.
type Forgetting struct {
	Strength float64  `json:"strength"`
	Text     Interval `json:"text"`    // nats per token of general text more than the bare base's; over paragraphs
	Answers  Interval `json:"answers"` // nats per token of right answers more than the bare base's; over instructions
	Right    Interval `json:"right"`   // share of instructions whose right answer is the likeliest
	// BaseRight is that share for the bare base, the same at every strength.
	BaseRight Interval `json:"base_right"`
}

// GeneralLosses are what the general text and the instructions cost one system.
type GeneralLosses struct {
	text, answers []Loss
	right         []Sample
}

// ScoreGeneral scores general text and instructions under a system; its prefix
// is not used. done, where it is not nil, is called after each paragraph and each
// instruction.
func (s *Scorer) ScoreGeneral(ctx context.Context, sys System, g General, done func(i int)) (GeneralLosses, error) {
	var l GeneralLosses
	var err error
	if l.text, err = s.Score(ctx, g.Text, sys.Adapters, done); err != nil {
		return l, fmt.Errorf("score general text under %q: %w", sys.Name, err)
	}
	for i, t := range g.Tasks {
		losses, err := s.Score(ctx, t.pieces(), sys.Adapters, nil)
		if err != nil {
			return l, fmt.Errorf("score instruction %d under %q: %w", i, sys.Name, err)
		}
		l.answers = append(l.answers, losses[0])
		sample := Sample{Group: fmt.Sprint(i), Value: 1}
		for _, w := range losses[1:] {
			sample.Value = min(sample.Value, wins(w.Nats-losses[0].Nats))
		}
		l.right = append(l.right, sample)
		if done != nil {
			done(len(g.Text) + i)
		}
	}
	return l, nil
}

// Forget compares what a system at a strength costs with what the bare base does.
func Forget(strength float64, base, system GeneralLosses, rounds int, seed uint64) Forgetting {
	return Forgetting{Strength: strength,
		Text:    Bootstrap(Documents(system.text, base.text), 0.95, rounds, seed),
		Answers: Bootstrap(Documents(system.answers, base.answers), 0.95, rounds, seed),
		Right:   Proportion(system.right), BaseRight: Proportion(base.right)}
}
