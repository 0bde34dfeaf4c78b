package twin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/word"
)

// CellTexts is what was measured on texts that go on from openings of judge
// documents, written as they are served. None of the texts is kept.
type CellTexts struct {
	Sampling    engine.Sampling      `json:"sampling"` // but for its seed, which is the cell's
	Texts       int                  `json:"texts"`
	Documents   int                  `json:"documents"` // that they begin in
	Recognition likeness.Recognition `json:"recognition"`
	Range       *likeness.Range      `json:"range"`
	Leakage     likeness.Leakage     `json:"leakage"` // without the runs and leaks themselves
}

// CellSampling is what was measured on texts that were drawn otherwise than by default.
type CellSampling struct {
	Name     string          `json:"name"`
	Sampling engine.Sampling `json:"sampling"` // but for its seed, which is the cell's
	Texts    *CellTexts      `json:"texts"`
}

// measureTexts lets what was learnt write, and looks at the texts as a report
// does: by default, and with each of the samplings, whose texts it fills in.
// Openings and seeds are the same, and so is what the base wrote, by default. known are
// reference writers who are the writer.
func (l *Lab) measureTexts(ctx context.Context, r *run, own speaker, known []string, samplings []CellSampling) (*CellTexts, error) {
	seed := r.recipe.Options.Seed
	places := openings(r.judge, textPlaces, textGiven, textLeast, likeness.Unit, textGiven+likeness.Unit)
	if len(places) == 0 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "no judge document is long enough to write on from its beginning"}
	}
	m := &measured{b: l.b, learnt: own.learnt, model: own.model, passages: r.passages, use: own.adapters}
	r.passages.prompt = r.recipe.Prompt
	w, done, err := m.writers(likeness.Unit)
	if err != nil {
		return nil, err
	}
	defer done()
	begun := func(list []opening, first int) []eval.Opening {
		out := make([]eval.Opening, len(list))
		for i, o := range list {
			out[i] = eval.Opening{Tokens: m.tokens(o.text), Words: likeness.Unit, Seed: seed + 1000*uint64(first+i)}
		}
		return out
	}
	judge := begun(places, 0)
	for i, o := range places {
		judge[i].Words = word.Count(o.own)
	}
	before := m.before(places, m.passages, m.contextFor(likeness.Unit)-3*likeness.Unit-64)
	bases, err := l.byBase(ctx, w.base, judge)
	if err != nil {
		return nil, err
	}
	train := openings(r.train, basePlaces, textGiven, 0, 1, 2*likeness.Unit)
	others, err := l.byBase(ctx, w.base, begun(train, 500))
	if err != nil {
		return nil, err
	}
	t := &part{train: r.train, without: known}
	for i, o := range train {
		t.base = append(t.base, likeness.Piece{Group: o.doc.Hash, Text: likeness.Head(others[i], likeness.Unit)})
	}
	begins, groups := map[string]string{}, map[string]bool{}
	for _, o := range places {
		begins[o.doc.Hash] += o.text + "\n\n"
		groups[o.doc.Hash] = true
	}
	how := likeness.Resampling{Seed: seed}
	by, err := t.recogniser(seed)
	if err != nil {
		return nil, err
	}
	look := func(sampling engine.Sampling) (*CellTexts, error) {
		writer := *w.twin
		writer.Sampling = sampling
		twins, err := writer.GoOn(ctx, m.system("twin", m.use, before), judge, nil)
		if err != nil {
			return nil, err
		}
		x := &part{}
		for i, o := range places {
			n := min(word.Count(o.own), word.Count(twins[i]), word.Count(bases[i]))
			x.add(writtenText{Group: o.doc.Hash, Opening: o.text, Own: likeness.Head(o.own, n), Twin: likeness.Head(twins[i], n), Base: likeness.Head(bases[i], n)})
		}
		c := &CellTexts{Sampling: sampling, Texts: len(places), Documents: len(groups), Recognition: likeness.Recognise([]likeness.Asked{{By: by, Sides: x.sides}}, how)}
		if c.Range, err = likeness.MeasureRange(likeness.Pieces(r.train), x.sides, likeness.Unit, how); err != nil {
			return nil, err
		}
		c.Leakage = likeness.MeasureLeakage([]likeness.Part{{Train: likeness.Pieces(r.train), Sides: x.sides}}, begins, how)
		c.Leakage.Runs, c.Leakage.Leaks = nil, nil
		return c, nil
	}
	for i := range samplings {
		if samplings[i].Texts, err = look(samplings[i].Sampling); err != nil {
			return nil, err
		}
	}
	return look(w.twin.Sampling)
}

// byBase is what the bare base writes, once for all cells with the same openings.
func (l *Lab) byBase(ctx context.Context, w *eval.Writer, open []eval.Opening) ([]string, error) {
	b, err := json.Marshal(open)
	if err != nil {
		return nil, fmt.Errorf("name what is written: %w", err)
	}
	key := sha256.Sum256(b)
	if texts, ok := l.wrote[key]; ok {
		return texts, nil
	}
	texts, err := w.GoOn(ctx, eval.System{Name: "base"}, open, nil)
	if err == nil {
		l.wrote[key] = texts
	}
	return texts, err
}
