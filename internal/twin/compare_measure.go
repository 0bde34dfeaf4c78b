package twin

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/compare"
	"github.com/getstroke/stroke/internal/word"
)

// How fast a method writes is measured on so many texts of so many tokens; the
// median counts.
const (
	servedTimes  = 3
	servedTokens = 64
)

// methodRow is one method of a comparison.
type methodRow struct {
	name   compare.Name
	cost   float64 // seconds that measuring it takes, by forecast
	still  bool    // by forecast it is to be measured
	kept   bool
	origin origin
	result measuredRow
}

// id names a row's file.
func (r *methodRow) id() string { return "method-" + string(r.name) }

// measuredRow is what is kept of one method. Losses are of the judge documents,
// in float32, whatever the method was trained in, so that all are alike.
type measuredRow struct {
	Groups   []string // of the pieces: hash of the document
	Plain    []eval.Loss
	Prompted []eval.Loss // with the writer's passages in the prompt; of methods without nil
	Prompt   Prompt      // those passages
	Prompts  []compare.Tried
	Controls [][]eval.Loss // of each control, asked as the method is
	Texts    []string      // written from openings of judge documents
	Leakage  *compare.Leakage
	Serves   compare.Serves
	Index    float64 // seconds that making the passages took
	Choosing float64 // seconds that the choice of their amount took
}

// rowKey is what a row depends on; ok is false where it is not known yet which setting
// was best.
func (c *comparer) rowKey(r *methodRow) (key any, ok bool) {
	m := r.name.Trains()
	best := c.best(m)
	if m != "" && best == nil {
		return nil, false
	}
	return c.rowKeyOf(r, best), true
}

// rowKeyOf is what a row depends on with a setting, nil of a method that is not trained.
func (c *comparer) rowKeyOf(r *methodRow, best *training) any {
	var recipe any
	if best != nil {
		recipe = []any{c.trainingKey(best), best.result.Recipe, best.result.Select}
	}
	var controls []string
	if r.name.Trains() == compare.LoRA {
		for _, a := range c.controls {
			controls = append(controls, a.hash)
		}
	}
	settings := 1 // of the prompt
	if r.name.Prompts() || r.name.Trains() != "" && r.name.Trains() != compare.LoRA {
		settings = c.o.settings(r.name)
	}
	return []any{r.name, recipe, controls, c.o.Texts, settings, DefaultSampling()}
}

// withBase opens the base for a while: a training, which opens it itself, must
// not have its pages counted twice.
func (c *comparer) withBase(ctx context.Context, do func(*baseModel) error) error {
	store, err := base.NewStore()
	if err != nil {
		return err
	}
	b, err := OpenBase(ctx, store, c.base, "", "", nil)
	if err != nil {
		return err
	}
	defer b.close()
	return do(b)
}

// measureRow measures a method and keeps what it comes to.
func (c *comparer) measureRow(ctx context.Context, r *methodRow) error {
	r.result = measuredRow{}
	of, ok := c.rowKey(r)
	if !ok {
		return fmt.Errorf("the method %s has not been trained", r.name)
	}
	err := c.withBase(ctx, func(b *baseModel) error {
		var l *learnt
		recipe := DefaultRecipe(c.words[stroke.RoleTrain])
		if m := r.name.Trains(); m != "" {
			best := c.best(m)
			recipe = best.result.Recipe
			var err error
			if l, err = c.learnt(best, b); err != nil {
				return err
			}
			defer l.close()
		}
		m, err := c.measured(b, l, recipe, c.role(stroke.RoleTrain))
		if err != nil {
			return err
		}
		defer m.done()
		if r.name == compare.Examples {
			begun := time.Now()
			newPassages(m.train, c.ledger, b, recipe.Prompt)
			r.result.Index = time.Since(begun).Seconds()
		}
		if err := c.score(ctx, r, m); err != nil {
			return err
		}
		if err := c.texts(ctx, r, m); err != nil {
			return err
		}
		return c.serve(ctx, r, m)
	})
	if err != nil {
		return err
	}
	if r.origin, err = c.keepPart(r.id(), of, &r.result); err != nil {
		return err
	}
	r.kept = true
	return nil
}

