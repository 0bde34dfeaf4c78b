package twin

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
)

// examplesOnly makes a twin without training: what too little text allows. Its
// documents are kept beside the ledger and not in it, so that none has a role
// when there is enough to train on.
func (o *Options) examplesOnly(ctx context.Context, f *Folder, reading *corpus.Reading, emit Emit) error {
	if err := f.untrained(); err != nil {
		return err
	}
	recipe := DefaultRecipe(reading.Words())
	l := passagesAlone(reading)
	if o.DryRun {
		if o.Rows != nil {
			o.Rows(corpus.Table(reading, l))
		}
		return o.foretell(ctx, f, reading, reading.Words(), recipe, emit)
	}
	const doing = "keep your passages"
	if err := f.free(doing); err != nil {
		return err
	}
	b, err := o.openBase(ctx, f, reading, reading.Words(), recipe, emit)
	if err != nil {
		return err
	}
	defer b.close()
	f, unlock, err := o.take(f, doing)
	if err != nil {
		return err
	}
	defer unlock()
	// Another process may have trained it before the lock.
	if err := f.untrained(); err != nil {
		return err
	}
	if err := f.keep(reading.Documents); err != nil {
		return err
	}
	if err := f.saveLedger(examplesFile, l); err != nil {
		return err
	}
	f.Base = b.name
	if err := f.save(); err != nil {
		return err
	}
	emit(stroke.NoteEvent{Text: "the twin " + f.Name + " is there: the base writes with your passages before it; nothing is trained or judged"})
	emit(stroke.NoteEvent{Text: fmt.Sprintf("write with it: stroke write -t %q \"An opening\"", cmp.Or(f.elsewhere(), f.Name))})
	return nil
}

// untrained says why a twin that has a version cannot become one of passages alone.
func (f *Folder) untrained() error {
	if len(f.Versions) == 0 {
		return nil
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: "the twin " + f.Name + " has been trained already", Hint: "train it without --examples-only, or give this one another name with --name"}
}

// passagesAlone lists what was read as passages of a twin without training.
func passagesAlone(reading *corpus.Reading) *corpus.Ledger {
	why := "it serves as passages alone, as was asked for"
	if corpus.Enough(reading.Words()) != nil {
		why = "there is too little text to train on: it serves as passages alone"
	}
	l := &corpus.Ledger{}
	for _, d := range reading.Documents {
		l.Entries = append(l.Entries, corpus.Entry{Hash: d.Hash, Source: d.Source, Title: d.Title, Role: stroke.RoleTrain,
			Date: time.Now().UTC().Format(time.RFC3339), Words: d.Words, Why: why})
	}
	return l
}

// without says that a twin has no version or no base yet, and what there is to do.
func (f *Folder) without(what string) error {
	e := &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("the twin %s has no %s yet", f.Name, what), Hint: f.trainHint()}
	if f.Held() == doingTrain {
		e.Msg += ": it is being trained at this moment"
		e.Hint = "wait until that is done"
	}
	return e
}

// trainHint says how a twin comes to a version. One of passages alone may have too
// little text for that.
func (f *Folder) trainHint() string {
	command := "stroke train FOLDER --name " + onLine(f.Name)
	if f.elsewhere() != "" {
		command += " --to " + onLine(f.elsewhere())
	}
	words := 0
	if l, err := f.readLedger(examplesFile); err == nil {
		for _, e := range l.Entries {
			words += e.Words
		}
	}
	if words > 0 && corpus.Enough(words) != nil {
		return fmt.Sprintf("it has %d words of yours, and a training takes %d at the least: write more, then %s", words, corpus.LeastWords, command)
	}
	return "train it: " + command
}

// forgetExamples drops the list of passages alone once there is a ledger.
func (f *Folder) forgetExamples() error {
	path := filepath.Join(f.Dir, examplesFile)
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return writeError(path, err)
	}
	return nil
}
