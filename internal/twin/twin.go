// Package twin is the main path: from a writer's files to an adapter that
// predicts the writer better than the base does, and from that to text.
//
//	files → corpus → examples → tokens → train → score → gate → publish → serve
package twin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
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
	Resume bool
	DryRun bool // stops before anything is trained or written

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
	// there is nobody to ask, and the run goes on.
	Ask func(ctx context.Context, question string) (bool, error)

	Change func(*Recipe) // applied to the default recipe
	Rows   func([]corpus.Row)

	reading *corpus.Reading // of the source, where that was read and told of before
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

// prepare reads the writer's files, gives them their roles, takes the twin and
// opens the base. The run is nil where there is nothing to train.
func (o *Options) prepare(ctx context.Context, emit Emit) (r *run, done func(), err error) {
	reading, err := o.read(ctx, emit)
	if err != nil {
		return nil, nil, err
	}
	f, err := o.folder()
	if err != nil {
		return nil, nil, err
	}
	if o.ExamplesOnly {
		return nil, nil, o.examplesOnly(ctx, f, reading, emit)
	}
	known, _ := f.Ledger() // what is wrong with it is told below
	ledger, docs, err := f.assign(reading, emit)
	// What the twin has known already was told of then.
	if err == nil && !o.Resume && len(ledger.Entries) > len(known.Entries) {
		if err := o.onePerson(ctx, reading, emit); err != nil {
			return nil, nil, err
		}
	}
	if o.Rows != nil && ledger != nil {
		o.Rows(corpus.Table(reading, ledger))
	}
	if err != nil {
		return nil, nil, err
	}
	recipe, err := o.recipe(ledger, docs)
	if err != nil {
		return nil, nil, err
	}
	if o.DryRun {
		return nil, nil, o.foretell(ctx, f, reading, wordsByRole(ledger, docs)[stroke.RoleTrain], recipe, emit)
	}
	const doing = "train"
	if err := f.free(doing); err != nil {
		return nil, nil, err
	}
	// What is wrong with the base is found before there is a folder.
	b, err := o.openBase(ctx, f, reading, wordsByRole(ledger, docs)[stroke.RoleTrain], recipe, emit)
	if err != nil {
		return nil, nil, err
	}
	if !o.Resume {
		err = recipe.Genre.there(b)
	}
	unlock := func() {}
	if err == nil {
		f, unlock, err = o.take(f, doing)
	}
	if err != nil {
		b.close()
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			b.close()
			unlock()
		}
	}()
	// Another process may have trained it between the reading and the lock.
	if ledger, docs, err = f.assign(reading, func(stroke.Event) {}); err != nil {
		return nil, nil, err
	}
	words := wordsByRole(ledger, docs)
	r = &run{f: f, b: b, progress: progress{On: recipe.OnHash}, o: o, recipe: recipe, ledger: ledger, emit: emit, words: words,
		train: byRole(docs, ledger, stroke.RoleTrain), choose: byRole(docs, ledger, stroke.RoleSelect), judge: byRole(docs, ledger, stroke.RoleJudge)}
	r.passages = newPassages(r.train, ledger, b, recipe.Prompt)
	if o.reading == nil && !o.Resume {
		if err := r.tellGenerated(ctx, fresh(known, docs)); err != nil {
			return nil, nil, err
		}
	}
	// From here on the twin knows these documents, and nothing is told of them again.
	if err := f.keep(docs); err != nil {
		return nil, nil, err
	}
	ledger.Here(docs)
	if err := f.saveLedger(ledgerFile, ledger); err != nil {
		return nil, nil, err
	}
	if err := f.forgetExamples(); err != nil {
		return nil, nil, err
	}
	return r, func() {
		b.close()
		unlock()
	}, nil
}

// read reads the writer's files and tells of them, unless that was done before.
func (o *Options) read(ctx context.Context, emit Emit) (*corpus.Reading, error) {
	if o.reading != nil {
		return o.reading, nil
	}
	reading, err := corpus.Read(ctx, o.Source, corpus.Options{})
	if reading != nil {
		tellReading(o.Source, reading, emit)
	}
	return reading, err
}

