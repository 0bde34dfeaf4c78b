package twin

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/twin/report"
)

// Sizes of what a report measures on.
const (
	textPlaces      = 16 // openings that texts are written from, at the most
	textGiven       = 30 // words of an opening
	textLeast       = 60 // words by the writer behind it, at least
	basePlaces      = 12 // openings of train documents that the recogniser's texts by the base are from
	shownPassages   = 4
	shownWords      = 150 // of each
	shownParagraphs = 10
	rewritings      = 16
	controlTokens   = 12000 // scored by each control, at most
	fewUnits        = 8     // documents, below which blocks are the units of an interval
	unitTokens      = 200   // of a block
	recogniserWork  = 15.0  // seconds that one is trained, about
	habitsWork      = 4.0
)

// strengths that forgetting is measured at.
var strengths = []float64{0.5, 1, 1.5}

// list gives all stages in order, and says of those that cannot be made why.
func (p *reporter) list(ctx context.Context) ([]*stage, error) {
	pieces, groups := p.judged()
	list := []*stage{p.prediction(pieces, groups)}
	switch {
	case len(p.controls) > 0:
		list = append(list, p.specificity(pieces, groups))
	case p.specific():
		list = append(list, p.controlled())
	case p.wanted(ofSpecificity):
		p.unsaid(ofSpecificity, "no adapter of another writer is here to compare with", "name some, trained on this base with the same recipe and as many words: --control DIR")
	}
	list = append(list, p.written(), p.recognition(), p.habits(), p.leakage(), p.sideBySide())
	if p.wanted(ofThought) {
		if err := p.planThought(ctx); err != nil {
			return nil, err
		}
		if len(p.thought.choices) > 0 {
			list = append(list, p.thinking())
		} else {
			p.unsaid(ofThought, fmt.Sprintf("no judge document has the %d words that a pair of passages takes", 2*thoughtWords), "")
		}
	}
	forgetting, err := p.forgetting()
	if err != nil {
		return nil, err
	}
	list = append(list, forgetting, p.rewriting())
	if p.wanted(ofCurve) {
		list = append(list, p.curve(pieces)...)
	}
	return list, nil
}

// judged are the judge documents as pieces, each with its hash.
func (p *reporter) judged() (pieces []piece, groups []string) {
	pieces = p.passages.evenly(p.passages.parts(p.judge, pieceTokens), judgeTokens, piece.reads)
	return pieces, groupsOf(pieces)
}

// predicted is what is kept of prediction: the losses, from which all else
// follows.
type predicted struct {
	Groups                        []string
	Base, Examples, Adapter, Both []eval.Loss
}

func (p *reporter) prediction(pieces []piece, groups []string) *stage {
	if p.folds != nil {
		return &stage{name: ofPrediction, into: &p.predicted, key: p.v.Folds, do: func(_ context.Context, progress func(done, total int)) error {
			p.predicted = p.folds.Predicted
			progress(1, 1)
			return nil
		}}
	}
	s := &stage{name: ofPrediction, into: &p.predicted, key: []any{groups, hashes(p.train)}}
	for _, x := range pieces {
		s.reads += x.reads()
	}
	s.do = func(ctx context.Context, progress func(done, total int)) error {
		if len(pieces) == 0 {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("no judge document has more than the %d words that passages are asked with", askWords), Hint: "train again with longer pieces"}
		}
		plain, prompted, rival := make([]eval.Piece, len(pieces)), make([]eval.Piece, len(pieces)), make([]eval.Piece, len(pieces))
		longest := 2
		for i, x := range pieces {
			plain[i], prompted[i], rival[i] = x.plain, x.prompted, x.rival
			longest = max(longest, len(x.prompted.Context)+len(x.prompted.Tokens), len(x.rival.Context)+len(x.rival.Tokens))
		}
		base, twin, done, err := p.scorers(longest, p.learnt.pad())
		if err != nil {
			return err
		}
		defer done()
		p.predicted = predicted{Groups: groups}
		for k, c := range []struct {
			to     *[]eval.Loss
			scorer *eval.Scorer
			system eval.System
			pieces []eval.Piece
		}{{&p.predicted.Base, base, eval.System{Name: "base"}, plain}, {&p.predicted.Examples, base, eval.System{Name: "examples"}, rival},
			{&p.predicted.Adapter, twin, eval.System{Name: "adapter", Adapters: p.use}, plain}, {&p.predicted.Both, twin, eval.System{Name: "both", Adapters: p.use}, prompted}} {
			if *c.to, err = c.scorer.ScoreSystem(ctx, c.system, c.pieces, func(i int) { progress(k*len(pieces)+i+1, 4*len(pieces)) }); err != nil {
				return err
			}
		}
		return nil
	}
	return s
}

