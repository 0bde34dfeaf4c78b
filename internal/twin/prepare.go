package twin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/term"
)

// What comes before a run: the files are read, the twin is taken, the base opened.

// doingTrain is what a run has the twin's lock for.
const doingTrain = "train"

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
	if called := calledOf(o.Source); o.Name == "" && f.Schema == 0 && CheckName(called) != nil {
		emit(stroke.NoteEvent{Text: fmt.Sprintf("the twin is named %s, since %q cannot be a twin's name; --name gives another", onLine(f.Name), called)})
	}
	if err := o.sameWriting(ctx, f, reading, emit); err != nil {
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
	o.asked = o.key(identityOf(recipe, BaseRef{}, allOf(docs, ledger), o.NoCrossFit))
	if o.DryRun {
		return nil, nil, o.foretell(ctx, f, reading, wordsByRole(ledger, docs)[stroke.RoleTrain], recipe, emit)
	}
	if err := f.free(doingTrain); err != nil {
		return nil, nil, err
	}
	// What is wrong with the base is found before there is a folder.
	b, err := o.openBase(ctx, f, reading, wordsByRole(ledger, docs)[stroke.RoleTrain], recipe, emit)
	if err != nil {
		return nil, nil, err
	}
	if !o.goesOn(f) { // a run that was stopped keeps its genres
		err = recipe.Genre.there(b)
	}
	unlock := func() {}
	if err == nil {
		f, unlock, err = o.take(f, doingTrain)
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
	r = &run{f: f, b: b, progress: progress{On: recipe.onIdentity()}, o: o, recipe: recipe, ledger: ledger, emit: emit, words: words,
		train: byRole(docs, ledger, stroke.RoleTrain), choose: byRole(docs, ledger, stroke.RoleSelect), judge: byRole(docs, ledger, stroke.RoleJudge)}
	if r.ofAll, err = o.recipeFor(wordsOf(r.all())); err != nil {
		return nil, nil, err
	}
	r.passages = newPassages(r.train, ledger, b, recipe.Prompt)
	if o.reading == nil { // it is no training of a comparison
		below, err := r.learntBelow()
		if err != nil {
			return nil, nil, err
		}
		v := &Version{Schema: schema, Twin: f.Name, Base: b.ref(), Recipe: recipe, Below: slices.Sorted(maps.Keys(below))}
		if err := v.legible(foundRoom); err != nil {
			return nil, nil, err
		}
		if err := r.goOn(ctx); err != nil {
			return nil, nil, err
		}
	}
	if o.reading == nil && !o.Resume {
		if err := r.tellGenerated(ctx, fresh(known, docs)); err != nil {
			return nil, nil, err
		}
	}
	// From here on the twin knows these documents, and nothing is told of them again.
	if err := f.keep(docs); err != nil {
		return nil, nil, err
	}
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
	reading, err := corpus.Read(ctx, o.Source, corpus.Options{Looked: tellLooked(o.Source, emit)})
	if reading != nil {
		tellReading(o.Source, reading, emit)
	}
	return reading, err
}

// The times between which it is told how far a long reading is.
const (
	firstLooked = 2 * time.Second
	nextLooked  = 10 * time.Second
)

// tellLooked tells how many files of a folder were looked at, where that takes long.
func tellLooked(source string, emit Emit) func(files int) {
	next := time.Now().Add(firstLooked)
	return func(files int) {
		if now := time.Now(); now.After(next) {
			next = now.Add(nextLooked)
			emit(stroke.NoteEvent{Text: fmt.Sprintf("reading %s: %s files so far", source, term.Count(files))})
		}
	}
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
	return o.recipeFor(wordsByRole(l, docs)[stroke.RoleTrain])
}

// recipeFor is that of a run with so many words to train on, from the base.
func (o *Options) recipeFor(words int) (Recipe, error) {
	r := DefaultRecipe(words)
	r.On = o.On
	if o.Change != nil {
		o.Change(&r)
	}
	// What a run finds out nobody says before it.
	r.Genre.On, r.Stack, r.OnHash, r.OnConfig = nil, false, "", ""
	if r.On != "" {
		var err error
		if r.OnHash, r.OnConfig, err = adapterHash(r.On); err != nil {
			return r, err
		}
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

// allOf are the documents that have a role, in the order in which a run has them.
func allOf(docs []stroke.Document, l *corpus.Ledger) []stroke.Document {
	return slices.Concat(byRole(docs, l, stroke.RoleTrain), byRole(docs, l, stroke.RoleSelect), byRole(docs, l, stroke.RoleJudge))
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
		if err == nil && o.To != "" && o.Name != "" && f.Name != name {
			return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the twin in %s is named %s, and --name is %s", dir, f.Name, name),
				Hint: "leave --name out to train that twin, or name another folder for a new one: --to DIR"}
		}
		if damaged := (*damagedManifestError)(nil); !errors.As(err, &damaged) {
			return f, err
		}
	} else if err := vacant(dir); err != nil {
		return nil, err
	}
	return &Folder{Dir: dir, Manifest: Manifest{Name: name}}, nil
}

// vacant says why a new twin's folder cannot be dir: there is something else in
// it. It may lie among the writing, where no twin's folder is read.
func vacant(dir string) error {
	if found := Others(dir); len(found) > 0 {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%s holds other files than a twin's, such as %s", dir, found[0]),
			Hint: "name a folder that is empty or not there yet: --to DIR"}
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
	if err := now.takeBack(); err != nil {
		unlock()
		return nil, nil, err
	}
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
