package twin

import (
	"context"

	"github.com/getstroke/stroke/internal/eval"
)

// CellStrength is what came of a cell with the writer's own part at another strength,
// what it stands on as it was.
type CellStrength struct {
	Strength float64    `json:"strength"`
	Adapter  []float64  `json:"adapter"` // by judge document, in nats
	Both     []float64  `json:"both"`
	Texts    *CellTexts `json:"texts,omitempty"`
}

func (l *Lab) measureStrength(ctx context.Context, r *run, final *learnt, strength float64, o *CellOptions, c *Cell) (*CellStrength, error) {
	own, err := r.used(final, strength)
	if err != nil {
		return nil, err
	}
	defer own.done()
	s := &CellStrength{Strength: strength}
	var plain, prompted []eval.Piece
	room := 2
	for _, x := range r.passages.pieces(c.judged(r.judge), pieceTokens) {
		plain, prompted = append(plain, x.plain), append(prompted, x.prompted)
		room = max(room, len(x.prompted.Context)+len(x.prompted.Tokens))
	}
	for _, x := range []struct {
		pieces []eval.Piece
		into   *[]float64
	}{{plain, &s.Adapter}, {prompted, &s.Both}} {
		losses, err := l.score(ctx, r, room, x.pieces, own, "")
		if err != nil {
			return nil, err
		}
		for _, a := range losses {
			*x.into = append(*x.into, a.Nats)
		}
	}
	if o.Texts {
		t, err := l.measureTexts(ctx, r, own, o.Known, nil)
		if err != nil {
			return nil, err
		}
		s.Texts = t
	}
	return s, nil
}
