// Package twin is the main path: from a writer's files to an adapter that
// predicts the writer better than the base does, and from that to text.
//
//	files → corpus → examples → tokens → train → score → gate → publish → serve
package twin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/examples"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// Options are what a training run is asked for. Zero values take the defaults.
type Options struct {
	Source string // the writer's folder or file
	Name   string // of the twin; the folder's
	To     string // where the twin's folder is; in the home
	Base   string // name in the catalog, path, or "auto"
	From   string // source to fetch the base from, in place of the catalog's
	On     string // adapter to start from: a PEFT folder
	Within time.Duration
	Memory int64 // bytes the run may take
	Resume bool  // goes on with the run that was stopped; one of another run is an error
	Afresh bool  // begins again, whatever was stopped
	DryRun bool  // stops before anything is trained or written

	// CheckpointEvery is how long training goes on between checkpoints, 30 s
	// where zero.
	CheckpointEvery time.Duration

	// ExamplesOnly makes a twin that the base writes for, with the writer's
	// passages in its prompt: nothing is trained, withheld or judged.
	ExamplesOnly bool

	// NoCrossFit judges little text, too, by withheld documents alone.
	NoCrossFit bool

	// Exact has what is scored, and what is written to be looked at, in float32,
	// whatever the run trains in.
	Exact bool

	// Ask asks somebody whether to go on, where what was read calls for it; nil where
	// there is nobody to ask.
	Ask func(ctx context.Context, question string) (bool, error)

	// Yes goes on, where nobody is asked, also with files that hold less than half of
	// what the twin knows; otherwise the run is refused then.
	Yes bool

	Change func(*Recipe) // applied to the default recipe
	Rows   func([]corpus.Row)

	reading *corpus.Reading // of the source, where that was read and told of before
	asked   string          // key of what is asked for, whatever the base; empty before it is known
}

// Emit takes the events of a run, in order, from one goroutine.
type Emit func(stroke.Event)

// Train makes a version of a twin. It reads from top to bottom: each step is a
// value that the next one takes.
func Train(ctx context.Context, o Options, emit Emit) error {
	r, done, err := o.prepare(ctx, emit)
	if err != nil || r == nil {
		return err
	}
	defer done()
	return r.run(ctx)
}

// run is one training run of a twin.
type run struct {
	f      *Folder
	b      *baseModel
	o      *Options
	recipe Recipe
	ledger *corpus.Ledger
	emit   Emit
	words  map[stroke.Role]int
	amount int // of all words, of a part of a cross-fitted run; 0 of others

	train, choose, judge []stroke.Document
	passages             *passages
	pieces               []eval.Piece // of select documents
	room                 int          // tokens of the longest of them and what stands before it; 0 before they are known
	trainer              *train.Trainer
	on                   *lora.Adapter  // that --on names, once it was read
	onLearnt             *learntText    // what that had learnt, once it was asked for
	below                []lora.Applied // frozen, under the adapter that is trained
	asked                Recipe         // before a genre was found
	ofAll                Recipe         // that for all words, which parts of a cross-fitted run are asked for
	genre                lora.Applied   // that was found, several as one; without an adapter for none
	among                *among         // genres that parts of a cross-fitted run choose from; nil for whatever there is
	recalled             bool           // the genre is that of the run that is resumed
	key                  string         // of what a twin's run was asked for; empty for parts of one and other runs
	unasked              bool           // it goes on with a run that was stopped, without being told to
	aside                string         // folder of a run that was stopped, until this one has learnt something
	take                 int            // epoch that is taken whatever select says; 0 for the best
	takePrompt           *int           // bound of the prompt that is taken whatever select says
	progress             progress
	energy               bench.Energy // when it was last added to the progress
	folds                *foldsKept   // what they showed, where there are any
	order                [][]float64  // as [verdict.Evidence] has it
}

// much is the number of words that a recipe is taken for: all of them in a
// cross-fitted run, so that its parts and what goes live have the same.
func (r *run) much() int { return cmp.Or(r.amount, r.words[stroke.RoleTrain]) }

// progress is kept beside a checkpoint.
type progress struct {
	Select  []float64 `json:"select"`  // loss on select documents after each epoch; the bare base's first
	Seconds float64   `json:"seconds"` // of training so far
	Tokens  int       `json:"tokens"`
	On      string    `json:"on,omitempty"`   // hash of the adapter that it started from
	Mean    bool      `json:"mean,omitempty"` // epochs come to the mean of their adapters
	Base    BaseRef   `json:"base,omitzero"`  // what is trained on

	WattHours float64 `json:"watt_hours,omitempty"` // of training so far, where the machine tells
}

