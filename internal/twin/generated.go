package twin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
)

// What is looked at to find pieces that the base may have written.
const (
	generatedPieces = 40
	generatedTokens = 256 // of each, from its beginning
	generatedLeast  = 100 // that one must have
	// generatedBound is the curvature from which a piece is told of. Of 838 pieces by
	// 22 writers the highest had 1.6, the median of what the base writes is 5.8.
	generatedBound = 2.5
	generatedNamed = 5 // that the hint names
)

// fresh are the documents that a ledger does not know.
func fresh(l *corpus.Ledger, docs []stroke.Document) []stroke.Document {
	var out []stroke.Document
	for _, d := range docs {
		if _, known := l.Entry(d.Hash); !known {
			out = append(out, d)
		}
	}
	return out
}

// tellGenerated tells of pieces that the base finds as likely as what it writes
// itself: it may have written them, or have been trained on them.
func (r *run) tellGenerated(ctx context.Context, docs []stroke.Document) error {
	docs = slices.Clone(docs)
	slices.SortFunc(docs, func(a, b stroke.Document) int { return strings.Compare(a.Hash, b.Hash) })
	var pieces []eval.Piece
	var looked []stroke.Document
	for _, d := range docs {
		if len(pieces) == generatedPieces {
			break
		}
		ids := r.b.tok.Encode(d.Text)
		if ids = ids[:min(len(ids), generatedTokens, r.b.model.Context-1)]; len(ids) >= generatedLeast {
			pieces, looked = append(pieces, eval.Piece{Context: []int32{r.b.first}, Tokens: ids}), append(looked, d)
		}
	}
	if len(pieces) == 0 {
		return nil
	}
	s, err := eval.NewScorer(r.b.model, generatedTokens+1, 0, r.bf16())
	if err != nil {
		return err
	}
	defer s.Close()
	curvature, err := s.Curvature(ctx, pieces, nil, nil)
	if err != nil {
		return interrupted(err, "look for text that the base may have written", againHint)
	}
	var found []string
	for i, c := range curvature {
		if c >= generatedBound {
			found = append(found, looked[i].Source)
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	names := strings.Join(found[:min(len(found), generatedNamed)], ", ")
	if more := len(found) - generatedNamed; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	r.emit(stroke.NoteEvent{Text: fmt.Sprintf("%d of the %d pieces that were looked at read as if the base had written them itself, or knew them by heart: %s; a twin of what a model wrote is like the model, so if one did, name these files in a file .strokeignore beside them, a line each; if they are yours, go on", len(found), len(pieces), names)})
	return nil
}