// gains are those over documents, or over blocks where there are few.
func (p *reporter) gains(groups []string, start, system []eval.Loss) []eval.Gain {
	if g := eval.Gains(groups, start, system); len(g) >= fewUnits {
		return g
	}
	return eval.BlockGains(groups, start, system, unitTokens)
}

func (p *reporter) predictionOf() *report.Prediction {
	k := &p.predicted
	if len(k.Base) == 0 {
		return nil
	}
	over := func(name string, start, system []eval.Loss) eval.Prediction {
		return eval.Predict(name, p.gains(k.Groups, start, system), reportRounds, p.o.Seed)
	}
	pool := eval.Pool(k.Base)
	out := &report.Prediction{Base: pool.PerToken(), Tokens: pool.Tokens,
		Examples: over("examples", k.Base, k.Examples), Adapter: over("adapter", k.Base, k.Adapter), Both: over("both", k.Base, k.Both), Over: over("both", k.Examples, k.Both)}
	out.Unit = p.unit(k.Groups, k.Base, k.Both)
	return out
}

// unit is what intervals of gains stand on.
func (p *reporter) unit(groups []string, start, system []eval.Loss) string {
	if len(eval.Gains(groups, start, system)) < fewUnits {
		return "blocks"
	}
	if n := cutFrom(p.ledger, p.judge); n > 0 {
		return "parts of " + documents(n)
	}
	return "documents"
}

func (p *reporter) specificity(pieces []piece, groups []string) *stage {
	var hashes []string
	for _, c := range p.controls {
		hashes = append(hashes, c.hash)
	}
	// Of many controls each is scored on fewer pieces.
	tokens := 0
	among := make([]int, len(pieces))
	for i := range among {
		among[i] = i
	}
	among = evenly(among, controlTokens, func(i int) int { return len(pieces[i].plain.Tokens) + 1 })
	n := len(among)
	for _, i := range among {
		tokens += len(pieces[i].plain.Tokens) + 1
	}
	p.r.Specificity, p.r.Level = &eval.Specificity{}, 0.95
	s := &stage{name: ofSpecificity, into: p.r.Specificity, key: hashes, reads: tokens * (len(p.controls) + 2)}
	s.do = func(ctx context.Context, progress func(done, total int)) error {
		if len(pieces) == 0 {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "there is too little judge text", Hint: "train again with more writing: a part of it is withheld to judge by"}
		}
		list, of := make([]eval.Piece, n), make([]string, n)
		longest, pad := 2, p.learnt.pad()
		for i := range list {
			list[i], of[i] = pieces[among[i]].plain, groups[among[i]]
			longest = max(longest, len(list[i].Context)+len(list[i].Tokens))
		}
		for _, c := range p.controls {
			pad = max(pad, c.adapter.Pad())
		}
		base, twin, done, err := p.scorers(longest, pad)
		if err != nil {
			return err
		}
		defer done()
		round, rounds := 0, len(p.controls)+2
		score := func(on *eval.Scorer, name string, use []lora.Applied) ([]eval.Loss, error) {
			l, err := on.ScoreSystem(ctx, eval.System{Name: name, Adapters: use}, list, func(i int) { progress(round*n+i+1, rounds*n) })
			round++
			return l, err
		}
		start, err := score(base, "base", nil)
		if err != nil {
			return err
		}
		own, err := score(twin, "adapter", p.use)
		if err != nil {
			return err
		}
		var controls []eval.Control
		for _, c := range p.controls {
			l, err := score(base, c.name, []lora.Applied{{Adapter: c.adapter, Strength: 1}})
			if err != nil {
				return err
			}
			controls = append(controls, eval.Control{Name: c.name, Gains: p.gains(of, start, l)})
		}
		*p.r.Specificity, err = eval.Specify(p.gains(of, start, own), controls, reportRounds, p.o.Seed)
		return err
	}
	return s
}

// specific says whether the verdict has specificity, on this base.
func (p *reporter) specific() bool {
	s := p.v.Verdict.Specificity
	return s != nil && len(s.Controls) > 0 && p.onOwnBase()
}

// controlled is specificity as the verdict has it, over the controls that come with
// the program.
func (p *reporter) controlled() *stage {
	p.r.Specificity, p.r.Level = &eval.Specificity{}, p.v.Verdict.Level
	return &stage{name: ofSpecificity, into: p.r.Specificity, do: func(_ context.Context, progress func(done, total int)) error {
		*p.r.Specificity = p.v.Verdict.Specificity.Specificity
		progress(1, 1)
		return nil
	}}
}

