package twin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/twin/control"
	"github.com/getstroke/stroke/internal/twin/verdict"
	"github.com/getstroke/stroke/internal/word"
)

// What a verdict takes beside the four conditions.

const (
	controlShare = 18000 // tokens through the base for the start and six controls: eight blocks
	fastTimes    = 2     // as many tokens where scoring is in matrix tiles

	sampleTexts = 8   // that are written to look for copies in
	sampleGiven = 30  // words of an opening
	sampleWords = 100 // of a text
	// sampleGroups is of how many documents at the least sameness is told: intervals of
	// fewer say next to nothing.
	sampleGroups = 6
)

// systems are those that a twin's adapter is compared with on judge text.
type systems struct {
	start    []lora.Applied // what it stands on; nil for the bare base
	controls []namedSystem
}

type namedSystem struct {
	name string
	use  []lora.Applied
}

// controls gives what a run's adapter is compared with. A control is the adapter of
// another writer on what the run itself stands on, or, where that is the bare base,
// on what the control was made on: any prose would give that. One whose text is
// among the writer's is left out.
func (r *run) controls() (*systems, error) {
	s := &systems{start: r.start()}
	if r.recipe.On != "" {
		// One that has learnt what judges is no measure of what was added to it. No
		// control is made alike.
		below, err := r.learntBelow()
		if err != nil {
			return s, err
		}
		if slices.ContainsFunc(r.judge, func(d stroke.Document) bool { return below[d.Hash] }) {
			return s, nil
		}
		a, err := r.onto()
		if err == nil {
			s.start = []lora.Applied{{Adapter: a, Strength: 1}}
		}
		return s, err
	}
	if r.recipe.Method != LoRA {
		return s, nil // weights of the base have no control that is made alike
	}
	words := r.words[stroke.RoleTrain] + r.words[stroke.RoleSelect]
	list, err := control.For(genre.Key(r.b.name), words)
	if err != nil || len(list) == 0 {
		return s, err
	}
	var prints [][]uint64
	for _, c := range list {
		prints = append(prints, c.Hashes())
	}
	held := control.Held(textsOf(r.all()), prints...)
	library, err := Library()
	if err != nil {
		return s, err
	}
	for i, c := range list {
		if held[i] {
			r.emit(stroke.NoteEvent{Text: "among this writing is text by " + c.Writer + ", which a control was made from: it is left out"})
			continue
		}
		below := s.start
		if len(below) == 0 {
			g := library.WithSum(r.b.name, c.Start, c.StartSHA256)
			if g == nil {
				continue // on anything but what it was made on it would be too weak
			}
			a, err := r.b.genre(g)
			if err != nil {
				continue
			}
			below = []lora.Applied{{Adapter: a, Strength: 1}}
		}
		a, err := r.b.control(&c)
		if err != nil {
			return s, err
		}
		s.controls = append(s.controls, namedSystem{c.Name, append(slices.Clone(below), lora.Applied{Adapter: a, Strength: 1})})
	}
	return s, nil
}

// textsOf are the texts of documents.
func textsOf(docs []stroke.Document) []string {
	out := make([]string, len(docs))
	for i, d := range docs {
		out[i] = d.Text
	}
	return out
}

// control reads the adapter of a control for the base.
func (b *baseModel) control(c *control.Control) (*lora.Adapter, error) {
	config, tensors, err := c.Adapter()
	if err != nil {
		return nil, err
	}
	file, err := lora.Read("the control "+c.Name, config, tensors)
	var a *lora.Adapter
	if err == nil {
		a, err = b.fit(file)
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: fmt.Sprintf("the control %s does not fit the base %s", c.Name, b.name), Err: err,
			Hint: "is the base's file the one that the catalog names? stroke base list says; --base PATH uses a base without controls"}
	}
	return a, nil
}

// beside scores the first pieces, without passages, under what the adapter stands
// on and under each control, so that all take no more than tokens through the base.
func (b *baseModel) beside(ctx context.Context, pieces []piece, s *systems, tokens int, bf16 bool, progress func(name string, done, total int)) (start []eval.Loss, controls []verdict.Control, err error) {
	list := s.controls
	if len(s.start) > 0 {
		list = append([]namedSystem{{"start", s.start}}, list...)
	}
	if len(list) == 0 {
		return nil, nil, nil
	}
	var plain []eval.Piece
	longest, pad := 2, 0
	left := tokens / len(list)
	for _, p := range pieces {
		n := len(p.plain.Context) + len(p.plain.Tokens)
		if left -= n; left < 0 && len(plain) > 0 {
			break
		}
		plain = append(plain, p.plain)
		longest = max(longest, n)
	}
	for _, x := range list {
		pad = max(pad, eval.System{Adapters: x.use}.Pad())
	}
	scorer, err := eval.NewScorer(b.model, longest, pad, bf16)
	if err != nil {
		return nil, nil, err
	}
	defer scorer.Close()
	for i, x := range list {
		losses, err := scorer.Score(ctx, plain, x.use, func(k int) {
			if progress != nil {
				progress(x.name, k+1, len(plain))
			}
		})
		if err != nil {
			return nil, nil, fmt.Errorf("under %s: %w", x.name, err)
		}
		if i == 0 && len(s.start) > 0 {
			start = losses
		} else {
			controls = append(controls, verdict.Control{Name: x.name, Losses: losses})
		}
	}
	return start, controls, nil
}

