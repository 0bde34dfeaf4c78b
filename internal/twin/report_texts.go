package twin

import (
	"context"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/twin/report"
)

// texts are what the measures on text look at, kept as they are written.
type texts struct {
	Judge []writtenText // from openings of judge documents
	Train []writtenText // by the base, from openings of train documents
	Of    [2]int        // how many there will be of each
}

// writtenText is how writer, twin and base go on from one opening, all to one
// length.
type writtenText struct {
	Group, Opening  string
	Own, Twin, Base string
}

func (t *texts) whole() bool { return len(t.Judge) == t.Of[0] && len(t.Train) == t.Of[1] }

// written is the stage that lets twin and base write.
func (p *reporter) written() *stage {
	judge := openings(p.judge, textPlaces, textGiven, textLeast, likeness.Unit, textGiven+likeness.Unit)
	if p.folds != nil {
		judge = nil
		for _, x := range p.folds.Texts {
			judge = append(judge, opening{doc: stroke.Document{Hash: x.Group}, text: x.Opening, own: x.Own})
		}
	}
	train := openings(p.train, basePlaces, textGiven, 0, 1, 2*likeness.Unit)
	s := &stage{name: ofTexts, into: &p.texts, ready: p.texts.whole,
		key: p.textsKey(), writes: (2*len(judge) + len(train)) * likeness.Unit * 4 / 3, reads: len(judge) * p.passages.prompt.Tokens}
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
				open[i].Words = len(strings.Fields(judge[lo+i].own))
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
				n := min(len(strings.Fields(o.own)), len(strings.Fields(twins[i])), len(strings.Fields(bases[i])))
				p.texts.Judge = append(p.texts.Judge, writtenText{o.doc.Hash, o.text, likeness.Head(o.own, n), likeness.Head(twins[i], n), likeness.Head(bases[i], n)})
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

// sides are the texts as measures take them.
func (t *texts) sides() (s likeness.Sides, base []likeness.Piece, openings map[string]string) {
	openings = map[string]string{}
	for _, x := range t.Judge {
		s.Twin = append(s.Twin, likeness.Piece{Group: x.Group, Text: x.Twin})
		s.Base = append(s.Base, likeness.Piece{Group: x.Group, Text: x.Base})
		s.Own = append(s.Own, likeness.Piece{Group: x.Group, Text: x.Own})
		openings[x.Group] += x.Opening + "\n\n"
	}
	for _, x := range t.Train {
		base = append(base, likeness.Piece{Group: x.Group, Text: x.Base})
	}
	return s, base, openings
}

// recogniser is trained once in a report.
func (p *reporter) recogniser() (*likeness.Recogniser, error) {
	if p.known == nil {
		_, base, _ := p.texts.sides()
		r, err := likeness.NewRecogniser(likeness.Known{Writer: likeness.Pieces(p.train), Base: base, Seed: p.o.Seed})
		if err != nil {
			return nil, err
		}
		p.known = r
	}
	return p.known, nil
}

// onTexts is a measure on texts that are written.
func (p *reporter) onTexts(name string, work float64, into any, do func() error) *stage {
	return &stage{name: name, needs: ofTexts, work: work, into: into, key: hashes(p.train), do: func(ctx context.Context, progress func(done, total int)) error {
		if len(p.texts.Judge) == 0 {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "there are no texts to look at"}
		}
		progress(0, 1)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(); err != nil {
			return err
		}
		progress(1, 1)
		return nil
	}}
}

func (p *reporter) recognition() *stage {
	p.r.Recognition = &likeness.Recognition{}
	return p.onTexts(ofRecognition, recogniserWork, p.r.Recognition, func() error {
		r, err := p.recogniser()
		if err != nil {
			return err
		}
		s, _, _ := p.texts.sides()
		*p.r.Recognition = r.Recognise(s, p.how)
		return nil
	})
}

func (p *reporter) habits() *stage {
	p.r.Range = &report.Range{}
	return p.onTexts(ofRange, habitsWork, p.r.Range, func() error {
		s, _, _ := p.texts.sides()
		train := likeness.Pieces(p.train)
		r, err := likeness.MeasureRange(train, s, p.how)
		if err != nil {
			return err
		}
		p.r.Range.Range = *r
		for _, h := range []struct {
			to *[]likeness.Profile
			of []likeness.Piece
		}{{&p.r.Range.WriterHabits, train}, {&p.r.Range.TwinHabits, s.Twin}, {&p.r.Range.BaseHabits, s.Base}} {
			if *h.to, err = likeness.Profiles(h.of); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *reporter) leakage() *stage {
	p.r.Leakage = &likeness.Leakage{}
	return p.onTexts(ofLeakage, habitsWork, p.r.Leakage, func() error {
		s, _, openings := p.texts.sides()
		*p.r.Leakage = likeness.NewSource(likeness.Pieces(p.train)).Measure(s, openings, p.how)
		return nil
	})
}

// sideBySide marks in some of the texts what is the writer's.
func (p *reporter) sideBySide() *stage {
	p.r.Passages = &report.Passages{}
	return p.onTexts(ofPassages, habitsWork, p.r.Passages, func() error {
		s, base, _ := p.texts.sides()
		m, err := likeness.NewMarker(likeness.Pieces(p.train), base)
		if err != nil {
			return err
		}
		out := p.r.Passages
		*out = report.Passages{Own: m.Density(s.Own, p.how), Twin: m.Density(s.Twin, p.how), Base: m.Density(s.Base, p.how)}
		marked := func(text string) report.Marked {
			text = likeness.Head(text, shownWords)
			if parts := strings.Split(text, "\n\n"); len(parts) > shownParagraphs {
				text = strings.Join(parts[:shownParagraphs], "\n\n")
			}
			return report.Marked{Text: text, Marks: m.Marks(text)}
		}
		for _, x := range p.texts.Judge[:min(shownPassages, len(p.texts.Judge))] {
			out.Shown = append(out.Shown, report.Passage{Opening: x.Opening, Own: marked(x.Own), Twin: marked(x.Twin), Base: marked(x.Base)})
		}
		return nil
	})
}

// textsKey is what the texts depend on beside version and seed.
func (p *reporter) textsKey() any {
	key := []any{hashes(p.train), DefaultSampling()}
	if p.folds != nil {
		key = append(key, p.v.Folds)
	}
	return key
}
