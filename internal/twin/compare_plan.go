package twin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/compare"
)

// compareSchema goes up whenever a part of a comparison is made otherwise.
const compareSchema = 7

// factors are what the recipe's learning rate is multiplied by in each setting.
var factors = [mostSettings]float64{1, 2, 0.5, 4, 0.25}

// promptShares are what the recipe's tokens of passages are multiplied by.
var promptShares = [mostSettings]float64{1, 4, 2, 0.5, 0.25}

// training is one run of a method that is trained: with one setting, on all of
// the train text or on some of it.
type training struct {
	method compare.Name
	factor float64 // of the recipe's rate
	words  int     // of train text; 0 for all

	asked  Recipe  // before a genre was found
	tokens int     // through the base
	cost   float64 // seconds, by forecast
	memory int64   // by forecast
	disk   int64   // by forecast
	spent  int     // parameters
	key    string  // of what it depends on

	kept   bool
	origin origin
	result outcome
}

// outcome is what is kept of a training.
type outcome struct {
	Recipe     Recipe    // that it came to
	Select     []float64 // as in a run's progress
	Epoch      int       // that was chosen
	Seconds    float64   // until what was learnt was written
	Processor  float64   // seconds of all cores
	WattHours  *float64
	Tokens     int     // through the base
	Rate       float64 // tokens a second while training
	Parameters int
	Memory     int64  // resident at the most
	Planned    bool   // the memory was planned and not measured
	Disk       int64  // of its folder at the most
	Bytes      int64  // of what was learnt
	Lost       string // why it came to nothing; empty where it did not
}

// loss is what a training is chosen by.
func (t *outcome) loss() float64 { return t.Select[t.Epoch] }

// id names a training's files.
func (t *training) id() string {
	s := fmt.Sprintf("%s-%gx", t.method, t.factor)
	if t.words > 0 {
		s += fmt.Sprintf("-%d-words", t.words)
	}
	return s
}

// part names the file of what it came to.
func (t *training) part() string { return "train-" + t.id() }

// setting says what a training is, for a person.
func (t *training) setting() string {
	s := fmt.Sprintf("%g times the rate of the recipe", t.factor)
	if t.words > 0 {
		s += fmt.Sprintf(", %d words", t.words)
	}
	return s
}

// settingOf says what a recipe is, as far as methods differ in it.
func settingOf(r *Recipe) string {
	s := fmt.Sprintf("rate %.3g", r.Options.Rate)
	switch w := r.Options.Weights; {
	case w == nil:
		s += fmt.Sprintf(", rank %d", r.Options.LoRA.Rank)
		if on := r.Genre.brief(); on != "" {
			s += ", on the genre " + on
		}
	case len(w.Layers) == 1:
		s += fmt.Sprintf(", layer %d", w.Layers[0])
	case len(w.Layers) > 0 && w.Layers[len(w.Layers)-1]-w.Layers[0] == len(w.Layers)-1:
		s += fmt.Sprintf(", layers %d-%d", w.Layers[0], w.Layers[len(w.Layers)-1])
	case len(w.Layers) > 0:
		s += fmt.Sprintf(", %d layers", len(w.Layers))
	}
	if w := r.Options.Weights; w != nil && len(w.Modules) > 0 {
		s += fmt.Sprintf(", %d kinds of modules", len(w.Modules))
	}
	return s
}

// change makes a recipe that of a training.
func (c *comparer) change(t *training) func(*Recipe) {
	return func(r *Recipe) {
		switch t.method {
		case compare.Full:
			r.Tune(Full, model.Selection{})
		case compare.Partial:
			s := c.o.Partial
			if s.All() {
				for l := c.layers - max(c.layers/3, 1); l < c.layers; l++ {
					s.Layers = append(s.Layers, l)
				}
			}
			r.Tune(Partial, s)
		default:
			r.Genre.Ask = c.o.Genre
		}
		r.Options.Seed = c.o.Seed
		if c.o.Epochs > 0 {
			r.Epochs = c.o.Epochs
		}
		if c.o.Change != nil {
			c.o.Change(r)
		}
		r.Options.Rate *= t.factor
	}
}

// plan finds what is to be done and tells what it will take.
func (c *comparer) plan(b *baseModel) error {
	for _, n := range compare.Names() {
		m := n.Trains()
		if !c.o.wants(n) {
			continue
		}
		if m != "" && c.trainings[m] == nil {
			list, err := c.settings(b, m)
			switch e := (*stroke.Error)(nil); {
			case err == nil:
			case m == compare.Partial && !c.o.Partial.All():
				return err // what was asked for is wrong
			case len(c.o.Methods) == 0 && errors.As(err, &e) && e.Code == stroke.CodeInput && m != compare.LoRA:
				c.left = append(c.left, compare.LeftOut{Name: m, Why: e.Error(), Hint: e.Hint})
				c.emit(stroke.NoteEvent{Text: fmt.Sprintf("the method %s is left out: %v; %s", m, e, e.Hint)})
				continue
			default:
				return err
			}
			c.trainings[m] = list
		}
		c.rows = append(c.rows, &methodRow{name: n, cost: c.rowCost(b, n)})
	}
	if err := c.planCurve(b); err != nil {
		return err
	}
	c.made = nil
	c.load()
	c.forecast()
	return nil
}