// sampled looks at what was learnt, and notes in the evidence what a few texts by it show.
func (r *run) sampled(ctx context.Context, l *learnt, train []stroke.Document, e *evidence) (err error) {
	var looked bool
	r.emit(stroke.NoteEvent{Text: "writing a few texts, to see whether what was learnt copies"})
	e.Copier, e.Monotone, looked, err = r.b.sampled(ctx, l, train, r.judge, r.recipe.Options.Seed, r.o.Exact)
	e.Unlooked = !looked
	return err
}

// sampled is what a few texts by what was learnt show, written from openings of
// the documents it was trained on, without passages: copies, and sameness beside texts of
// the writer's own of the same length, from up to as many openings. What writes less than
// half of what is asked for counts as the same. Where there are fewer than two
// openings, both are empty and nothing was looked at; sameness is not told from fewer than
// sampleGroups documents. With exact they are written in float32.
func (b *baseModel) sampled(ctx context.Context, l *learnt, train, own []stroke.Document, seed uint64, exact bool) (copier, monotone string, looked bool, err error) {
	open := openings(spread(train), sampleTexts, sampleGiven, sampleWords/2, 2*likeness.Unit, sampleGiven+sampleWords)
	if len(open) < 2 || len(own) == 0 {
		return "", "", false, nil
	}
	m, use, done, err := l.at(b.model, 1)
	if err != nil {
		return "", "", false, err
	}
	defer done()
	sides := likeness.Sides{}
	given := map[string]string{}
	write := func(on *model.Model, sys eval.System) ([]likeness.Piece, error) {
		e, err := b.start(on, l.serving(engine.Options{Streams: 4, Context: min(4*(sampleGiven+sampleWords)+64, b.model.Context), Pad: max(l.pad(), 16), Memory: 256 << 20}, exact))
		if err != nil {
			return nil, err
		}
		defer e.Close()
		w := &eval.Writer{Engine: e, Tokenizer: b.tok, Sampling: DefaultSampling(), Streams: 4}
		var list []eval.Opening
		for i, o := range open {
			list = append(list, eval.Opening{Tokens: append([]int32{b.first}, b.tok.Encode(o.text)...), Words: sampleWords, Seed: seed + 1000*uint64(i)})
		}
		texts, err := w.GoOn(ctx, sys, list, nil)
		if err != nil {
			return nil, err
		}
		var out []likeness.Piece
		for i, text := range texts {
			out = append(out, likeness.Piece{Group: open[i].doc.Hash, Text: likeness.Head(text, sampleWords)})
		}
		return out, nil
	}
	for _, o := range open {
		given[o.doc.Hash] += o.text + "\n\n"
	}
	if sides.Twin, err = write(m, eval.System{Name: "twin", Adapters: use}); err != nil {
		return "", "", false, err
	}
	sides.Own = likeness.Pieces(own)
	how := likeness.Resampling{Seed: seed}
	copied := likeness.MeasureLeakage([]likeness.Part{{Train: likeness.Pieces(train), Sides: sides}}, given, how)
	if copied.Copier {
		copier = copied.Why
	}
	if wrote, asked := wordsIn(sides.Twin), sampleWords*len(open); 2*wrote < asked {
		return copier, fmt.Sprintf("of the %d words that were asked for it wrote %d", asked, wrote), true, nil
	}
	begun := openings(spread(own), sampleTexts, sampleGiven, sampleWords, sampleWords, sampleGiven+sampleWords)
	sides.Own = nil
	groups := map[string]bool{}
	for _, o := range begun {
		sides.Own = append(sides.Own, likeness.Piece{Group: o.doc.Hash, Text: o.own})
		groups[o.doc.Hash] = true
	}
	if len(groups) < sampleGroups || len(given) < sampleGroups {
		return copier, "", true, nil
	}
	r, err := likeness.MeasureRange(likeness.Pieces(train), sides, sampleWords, how)
	if err != nil {
		return "", "", false, err
	}
	if r.Monotone {
		monotone = strings.TrimSpace(r.Why)
	}
	return copier, monotone, true, nil
}

// wordsIn is how many words pieces have.
func wordsIn(pieces []likeness.Piece) (n int) {
	for _, p := range pieces {
		n += word.Count(p.Text)
	}
	return n
}
