package twin

import (
	"context"
	"fmt"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// What is looked at, at the most, to see whether text stands in an order.
const (
	orderStretches = 20  // of about a hundred tokens
	orderTexts     = 40  // that they come to as they are written and as they are dealt
	orderDocuments = 200 // that they are of
)

// lookAtOrder looks whether the sentences of what a run learns from stand in an order,
// and tells where they do not, before time is spent on them. What is cross-fitted learns
// from all text in the end.
func (r *run) lookAtOrder(ctx context.Context, crossed bool) (err error) {
	docs := slices.Concat(r.train, r.choose)
	if crossed {
		docs = r.all()
	}
	seed := r.recipe.Options.Seed
	nats, err := r.b.ordered(ctx, r.b.legible(docs), seed, r.bf16())
	if err != nil {
		return err
	}
	o := verdict.Ordered(nats, seed)
	if o == nil || o.Pass() {
		r.order = nats
		return nil
	}
	// A base that cannot tell of plain prose either has no say.
	var plain []stroke.Document
	for _, text := range eval.Paragraphs() {
		plain = append(plain, stroke.Document{Text: text})
	}
	known, err := r.b.ordered(ctx, plain, seed, r.bf16())
	if err != nil {
		return err
	}
	if k := verdict.Ordered(known, seed); k == nil || k.P > verdict.OrderAlpha {
		return nil
	}
	r.order = nats
	r.emit(stroke.NoteEvent{Text: fmt.Sprintf("the sentences of your text seem to stand in no order: the base finds them no likelier as they are written than dealt anew (p %.2g, over %d stretches); were they read from columns, or from a file that mixes them? what learns from them does not go live", o.P, o.Stretches)})
	return nil
}

// ordered gives, for stretches of documents, what each costs the bare base in nats: as it
// is written, and with its sentences dealt anew; none where no document is long enough.
func (b *baseModel) ordered(ctx context.Context, docs []stroke.Document, seed uint64, bf16 bool) ([][]float64, error) {
	var pieces []eval.Piece
	var of []int // number of pieces of each stretch
	longest := 2
	for _, a := range likeness.Arrangements(likeness.Pieces(docs), orderStretches, orderTexts, seed) {
		before := append([]int32{b.first}, b.tok.Encode(a.First)...)
		var list []eval.Piece
		room := 0
		for _, text := range append([]string{a.Written}, a.Dealt...) {
			p := eval.Piece{Context: before, Tokens: b.tok.Encode(text)}
			list = append(list, p)
			room = max(room, len(before)+len(p.Tokens))
		}
		if room > min(2*pieceTokens, b.model.Context) {
			continue // a sentence without an end may be as long as a document
		}
		longest = max(longest, room)
		pieces, of = append(pieces, list...), append(of, len(list))
	}
	if len(pieces) == 0 {
		return nil, nil
	}
	s, err := eval.NewScorer(b.model, longest, 0, bf16)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	losses, err := s.Score(ctx, pieces, nil, nil)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(of))
	for i, n := range of {
		for _, l := range losses[:n] {
			out[i] = append(out[i], l.Nats)
		}
		losses = losses[n:]
	}
	return out, nil
}

// legible are documents in languages that the base was made for, as far as that can be
// told, since in another it cannot tell one order from the next: up to orderDocuments of
// them, from all places of the list.
func (b *baseModel) legible(docs []stroke.Document) []stroke.Document {
	docs = spread(docs)
	docs = docs[:min(len(docs), orderDocuments)]
	knows := languagesOf(b.model.Source)
	if e, err := base.Find(b.name); err == nil {
		knows = e.Languages
	}
	if len(knows) == 0 {
		return docs
	}
	return slices.DeleteFunc(docs, func(d stroke.Document) bool {
		language, _ := corpus.Language(d.Text)
		return language != "" && !slices.Contains(knows, language)
	})
}
