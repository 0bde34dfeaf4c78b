package twin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/report"
)

// ReportOptions say what a report measures. Zero values take the defaults.
type ReportOptions struct {
	Name      string   // of the twin, or NAME@VERSION
	Base      string   // another base than the version's
	Controls  []string // folders of adapters by other writers, as PEFT saves them
	Yardstick string   // genre, or folder of an adapter, on prose by others, for thought
	Others    string   // folder or file of text by others, for thought
	Measures  []string // these alone; all
	Curve     bool     // measures what the gain was with less of the text, which takes training
	Afresh    bool     // what was measured before is measured again
	Seed      uint64   // of everything that is drawn: 1
}

// The measures of a report, in the order in which they are made.
const (
	ofPrediction  = "prediction"
	ofSpecificity = "specificity"
	ofTexts       = "texts" // what twin and base write, for those that follow
	ofRecognition = "recognition"
	ofRange       = "range"
	ofLeakage     = "leakage"
	ofPassages    = "passages"
	ofThought     = "thought"
	ofForgetting  = "forgetting"
	ofRewriting   = "rewriting"
	ofBlind       = "blind"
	ofCurve       = "curve" // of which each amount of text is a stage
)

// Measures are the names that [ReportOptions] takes.
func Measures() []string {
	return []string{ofPrediction, ofSpecificity, ofRecognition, ofRange, ofLeakage, ofPassages, ofThought, ofForgetting, ofRewriting, ofBlind}
}

// check says which of the measures there is none of, and what is given for one that is
// not made.
func (o *ReportOptions) check() error {
	for _, n := range o.Measures {
		if !slices.Contains(Measures(), n) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("there is no measure %q", n), Hint: "there are: " + strings.Join(Measures(), ", ")}
		}
	}
	for _, x := range []struct {
		flag, of string
		given    bool
	}{{"control", ofSpecificity, len(o.Controls) > 0}, {"others", ofThought, o.Others != ""}, {"yardstick", ofThought, o.Yardstick != ""}} {
		if x.given && len(o.Measures) > 0 && !slices.Contains(o.Measures, x.of) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--%s is of the measure %s, which is not made", x.flag, x.of),
				Hint: fmt.Sprintf("leave --%s out, or add %s to --measures", x.flag, x.of)}
		}
	}
	return nil
}

// reportSchema goes up whenever a measure is made otherwise, so that nothing
// kept of the old way is taken for the new.
const reportSchema = 7

// reportRounds are those of resampling.
const reportRounds = 2000

// stage is one measure of a report.
type stage struct {
	name   string
	reads  int // tokens through the base
	writes int // tokens to be written
	work   float64
	needs  string // stage whose result it takes
	key    any    // what it depends on beside version and seed
	into   any    // pointer to the result
	// ready says whether a result that was kept is whole; nil: it is.
	ready func() bool
	do    func(ctx context.Context, progress func(done, total int)) error

	kept bool
	path string
}

// reporter makes a report.
type reporter struct {
	*measured
	o      ReportOptions
	emit   Emit
	r      *report.Report
	how    likeness.Resampling
	stages []*stage

	controls  []namedAdapter
	yardstick eval.System // the bare base where it has no adapters
	yardHash  string
	thought   thoughtPlan
	predicted predicted
	texts     texts
	parts     []*part    // of the texts, once they are written
	amounts   []*amount  // of text, of a curve
	folds     *foldsKept // nil where the version was judged by withheld text
}

// namedAdapter is an adapter that is given to compare with.
type namedAdapter struct {
	name, hash string
	adapter    *lora.Adapter
}

