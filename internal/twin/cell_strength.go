package twin

import (
	"context"

	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/lora"
)

// CellStrength is what came of a cell with the writer's own part at another strength,
// what it stands on as it was.
type CellStrength struct {
	Strength float64    `json:"strength"`
	Adapter  []float64  `json:"adapter"` // by judge document, in nats
	Both     []float64  `json:"both"`
	Texts    *CellTexts `json:"texts,omitempty"`
}

// used is what was learnt with the writer's own part at a strength. The adapter that
// was learnt has what it stands on in it, so that this is set off. Without anything
// learnt it is what the run stands on.
func (r *run) used(final *learnt, strength float64) []lora.Applied {
	start := r.start()
	if final == nil {
		return start
	}
	use := []lora.Applied{{Adapter: final.adapter, Strength: float32(strength)}}
	if strength == 1 {
		return use
	}
	for _, a := range start {
		a.Strength *= float32(1 - strength)
		use = append(use, a)
	}
	return use
}

func (l *Lab) measureStrength(ctx context.Context, r *run, use []lora.Applied, strength float64, o *CellOptions, c *Cell) (*CellStrength, error) {
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
		losses, err := l.scoreWith(ctx, r, room, x.pieces, use, "")
		if err != nil {
			return nil, err
		}
		for _, a := range losses {
			*x.into = append(*x.into, a.Nats)
		}
	}
	if o.Texts {
		t, err := l.measureTexts(ctx, r, use, o.Known)
		if err != nil {
			return nil, err
		}
		s.Texts = t
	}
	return s, nil
}