// thinking scores the pairs of passages.
func (p *reporter) thinking() *stage {
	p.r.Thought = &report.Thought{}
	key := []string{p.thought.hash(), p.yardHash}
	yard := p.yardstick
	if len(yard.Adapters) > 0 {
		p.r.Thought.Yardstick = yard.Name
	}
	s := &stage{name: ofThought, into: p.r.Thought, key: key, reads: p.thought.tokens}
	s.do = func(ctx context.Context, progress func(done, total int)) error {
		n := len(p.thought.choices)
		sys := eval.System{Name: "twin", Adapters: p.use}
		room, pad := eval.RoomOfChoices(p.thought.choices, yard, sys)
		base, twin, done, err := p.scorers(room, pad)
		if err != nil {
			return err
		}
		defer done()
		a, err := twin.LogOdds(ctx, sys, p.thought.choices, func(i int) { progress(i+1, 2*n) })
		if err != nil {
			return err
		}
		b, err := base.LogOdds(ctx, yard, p.thought.choices, func(i int) { progress(n+i+1, 2*n) })
		if err != nil {
			return err
		}
		p.r.Thought.Kinds = eval.JudgeThought(p.thought.choices, a, b, reportRounds, p.o.Seed)
		return nil
	}
	return s
}

func (p *reporter) forgetting() (*stage, error) {
	instructions, err := eval.Instructions()
	if err != nil {
		return nil, err
	}
	var g eval.General
	for _, t := range eval.Paragraphs() {
		g.Text = append(g.Text, eval.Piece{Context: []int32{p.b.first}, Tokens: p.b.tok.Encode(t)})
	}
	for _, in := range instructions {
		asked, err := p.b.ask([]token.Message{{Role: "user", Content: in.Ask}})
		if err != nil {
			return nil, fmt.Errorf("ask the instructions: %w", err)
		}
		if p.b.tok.AddBOS() {
			asked = append([]int32{p.b.first}, asked...)
		}
		t := eval.Task{Prompt: asked, Right: p.b.tok.Encode(in.Right)}
		for _, w := range in.Wrong {
			t.Wrong = append(t.Wrong, p.b.tok.Encode(w))
		}
		g.Tasks = append(g.Tasks, t)
	}
	s := &stage{name: ofForgetting, into: &p.r.Forgetting, key: []any{strengths, eval.Paragraphs(), instructions}, reads: (len(strengths) + 1) * g.Tokens()}
	s.do = func(ctx context.Context, progress func(done, total int)) error {
		each := len(g.Text) + len(g.Tasks)
		score := func(k int, strength float64) (l eval.GeneralLosses, err error) {
			m, use, done, err := p.learnt.at(p.b.model, float32(strength))
			if err != nil {
				return l, err
			}
			defer done()
			scorer, err := eval.NewScorer(m, g.Longest(), p.learnt.pad(), p.v.fast())
			if err != nil {
				return l, err
			}
			defer scorer.Close()
			return scorer.ScoreGeneral(ctx, eval.System{Name: fmt.Sprintf("strength %g", strength), Adapters: use}, g,
				func(i int) { progress(k*each+i+1, (len(strengths)+1)*each) })
		}
		base, err := score(0, 0)
		if err != nil {
			return err
		}
		p.r.Forgetting = nil
		for k, strength := range strengths {
			l, err := score(k+1, strength)
			if err != nil {
				return err
			}
			p.r.Forgetting = append(p.r.Forgetting, eval.Forget(strength, base, l, reportRounds, p.o.Seed))
		}
		return nil
	}
	return s, nil
}

// Requests of rewriting. The second is what stroke rewrite asks for.
const (
	plainRequest   = "Say this again in plain, simple words, without style. Keep everything it says, its names and its numbers.\n\n"
	rewriteRequest = "Write this again in your own voice. Keep everything it says, its names and its numbers.\n\n"
)