// Report measures a version of a twin, as far as it was not measured before, and
// gives what is known of it. What is measured is kept beside the version, each
// measure for itself, so that a report that is stopped goes on. dir is where.
func Report(ctx context.Context, o ReportOptions, emit Emit) (r *report.Report, dir string, err error) {
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if err := o.check(); err != nil {
		return nil, "", err
	}
	m, err := measure(ctx, o.Name, o.Base, emit)
	if err != nil {
		return nil, "", err
	}
	defer m.close()
	unlock, err := m.f.lock("measure it")
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	dir = filepath.Join(m.f.Dir, versionsDir, m.v.ID, reportDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", writeError(dir, err)
	}
	p := &reporter{measured: m, o: o, emit: emit, how: likeness.Resampling{Seed: o.Seed}}
	if p.folds, err = m.f.folds(m.v); err != nil {
		return nil, "", err
	}
	if p.folds != nil && !p.onOwnBase() {
		p.folds = nil
		emit(stroke.NoteEvent{Text: fmt.Sprintf("what the twins of the folds showed is of the base %s: on %s the version itself is measured", m.v.Base.Name, m.b.name)})
	}
	p.r = p.cover()
	p.rests()
	if err := p.adapters(); err != nil {
		return nil, "", err
	}
	if err := p.plan(ctx, dir); err != nil {
		return nil, "", err
	}
	if err := p.run(ctx); err != nil {
		return nil, "", err
	}
	return p.r, dir, p.collect()
}

const reportDir = "report"

// cover is what a report says without measuring.
func (m *measured) cover() *report.Report {
	r := &report.Report{Twin: m.f.Name, Version: m.v.ID, Made: m.v.Created, Base: m.b.name, Live: m.v.ID == m.f.Live, Unproven: m.v.Verdict.Unproven,
		Learnt: m.learntBy(), Versions: []report.Version{}, Unsaid: []report.Unsaid{}}
	words := wordsByRole(m.ledger, slices.Concat(m.choose, m.judge))
	r.Words = report.Words{Train: m.v.Words, Select: words[stroke.RoleSelect], Judge: words[stroke.RoleJudge], Learnt: m.learntBelow()}
	for _, id := range m.f.Versions {
		v, err := m.f.Version(id)
		if err != nil {
			continue // stroke show says what is wrong with it
		}
		r.Versions = append(r.Versions, report.Version{ID: id, Made: v.Created, Words: v.Words, Live: id == m.f.Live, Base: v.Base.Name,
			Unproven: v.Verdict.Unproven, Gain: v.Verdict.Gain, Adapter: v.HeldOut.Base - v.HeldOut.Adapter})
	}
	return r
}

// learntBy is what had learnt text that judges before the version was trained.
func (m *measured) learntBy() string {
	if made := m.madeFrom(); made != "" {
		return "the genre " + made + " that the twin stands on"
	}
	if m.learntBelow() > 0 {
		return "the adapter that the twin began at"
	}
	return ""
}

// What the figures of a version rest on that was cross-fitted, began at or stands on what
// had learnt judge text, or is judged by little.
const (
	restsOnFolds = "by the twins of the folds, none of which had seen the text that it was judged by; what serves is trained on all of it"
	restsOnTexts = "in %d texts by the twins of the folds, from openings of %d documents, each by one that had not seen %s; what serves is trained on all of it"
	restsOnTrain = "by twins of the text to train on alone, which had not seen what judges; what serves is trained on all of it"
	restsOnGenre = ", as is the genre that they stand on chosen by it"
	restsOnAll   = "this flatters it: what serves was trained on that text as well"
	restsOnBelow = "this flatters it: the adapter that it began at had learnt some of that text"
	restsOnMade  = "this flatters it: the genre %s that it stands on was made from some of your text"
	restsOnParts = "by parts of %s, which are more alike than what you will write next"
)

// restsOnTexts says what the measures on the folds' texts rest on.
func (p *reporter) restsOnTexts() string {
	begun := map[string]bool{}
	unseen := "the document"
	for _, x := range p.folds.Texts {
		begun[x.Group] = true
		if x.Fold < len(p.folds.Learnt) && slices.ContainsFunc(p.ledger.Siblings(x.Group), func(hash string) bool { return slices.Contains(p.folds.Learnt[x.Fold], hash) }) {
			unseen = "that part of the document"
		}
	}
	return fmt.Sprintf(restsOnTexts, len(p.folds.Texts), len(begun), unseen)
}

