package twin

import (
	"context"
	"fmt"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// What is looked at, at the most, to see whether text stands in an order.
const (
	orderStretches = 20
	orderWords     = 4500 // of all, as they are written and as they are dealt
	orderDocuments = 200
	orderSeed      = 1 // one for all runs, so that nobody chooses by it
)

// lookAtOrder looks whether the sentences of what a run learns from stand in an order,
// and tells where that cannot be shown, before time is spent on them. What is
// cross-fitted learns from all text in the end.
func (r *run) lookAtOrder(ctx context.Context, crossed bool) error {
	docs := slices.Concat(r.train, r.choose)
	if crossed {
		docs = r.all()
	}
	tell := func(done, total int) { r.emit(stroke.ScoreEvent{Condition: "order", Done: done, Total: total}) }
	nats, err := r.b.ordered(ctx, once(inEnglish(docs), r.ledger), r.bf16(), tell)
	if err != nil {
		return err
	}
	o := verdict.Ordered(nats)
	if o.Pass() {
		r.order = nats
		return nil
	}
	// A base that cannot tell of plain prose either has no say.
	var plain []stroke.Document
	for _, text := range eval.Paragraphs() {
		plain = append(plain, stroke.Document{Text: text})
	}
	known, err := r.b.ordered(ctx, plain, r.bf16(), tell)
	if err != nil {
		return err
	}
	if k := verdict.Ordered(known); k == nil || !k.Pass() {
		return nil
	}
	r.order = nats
	r.emit(stroke.NoteEvent{Text: fmt.Sprintf("that the sentences of your text stand in an order cannot be shown: the base does not find them likelier as they are written than dealt anew, beyond chance (p %.2g, over %d stretches); do they come from a file that mixes or sorts them? what learns from them does not go live", o.P, o.Stretches)})
	return nil
}

// ordered gives, for stretches of documents, what each costs the bare base in nats: as it
// is written, and with its sentences dealt anew; none where no document is long enough.
// progress may be nil.
func (b *baseModel) ordered(ctx context.Context, docs []stroke.Document, bf16 bool, progress func(done, total int)) ([][]float64, error) {
	var pieces []eval.Piece
	var of []int // number of pieces of each stretch
	longest := 2
	for _, a := range likeness.Arrangements(likeness.Pieces(docs), orderStretches, orderWords, orderSeed) {
		before := append([]int32{b.first}, b.tok.Encode(a.First)...)
		var list []eval.Piece
		room := 0
		for _, text := range append([]string{a.Written}, a.Dealt...) {
			p := eval.Piece{Context: before, Tokens: b.tok.Encode(text)}
			list = append(list, p)
			room = max(room, len(before)+len(p.Tokens))
		}
		if room > b.model.Context {
			continue
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
	losses, err := s.Score(ctx, pieces, nil, func(i int) {
		if progress != nil {
			progress(i+1, len(pieces))
		}
	})
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

// inEnglish are the documents in English, up to orderDocuments from all places of the
// list: the plain prose that a base is held to is, and in a language that it does not
// know it cannot tell one order from the next.
func inEnglish(docs []stroke.Document) []stroke.Document {
	docs = spread(docs)
	docs = docs[:min(len(docs), orderDocuments)]
	return slices.DeleteFunc(docs, func(d stroke.Document) bool {
		language, _ := corpus.Language(d.Text)
		return language != "en"
	})
}

// once are the documents without the near duplicates of those before them, which are of
// one cluster with these.
func once(docs []stroke.Document, l *corpus.Ledger) []stroke.Document {
	seen := map[string][]stroke.Document{}
	return slices.DeleteFunc(docs, func(d stroke.Document) bool {
		key := clusterOf(d, l)
		if before := seen[key]; before != nil && len(corpus.NearDuplicates([]stroke.Document{d}, before)) > 0 {
			return true
		}
		seen[key] = append(seen[key], d)
		return false
	})
}
