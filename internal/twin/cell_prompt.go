package twin

import (
	"context"
	"fmt"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
)

// Words of the blocks that select documents are cut into: what passages are asked
// with, and as much to twice as much to be scored.
const (
	selectBlockLeast = 2 * askWords
	selectBlockMost  = 3 * askWords
)

// measurePrompts measures what was learnt, or the start where nothing was, with each of
// the bounds.
func (l *Lab) measurePrompts(ctx context.Context, r *run, final *learnt, bounds []int, c *Cell) error {
	defer func() { r.passages.prompt = r.recipe.Prompt }()
	var blocks []stroke.Document
	for _, d := range r.choose {
		for _, b := range corpus.CutTo(d, selectBlockLeast, selectBlockMost) {
			blocks = append(blocks, b.Document)
		}
	}
	own, err := r.used(final, 1)
	if err != nil {
		return err
	}
	defer own.done()
	start := speaker{model: l.b.model, adapters: r.start()}
	as := fmt.Sprint("prompt ", r.bf16(), " on ", r.recipe.Genre.identity())
	pieces := func(docs []stroke.Document, tokens int, apart bool) []eval.Piece {
		all := r.passages.pieces
		if apart {
			all = r.passages.fromOthers().pieces
		}
		var out []eval.Piece
		for _, x := range all(docs, tokens) {
			out = append(out, x.prompted)
		}
		return out
	}
	for _, n := range bounds {
		r.passages.prompt = r.recipe.Prompt
		r.passages.prompt.Tokens = n
		p := CellPrompt{Tokens: n}
		for _, d := range c.Documents {
			switch {
			case n == 0 && final != nil:
				p.Judge = append(p.Judge, d.Adapter)
			case n == 0:
				p.Judge = append(p.Judge, d.Start)
			case n == r.recipe.Prompt.Tokens && final != nil:
				p.Judge = append(p.Judge, d.Both)
			case n == r.recipe.Prompt.Tokens:
				p.Judge = append(p.Judge, d.Untrained)
			}
		}
		var asked []stroke.Document
		if len(p.Judge) == 0 {
			asked = c.judged(r.judge)
		}
		for _, x := range []struct {
			pieces []eval.Piece
			by     speaker
			id     string
			into   func([]eval.Loss)
		}{
			{pieces(asked, pieceTokens, false), own, "", func(all []eval.Loss) {
				for _, a := range all {
					p.Judge = append(p.Judge, a.Nats)
				}
			}},
			{pieces(blocks, pieceTokens, false), own, "", func(all []eval.Loss) { p.Select = cellLoss(all) }},
			{pieces(r.someTrain(), promptTokens, false), start, as, func(all []eval.Loss) { p.Start = cellLoss(all) }},
			{pieces(r.someTrain(), promptTokens, true), start, as, func(all []eval.Loss) { p.Apart = cellLoss(all) }},
		} {
			if len(x.pieces) == 0 {
				continue
			}
			room := 2
			for _, q := range x.pieces {
				room = max(room, len(q.Context)+len(q.Tokens))
			}
			losses, err := l.score(ctx, r, room, x.pieces, x.by, x.id)
			if err != nil {
				return err
			}
			x.into(losses)
		}
		c.Prompts = append(c.Prompts, p)
	}
	return nil
}

// judged are those of the documents that the cell is judged by.
func (c *Cell) judged(docs []stroke.Document) []stroke.Document {
	var out []stroke.Document
	for _, d := range docs {
		if slices.ContainsFunc(c.Documents, func(x CellDocument) bool { return x.Hash == d.Hash }) {
			out = append(out, d)
		}
	}
	return out
}

func cellLoss(all []eval.Loss) CellLoss {
	p := eval.Pool(all)
	return CellLoss{Nats: p.Nats, Tokens: p.Tokens}
}