// rests notes what measures rest on, where that wants saying.
func (p *reporter) rests() {
	p.r.Rests = map[string]string{}
	docs := p.judge
	switch {
	case p.v.Verdict.Folds > 0:
		p.restsOnFolds()
	case p.r.Words.Learnt > 0:
		for _, name := range []string{ofPrediction, ofSpecificity, ofRecognition, ofRange, ofLeakage, ofPassages, ofThought, ofRewriting, ofBlind} {
			p.r.Rests[name] = restsOnBelow
		}
		p.flattered(p.emit)
	case p.madeFrom() != "":
		p.flattered(p.emit)
	}
	if made := p.madeFrom(); made != "" {
		for _, name := range []string{ofPrediction, ofSpecificity, ofCurve, ofRecognition, ofRange, ofLeakage, ofPassages, ofThought, ofRewriting, ofBlind} {
			p.restsToo(name, fmt.Sprintf(restsOnMade, made))
		}
	}
	if p.folded() {
		docs = p.compared()
	}
	of := func(n int, names ...string) {
		for _, name := range names {
			if n > 0 {
				p.restsToo(name, fmt.Sprintf(restsOnParts, documents(n)))
			}
		}
	}
	of(piecesFrom(p.ledger, docs), ofPrediction, ofSpecificity, ofCurve)
	of(cutFrom(p.ledger, docs), ofRecognition, ofRange, ofLeakage, ofThought, ofRewriting)
	if len(p.o.Controls) == 0 && !p.specific() {
		delete(p.r.Rests, ofSpecificity) // there is none
	}
}

// restsToo adds to what a measure rests on.
func (p *reporter) restsToo(name, what string) {
	if on := p.r.Rests[name]; on != "" {
		what = on + "; " + what
	}
	p.r.Rests[name] = what
}

// restsOnFolds notes what the measures of a version that was cross-fitted rest on.
func (p *reporter) restsOnFolds() {
	for _, name := range []string{ofPrediction, ofRecognition, ofRange, ofLeakage, ofPassages, ofThought, ofRewriting, ofBlind} {
		p.r.Rests[name] = restsOnAll
	}
	if p.folds != nil {
		p.r.Folds = p.v.Verdict.Folds
		p.r.Rests[ofPrediction] = restsOnFolds
		for _, name := range []string{ofRecognition, ofRange, ofLeakage, ofPassages} {
			p.r.Rests[name] = p.restsOnTexts()
		}
		p.tellMadeFrom(p.emit)
	} else { // the version itself is measured
		p.r.Learnt, p.r.Words.Learnt = "the twin itself", p.r.Words.Judge
		p.flattered(p.emit)
	}
	p.r.Rests[ofSpecificity], p.r.Rests[ofCurve] = restsOnFolds, restsOnTrain
	if p.v.Recipe.Genre.On != nil {
		p.r.Rests[ofCurve] += restsOnGenre
	}
	if len(p.o.Controls) > 0 {
		p.r.Rests[ofSpecificity] = restsOnAll
	}
}

// adapters reads those that are given to compare with.
func (p *reporter) adapters() error {
	for _, dir := range p.o.Controls {
		a, err := p.adapterIn(dir)
		if err != nil {
			return err
		}
		p.controls = append(p.controls, *a)
	}
	return p.findYardstick()
}

// proseGenre is the genre that is the yardstick where no other is at hand.
const proseGenre = "prose"

// findYardstick finds the base with an adapter on prose by others: the one that
// is named, the genre that the version stands on, or the genre of all prose.
// Where none is there it is the bare base.
func (p *reporter) findYardstick() error {
	p.yardstick.Name = "base"
	if dir := p.o.Yardstick; dir != "" {
		if _, err := os.Stat(filepath.Join(dir, lora.ConfigFile)); err == nil {
			a, err := p.adapterIn(dir)
			if err != nil {
				return err
			}
			p.yardBy(a.name, a.hash, a.adapter, 1)
			return nil
		}
	}
	library, err := Library()
	if err != nil {
		return err
	}
	ask := p.o.Yardstick
	if ask == "" {
		// Those that the version stands on, if they are still what they were.
		on := p.v.Recipe.Genre.On
		for _, s := range on {
			g, err := library.Find(p.b.name, s.Name)
			if err != nil || !s.is(g) {
				break
			}
			a, err := p.b.genre(g)
			if err != nil {
				break
			}
			p.yardBy(g.Name, g.Identity(), a, s.Strength)
		}
		if n := len(p.yardstick.Adapters); n > 0 && n == len(on) {
			return nil
		}
		p.yardstick, p.yardHash = eval.System{Name: "base"}, ""
		ask = proseGenre
	}
	g, err := library.Find(p.b.name, ask)
	if err != nil {
		if p.o.Yardstick == "" {
			return nil
		}
		return err
	}
	a, err := p.b.genre(g)
	if err != nil {
		return err
	}
	p.yardBy(g.Name, g.Identity(), a, 1)
	return nil
}