// tally adds the energy since the last call to that of the training, and gives the
// sum; nil where the machine tells nothing.
func (r *run) tally() *float64 {
	used := r.energy.WattHours()
	if used == nil {
		return nil
	}
	r.energy = bench.ReadEnergy()
	r.progress.WattHours += *used
	sum := r.progress.WattHours
	return &sum
}

func (r *run) run(ctx context.Context) error {
	r.recall()
	if r.o.Resume {
		if done, err := r.repeat(); done || err != nil {
			return err
		}
	}
	var learnt *learnt
	var epoch int
	var wattHours *float64
	var found *evidence
	var err error
	crossed := r.crossFits()
	if err := r.lookAtOrder(ctx, crossed); err != nil {
		return interrupted(err, "look at the order of your text", againHint)
	}
	if crossed {
		learnt, epoch, wattHours, found, err = r.crossFit(ctx)
	} else {
		learnt, epoch, wattHours, err = r.learn(ctx)
	}
	if err != nil {
		return err
	}
	defer learnt.close()
	version, err := r.verdict(ctx, learnt, epoch, found)
	if err != nil {
		return err
	}
	r.paragraph(ctx, version, learnt)
	h := version.HeldOut
	done := stroke.DoneEvent{Method: string(r.recipe.Method), Twin: r.f.Name, Folder: r.f.elsewhere(), Base: r.b.name, Kernel: kernel.Name(), Arithmetic: string(r.recipe.Options.Arithmetic), Words: version.Words,
		TrainTokens: version.TrainTokens, Epochs: r.recipe.Epochs, Seconds: version.Seconds, TokensPerSecond: version.TokensPerSec,
		PeakRSS: bench.PeakRSS(), WattHours: wattHours, HeldOut: stroke.HeldOut(h), Live: version.Verdict.Live}
	// The last event is written down before the version is there, so that a run
	// that is killed here makes one version, whenever that was.
	if err := r.f.publish(version, learnt, func(size int64) error {
		done.Version, done.AdapterBytes = version.ID, size
		return r.keepDone(done)
	}); err != nil {
		return err
	}
	if err := r.here(); err != nil {
		return err
	}
	r.clear()
	r.emit(done)
	return nil
}

// here enters into the ledger which documents the version that is there now was made
// from: until then those that are gone go on standing before what the twin writes.
func (r *run) here() error {
	r.ledger.Here(r.all())
	return r.f.saveLedger(ledgerFile, r.ledger)
}

// recall takes the recipe of the run that is gone on with.
func (r *run) recall() {
	r.asked = r.recipe
	if r.o.Resume {
		r.recallGenre()
	}
}

// learn trains to the end and gives what the best epoch learnt. wattHours are
// those of training, nil where the machine tells nothing.
func (r *run) learn(ctx context.Context) (l *learnt, epoch int, wattHours *float64, err error) {
	if !r.recalled {
		r.recipe = r.asked
		r.progress.On = r.asked.onIdentity()
		if err := r.standOn(ctx); err != nil {
			return nil, 0, nil, err
		}
	} else if s := &r.recipe.Genre; len(s.On) > 0 {
		r.emit(stroke.GenreEvent{Asked: s.Ask, Name: s.title(), As: s.As, Strength: s.strength(), Gain: s.gain()})
	}
	l, epoch, wattHours, err = r.trained(ctx)
	if bad := (unusableError{}); r.unasked && errors.As(err, &bad) {
		if err := r.giveUp(ctx, bad); err != nil {
			return nil, 0, nil, err
		}
		return r.learn(ctx)
	}
	return l, epoch, wattHours, err
}

// trained plans and takes the steps, and gives what the best epoch learnt.
func (r *run) trained(ctx context.Context) (l *learnt, epoch int, wattHours *float64, err error) {
	if err := r.plan(); err != nil {
		return nil, 0, nil, err
	}
	r.energy = bench.ReadEnergy()
	err = r.steps(ctx)
	// What comes after needs none of the memory that training takes.
	if e := r.trainer.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, 0, nil, err
	}
	wattHours = r.tally()
	if l, epoch, err = r.chosen(); err == nil {
		if err = r.choosePrompt(ctx, l); err != nil {
			l.close()
		}
	}
	return l, epoch, wattHours, err
}

