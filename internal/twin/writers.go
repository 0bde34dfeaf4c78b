package twin

import (
	"context"
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
		return interrupted(err, "look for two writers", "")
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
	on, err := o.Ask(ctx, "train on all of them?")
	if err != nil {
		return interrupted(err, "ask about two writers", "")
	}
	if !on {
		return &stroke.Error{Code: stroke.CodeInterrupted, Msg: "nothing was trained", Hint: "name the files to leave out in a file .strokeignore in that folder, a line each, and train again; --yes goes on without asking"}
	}
	return nil
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
