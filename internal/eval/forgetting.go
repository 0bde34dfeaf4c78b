package eval

import (
	"context"
	_ "embed" // the text and the instructions
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getstroke/stroke/internal/lora"
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

// RoomOf is what a [Scorer] must have to measure forgetting with adapters.
func (g General) RoomOf(adapters []lora.Applied) (context, pad int) {
	pieces := append([]Piece(nil), g.Text...)
	for _, t := range g.Tasks {
		pieces = append(pieces, t.pieces()...)
	}
	return Room(pieces, System{Adapters: adapters})
}

// Tokens is how many go through the base for one strength.
func (g General) Tokens() int {
	n := 0
	for _, p := range g.Text {
		n += len(p.Context) + len(p.Tokens)
	}
	for _, t := range g.Tasks {
		for _, p := range t.pieces() {
			n += len(p.Context) + len(p.Tokens)
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

// generalLosses are those of one system.
type generalLosses struct {
	text, answers []Loss
	right         []Sample
}

// MeasureForgetting scores general text and instructions with the bare base, and
// with adapters at each strength, by which their own strengths are multiplied.
// done, where it is not nil, is called after each strength, the base's included.
func (s *Scorer) MeasureForgetting(ctx context.Context, g General, adapters []lora.Applied, strengths []float64, rounds int, seed uint64, done func(i int)) ([]Forgetting, error) {
	base, err := s.general(ctx, g, nil)
	if err != nil {
		return nil, fmt.Errorf("measure forgetting: %w", err)
	}
	if done != nil {
		done(0)
	}
	var out []Forgetting
	for i, strength := range strengths {
		var at []lora.Applied
		for _, a := range adapters {
			at = append(at, lora.Applied{Adapter: a.Adapter, Strength: a.Strength * float32(strength)})
		}
		with, err := s.general(ctx, g, at)
		if err != nil {
			return nil, fmt.Errorf("measure forgetting at strength %g: %w", strength, err)
		}
		out = append(out, Forgetting{Strength: strength,
			Text:    Bootstrap(Documents(with.text, base.text), 0.95, rounds, seed),
			Answers: Bootstrap(Documents(with.answers, base.answers), 0.95, rounds, seed),
			Right:   Proportion(with.right), BaseRight: Proportion(base.right)})
		if done != nil {
			done(i + 1)
		}
	}
	return out, nil
}

// general scores everything with adapters as they are.
func (s *Scorer) general(ctx context.Context, g General, adapters []lora.Applied) (l generalLosses, err error) {
	if l.text, err = s.Score(ctx, g.Text, adapters, nil); err != nil {
		return l, err
	}
	for i, t := range g.Tasks {
		losses, err := s.Score(ctx, t.pieces(), adapters, nil)
		if err != nil {
			return l, err
		}
		l.answers = append(l.answers, losses[0])
		sample := Sample{Group: fmt.Sprint(i), Value: 1}
		for _, w := range losses[1:] {
			switch r, x := losses[0].Nats, w.Nats; {
			case x < r:
				sample.Value = 0
			case x == r && sample.Value == 1:
				sample.Value = 0.5
			}
		}
		l.right = append(l.right, sample)
	}
	return l, nil
}