// measured is a method opened to be measured; done gives its memory back.
func (c *comparer) measured(b *baseModel, l *learnt, recipe Recipe, docs []stroke.Document) (*measured, error) {
	m := &measured{f: &Folder{Manifest: Manifest{Name: c.name}}, v: &Version{Recipe: recipe}, b: b, learnt: l, ledger: c.ledger,
		train: docs, choose: c.role(stroke.RoleSelect), judge: c.role(stroke.RoleJudge)}
	var err error
	if m.model, m.use, m.done, err = l.at(b.model, 1); err != nil {
		return nil, err
	}
	m.passages = newPassages(docs, c.ledger, b, recipe.Prompt)
	return m, nil
}

// judged are the judge documents as pieces, each with its hash: the same for
// every method.
func (c *comparer) judged(m *measured) (pieces []piece, groups []string, err error) {
	// Passages are not the same for every method, so what is looked at is bounded
	// by the texts alone.
	pieces = m.passages.evenly(m.passages.parts(m.judge, pieceTokens), judgeTokens/4, piece.scored)
	if len(pieces) == 0 {
		return nil, nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("no judge document has more than the %d words that passages are asked with", askWords),
			Hint: "compare on longer pieces"}
	}
	return pieces, groupsOf(pieces), nil
}

// side gives the pieces with passages in the prompt, or without, and the room
// that they need.
func side(pieces []piece, prompted bool) (list []eval.Piece, longest int) {
	longest = 2
	for _, x := range pieces {
		p := x.plain
		if prompted {
			p = x.prompted
		}
		list = append(list, p)
		longest = max(longest, len(p.Context)+len(p.Tokens))
	}
	return list, longest
}

// losses scores pieces with what a method learnt.
func (m *measured) losses(ctx context.Context, pieces []piece, prompted, bf16 bool, use []lora.Applied) ([]eval.Loss, error) {
	list, longest := side(pieces, prompted)
	pad := 0
	for _, a := range use {
		pad += a.Adapter.Pad()
	}
	s, err := eval.NewScorer(m.model, longest, pad, bf16)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Score(ctx, list, use, nil)
}

// score chooses how many passages stand in the prompt, on select documents, and
// scores the judge documents.
func (c *comparer) score(ctx context.Context, r *methodRow, m *measured) error {
	out := &r.result
	weights := m.learnt != nil && m.learnt.tuned != nil
	if r.name.Prompts() || weights {
		if err := c.choosePrompt(ctx, r, m); err != nil {
			return err
		}
	}
	pieces, groups, err := c.judged(m)
	if err != nil {
		return err
	}
	out.Groups = groups
	if !r.name.Prompts() {
		if out.Plain, err = m.losses(ctx, pieces, false, false, m.use); err != nil {
			return err
		}
	}
	if r.name.Prompts() || weights {
		if out.Prompted, err = m.losses(ctx, pieces, true, false, m.use); err != nil {
			return err
		}
	}
	if r.name.Trains() == compare.LoRA {
		for _, a := range c.controls {
			l, err := m.losses(ctx, pieces, r.name.Prompts(), false, []lora.Applied{{Adapter: a.adapter, Strength: 1}})
			if err != nil {
				return err
			}
			out.Controls = append(out.Controls, l)
		}
	}
	for _, list := range append([][]eval.Loss{out.Plain, out.Prompted}, out.Controls...) {
		if _, loss := pooled(list); math.IsNaN(loss) || math.IsInf(loss, 0) {
			return &stroke.Error{Code: stroke.CodeFailure, Msg: fmt.Sprintf("the method %s gives no numbers on judge documents", r.name), Hint: "leave it out with --methods"}
		}
	}
	return nil
}

