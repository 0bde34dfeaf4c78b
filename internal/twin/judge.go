package twin

import (
	"context"
	"fmt"
	"math"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

const (
	askWords     = 100   // of a piece that its passages are asked with; never scored
	pieceTokens  = 640   // of a piece that a verdict looks at
	judgeTokens  = 44000 // through the base for a measure under the four conditions, at most
	gateTokens   = 30000 // for a verdict, which asks for more than that
	selectTokens = 4096  // through the base to choose an epoch

	longWords           = 1000     // of a document of which several pieces are looked at
	partLeast, partMost = 360, 460 // words of such a piece: about pieceTokens
)

// piece is a document to score under every condition.
type piece struct {
	doc             string // hash of the document
	plain, prompted eval.Piece
	rival           eval.Piece // with the passages that a base without an adapter has
	of              stroke.Document
	asked           string // what its passages are asked with
}

// under is the piece under a condition.
func (p *piece) under(c verdict.Condition) eval.Piece {
	switch passages, adapter := c.Uses(); {
	case passages && adapter:
		return p.prompted
	case passages:
		return p.rival
	}
	return p.plain
}

// pieces prepares documents for scoring. The words that passages are asked with
// count in no condition; a document with no more than these is passed over. most
// bounds the tokens of a piece, 0 for the base's context. Where a tokenizer hardly
// knows a script, those words can fill it: then half of it is scored.
func (p *passages) pieces(docs []stroke.Document, most int) []piece {
	out := p.bare(docs, most)
	for i := range out {
		p.fill(&out[i])
	}
	return out
}

// bare are pieces before which no passages stand yet: these take far more time to
// choose than the rest, and of many documents a few are scored.
func (p *passages) bare(docs []stroke.Document, most int) []piece {
	var out []piece
	for _, d := range docs {
		if x, ok := p.beginning(d, d.Text, most); ok {
			out = append(out, x)
		}
	}
	return out
}

// parts are bare pieces of documents: the beginning of each and, where there are fewer
// than fewUnits of these, by turns all that longer documents can be cut into and that is
// a unit to judge by.
func (p *passages) parts(docs []stroke.Document, most int) []piece {
	if beginnings := p.bare(docs, most); len(beginnings) >= fewUnits {
		return beginnings
	}
	texts := make([][]string, len(docs))
	turns := 0
	for i, d := range docs {
		texts[i] = []string{d.Text}
		if d.Words >= longWords {
			texts[i] = nil
			for _, b := range corpus.CutTo(d, partLeast, partMost) {
				texts[i] = append(texts[i], b.Document.Text)
			}
		}
		turns = max(turns, len(texts[i]))
	}
	var out []piece
	for turn := range turns {
		for i, d := range docs {
			if turn >= len(texts[i]) {
				continue
			}
			if x, ok := p.beginning(d, texts[i][turn], most); ok && (turn == 0 || len(x.plain.Tokens)-x.plain.From >= unitTokens) {
				out = append(out, x)
			}
		}
	}
	return out
}

// beginning is the bare piece of a text, which is a part of a document or all of it, as
// far as most tokens, and whether anything of it is scored. Where the words that passages
// are asked with fill it, as in a script that the tokenizer hardly knows, half is scored.
func (p *passages) beginning(d stroke.Document, text string, most int) (piece, bool) {
	ids := p.b.tok.Encode(text)
	asked, bytes := head(text, askWords)
	from := 0
	for n := 0; from < len(ids) && n < bytes; from++ {
		n += len(p.b.tok.Piece(ids[from]))
	}
	if from >= len(ids) {
		return piece{}, false
	}
	fits := min(len(ids), p.b.model.Context-1)
	if most > 0 {
		fits = min(fits, most)
	}
	if from >= fits {
		from = fits / 2
		asked = p.b.tok.Decode(ids[:from])
	}
	return piece{doc: d.Hash, of: d, asked: asked, plain: eval.Piece{Context: []int32{p.b.first}, Tokens: ids[:fits], From: from}}, true
}

// fill puts passages before a bare piece.
func (p *passages) fill(x *piece) {
	room := p.b.model.Context - 1 - len(x.plain.Tokens)
	before := func(p *passages) eval.Piece {
		return eval.Piece{Context: append([]int32{p.b.first}, p.find(x.of.Title+"\n"+x.asked, p.own(x.of), room)...), Tokens: x.plain.Tokens, From: x.plain.From}
	}
	x.prompted = before(p)
	if x.rival = x.prompted; p.prompt.Tokens == 0 {
		x.rival = before(p.rival())
	}
}

// evenly are pieces that lie evenly among bare ones, as many as fit into room by what
// each takes.
func (p *passages) evenly(bare []piece, room int, takes func(piece) int) []piece {
	list := make([]*piece, len(bare))
	for i := range bare {
		list[i] = &bare[i]
	}
	list = evenly(list, room, func(x *piece) int {
		p.fill(x)
		return takes(*x)
	})
	out := make([]piece, len(list))
	for i, x := range list {
		out[i] = *x
	}
	return out
}

// within are parts of documents in order, as many as fit a number of tokens through the
// base under all four conditions.
func (p *passages) within(docs []stroke.Document, most, tokens int) []piece {
	list := p.parts(docs, most)
	for i := range list {
		p.fill(&list[i])
		if tokens -= list[i].reads(); tokens < 0 && i > 0 {
			return list[:i]
		}
	}
	return list
}

// fromOthers are the passages with which nothing of the longer document that a piece
// was cut from stands before it. What is written next is no part of a document that is
// here already, and passages of the same one save much more than they will do then.
// Where all passages are of one document they may come from it.
func (p *passages) fromOthers() *passages {
	q := *p
	q.apart = p.severalDocuments()
	return &q
}

// evidence is what a verdict is given by.
type evidence verdict.Evidence

// judgeTokens and besideTokens bound what a verdict puts through the base under the
// four conditions, and under the start and the controls.
func (r *run) judgeTokens() int  { return gateTokens * r.times() }
func (r *run) besideTokens() int { return controlShare * r.times() }

func (r *run) times() int {
	if r.bf16() && kernel.MatrixTiles() {
		return fastTimes
	}
	return 1
}

// written is what was learnt as it will be written: an adapter in F16.
func (r *run) written(l *learnt) (*learnt, error) {
	if l.adapter == nil {
		return l, nil
	}
	half, err := r.asWritten(l.adapter)
	if err != nil {
		return nil, err
	}
	return &learnt{adapter: half}, nil
}

// judgePieces scores documents under the four conditions, the start and the
// controls: of each as many pieces as there is time for, the first of them.
func (r *run) judgePieces(ctx context.Context, l *learnt, docs []stroke.Document) (*evidence, error) {
	pieces := r.passages.within(docs, pieceTokens, r.judgeTokens())
	tell := func(condition string, done, total int) {
		r.emit(stroke.ScoreEvent{Condition: condition, Done: done, Total: total})
	}
	losses, err := r.b.judge(ctx, pieces, l, r.bf16(), func(c verdict.Condition, done, total int) { tell(c.String(), done, total) })
	if err != nil {
		return nil, interrupted(err, "judge what was learnt", resumeHint)
	}
	for c := range losses {
		if x := eval.Pool(losses[c]).PerToken(); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: fmt.Sprintf("what was learnt at a learning rate of %.3g gives no numbers on judge documents", r.recipe.Options.Rate),
				Hint: fmt.Sprintf("train again with a lower rate, for example --rate %.2g; versions made before still work", r.recipe.Options.Rate/3)}
		}
	}
	against, err := r.controls()
	if err != nil {
		return nil, err
	}
	out := &evidence{Groups: groupsOf(pieces), Losses: losses}
	if out.Start, out.Controls, err = r.b.beside(ctx, pieces, against, r.besideTokens(), r.bf16(), tell); err != nil {
		return nil, interrupted(err, "judge by controls", resumeHint)
	}
	return out, nil
}

