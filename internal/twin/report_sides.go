package twin

import (
	"context"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/twin/report"
)

// part is a part of the texts, with what measures may learn from beside it: nothing
// of the documents that its texts begin in.
type part struct {
	train []stroke.Document // that the twin had learnt from
	base  []likeness.Piece  // by the bare base, from openings of other documents
	sides likeness.Sides

	without []string // reference writers who are the writer
	known   *likeness.Recogniser
}

// add takes a text into the part.
func (t *part) add(x writtenText) {
	t.sides.Twin = append(t.sides.Twin, likeness.Piece{Group: x.Group, Text: x.Twin})
	t.sides.Base = append(t.sides.Base, likeness.Piece{Group: x.Group, Text: x.Base})
	t.sides.Own = append(t.sides.Own, likeness.Piece{Group: x.Group, Text: x.Own})
}

// recogniser is trained once.
func (t *part) recogniser(seed uint64) (*likeness.Recogniser, error) {
	if t.known == nil {
		r, err := likeness.NewRecogniser(likeness.Known{Writer: likeness.Pieces(t.train), Base: t.base, Without: t.without, Seed: seed})
		if err != nil {
			return nil, err
		}
		t.known = r
	}
	return t.known, nil
}

// inParts parts the texts that are written by whose they are: one part for the
// twin, or one for each fold's.
func (p *reporter) inParts() []*part {
	if p.parts != nil {
		return p.parts
	}
	if !p.folded() {
		one := &part{train: p.train}
		for _, x := range p.texts.Train {
			one.base = append(one.base, likeness.Piece{Group: x.Group, Text: x.Base})
		}
		for _, x := range p.texts.Judge {
			one.add(x)
		}
		p.parts = []*part{one}
		return p.parts
	}
	for fold, learnt := range p.folds.Learnt {
		t := &part{}
		for _, d := range p.compared() {
			if slices.Contains(learnt, d.Hash) {
				t.train = append(t.train, d)
			}
		}
		for _, x := range p.texts.Judge {
			if x.Fold == fold {
				t.add(x)
			} else {
				t.base = append(t.base, likeness.Piece{Group: x.Group, Text: x.Base})
			}
		}
		if len(t.sides.Own) > 0 {
			p.parts = append(p.parts, t)
		}
	}
	return p.parts
}

// beside is what measures on judge documents may learn from: train documents, and
// what the base wrote from openings of documents that do not judge.
func (p *reporter) beside() *part {
	if !p.folded() {
		return p.inParts()[0]
	}
	t := &part{train: p.train}
	for _, x := range p.texts.Judge {
		if p.ledger.Role(x.Group) != stroke.RoleJudge {
			t.base = append(t.base, likeness.Piece{Group: x.Group, Text: x.Base})
		}
	}
	return t
}

// compared are the documents that the texts are set against: those that were trained
// on, or all where the texts begin in all.
func (p *reporter) compared() []stroke.Document {
	if p.folded() {
		return slices.Concat(p.train, p.choose, p.judge)
	}
	return p.train
}

// sides are those of all texts, and what they were begun with by the documents'
// hashes.
func (p *reporter) sides() (s likeness.Sides, openings map[string]string) {
	for _, t := range p.inParts() {
		s.Twin, s.Base, s.Own = append(s.Twin, t.sides.Twin...), append(s.Base, t.sides.Base...), append(s.Own, t.sides.Own...)
	}
	openings = map[string]string{}
	for _, x := range p.texts.Judge {
		openings[x.Group] += x.Opening + "\n\n"
	}
	return s, openings
}

// onTexts is a measure on texts that are written.
func (p *reporter) onTexts(name string, work float64, into any, do func() error) *stage {
	return &stage{name: name, needs: ofTexts, work: work, into: into, key: []any{hashes(p.compared()), p.textsKey()}, do: func(ctx context.Context, progress func(done, total int)) error {
		if len(p.texts.Judge) == 0 {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "there are no texts to look at", Hint: "train again with more writing: texts are begun in documents that are withheld to judge by"}
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
	work := recogniserWork
	if p.folded() {
		work *= crossFolds
	}
	return p.onTexts(ofRecognition, work, p.r.Recognition, func() error {
		var asked []likeness.Asked
		for _, t := range p.inParts() {
			r, err := t.recogniser(p.o.Seed)
			if err != nil {
				return err
			}
			asked = append(asked, likeness.Asked{By: r, Sides: t.sides})
		}
		*p.r.Recognition = likeness.Recognise(asked, p.how)
		return nil
	})
}

func (p *reporter) habits() *stage {
	p.r.Range = &report.Range{}
	return p.onTexts(ofRange, habitsWork, p.r.Range, func() error {
		s, _ := p.sides()
		writer := likeness.Pieces(p.compared())
		r, err := likeness.MeasureRange(writer, s, likeness.Unit, p.how)
		if err != nil {
			return err
		}
		p.r.Range.Range = *r
		for _, h := range []struct {
			to *[]likeness.Profile
			of []likeness.Piece
		}{{&p.r.Range.WriterHabits, writer}, {&p.r.Range.TwinHabits, s.Twin}, {&p.r.Range.BaseHabits, s.Base}} {
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
		_, openings := p.sides()
		var parts []likeness.Part
		for _, t := range p.inParts() {
			parts = append(parts, likeness.Part{Train: likeness.Pieces(t.train), Sides: t.sides})
		}
		*p.r.Leakage = likeness.MeasureLeakage(parts, openings, p.how)
		return nil
	})
}

// sideBySide marks in some of the texts what is the writer's.
func (p *reporter) sideBySide() *stage {
	p.r.Passages = &report.Passages{}
	return p.onTexts(ofPassages, habitsWork, p.r.Passages, func() error {
		var markers []*likeness.Marker
		var twin, base, own [][]likeness.Piece
		by := map[string]*likeness.Marker{} // the document that a text begins in
		for _, t := range p.inParts() {
			m, err := likeness.NewMarker(likeness.Pieces(t.train), t.base)
			if err != nil {
				return err
			}
			markers, twin, base, own = append(markers, m), append(twin, t.sides.Twin), append(base, t.sides.Base), append(own, t.sides.Own)
			for _, q := range t.sides.Own {
				by[q.Group] = m
			}
		}
		out := p.r.Passages
		*out = report.Passages{Own: likeness.Density(markers, own, p.how), Twin: likeness.Density(markers, twin, p.how), Base: likeness.Density(markers, base, p.how)}
		for _, x := range p.texts.Judge[:min(shownPassages, len(p.texts.Judge))] {
			marked := func(text string) report.Marked {
				text = likeness.Head(text, shownWords)
				if parts := strings.Split(text, "\n\n"); len(parts) > shownParagraphs {
					text = strings.Join(parts[:shownParagraphs], "\n\n")
				}
				return report.Marked{Text: text, Marks: by[x.Group].Marks(text)}
			}
			out.Shown = append(out.Shown, report.Passage{Opening: x.Opening, Own: marked(x.Own), Twin: marked(x.Twin), Base: marked(x.Base)})
		}
		return nil
	})
}
