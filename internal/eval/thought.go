package eval

import (
	"context"
	"fmt"
)

// Kind is the kind of a choice between two passages.
type Kind string

// The kinds that go beyond rule-made minimal pairs, whose kinds have the names
// of what was changed.
const (
	// KindOther sets the writer's next passage against another writer's on the
	// same matter.
	KindOther Kind = "other writer"
	// KindElsewhere sets it against the writer's own from another piece.
	KindElsewhere Kind = "elsewhere"
)

// Choice is a pair of passages of which one is the writer's.
type Choice struct {
	Kind    Kind
	Group   string  // the judge document
	Context []int32 // what stands before either, never scored
	Right   []int32 // how the writer went on
	Wrong   []int32
}

// pieces are the two passages to score. Both have one length in tokens where
// they are different texts; of minimal pairs the whole is scored, since cutting
// one could cut the change. What both begin with costs the same and is passed
// over.
func (c Choice) pieces() (right, wrong Piece) {
	a, b := c.Right, c.Wrong
	if c.Kind == KindOther || c.Kind == KindElsewhere {
		n := min(len(a), len(b))
		a, b = a[:n], b[:n]
	}
	from := 0
	for from < min(len(a), len(b))-1 && a[from] == b[from] {
		from++
	}
	return Piece{Context: c.Context, Tokens: a, From: from}, Piece{Context: c.Context, Tokens: b, From: from}
}

// RoomOfChoices is what a [Scorer] must have for choices under systems.
func RoomOfChoices(choices []Choice, systems ...System) (context, pad int) {
	var pieces []Piece
	for _, c := range choices {
		a, b := c.pieces()
		pieces = append(pieces, a, b)
	}
	return Room(pieces, systems...)
}

// LogOdds gives for each choice by how many nats a system finds the writer's
// passage likelier than the other. The system's prefix is that of the choice's
// number. done, where it is not nil, is called after each choice.
func (s *Scorer) LogOdds(ctx context.Context, sys System, choices []Choice, done func(i int)) ([]float64, error) {
	out := make([]float64, len(choices))
	for i, c := range choices {
		if len(c.Right) == 0 || len(c.Wrong) == 0 {
			return nil, fmt.Errorf("choice %d has a passage without tokens", i)
		}
		a, b := c.pieces()
		losses, err := s.Score(ctx, []Piece{sys.piece(i, a), sys.piece(i, b)}, sys.Adapters, nil)
		if err != nil {
			return nil, fmt.Errorf("choice %d under %q: %w", i, sys.Name, err)
		}
		out[i] = losses[1].Nats - losses[0].Nats
		if done != nil {
			done(i)
		}
	}
	return out, nil
}

// Thought is what a twin makes of the choices of one kind.
type Thought struct {
	Kind Kind `json:"kind"`
	// Shift is the mean over pairs of the twin's log-odds less the yardstick's, in
	// nats a pair, with its interval over documents.
	Shift Interval `json:"shift"`
	// Accuracy is the share of pairs in which the twin leans more to the writer's
	// passage than the yardstick does: one half where it learnt no thought.
	Accuracy Interval `json:"accuracy"`
	// Twin and Yardstick are the shares of pairs in which each finds the writer's
	// passage the likelier.
	Twin      Interval `json:"twin"`
	Yardstick Interval `json:"yardstick"`
	P         float64  `json:"p"`    // one-sided, of "leans no more than the yardstick", over documents
	Less      float64  `json:"less"` // the same of "leans no less"
	Pairs     int      `json:"pairs"`
	Documents int      `json:"documents"`
}

// JudgeThought compares the log-odds of a twin with those of a yardstick, pair
// by pair, kind by kind in order of appearance. It panics where the three differ
// in length: they are of the same choices.
func JudgeThought(choices []Choice, twin, yardstick []float64, rounds int, seed uint64) []Thought {
	if len(choices) != len(twin) || len(twin) != len(yardstick) {
		panic(fmt.Sprintf("eval: %d choices with %d and %d log-odds", len(choices), len(twin), len(yardstick)))
	}
	var kinds []Kind
	of := map[Kind][]int{}
	for i, c := range choices {
		if of[c.Kind] == nil {
			kinds = append(kinds, c.Kind)
		}
		of[c.Kind] = append(of[c.Kind], i)
	}
	var out []Thought
	for _, k := range kinds {
		var shift, lean, a, b []Sample
		for _, i := range of[k] {
			g := choices[i].Group
			shift = append(shift, Sample{g, twin[i] - yardstick[i]})
			lean = append(lean, Sample{g, wins(twin[i] - yardstick[i])})
			a = append(a, Sample{g, wins(twin[i])})
			b = append(b, Sample{g, wins(yardstick[i])})
		}
		sums, _ := grouped(shift)
		blocks, turned := make([][]float64, len(sums)), make([][]float64, len(sums))
		for i, v := range sums {
			blocks[i], turned[i] = []float64{v, 0}, []float64{-v, 0}
		}
		out = append(out, Thought{Kind: k, Shift: Mean(shift, rounds, seed), Accuracy: Proportion(lean), Twin: Proportion(a), Yardstick: Proportion(b),
			P: PermuteBlocks(blocks, rounds, seed), Less: PermuteBlocks(turned, rounds, seed), Pairs: len(shift), Documents: len(sums)})
	}
	return out
}

// wins is 1 for a difference above zero, 0 below it, and one half for none.
func wins(d float64) float64 {
	switch {
	case d > 0:
		return 1
	case d < 0:
		return 0
	}
	return 0.5
}