// plan makes the examples and the trainer, and restores a checkpoint where the
// run is to go on.
func (r *run) plan() error {
	epochs, err := r.examples()
	if err != nil {
		return err
	}
	r.selectPieces()
	j := train.Job{Model: r.b.model, Options: r.recipe.Options, Epochs: epochs}
	if r.recipe.On != "" {
		if err := r.startFrom(&j); err != nil {
			return err
		}
	}
	if r.genre.Adapter != nil {
		if j.From, err = r.useGenre(r.b.model.Shape()); err != nil {
			return err
		}
		j.On = r.below
	}
	if err := r.joinable(); err != nil {
		return err
	}
	debug.FreeOSMemory() // what choosing a genre left counts as memory of the process
	if j.Memory, err = r.activations(j); err != nil {
		return err
	}
	if err := r.b.hold(); err != nil {
		return err
	}
	t, err := train.New(j)
	if err != nil {
		return planError(err)
	}
	r.trainer = t
	if err := r.roomOnDisk(t.Parameters()); err != nil {
		t.Close()
		return err
	}
	if s := r.recipe.Options.Weights; s != nil && s.All() {
		r.b.model.Source.Forget()
	}
	if r.o.Resume {
		if err := r.restore(); err != nil {
			t.Close()
			return unusableError{err}
		}
	} else if err := r.afresh(); err != nil {
		t.Close()
		return err
	}
	if err := os.MkdirAll(r.path(""), 0o700); err != nil {
		t.Close()
		return writeError(r.path(""), err)
	}
	if err = r.keepAsked(); err == nil {
		err = r.keepGenre()
	}
	if err != nil {
		t.Close()
		return err
	}
	tokens := t.Tokens(0, t.Steps())
	r.emit(stroke.ForecastEvent{Recipe: r.recipe.Name, Why: r.why(), Parameters: t.Parameters(), Disk: r.diskBytes(t.Parameters()), Steps: t.Steps(), Epochs: r.recipe.Epochs, Tokens: tokens,
		Seconds: float64(t.Tokens(t.Done(), t.Steps())) / forecastRate(r.b, r.recipe), Memory: t.Bytes() + r.beside(&r.recipe.Options),
		Kernel: kernel.Name(), Arithmetic: string(r.recipe.Options.Arithmetic), Resumed: t.Done()})
	return nil
}

// examples makes those of every epoch.
func (r *run) examples() ([][]train.Example, error) {
	maker := &examples.Maker{Tokenizer: r.b.tok, First: r.b.first, Separator: r.b.sep, Between: r.b.between(r.recipe.Prompt.Between), Chat: r.b.pair, Mix: r.recipe.Mix, Seed: r.recipe.Options.Seed, Near: r.ledger.Neighbours}
	maker.Add(r.train)
	var epochs [][]train.Example
	for e := range r.recipe.Epochs {
		x, err := maker.Epoch(e)
		if err != nil {
			return nil, err
		}
		epochs = append(epochs, x)
	}
	return epochs, nil
}

// processBytes is what the program takes beside the model and what is planned.
const processBytes = 60e6

// adapterBytes is what a run that trains an adapter takes in all, but for what scores
// select documents, where nobody says what it may take: all that is computed is kept as
// far as it goes.
const adapterBytes = 760e6

// activations is the memory for training beside the base. It is an error where what
// the run may take is too little, or for weights of the base what the machine has. An
// adapter takes little beside the base, and what is free is no more than a guess: there
// it is told. A run that goes on does with what it was begun with.
func (r *run) activations(j train.Job) (int64, error) {
	least, err := train.Floor(j)
	if err != nil {
		return 0, planError(err)
	}
	beside := r.beside(&j.Options)
	limit := r.o.Memory
	if limit == 0 {
		if limit = freeMemory(); limit > 0 {
			limit += r.b.model.Source.Held() // which beside counts, or is given back
		}
	}
	if limit > 0 && least+beside > limit {
		if j.Options.Weights != nil || r.o.Memory > 0 && !r.o.Resume {
			return 0, r.tooLittle(j, limit, least+beside)
		}
		if r.o.Memory == 0 {
			r.emit(stroke.NoteEvent{Text: fmt.Sprintf("the run takes at least %s of memory, and %s seem to be free: close other programs if it is ended by the system", term.Bytes(least+beside), term.Bytes(limit))})
		}
		return least, nil
	}
	if r.o.Memory > 0 {
		return limit - beside, nil
	}
	memory := least + train.KeptMemory
	if j.Options.Weights == nil {
		memory = max(least, adapterBytes-processBytes-r.b.model.Bytes())
	}
	if limit > 0 {
		memory = min(memory, limit-beside)
	}
	return memory, nil
}

// pair renders a request and its answer, quoted, in the base's chat template.
func (b *baseModel) pair(request, answer string) (before, after string, err error) {
	messages := b.tok.Quoted([]token.Message{{Role: "user", Content: request}, {Role: "assistant", Content: answer}})
	if before, err = b.chat.Render(messages[:1], true); err != nil {
		return "", "", err
	}
	whole, err := b.chat.Render(messages, false)
	if err != nil {
		return "", "", err
	}
	if len(whole) < len(before) || whole[:len(before)] != before {
		return "", "", errors.New("the chat template writes a conversation otherwise than its beginning")
	}
	return before, whole[len(before):], nil
}