func wordsByRole(l *corpus.Ledger, docs []stroke.Document) map[stroke.Role]int {
	words := map[stroke.Role]int{}
	for _, d := range docs {
		words[l.Role(d.Hash)] += d.Words
	}
	return words
}

// recipe is that of the run: the default for its words, changed as was asked.
func (o *Options) recipe(l *corpus.Ledger, docs []stroke.Document) (Recipe, error) {
	r := DefaultRecipe(wordsByRole(l, docs)[stroke.RoleTrain])
	if r.On = o.On; r.On != "" {
		var err error
		if r.OnHash, err = adapterHash(r.On); err != nil {
			return r, err
		}
	}
	if o.Change != nil {
		o.Change(&r)
	}
	return r, r.Validate()
}

func byRole(docs []stroke.Document, l *corpus.Ledger, role stroke.Role) []stroke.Document {
	var out []stroke.Document
	for _, d := range docs {
		if l.Role(d.Hash) == role {
			out = append(out, d)
		}
	}
	return out
}

func tellReading(source string, r *corpus.Reading, emit Emit) {
	language, _ := r.Language()
	for _, l := range r.Left {
		emit(stroke.LeftOutEvent{Source: l.Source, Reason: l.Reason, Hint: l.Hint, Words: l.Words, Files: max(l.Files, 1)})
	}
	for _, n := range r.Notes {
		emit(stroke.NoteEvent{Text: n.Source + ": " + n.Text})
	}
	for _, hint := range quotationHints(r) {
		emit(stroke.NoteEvent{Text: hint})
	}
	emit(stroke.ReadEvent{Source: source, Documents: len(r.Documents), Words: r.Words(), LeftOut: len(r.Left), Language: language})
}

// folder finds the twin that is to be trained; for one that does not exist yet,
// or whose manifest is beyond reading, it gives a Folder without a manifest.
func (o *Options) folder() (*Folder, error) {
	name := o.Name
	if name == "" {
		name = NameOf(o.Source)
	}
	name = norm.NFC.String(name)
	if err := CheckName(name); err != nil {
		return nil, err
	}
	dir := o.To
	if dir == "" {
		home, err := Home()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(home, "twins", name)
	}
	if isTwin(dir) {
		f, err := Open(dir)
		if damaged := (*damagedManifestError)(nil); !errors.As(err, &damaged) {
			return f, err
		}
	} else if err := o.vacant(dir); err != nil {
		return nil, err
	}
	return &Folder{Dir: dir, Manifest: Manifest{Name: name}}, nil
}

// vacant says why a new twin's folder cannot be dir: there is something else in
// it. It may lie among the writing, where no twin's folder is read.
func (o *Options) vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // not there yet; what else is wrong is found when it is made
	}
	for _, e := range entries {
		if !ownEntry(dir, e.Name()) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%s holds other files than a twin's, such as %s", dir, e.Name()),
				Hint: "name a folder that is empty or not there yet: --to DIR"}
		}
	}
	return nil
}

// take makes the folder of a new twin, locks it, and gives the twin as it is
// under the lock.
func (o *Options) take(f *Folder, doing string) (*Folder, func(), error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil, nil, writeError(f.Dir, err)
	}
	unlock, err := f.lock(doing)
	if err != nil {
		return nil, nil, err
	}
	now, err := o.folder()
	if err == nil && now.Schema == 0 {
		now, err = create(now.Dir, now.Name)
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	now.sweep()
	return now, unlock, nil
}