// reads is how many tokens go through the base under all four conditions.
func (p piece) reads() int {
	return 2*len(p.plain.Context) + len(p.prompted.Context) + len(p.rival.Context) + 4*len(p.plain.Tokens)
}

// scored is how many are scored under one of them.
func (p piece) scored() int { return len(p.plain.Tokens) }

// judge scores pieces under the four conditions; those with the adapter are with
// what was learnt, whatever it is. progress may be nil.
func (b *baseModel) judge(ctx context.Context, pieces []piece, l *learnt, bf16 bool, progress func(c verdict.Condition, done, total int)) (losses [verdict.Conditions][]eval.Loss, err error) {
	longest := 2
	for _, p := range pieces {
		longest = max(longest, len(p.prompted.Context)+len(p.prompted.Tokens), len(p.rival.Context)+len(p.rival.Tokens))
	}
	without, err := eval.NewScorer(b.model, longest, l.pad(), bf16)
	if err != nil {
		return losses, err
	}
	defer without.Close()
	m, adapter, done, err := l.at(b.model, 1)
	if err != nil {
		return losses, err
	}
	defer done()
	with := without
	if m != b.model {
		if with, err = eval.NewScorer(m, longest, 0, bf16); err != nil {
			return losses, err
		}
		defer with.Close()
	}
	for c := range verdict.Conditions {
		_, withAdapter := c.Uses()
		list := make([]eval.Piece, len(pieces))
		for i := range pieces {
			list[i] = pieces[i].under(c)
		}
		s, use := without, []lora.Applied(nil)
		if withAdapter {
			s, use = with, adapter
		}
		losses[c], err = s.Score(ctx, list, use, func(i int) {
			if progress != nil {
				progress(c, i+1, len(list))
			}
		})
		if err != nil {
			return losses, err
		}
	}
	return losses, nil
}
