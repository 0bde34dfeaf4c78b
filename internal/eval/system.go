package eval

import (
	"context"
	"fmt"
	"slices"

	"github.com/getstroke/stroke/internal/lora"
)

// System is one way of asking a base for text: adapters at their strengths, and
// what stands in the prompt. The zero value is the bare base. A twin, a rival, a
// control and a yardstick are all systems, so that every measure takes whichever
// is to be compared.
type System struct {
	Name     string
	Adapters []lora.Applied
	// Prefix gives the tokens that take the place of the token with which the context
	// of the piece of that number begins: that token, and passages of the writer, each
	// followed by what stands between them. nil is nothing.
	Prefix func(piece int) []int32
}

// Pad is the sum of padded ranks that the system's adapters take.
func (s System) Pad() int {
	pad := 0
	for _, a := range s.Adapters {
		pad += a.Adapter.Pad()
	}
	return pad
}

// piece puts the system's prefix before piece i.
func (s System) piece(i int, p Piece) Piece {
	if s.Prefix == nil {
		return p
	}
	if before := s.Prefix(i); len(before) > 0 {
		p.Context = slices.Concat(before, p.Context[1:])
	}
	return p
}

// Room is what a [Scorer] must have for pieces under systems: the longest piece
// with its prompt in tokens, and the largest pad.
func Room(pieces []Piece, systems ...System) (context, pad int) {
	context = 2
	for _, s := range systems {
		pad = max(pad, s.Pad())
		for i, p := range pieces {
			p = s.piece(i, p)
			context = max(context, len(p.Context)+len(p.Tokens))
		}
	}
	return context, pad
}

// ScoreSystem computes the loss of each piece under a system. done, where it is
// not nil, is called after each piece.
func (s *Scorer) ScoreSystem(ctx context.Context, sys System, pieces []Piece, done func(i int)) ([]Loss, error) {
	list := make([]Piece, len(pieces))
	for i, p := range pieces {
		list[i] = sys.piece(i, p)
	}
	losses, err := s.Score(ctx, list, sys.Adapters, done)
	if err != nil {
		return nil, fmt.Errorf("under %q: %w", sys.Name, err)
	}
	return losses, nil
}
