package twin

import (
	"context"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/word"
)

// texts are what the measures on text look at, kept as they are written.
type texts struct {
	Judge []writtenText // from openings of judge documents or, where folds wrote, of documents of all folds
	Train []writtenText // by the base, from openings of train documents; none where others of the folds serve
	Of    [2]int        // how many there will be of each
}

// writtenText is how writer, twin and base go on from one opening, all to one
// length.
type writtenText struct {
	Group, Opening  string
	Own, Twin, Base string
	Fold            int `json:",omitempty"` // whose twin wrote
}

func (t *texts) whole() bool { return len(t.Judge) == t.Of[0] && len(t.Train) == t.Of[1] }

// written is the stage that lets twin and base write.
func (p *reporter) written() *stage {
	judge := openings(spread(p.judge), textPlaces, textGiven, textLeast, likeness.Unit, textGiven+likeness.Unit)
	if p.folds != nil {
		judge = nil
		for _, x := range p.folds.Texts {
			judge = append(judge, opening{doc: stroke.Document{Hash: x.Group}, text: x.Opening, own: x.Own})
		}
	}
	train := openings(spread(p.train), basePlaces, textGiven, 0, 1, 2*likeness.Unit)
	if p.folded() {
		train = nil
	}
	s := &stage{name: ofTexts, into: &p.texts, ready: p.texts.whole,
		key: p.textsKey(), writes: (2*len(judge) + len(train)) * likeness.Unit * 4 / 3, reads: len(judge) * p.passages.prompt.Tokens}
	if p.folds != nil {
		s.writes, s.reads = (len(judge)+len(train))*likeness.Unit*4/3, 0
	}
	s.do = func(ctx context.Context, progress func(done, total int)) error {
		if len(judge) == 0 {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "no judge document is long enough to write on from its beginning", Hint: "train again with longer pieces"}
		}
		if p.texts.Of != [2]int{len(judge), len(train)} || p.o.Afresh {
			p.texts = texts{Of: [2]int{len(judge), len(train)}}
		}
		w, done, err := p.writers(likeness.Unit)
		if err != nil {
			return err
		}
		defer done()
		if p.folds != nil {
			w.base.Sampling = p.folds.drawn()
		}
		var before [][]int32
		if p.folds == nil {
			before = p.before(judge, p.passages, p.contextFor(likeness.Unit)-3*likeness.Unit-64)
		}
		total := len(judge) + len(train)
		tell := func() { progress(len(p.texts.Judge)+len(p.texts.Train), total) }
		for lo := len(p.texts.Judge); lo < len(judge); lo = len(p.texts.Judge) {
			tell()
			hi := min(lo+w.twin.Streams, len(judge))
			open := p.begun(judge[lo:hi], lo)
			for i := range open {
				open[i].Words = word.Count(judge[lo+i].own)
			}
			twins, err := p.twins(ctx, w.twin, open, before, lo, hi)
			if err != nil {
				return err
			}
			bases, err := w.base.GoOn(ctx, eval.System{Name: "base"}, open, nil)
			if err != nil {
				return err
			}
			for i, o := range judge[lo:hi] {
				n := min(word.Count(o.own), word.Count(twins[i]), word.Count(bases[i]))
				x := writtenText{Group: o.doc.Hash, Opening: o.text, Own: likeness.Head(o.own, n), Twin: likeness.Head(twins[i], n), Base: likeness.Head(bases[i], n)}
				if p.folds != nil {
					x.Fold = p.folds.Texts[lo+i].Fold
				}
				p.texts.Judge = append(p.texts.Judge, x)
			}
			if err := p.keep(s); err != nil {
				return err
			}
		}
		for lo := len(p.texts.Train); lo < len(train); lo = len(p.texts.Train) {
			tell()
			hi := min(lo+w.base.Streams, len(train))
			bases, err := w.base.GoOn(ctx, eval.System{Name: "base"}, p.begun(train[lo:hi], 500+lo), nil)
			if err != nil {
				return err
			}
			for i, o := range train[lo:hi] {
				p.texts.Train = append(p.texts.Train, writtenText{Group: o.doc.Hash, Opening: o.text, Base: likeness.Head(bases[i], likeness.Unit)})
			}
			if err := p.keep(s); err != nil {
				return err
			}
		}
		tell()
		return nil
	}
	return s
}

// twins are the texts by the twin from the openings lo to hi: by those of the folds,
// where there were any.
func (p *reporter) twins(ctx context.Context, w *eval.Writer, open []eval.Opening, before [][]int32, lo, hi int) ([]string, error) {
	if p.folds == nil {
		return w.GoOn(ctx, p.system("twin", p.use, before[lo:hi]), open, nil)
	}
	var out []string
	for _, x := range p.folds.Texts[lo:hi] {
		out = append(out, x.Twin)
	}
	return out, nil
}

// begun are openings to go on with, numbered from first on.
func (p *reporter) begun(list []opening, first int) []eval.Opening {
	out := make([]eval.Opening, len(list))
	for i, o := range list {
		out[i] = eval.Opening{Tokens: p.tokens(o.text), Words: likeness.Unit, Seed: p.o.Seed + 1000*uint64(first+i)}
	}
	return out
}

// folded says whether the texts are of all folds, each to be looked at with what its
// twin had learnt from.
func (p *reporter) folded() bool { return p.folds != nil && len(p.folds.Learnt) > 0 }

// textsKey is what the texts depend on beside version and seed.
func (p *reporter) textsKey() any {
	o := p.learnt.serving(engine.Options{}, p.exact)
	how := DefaultSampling()
	if p.folds != nil {
		how = p.folds.drawn()
	}
	key := []any{hashes(p.train), how, kernel.Name(), o.Arithmetic, o.Reading, o.KV}
	if p.folds != nil {
		key = append(key, p.v.Folds)
	}
	return key
}