// settings are the trainings of a method.
func (c *comparer) settings(b *baseModel, m compare.Name) ([]*training, error) {
	var list []*training
	for k := range c.o.settings(m) {
		t := &training{method: m, factor: factors[k]}
		if err := c.cost(b, t); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// cost finds a training's recipe and what it will take.
func (c *comparer) cost(b *baseModel, t *training) (err error) {
	o := &Options{Memory: c.o.Memory, Change: c.change(t)}
	if t.asked, err = o.recipe(c.ledger, c.docs); err != nil {
		return err
	}
	docs := c.role(stroke.RoleTrain)
	if t.words > 0 {
		docs = some(docs, t.words, c.o.Seed)
		t.asked = DefaultRecipe(wordsOf(docs))
		o.Change(&t.asked)
	}
	r := &run{b: b, o: o, recipe: t.asked, ledger: c.ledger, train: docs}
	epochs, err := c.examples(r, t.words)
	if err != nil {
		return err
	}
	for _, e := range epochs {
		for _, x := range e {
			t.tokens += len(x.Tokens)
		}
	}
	j := train.Job{Model: b.model, Options: t.asked.Options, Epochs: epochs}
	if t.memory, err = r.activations(j); err != nil {
		return err
	}
	if w := t.asked.Options.Weights; w != nil {
		if t.spent, err = b.model.Weights(*w); err != nil {
			return planError(err)
		}
		t.disk = r.diskBytes(t.spent)
	} else {
		j.Memory = t.memory
		trainer, err := train.New(j)
		if err != nil {
			return planError(err)
		}
		t.memory, t.spent = trainer.Bytes(), trainer.Parameters()
		if err := trainer.Close(); err != nil {
			return err
		}
		// Two checkpoints with moments, every epoch, and what is kept in F16.
		t.disk = int64(t.spent) * int64(2*3*4+4*t.asked.Epochs+2)
	}
	t.memory += r.beside(&t.asked.Options)
	chosen := float64((t.asked.Epochs + 1) * min(selectTokens, int(float64(c.words[stroke.RoleSelect])*tokensPerWord)))
	t.cost = float64(t.tokens)/forecastRate(b, t.asked) + chosen/c.readRate(b)
	t.key, err = c.key(c.trainingKey(t))
	return err
}

// examples are those of a run, made once for all trainings that have the same.
func (c *comparer) examples(r *run, words int) ([][]train.Example, error) {
	key, err := json.Marshal([]any{r.recipe.Mix, r.recipe.Epochs, r.recipe.Options.Seed, words})
	if err != nil {
		return nil, fmt.Errorf("name the examples: %w", err)
	}
	if e, ok := c.made[string(key)]; ok {
		return e, nil
	}
	e, err := r.examples()
	if err == nil {
		c.made[string(key)] = e
	}
	return e, err
}

// readRate is how many tokens a second a base is expected to read in float32.
func (c *comparer) readRate(b *baseModel) float64 {
	if peakFlops == 0 {
		peakFlops = bench.FlopsPeak(0.1) * 1e9
	}
	return peakFlops * scoreShare / (bench.StepFlops(b.model, 512, 16) / 2)
}

// rowCost is what measuring a method is expected to take, in seconds.
func (c *comparer) rowCost(b *baseModel, n compare.Name) float64 {
	judge := min(float64(judgeTokens)/4, float64(c.words[stroke.RoleJudge])*tokensPerWord)
	prompt := float64(DefaultRecipe(c.words[stroke.RoleTrain]).Prompt.Tokens)
	pieces := 1 + judge/pieceTokens
	reads := judge
	if n.Prompts() || n.Trains() == n && n != compare.LoRA {
		chosen := min(selectTokens, float64(c.words[stroke.RoleSelect])*tokensPerWord)
		reads += pieces*prompt + float64(c.o.settings(n))*(chosen+(1+chosen/pieceTokens)*prompt/2)
	}
	reads += float64(len(c.controls)) * reads
	writes := float64(c.o.Texts*likeness.Unit)*tokensPerWord + servedTimes*servedTokens
	if n.Prompts() {
		reads += float64(c.o.Texts+servedTimes) * prompt
	}
	return (reads + writeCost*writes) / c.readRate(b)
}

// origin says when a part was measured, and by which version of the program.
type origin struct {
	Made    time.Time `json:"made"`
	Program string    `json:"program"`
}

// keptPart is the file of one part.
type keptPart struct {
	Schema int    `json:"schema"`
	Key    string `json:"key"` // hash of what it depends on
	origin
	Result json.RawMessage `json:"result"`
}

// key is the hash of what a part depends on: the text, the base, the program's
// recipes, and whatever decides how fast it is. The program's version is not in it,
// since most leave a part as it is; it is kept with the part and told.
func (c *comparer) key(of any) (string, error) {
	recipes, err := recipesHash()
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(struct {
		Schema    int
		Base      BaseRef
		Kernel    string
		Processor string
		Workers   int
		Recipes   string
		Documents []string
		Roles     []string
		Seed      uint64
		Of        any
	}{compareSchema, c.ref, kernel.Name(), processorName(), kernel.Workers(), recipes, hashes(c.docs), c.roles(), c.o.Seed, of})
	if err != nil {
		return "", fmt.Errorf("name a part of the comparison: %w", err)
	}
	return stroke.HashText(string(b)), nil
}

func (c *comparer) roles() []string {
	var out []string
	for _, d := range c.docs {
		out = append(out, string(c.ledger.Role(d.Hash)))
	}
	return out
}

// trainingKey is what a training depends on: the recipe, the memory that it may take,
// which decides how fast it is, and for an adapter that may stand on a genre those
// there are.
func (c *comparer) trainingKey(t *training) any {
	var genres []string
	if t.method == compare.LoRA && c.o.Genre != genre.None {
		if l, err := Library(); err == nil {
			for _, g := range l.List(c.ref.Name, func(string, error) {}) {
				genres = append(genres, g.SHA256())
			}
		}
	}
	return []any{t.asked, t.words, c.o.Memory, genres}
}

func (c *comparer) partPath(name string) string {
	return filepath.Join(c.keep, measuredDir, name+".json")
}

// recall reads a part that was kept, and when it was made; what cannot be read is
// made again.
func (c *comparer) recall(name string, of, into any) (origin, bool) {
	key, err := c.key(of)
	if err != nil || c.o.Afresh {
		return origin{}, false
	}
	b, err := readAtMost(c.partPath(name), mostMeasure)
	if err != nil {
		return origin{}, false
	}
	var k keptPart
	ok := json.Unmarshal(b, &k) == nil && k.Schema == compareSchema && k.Key == key && json.Unmarshal(k.Result, into) == nil
	return k.origin, ok
}

// keepPart writes what a part has come to.
func (c *comparer) keepPart(name string, of, result any) (origin, error) {
	made := origin{time.Now().UTC().Truncate(time.Second), c.o.Program}
	key, err := c.key(of)
	if err != nil {
		return made, err
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return made, fmt.Errorf("keep %s: %w", name, err)
	}
	b, err := json.Marshal(keptPart{compareSchema, key, made, raw})
	if err != nil {
		return made, fmt.Errorf("keep %s: %w", name, err)
	}
	return made, writeFile(c.partPath(name), append(b, '\n'))
}

// load reads all that was kept.
func (c *comparer) load() {
	for _, list := range c.trainings {
		for _, t := range list {
			c.loadTraining(t)
		}
	}
	for _, r := range c.rows {
		c.loadRow(r)
	}
	for _, p := range c.points {
		p.origin, p.kept = c.recall(p.id(), c.pointKey(p), &p.result)
		if p.training != nil {
			c.loadTraining(p.training)
		}
	}
}

func (c *comparer) loadTraining(t *training) {
	t.origin, t.kept = c.recall(t.part(), c.trainingKey(t), &t.result)
	t.kept = t.kept && (t.result.Lost != "" || t.result.Epoch < len(t.result.Select))
}

func (c *comparer) loadRow(r *methodRow) {
	r.kept = false
	if of, ok := c.rowKey(r); ok {
		r.origin, r.kept = c.recall(r.id(), of, &r.result)
	}
}

// origins says of everything that the tables are made from when it was measured, and
// by which version of the program.
func (c *comparer) origins() []compare.Part {
	var out []compare.Part
	add := func(n compare.Name, doing, setting string, o origin) {
		out = append(out, compare.Part{Name: n, Doing: doing, Setting: setting, Made: o.Made, Program: o.Program})
	}
	for _, n := range compare.Names() {
		for _, t := range c.trainings[n] {
			add(n, "train", t.setting(), t.origin)
		}
	}
	for _, r := range c.rows {
		add(r.name, "measure", "", r.origin)
	}
	for _, p := range c.points {
		at := fmt.Sprintf("%d words", p.words)
		if p.training != nil {
			add(p.name(), "train", at, p.training.origin)
		}
		add(p.name(), "curve", at, p.origin)
	}
	return out
}

// best is the setting of a method that does best on select documents; nil where
// one is missing, or all are lost.
func (c *comparer) best(m compare.Name) *training {
	for _, t := range c.trainings[m] {
		if !t.kept {
			return nil
		}
	}
	return c.bestSoFar(m)
}

// bestSoFar is the best of the settings that were trained; nil where there is none.
func (c *comparer) bestSoFar(m compare.Name) (best *training) {
	for _, t := range c.trainings[m] {
		if t.kept && t.result.Lost == "" && (best == nil || t.result.loss() < best.result.loss()) {
			best = t
		}
	}
	return best
}

// missing says whether a training has to be done: it was not, or what it learnt
// is needed and no longer there.
func (c *comparer) missing(t *training) bool {
	if !t.kept {
		return true
	}
	if t.words > 0 || c.best(t.method) != t {
		return false
	}
	for _, r := range c.rows {
		if r.name.Trains() == t.method && !r.kept {
			return !c.learntThere(t)
		}
	}
	return false
}

// mayRepeat is the training that has to be done a second time if it stays the best
// beside settings that are new, since what it learnt is no longer there; nil where
// there is none.
func (c *comparer) mayRepeat(m compare.Name) *training {
	t := c.bestSoFar(m)
	if t == nil || c.best(m) != nil || c.learntThere(t) {
		return nil
	}
	for _, r := range c.rows {
		if r.name.Trains() == m {
			if _, ok := c.recall(r.id(), c.rowKeyOf(r, t), new(measuredRow)); !ok {
				return t
			}
		}
	}
	return nil
}

// forecast tells what will be done and what it takes, at the most.
func (c *comparer) forecast() {
	e := stroke.MethodsEvent{Methods: []stroke.MethodForecast{}}
	for _, r := range c.rows {
		f := stroke.MethodForecast{Method: string(r.name), Kept: r.kept}
		c.parts++
		if r.still = !r.kept; r.still {
			f.Seconds += r.cost
		}
		if m := r.name.Trains(); m != "" && !c.counted(r) {
			for _, t := range c.trainings[m] {
				f.Memory, f.Disk = max(f.Memory, t.memory), max(f.Disk, t.disk)
				if c.missing(t) {
					f.Runs++
					f.Seconds += t.cost
					f.Kept = false
					c.parts++
				}
			}
			if t := c.mayRepeat(m); t != nil {
				c.repeat[m] = t
				f.Runs++
				f.Seconds += t.cost
				c.parts++
			}
		}
		for _, p := range c.points {
			if p.name() == r.name && !p.kept {
				f.Seconds += p.cost()
				f.Kept = false
				c.parts++
				if p.training != nil {
					f.Runs++
				}
			}
		}
		e.Methods = append(e.Methods, f)
		e.Seconds += f.Seconds
		e.Memory, e.Disk = max(e.Memory, f.Memory), max(e.Disk, f.Disk)
	}
	c.planned = e.Seconds
	c.emit(e)
}

// counted says whether a row before this one has the same trainings.
func (c *comparer) counted(r *methodRow) bool {
	i := slices.Index(c.rows, r)
	return slices.ContainsFunc(c.rows[:i], func(o *methodRow) bool { return o.name.Trains() == r.name.Trains() })
}

// secondsLeft is how many seconds there are to go by the forecast, corrected by how it
// did so far.
func (c *comparer) secondsLeft() float64 {
	rest := max(c.planned-c.done, 0)
	if c.done > 0.05*c.planned && c.done > 0 {
		rest *= time.Since(c.begun).Seconds() / c.done
	}
	return rest
}

// tell tells that a part begins.
func (c *comparer) tell(n compare.Name, doing, setting string) {
	c.part++
	c.emit(stroke.MethodEvent{Method: string(n), Doing: doing, Setting: setting, Number: c.part, Total: c.parts, SecondsLeft: c.secondsLeft()})
}

// run does what is missing: base and examples first, then each method that is
// trained with its settings, then what is wanted of less text.
func (c *comparer) run(ctx context.Context) error {
	c.begun = time.Now()
	for _, n := range compare.Names() {
		if m := n.Trains(); c.o.wants(n) && c.trainings[m] != nil {
			if err := c.learnAll(ctx, m); err != nil {
				return err
			}
		}
		for _, r := range c.rows {
			if r.name != n {
				continue
			}
			if r.kept {
				c.part++
				c.emit(stroke.MethodEvent{Method: string(n), Doing: "measure", Number: c.part, Total: c.parts, Kept: true})
			} else {
				c.tell(n, "measure", "")
				if err := c.measureRow(ctx, r); err != nil {
					return c.interrupted(err, n)
				}
			}
			if r.still {
				c.done += r.cost
			}
		}
	}
	return c.runCurve(ctx)
}