// choosePrompt takes the number of tokens of passages that does best on select
// documents.
func (c *comparer) choosePrompt(ctx context.Context, r *methodRow, m *measured) error {
	whole := m.v.Recipe.Prompt
	if len(whole.Choose) > 0 {
		whole.Tokens = DefaultRecipe(c.words[stroke.RoleTrain]).Prompt.Tokens // what training chose comes again, or does not
	}
	best := math.Inf(1)
	r.result.Prompt = whole
	begun := time.Now()
	for k := range c.o.settings(r.name) {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := whole
		p.Tokens = int(float64(whole.Tokens) * promptShares[k])
		if p.Tokens < 64 {
			continue
		}
		pieces := newPassages(m.train, c.ledger, m.b, p).fromOthers().evenly(m.passages.bare(m.choose, pieceTokens), selectTokens, piece.scored)
		if len(pieces) == 0 {
			break // the recipe's, then
		}
		losses, err := m.losses(ctx, pieces, true, train.Fastest() == train.BF16, m.use)
		if err != nil {
			return err
		}
		_, loss := pooled(losses)
		r.result.Prompts = append(r.result.Prompts, compare.Tried{Kind: compare.Passages, Setting: promptSetting(p), Loss: loss})
		if loss < best {
			best, r.result.Prompt = loss, p
		}
	}
	r.result.Choosing = time.Since(begun).Seconds()
	m.passages = newPassages(m.train, c.ledger, m.b, r.result.Prompt)
	return nil
}

func promptSetting(p Prompt) string { return fmt.Sprintf("%d tokens of passages", p.Tokens) }

// texts lets a method write from openings of judge documents, and finds what it
// repeats of the train text. Base texts are written first and held against those
// of the others.
func (c *comparer) texts(ctx context.Context, r *methodRow, m *measured) error {
	places := openings(spread(m.judge), c.o.Texts, textGiven, textLeast, likeness.Unit, textGiven+likeness.Unit)
	if len(places) == 0 {
		return nil
	}
	w, done, err := m.writers(likeness.Unit)
	if err != nil {
		return err
	}
	var before [][]int32
	if r.name.Prompts() {
		before = m.before(places, m.passages, m.contextFor(likeness.Unit)-3*likeness.Unit-64)
	}
	open := make([]eval.Opening, len(places))
	for i, o := range places {
		open[i] = eval.Opening{Tokens: m.tokens(o.text), Words: word.Count(o.own), Seed: c.o.Seed + 1000*uint64(i)}
	}
	r.result.Texts, err = w.twin.GoOn(ctx, m.system(string(r.name), m.use, before), open, nil)
	done()
	if err != nil {
		return err
	}
	bases := r.result.Texts
	if r.name != compare.Base {
		bases = c.row(compare.Base).result.Texts
	}
	var s likeness.Sides
	given := map[string]string{}
	for i, o := range places {
		n := min(word.Count(o.own), word.Count(r.result.Texts[i]), word.Count(bases[i]))
		piece := func(text string) likeness.Piece {
			return likeness.Piece{Group: o.doc.Hash, Text: likeness.Head(text, n)}
		}
		s.Twin, s.Base, s.Own = append(s.Twin, piece(r.result.Texts[i])), append(s.Base, piece(bases[i])), append(s.Own, piece(o.own))
		given[o.doc.Hash] += o.text + "\n\n"
	}
	l := likeness.MeasureLeakage([]likeness.Part{{Train: likeness.Pieces(m.train), Sides: s}}, given, c.resampling())
	out := &compare.Leakage{Share: l.Twin.Share.Value, Own: l.Own.Share.Value, Longest: l.Twin.Longest, Leaks: len(l.Leaks), Words: l.Twin.Words, Copier: l.Copier, Runs: []string{}}
	for _, run := range l.Runs[:min(3, len(l.Runs))] {
		out.Runs = append(out.Runs, run.Text)
	}
	if out.Words > 0 {
		r.result.Leakage = out
	}
	return nil
}

// serve measures how fast a method writes one text, with engines as [Voice] has
// them, and what memory that takes. Each text has an engine of its own, so that
// none finds what another has read.
func (c *comparer) serve(ctx context.Context, r *methodRow, m *measured) error {
	debug.FreeOSMemory()
	measures := newPeak()
	var list []served
	for i, place := range openings(m.judge, servedTimes, textGiven, 0, 1, textGiven) {
		s, err := c.serveOne(ctx, r, m, place, c.o.Seed+uint64(i))
		if err != nil {
			return err
		}
		list = append(list, s)
	}
	r.result.Serves = serves(list)
	if measures && len(list) > 0 {
		r.result.Serves.Memory = peak()
	}
	return nil
}