// assign gives the documents their roles.
func (f *Folder) assign(r *corpus.Reading, emit Emit) (*corpus.Ledger, []stroke.Document, error) {
	ledger, err := f.Ledger()
	if err != nil {
		return nil, nil, err
	}
	before := len(ledger.Entries)
	docs, err := corpus.Assign(ledger, r.Documents, corpus.AssignOptions{Clusters: r.Clusters, Text: f.Text})
	if corpus.Enough(r.Words()) != nil {
		return ledger, nil, &stroke.Error{Code: stroke.CodeInput, Err: err,
			Hint: "add more writing; or train with --examples-only: the base then writes with your passages before it, and nothing is trained or judged"}
	}
	if err != nil {
		return ledger, nil, err
	}
	e := stroke.RolesEvent{Documents: len(docs), New: len(ledger.Entries) - before}
	for _, d := range docs {
		switch ledger.Role(d.Hash) {
		case stroke.RoleTrain:
			e.Train += d.Words
		case stroke.RoleSelect:
			e.Select += d.Words
		case stroke.RoleJudge:
			e.Judge += d.Words
		}
	}
	emit(e)
	return ledger, docs, nil
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
	trainer              *train.Trainer
	below                []lora.Applied // frozen, under the adapter that is trained
	asked                Recipe         // before a genre was found
	genre                lora.Applied   // that was found, several as one; without an adapter for none
	recalled             bool           // the genre is that of the run that is resumed
	take                 int            // epoch that is taken whatever select says; 0 for the best
	takePrompt           *int           // bound of the prompt that is taken whatever select says
	progress             progress
	energy               bench.Energy // when it was last added to the progress
	folds                *foldsKept   // what they showed, where there are any
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
	if r.crossFits() {
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
	done := stroke.DoneEvent{Method: string(r.recipe.Method), Twin: r.f.Name, Base: r.b.name, Kernel: kernel.Name(), Arithmetic: string(r.recipe.Options.Arithmetic), Words: version.Words,
		TrainTokens: version.TrainTokens, Epochs: r.recipe.Epochs, Seconds: version.Seconds, TokensPerSecond: version.TokensPerSec,
		PeakRSS: bench.PeakRSS(), WattHours: wattHours, HeldOut: stroke.HeldOut(h)}
	// The last event is written down before the version is there, so that a run
	// that is killed here makes one version, whenever that was.
	if err := r.f.publish(version, learnt, func(size int64) error {
		done.Version, done.AdapterBytes = version.ID, size
		return r.keepDone(done)
	}); err != nil {
		return err
	}
	r.clear()
	r.emit(done)
	return nil
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
		r.progress.On = r.asked.OnHash
		if err := r.standOn(ctx); err != nil {
			return nil, 0, nil, err
		}
	}
	return r.trained(ctx)
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
	j := train.Job{Model: r.b.model, Options: r.recipe.Options, Epochs: epochs}
	if j.Memory, err = r.activations(j); err != nil {
		return err
	}
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
	t, err := train.New(j)
	if err != nil {
		return planError(err)
	}
	r.trainer = t
	if s := r.recipe.Options.Weights; s != nil && s.All() {
		r.b.model.Source.Forget()
	}
	if r.o.Resume {
		if err := r.restore(); err != nil {
			t.Close()
			return err
		}
	} else if err := r.afresh(); err != nil {
		t.Close()
		return err
	}
	if err := os.MkdirAll(r.path(""), 0o700); err != nil {
		t.Close()
		return writeError(r.path(""), err)
	}
	err = writeFile(r.path(baseFile), []byte(r.b.name+"\n"))
	if err == nil {
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
	maker := &examples.Maker{Tokenizer: r.b.tok, Separator: r.b.sep, Between: r.b.between(r.recipe.Prompt.Between), Chat: r.b.pair, Mix: r.recipe.Mix, Seed: r.recipe.Options.Seed, Near: r.ledger.Neighbours}
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

// activations is the memory for training beside the base.
func (r *run) activations(j train.Job) (int64, error) {
	limit := r.o.Memory
	if j.Options.Weights != nil {
		return r.weightsMemory(j)
	}
	if limit == 0 {
		limit = 760e6
	}
	return max(limit-r.b.model.Bytes()-processBytes, 1), nil
}

// adapterHash is the SHA-256 of an adapter's weights.
func adapterHash(dir string) (string, error) {
	f, err := os.Open(filepath.Join(dir, lora.WeightsFile))
	if errors.Is(err, os.ErrNotExist) {
		compact, e := os.Open(filepath.Join(dir, lora.CompactFile))
		if !errors.Is(e, os.ErrNotExist) {
			f, err = compact, e
		}
	}
	if err != nil {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter to start from cannot be used", Err: err,
			Hint: "name the folder of a LoRA adapter as PEFT saves it: --on DIR"}
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter to start from cannot be read", Err: err}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// layers is the number of layers up to the last that an adapter changes.
func layers(a *lora.Adapter) int {
	n := 0
	a.Each(func(l int, _ lora.Module, _ *op.Pair) { n = max(n, l+1) })
	return n
}

// startFrom takes the adapter that --on names: one of the same shape is gone on
// with, another stays as it is below the new one.
func (r *run) startFrom(j *train.Job) error {
	file, err := lora.ReadDir(r.recipe.On)
	if err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter to start from cannot be used", Err: err, Hint: stroke.HintOf(err)}
	}
	a, err := r.b.fit(file)
	if err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter in " + r.recipe.On + " does not fit the base " + r.b.name, Err: err,
			Hint: "use the base it was trained on: --base NAME"}
	}
	if a.Base != "" && a.Base != r.b.name {
		r.emit(stroke.NoteEvent{Text: fmt.Sprintf("the adapter in %s says that it was trained on %s; it fits %s by its shape", r.recipe.On, a.Base, r.b.name)})
	}
	if a.SameShape(lora.New(r.b.model.Shape(), j.Options.LoRA, 0, nil)) {
		j.From = a
		return nil
	}
	r.recipe.Stack = true
	r.below = []lora.Applied{{Adapter: a, Strength: 1}}
	j.On = r.below
	return nil
}