// verdict decides by what was found, or where that is nil by what was learnt on the
// judge documents, and counts it in the ledger.
func (r *run) verdict(ctx context.Context, l *learnt, epoch int, found *evidence) (*Version, error) {
	judges := r.all()
	if found == nil {
		written, err := r.written(l)
		if err == nil {
			found, err = r.judgePieces(ctx, written, spread(r.judge))
		}
		if err != nil {
			return nil, err
		}
		if err = r.sampled(ctx, written, r.train, found); err != nil {
			return nil, interrupted(err, "look at what was learnt", resumeHint)
		}
		judges = r.judge
	}
	found.Order = r.order
	figures := verdict.Pool(found.Losses)
	if err := r.tooEasy(ctx, figures.Base); err != nil {
		return nil, interrupted(err, "judge the base", resumeHint)
	}
	r.fewDocuments(judges)
	name := r.lookName(judges, found.Folds > 0)
	found.Look = r.ledger.Look(hashes(judges), name)
	r.ledger.Judged(hashes(judges), name)
	if err := r.f.saveLedger(ledgerFile, r.ledger); err != nil {
		return nil, err
	}
	v := &Version{Schema: schema, Twin: r.f.Name, Parent: r.f.Newest, Created: time.Now().UTC().Truncate(time.Second), Base: r.b.ref(), Recipe: r.recipe,
		Kernel: kernel.Name(), Words: r.words[stroke.RoleTrain], TrainTokens: r.progress.Tokens, Epoch: epoch, Seconds: r.progress.Seconds,
		Documents: map[string]int{"train": len(r.train), "select": len(r.choose), "judge": len(r.judge)},
		HeldOut:   figures, Verdict: verdict.Decide(verdict.Evidence(*found), r.recipe.Options.Seed)}
	if found.Folds > 0 {
		v.Words = wordsOf(judges) // all of them were trained on in the end
		v.folds = r.folds
	}
	if v.Seconds > 0 {
		v.TokensPerSec = float64(v.TrainTokens) / v.Seconds
	}
	wrong, err := r.wrongGenre(ctx)
	if err != nil {
		return nil, err
	}
	v.Verdict.Why += r.recipe.Genre.said() + wrong
	below, err := r.learntBelow()
	if err != nil {
		return nil, err
	}
	v.Below = slices.Sorted(maps.Keys(below))
	if slices.ContainsFunc(judges, func(d stroke.Document) bool { return below[d.Hash] }) {
		v.Verdict.Unproven = true
		v.Verdict.Why += "; the adapter that it started from has learnt text that judges here, so that nothing of this is proven"
	}
	if names := r.recipe.Genre.learnt().title(); names != "" {
		v.Verdict.Unproven = true
		v.Verdict.Why += "; the genre " + names + " was made from some of this writing, so that nothing of this is proven"
	}
	if !v.Verdict.Live {
		v.Verdict.Why += "; " + r.f.serving()
	}
	r.tellVerdict(v)
	return v, nil
}

func (r *run) tellVerdict(v *Version) {
	d, s := &v.Verdict, &v.Recipe.Genre
	gain := d.Gain
	if !gain.Known() { // without judge text, which Why says
		gain = eval.Interval{}
	}
	e := stroke.VerdictEvent{Live: d.Live, Unproven: d.Unproven, Gain: gain.Mean, Low: gain.Low, High: gain.High,
		Units: d.Units, Unit: d.Unit, Why: d.Why, HeldOut: stroke.HeldOut(v.HeldOut), Genre: s.title(), GenreGain: s.gain(),
		Level: d.Level, Look: d.Look, Folds: d.Folds, Copier: d.Copier, Monotone: d.Monotone}
	e.Learnt = s.learnt().title() != "" || slices.ContainsFunc(r.judge, func(d stroke.Document) bool { return slices.Contains(v.Below, d.Hash) })
	if x := d.Specificity; x != nil && len(x.Controls) > 0 {
		e.Specificity = &stroke.SpecificityFigures{Gain: x.Gain.Mean, Low: x.Gain.Low, High: x.Gain.High, Stranger: x.Stranger, Controls: len(x.Controls), Better: x.Better}
	}
	if x := d.Order; x != nil {
		e.Order = &stroke.OrderFigures{Stretches: x.Stretches, Mean: x.Mean, P: x.P}
	}
	r.emit(e)
}

// interrupted makes an error of a context's end one for a person.
func interrupted(err error, doing, hint string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &stroke.Error{Code: stroke.CodeInterrupted, Msg: "stopped while it was to " + doing, Hint: hint}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