// yardBy adds an adapter to the yardstick.
func (p *reporter) yardBy(name, hash string, a *lora.Adapter, strength float64) {
	if len(p.yardstick.Adapters) == 0 {
		p.yardstick.Name = name
	} else {
		p.yardstick.Name += "+" + name
	}
	p.yardstick.Adapters = append(p.yardstick.Adapters, lora.Applied{Adapter: a, Strength: float32(strength)})
	p.yardHash += fmt.Sprintf("%s %g;", hash, strength)
}

func (p *reporter) adapterIn(dir string) (*namedAdapter, error) {
	hash, err := adapterIdentity(dir)
	var file *lora.File
	if err == nil {
		file, err = lora.ReadDir(dir)
	}
	if wrong := (*stroke.Error)(nil); errors.As(err, &wrong) {
		return nil, &stroke.Error{Code: wrong.Code, Msg: "the adapter in " + dir + " cannot be used", Err: wrong.Err, Hint: "name the folder of a LoRA adapter as PEFT saves it"}
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter in " + dir + " cannot be used", Err: err, Hint: stroke.HintOf(err)}
	}
	a, err := file.Adapter(p.b.model.Shape())
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter in " + dir + " does not fit the base " + p.b.name, Err: err, Hint: "name one that was trained on this base"}
	}
	return &namedAdapter{name: adapterName(dir), hash: hash, adapter: a}, nil
}

// adapterName names the folder of an adapter, one of a twin's version by the twin.
func adapterName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	name := filepath.Base(dir)
	for name == adapterDir || name == versionsDir || goodID(name) {
		up := filepath.Dir(dir)
		if up == filepath.Dir(up) {
			break // nothing above it has a name
		}
		dir, name = up, filepath.Base(up)
	}
	return name
}

// wanted says whether a measure was asked for.
func (p *reporter) wanted(name string) bool {
	if strings.HasPrefix(name, ofCurve) {
		return p.o.Curve
	}
	return len(p.o.Measures) == 0 || slices.Contains(p.o.Measures, name)
}

// unsaid notes why a measure says nothing.
func (p *reporter) unsaid(name, why, hint string) {
	if u := (report.Unsaid{Measure: name, Why: why, Hint: hint}); !slices.Contains(p.r.Unsaid, u) {
		p.r.Unsaid = append(p.r.Unsaid, u)
	}
}

// plan finds what is to be measured and what was, and tells what it will take.
func (p *reporter) plan(ctx context.Context, dir string) error {
	list, err := p.list(ctx)
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i]
		if !p.wanted(s.name) && !needed[s.name] {
			continue
		}
		s.path = filepath.Join(dir, s.name+".json")
		s.kept = !p.o.Afresh && p.load(s)
		if s.needs != "" && !s.kept {
			needed[s.needs] = true
		}
		p.stages = append(p.stages, s)
	}
	slices.Reverse(p.stages)
	e := stroke.MeasuresEvent{Measures: []string{}}
	for _, s := range p.stages {
		if s.kept {
			continue
		}
		e.Measures = append(e.Measures, s.name)
		e.Tokens += s.reads
		e.Writes += s.writes
		e.Seconds += p.seconds(s)
	}
	p.emit(e)
	return nil
}

// Costs of what is not read, for forecasts.
const (
	writeCost = 4 // tokens read in the time that one is written, several texts at once
)

// seconds is what a stage is expected to take.
func (p *reporter) seconds(s *stage) float64 {
	reads := float64(s.reads)
	if p.v.fast() {
		reads *= scoreShare / scoreShareBF16
	}
	return (reads+writeCost*float64(s.writes))/p.readRate() + s.work
}

var peakFlops = 0.0