// pair renders a request and its answer in the base's chat template.
func (b *baseModel) pair(request, answer string) (before, after string, err error) {
	if before, err = b.chat.Render([]token.Message{{Role: "user", Content: request}}, true); err != nil {
		return "", "", err
	}
	whole, err := b.chat.Render([]token.Message{{Role: "user", Content: request}, {Role: "assistant", Content: answer}}, false)
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
		if found.Copier, found.Monotone, err = r.b.sampled(ctx, written, r.train, r.judge, r.recipe.Options.Seed, r.o.Exact); err != nil {
			return nil, interrupted(err, "look at what was learnt", resumeHint)
		}
		judges = r.judge
	}
	figures := verdict.Pool(found.Losses)
	if err := r.tooEasy(ctx, figures.Base); err != nil {
		return nil, interrupted(err, "judge the base", resumeHint)
	}
	r.oneDocument(judges)
	name := stroke.HashText(string(r.identity()))[:12]
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
	if r.recipe.On != "" && sawJudge(r.recipe.On, judges) {
		v.Verdict.Unproven = true
		v.Verdict.Why += "; the adapter that it started from has learnt text that judges here, so that nothing of this is proven"
	}
	if !v.Verdict.Live {
		v.Verdict.Why += "; " + r.f.serving()
	}
	r.tellVerdict(v)
	return v, nil
}

func (r *run) tellVerdict(v *Version) {
	d, s := &v.Verdict, &v.Recipe.Genre
	e := stroke.VerdictEvent{Live: d.Live, Unproven: d.Unproven, Gain: d.Gain.Mean, Low: d.Gain.Low, High: d.Gain.High,
		Units: d.Units, Unit: d.Unit, Why: d.Why, HeldOut: stroke.HeldOut(v.HeldOut), Genre: s.title(), GenreGain: s.gain(),
		Level: d.Level, Look: d.Look, Folds: d.Folds, Copier: d.Copier, Monotone: d.Monotone}
	if x := d.Specificity; x != nil && len(x.Controls) > 0 {
		e.Specificity = &stroke.SpecificityFigures{Gain: x.Gain.Mean, Low: x.Gain.Low, High: x.Gain.High, Stranger: x.Stranger, Controls: len(x.Controls), Better: x.Better}
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