// served is how one text was written.
type served struct {
	first float64 // seconds until its first token
	read  int     // tokens, before it
	rate  float64 // tokens a second of those behind it; 0 where there were none
}

// serves has the medians of texts, and how many tokens were read in the median time.
func serves(list []served) compare.Serves {
	if len(list) == 0 {
		return compare.Serves{}
	}
	list = slices.SortedFunc(slices.Values(list), func(a, b served) int { return cmp.Compare(a.first, b.first) })
	var rate []float64
	for _, s := range list {
		if s.rate > 0 {
			rate = append(rate, s.rate)
		}
	}
	middle := list[len(list)/2]
	return compare.Serves{First: middle.first, Prompt: middle.read, TokensPerSecond: median(rate)}
}

// serveOne writes one text.
func (c *comparer) serveOne(ctx context.Context, r *methodRow, m *measured, place opening, seed uint64) (s served, err error) {
	e, err := m.b.start(m.model, m.learnt.serving(engine.Options{Streams: 4, Pad: max(m.learnt.pad(), 16), Memory: 512 << 20}, false))
	if err != nil {
		return served{}, err
	}
	defer func() {
		if e := e.Close(); err == nil {
			err = e
		}
	}()
	sampling := DefaultSampling()
	sampling.Seed = seed
	ask := engine.Request{Prompt: []int32{m.b.first}, Adapters: m.use, Sampling: sampling, Max: 2, Lookup: true}
	if _, err := e.Generate(ctx, ask, nil); err != nil { // to warm up
		return served{}, err
	}
	if r.name.Prompts() {
		ask.Prompt = append(ask.Prompt, m.passages.find(place.text, m.passages.own(place.doc), e.Context()/2)...)
	}
	ask.Prompt = append(ask.Prompt, m.b.tok.Encode(place.text)...)
	ask.Max = servedTokens + 1
	begun := time.Now()
	var at time.Time
	n := 0
	if _, err := e.Generate(ctx, ask, func(int32) error {
		if n == 0 {
			at = time.Now()
		}
		n++
		return nil
	}); err != nil || n == 0 {
		return served{}, err
	}
	s = served{first: at.Sub(begun).Seconds(), read: len(ask.Prompt)}
	if n > 1 {
		s.rate = float64(n-1) / time.Since(at).Seconds()
	}
	return s, nil
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// pooled are the tokens scored and the loss in nats per token.
func pooled(l []eval.Loss) (tokens int, loss float64) {
	p := eval.Pool(l)
	return p.Tokens, p.PerToken()
}

// gainsOf are the gains of a system over another, over documents or, where there
// are few, over blocks.
func gainsOf(groups []string, start, system []eval.Loss) (gains []eval.Gain, unit string) {
	if g := eval.Gains(groups, start, system); len(g) >= fewUnits {
		return g, compare.Documents
	}
	return eval.BlockGains(groups, start, system, unitTokens), compare.Blocks
}

func (c *comparer) gain(groups []string, start, system []eval.Loss) eval.Interval {
	g, _ := gainsOf(groups, start, system)
	return eval.Predict("", g, reportRounds, c.o.Seed).Gain
}

// asked are the losses of a method as it is asked.
func (r *measuredRow) asked(n compare.Name) []eval.Loss {
	if n.Prompts() {
		return r.Prompted
	}
	return r.Plain
}

// methodOf puts together what was measured of a method.
func (c *comparer) methodOf(row *methodRow, start, examples *measuredRow) (compare.Method, error) {
	r := &row.result
	m := compare.Method{Name: row.name, Setting: "as it is", ChosenBy: "recipe", Tried: []compare.Tried{}, Serves: r.Serves}
	own := r.asked(row.name)
	m.Likeness = compare.Likeness{Gain: c.gain(r.Groups, start.Plain, own), Over: c.gain(r.Groups, examples.Prompted, own), Leakage: r.Leakage}
	if !row.name.Prompts() && r.Prompted != nil {
		with := c.gain(r.Groups, start.Plain, r.Prompted)
		m.Likeness.WithExamples = &with
	}
	if len(r.Controls) > 0 {
		gains, _ := gainsOf(r.Groups, start.Plain, own)
		var controls []eval.Control
		for i, l := range r.Controls {
			g, _ := gainsOf(r.Groups, start.Plain, l)
			controls = append(controls, eval.Control{Name: c.controls[i].name, Gains: g})
		}
		s, err := eval.Specify(gains, controls, reportRounds, c.o.Seed)
		if err != nil {
			return m, err
		}
		m.Likeness.Specificity = &s.Gain
	}
	c.takes(&m, row, examples)
	c.leaves(&m)
	return m, nil
}

// takes fills in what a method took, and how it was chosen.
func (c *comparer) takes(m *compare.Method, row *methodRow, examples *measuredRow) {
	t := &m.Takes
	if m.Name.Prompts() {
		m.Setting = promptSetting(row.result.Prompt)
		t.Seconds, t.Choosing, t.Article = examples.Index, examples.Index+row.result.Choosing, examples.Index
	}
	epochs := 0
	if method := m.Name.Trains(); method != "" {
		best := c.best(method)
		b := &best.result
		m.Setting = settingOf(&b.Recipe)
		if m.Name.Prompts() {
			m.Setting += ", " + promptSetting(row.result.Prompt)
		}
		for _, x := range c.trainings[method] {
			s := &x.result
			t.Choosing += s.Seconds
			if s.Lost == "" {
				m.Tried = append(m.Tried, compare.Tried{Kind: compare.Rate, Setting: settingOf(&s.Recipe), Loss: s.loss(), Epoch: s.Epoch, Seconds: s.Seconds})
			}
		}
		epochs = b.Recipe.Epochs
		t.Seconds += b.Seconds
		t.Article = t.Seconds
		t.Processor, t.WattHours, t.Tokens, t.TokensPerSecond, t.Parameters = b.Processor, b.WattHours, b.Tokens, b.Rate, b.Parameters
		t.Memory, t.Planned, t.Disk, m.Leaves.Bytes = b.Memory, b.Planned, b.Disk, b.Bytes
		m.Setting += fmt.Sprintf(", epoch %d of %d", b.Epoch, b.Recipe.Epochs)
	}
	if m.Name.Prompts() {
		m.Tried = append(m.Tried, row.result.Prompts...)
	}
	if m.Of(compare.Rate) > 1 || m.Of(compare.Passages) > 1 || epochs > 1 {
		m.ChosenBy = "select"
	}
	if c.o.Watts > 0 && t.WattHours == nil {
		wh := c.o.Watts * t.Seconds / 3600
		t.WattHours = &wh
	}
	if m.Name == compare.Base {
		none := 0.0
		t.WattHours = &none
	}
	if t.WattHours != nil && c.o.Price != nil {
		money := *t.WattHours / 1000 * c.o.Price.KWh
		t.Money = &money
	}
}

// leaves fills in what a method leaves behind.
func (c *comparer) leaves(m *compare.Method) {
	text := 0
	for _, d := range c.role(stroke.RoleTrain) {
		text += len(d.Text)
	}
	licence := "the base's licence"
	if c.licence != "" {
		licence = c.licence
	}
	l := &m.Leaves
	if m.Name.Prompts() {
		l.Bytes += int64(text)
	}
	const here = "on this machine, without a network"
	switch m.Name {
	case compare.Base:
		l.What, l.Runs = "nothing of yours: the base, under "+licence, here
	case compare.Examples:
		l.What, l.Runs = "your own text, in your folder", here+"; any model can read your text"
	case compare.LoRA:
		l.What, l.Runs = "an adapter in your folder, of use with this base alone", here+"; in Python as a PEFT adapter, elsewhere exported as one model"
	case compare.LoRAExamples:
		l.What, l.Runs = "an adapter and your text in your folder", here+"; the two parts elsewhere as above"
	case compare.Partial:
		l.What, l.Runs = "some weights of the base in your folder, under "+licence, here+"; elsewhere exported as one model"
	case compare.Full:
		l.What, l.Runs = "a whole model in your folder, under "+licence, here+"; elsewhere exported as one model"
	}
}

// learntThere says whether what a training learnt is still there.
func (c *comparer) learntThere(t *training) bool {
	_, err := os.Stat(c.learntDir(t))
	return err == nil
}
