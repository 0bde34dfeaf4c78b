// Package eval measures a model on text that it was not trained on: the loss of
// each token, intervals for differences of losses, and the measures of likeness
// that need a model. Each takes a [System], an adapter at a strength with what
// stands in the prompt, so that a twin, a rival, controls and a yardstick are
// asked alike:
//
//   - [Predict], what a system gains over a start, [PanelGain], the same over a panel
//     of writers, and [PanelRatio], how much more than another;
//   - [Specify], what a twin gains that adapters of other writers do not;
//   - [JudgeThought], whether it puts the writer's own next passage before others;
//   - [Scorer.ScoreGeneral] and [Forget], what the base has lost by its adapter.
//
// [Writer] writes the texts that measures on text look at. docs/LIKENESS.md
// defines each and says how it can be fooled.
package eval

import (
	"context"
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// Piece is a text to score: what stands before it, and from where on its own
// tokens count.
type Piece struct {
	Context []int32 // in the prompt, never scored
	Tokens  []int32
	From    int // first token of Tokens that is scored; the first of all tokens never is
}

// Loss is what a piece cost.
type Loss struct {
	Nats   float64   // in all
	Tokens int       // scored
	Each   []float32 // nats of each scored token, in order
}

// PerToken is the mean in nats; 0 where nothing was scored.
func (l Loss) PerToken() float64 {
	if l.Tokens == 0 {
		return 0
	}
	return l.Nats / float64(l.Tokens)
}

// Pool adds losses up, weighted by token.
func Pool(losses []Loss) Loss {
	var p Loss
	for _, l := range losses {
		p.Nats += l.Nats
		p.Tokens += l.Tokens
	}
	return p
}

// Scorer scores pieces on one model. It serves one caller at a time.
type Scorer struct {
	m       *model.Model
	session *model.Session
	arena   *tensor.Arena
	pages   []model.Page
	nll     []float32
	targets []int32
	filled  []int32 // whose keys and values are in the pages, under the adapters of the call
}

// scoreChunk is how many tokens go through the model together.
const scoreChunk = 512

// NewScorer makes a scorer for pieces of at most context tokens, their prompts
// included, with adapters of at most pad padded ranks in all. With bf16 matrix
// products have bfloat16 operands: fast where [kernel.FastTiles], and within
// about a thousandth of a nat per token of float32.
func NewScorer(m *model.Model, context, pad int, bf16 bool) (*Scorer, error) {
	if bf16 {
		return NewScorerIn(op.BF16, m, context, pad)
	}
	return NewScorerIn(op.F32, m, context, pad)
}

// NewScorerIn is NewScorer for any arithmetic.
func NewScorerIn(a op.Arithmetic, m *model.Model, context, pad int) (*Scorer, error) {
	lim, n := scorerLimits(a, m, context, pad)
	s := &Scorer{m: m}
	var err error
	if s.session, err = m.NewSession(lim); err != nil {
		return nil, fmt.Errorf("make a scorer: %w", err)
	}
	if s.arena, err = tensor.NewArena(4 * n * tensor.Aligned(m.PageFloats())); err != nil {
		s.session.Close()
		return nil, fmt.Errorf("make a scorer: %w", err)
	}
	for range n {
		s.pages = append(s.pages, s.arena.Floats(m.PageFloats()))
	}
	s.nll, s.targets = make([]float32, lim.Tokens), make([]int32, lim.Tokens)
	return s, nil
}

// scorerLimits are those of a scorer's session, and how many pages it has.
func scorerLimits(a op.Arithmetic, m *model.Model, context, pad int) (lim model.Limits, pages int) {
	context = min(context, m.Context)
	return model.Limits{Tokens: min(scoreChunk, context), Rows: 1, Context: context, Pad: pad, Arithmetic: a}, (context + model.PageLen - 1) / model.PageLen
}

// ScorerBytes is the memory that a scorer takes which [NewScorer] makes, in bytes.
func ScorerBytes(m *model.Model, context, pad int, bf16 bool) int64 {
	a := op.F32
	if bf16 {
		a = op.BF16
	}
	lim, pages := scorerLimits(a, m, context, pad)
	return m.Need(lim) + 4*int64(pages)*int64(tensor.Aligned(m.PageFloats())) + 8*int64(lim.Tokens)
}

// Close gives the memory back.
func (s *Scorer) Close() error {
	err := s.session.Close()
	if e := s.arena.Close(); err == nil {
		err = e
	}
	return err
}

// Score computes the loss of each piece with the given adapters. What a piece
// begins with like the one before it is not computed again, so pieces with one
// context belong side by side. done, where it is not nil, is called after each
// piece.
func (s *Scorer) Score(ctx context.Context, pieces []Piece, adapters []lora.Applied, done func(i int)) ([]Loss, error) {
	out := make([]Loss, len(pieces))
	s.filled = s.filled[:0] // an adapter may have changed since
	for i := range pieces {
		l, err := s.piece(ctx, &pieces[i], adapters)
		if err != nil {
			return nil, fmt.Errorf("score piece %d: %w", i, err)
		}
		out[i] = l
		if done != nil {
			done(i)
		}
	}
	return out, nil
}

func (s *Scorer) piece(ctx context.Context, p *Piece, adapters []lora.Applied) (Loss, error) {
	var l Loss
	err := s.walk(ctx, p, adapters, func(ids []int32, from, at, end int) error {
		n := end - at
		for k := range n {
			s.targets[k] = -1
			if at+k+1 >= from {
				s.targets[k] = ids[at+k+1]
			}
		}
		if err := s.session.Loss(s.nll, s.targets, nil, false); err != nil {
			return err
		}
		for k := range n {
			if s.targets[k] >= 0 {
				l.Nats += float64(s.nll[k])
				l.Tokens++
				l.Each = append(l.Each, s.nll[k])
			}
		}
		return nil
	})
	return l, err
}

// walk computes a piece chunk by chunk, and after each in which something is scored
// calls seen, while the session has the rows of ids[at:end]; the tokens of ids from
// from on are scored. What the piece begins with like the one before it is not
// computed again.
func (s *Scorer) walk(ctx context.Context, p *Piece, adapters []lora.Applied, seen func(ids []int32, from, at, end int) error) error {
	ids := append(append(make([]int32, 0, len(p.Context)+len(p.Tokens)), p.Context...), p.Tokens...)
	if room := s.session.Limits().Context; len(ids) > room {
		return fmt.Errorf("%d tokens with their context where there is room for %d", len(ids), room)
	}
	from := max(len(p.Context)+p.From, 1)
	// A row's bits do not depend on how it was cut: those that are there will do.
	start := 0
	for start < min(len(s.filled), from-1, len(ids)-1) && s.filled[start] == ids[start] {
		start++
	}
	s.filled = s.filled[:start]
	rows := make([]model.Row, 1)
	for at := start; at < len(ids)-1; at += scoreChunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(at+scoreChunk, len(ids)-1)
		rows[0] = model.Row{Tokens: ids[at:end], Start: at, Pages: s.pages, Adapters: adapters}
		scored := end >= from
		pass := s.session.Fill
		if scored {
			pass = s.session.Forward
		}
		if err := pass(rows); err != nil {
			return err
		}
		s.filled = append(s.filled, ids[at:end]...)
		if !scored {
			continue
		}
		if err := seen(ids, from, at, end); err != nil {
			return err
		}
	}
	return nil
}
