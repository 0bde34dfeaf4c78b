package twin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/likeness"
)

// writersHint says what to do about two writers in one folder.
const writersHint = "a twin of two writers is like neither: name the files that are not yours in a file .strokeignore in that folder, a line each. " +
	"If all is yours, go on: about one writer in fifty differs as much, as one does who tells one book as I and the other as he"

// onePerson looks whether files are by two writers, tells of it, and asks whether to
// go on where there is somebody to ask. Its rules are for English.
func (o *Options) onePerson(ctx context.Context, r *corpus.Reading, emit Emit) error {
	if language, _ := r.Language(); language != "en" {
		return nil
	}
	var pieces []likeness.Piece
	for _, d := range r.Documents {
		pieces = append(pieces, likeness.Piece{Group: fileOf(d.Source), Text: d.Text})
	}
	w, err := likeness.FindWriters(ctx, pieces, nil)
	if err != nil {
		return interrupted(err, "look for two writers", againHint)
	}
	if w == nil || !w.Two {
		return nil
	}
	e := stroke.WritersEvent{Tells: []stroke.WriterTell{}, Margin: w.Margin, Bound: w.Bound, Hint: writersHint}
	for i := range e.Sides {
		e.Sides[i] = stroke.WriterSide{Files: w.Sides[i], Words: w.Words[i]}
	}
	for _, t := range w.Tells {
		e.Tells = append(e.Tells, stroke.WriterTell{Word: t.Word, Rates: t.Rate})
	}
	emit(e)
	if o.Ask == nil || o.DryRun {
		return nil
	}
	return o.ask(ctx, "train on all of them?", "name the files to leave out in a file .strokeignore in that folder, a line each, and train again; --yes goes on without asking")
}

// ask puts a question to the one who is there; no ends the run, with a hint.
func (o *Options) ask(ctx context.Context, question, hint string) error {
	on, err := o.Ask(ctx, question)
	if err != nil {
		return interrupted(err, "ask whether to go on", againHint)
	}
	if !on {
		return &stroke.Error{Code: stroke.CodeInterrupted, Msg: "nothing was trained", Hint: hint}
	}
	return nil
}

// sameWriting looks whether most of what a twin knows is missing from what was read, as
// where the files are of somebody else or are a part of them. Then it asks whether to go
// on, and where nobody can be asked the run is refused, unless that is answered already.
func (o *Options) sameWriting(ctx context.Context, f *Folder, r *corpus.Reading, emit Emit) error {
	known, err := f.Known()
	if err != nil || f.Base == "" { // without one it has never written
		return nil // a damaged ledger is told of where it is used
	}
	missing, all := known.Missing(r.Documents, f.Text)
	if missing*2 <= all {
		return nil
	}
	if o.Resume {
		if _, err := os.Stat(filepath.Join(f.Dir, runDir, baseFile)); err == nil {
			return nil // it was answered when that was begun, and other files are not gone on with
		}
	}
	const hint = "name the whole folder, or another twin with --name; where files were left out --dry-run says why; --yes goes on without asking"
	said := fmt.Sprintf("of the %d words that the twin %s knows, %d are not among what was read, and would no longer be used", all, f.Name, missing)
	if o.Ask == nil && !o.Yes && !o.DryRun {
		return &stroke.Error{Code: stroke.CodeInput, Msg: said, Hint: hint}
	}
	emit(stroke.NoteEvent{Text: said})
	if o.Ask == nil || o.DryRun {
		return nil
	}
	return o.ask(ctx, "train on what was read alone?", hint)
}

// fileOf is the file that a document is from: its source without the number of the
// document in it.
func fileOf(source string) string {
	if i := strings.LastIndexByte(source, '#'); i > 0 {
		if _, err := strconv.Atoi(source[i+1:]); err == nil {
			return source[:i]
		}
	}
	return source
}