// rewriting lets the base make passages plain, and the twin rewrite them.
func (p *reporter) rewriting() *stage {
	var originals []likeness.Piece
	byHash := map[string]stroke.Document{}
	for _, d := range p.judge {
		byHash[d.Hash] = d
	}
	originals = byTurns(likeness.Cut(likeness.Pieces(spread(p.judge)), likeness.Unit, p.o.Seed), rewritings)
	p.r.Rewriting = &likeness.Rewriting{}
	s := &stage{name: ofRewriting, needs: ofTexts, into: p.r.Rewriting, key: []any{p.textsKey(), AnswerSampling()}, reads: len(originals) * 2 * (p.passages.prompt.Tokens/2 + 400), writes: len(originals) * 2 * 300}
	s.do = func(ctx context.Context, progress func(done, total int)) error {
		if len(originals) == 0 {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the judge documents have no passage of %d words", likeness.Unit), Hint: "train again with more writing, or leave this measure out"}
		}
		w, done, err := p.writers(3 * likeness.Unit)
		if err != nil {
			return err
		}
		defer done()
		w.base.Sampling, w.twin.Sampling = AnswerSampling(), AnswerSampling()
		total := 2*len(originals) + 1 // what was written is looked at in the end
		request := func(ask, text string, i int) (eval.Request, error) {
			asked, err := p.b.ask([]token.Message{{Role: "user", Content: ask + text}})
			return eval.Request{Prompt: append([]int32{p.b.first}, asked...), Most: 64 + 3*len(p.b.tok.Encode(text))/2, Seed: p.o.Seed + 1000*uint64(i)}, err
		}
		first := make([]eval.Request, len(originals))
		for i, q := range originals {
			if first[i], err = request(plainRequest, q.Text, i); err != nil {
				return err
			}
		}
		count := 0
		tell := func(int) { count++; progress(count, total) }
		plain, err := w.base.Answer(ctx, eval.System{Name: "base"}, first, tell)
		if err != nil {
			return err
		}
		second := make([]eval.Request, len(originals))
		before := make([][]int32, len(originals))
		for i, q := range originals {
			if second[i], err = request(rewriteRequest, plain[i], i); err != nil {
				return err
			}
			room := w.twin.Engine.Context() - len(second[i].Prompt) - second[i].Most - 8
			if found := p.passages.find(plain[i], p.passages.own(byHash[q.Group]), room); len(found) > 0 {
				before[i] = append([]int32{p.b.first}, found...)
			}
		}
		again, err := w.twin.Answer(ctx, p.system("twin", p.use, before), second, tell)
		if err != nil {
			return err
		}
		var list []likeness.Rewritten
		for i, q := range originals {
			list = append(list, likeness.Rewritten{Group: q.Group, Original: q.Text, Plain: plain[i], Text: again[i]})
		}
		r, err := p.beside().recogniser(p.o.Seed)
		if err != nil {
			return err
		}
		*p.r.Rewriting = r.MeasureRewriting(list, p.how)
		progress(total, total)
		return nil
	}
	return s
}

// collect fills in what the stages' results come to, and takes out what was not
// asked for or came to nothing.
func (p *reporter) collect() error {
	have := map[string]bool{}
	for _, s := range p.stages {
		have[s.name] = s.into != nil && p.wanted(s.name)
	}
	if have[ofPrediction] {
		p.r.Prediction = p.predictionOf()
	}
	missing := func(a *amount) bool { return len(a.result.Base) == 0 }
	if len(p.amounts) > 0 && !slices.ContainsFunc(p.amounts, missing) {
		p.r.Curve = p.curveOf()
	}
	if !have[ofSpecificity] {
		p.r.Specificity, p.r.Level = nil, 0
	}
	if !have[ofRecognition] {
		p.r.Recognition = nil
	}
	if !have[ofRange] {
		p.r.Range = nil
	}
	if !have[ofLeakage] {
		p.r.Leakage = nil
	}
	if !have[ofPassages] {
		p.r.Passages = nil
	}
	if !have[ofThought] {
		p.r.Thought = nil
	}
	if !have[ofForgetting] {
		p.r.Forgetting = nil
	}
	if !have[ofRewriting] {
		p.r.Rewriting = nil
	}
	if r := p.r.Recognition; r != nil && !r.Claim {
		p.unsaid(ofRecognition, r.Why, "")
	}
	if r := p.r.Rewriting; r != nil && !r.Claim {
		p.unsaid(ofRewriting, r.Why, "")
	}
	if r := p.r.Range; r != nil && math.IsNaN(r.Range.Twin.Distance.Value) {
		p.unsaid(ofRange, "there is too little text by the twin", "")
	}
	if p.r.Thought != nil && p.o.Others == "" {
		p.unsaid(string(eval.KindOther), "no text by others is here to set beside yours", "name a folder of writing by others on the same matters: --others FOLDER")
	}
	if !p.wanted(ofBlind) {
		return nil
	}
	b, ok, err := p.f.BlindOf(p.v.ID)
	switch {
	case err != nil:
		return err
	case !ok || b.Answered == 0:
		p.unsaid(ofBlind, "you have not been asked yet", fmt.Sprintf("say which is more you: stroke blind -t %q", nameFor(p.o.Name)))
	default:
		p.r.Blind = &b.Blind
	}
	return nil
}

// nameFor is how a twin was named, for a command to be given.
func nameFor(name string) string { return strings.TrimSpace(name) }