// readRate is how many tokens a second the base is expected to read in float32.
func (m *measured) readRate() float64 {
	if peakFlops == 0 {
		peakFlops = bench.FlopsPeak(0.1) * 1e9
	}
	return peakFlops * scoreShare / (bench.StepFlops(m.b.model, 512, m.v.Recipe.Options.LoRA.Rank) / 2)
}

// keptMeasure is the file of one measure.
type keptMeasure struct {
	Schema int             `json:"schema"`
	Key    string          `json:"key"`    // hash of what it depends on
	Made   time.Time       `json:"made"`   //
	Result json.RawMessage `json:"result"` // as in the report, or what it is made from
}

// keyOf is the hash of what a stage depends on.
func (p *reporter) keyOf(s *stage) (string, error) {
	b, err := json.Marshal(struct {
		Schema  int
		Version string
		Base    BaseRef
		Seed    uint64
		Judge   []string
		Key     any
	}{reportSchema, p.v.ID, p.b.ref(), p.o.Seed, hashes(p.judge), s.key})
	if err != nil {
		return "", fmt.Errorf("name the measure %s: %w", s.name, err)
	}
	return stroke.HashText(string(b)), nil
}

func hashes(docs []stroke.Document) []string {
	out := make([]string, len(docs))
	for i, d := range docs {
		out[i] = d.Hash
	}
	return out
}

// mostMeasure bounds the file of a measure.
const mostMeasure = 64 << 20

// load reads a measure that was kept; what cannot be read is measured again.
func (p *reporter) load(s *stage) bool {
	key, err := p.keyOf(s)
	if err != nil {
		return false
	}
	b, err := readAtMost(s.path, mostMeasure)
	if err != nil {
		return false
	}
	var k keptMeasure
	if json.Unmarshal(b, &k) != nil || k.Schema != reportSchema || k.Key != key || json.Unmarshal(k.Result, s.into) != nil {
		return false
	}
	return s.ready == nil || s.ready()
}

// keep writes what a stage has come to.
func (p *reporter) keep(s *stage) error {
	key, err := p.keyOf(s)
	if err != nil {
		return err
	}
	result, err := json.Marshal(s.into)
	if err != nil {
		return fmt.Errorf("keep the measure %s: %w", s.name, err)
	}
	b, err := json.Marshal(keptMeasure{reportSchema, key, time.Now().UTC().Truncate(time.Second), result})
	if err != nil {
		return fmt.Errorf("keep the measure %s: %w", s.name, err)
	}
	return writeFile(s.path, append(b, '\n'))
}

// run makes the measures that are missing.
func (p *reporter) run(ctx context.Context) error {
	left := 0.0
	for _, s := range p.stages {
		if !s.kept {
			left += p.seconds(s)
		}
	}
	begin, planned := time.Now(), left
	for _, s := range p.stages {
		if s.kept {
			p.emit(stroke.MeasureEvent{Measure: s.name, Done: 1, Total: 1, Kept: true})
			continue
		}
		left -= p.seconds(s)
		err := s.do(ctx, func(done, total int) {
			rest := left + p.seconds(s)*float64(total-done)/float64(max(total, 1))
			// The forecast is corrected by how it did so far, once that says anything.
			if did := planned - rest; did > 0.05*planned {
				rest *= time.Since(begin).Seconds() / did
			}
			p.emit(stroke.MeasureEvent{Measure: s.name, Done: done, Total: total, SecondsLeft: rest})
		})
		var cannot *stroke.Error
		if errors.As(err, &cannot) && cannot.Code == stroke.CodeInput {
			name := s.name
			if strings.HasPrefix(name, ofCurve) {
				name = ofCurve
			}
			p.unsaid(name, cannot.Error(), cannot.Hint)
			s.into = nil
			continue
		}
		if stroke.CodeOf(err) == stroke.CodeInterrupted {
			err = context.Canceled // a training says what is kept in its own folder, which is gone
		}
		if err != nil {
			hint := "what is measured is kept; the same command goes on"
			if p.o.Afresh {
				hint += " without --afresh"
			}
			return interrupted(err, "measure "+s.name, hint)
		}
		if err := p.keep(s); err != nil {
			return err
		}
	}
	return nil
}
