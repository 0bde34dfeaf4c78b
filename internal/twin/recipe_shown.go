package twin

import (
	"context"
	"fmt"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/genre"
)

// ShowRecipe gives the recipe that a run would have, and tells what of it is found out
// on the way. Nothing is trained or written, and no base is opened.
func ShowRecipe(ctx context.Context, o Options, emit Emit) (Recipe, error) {
	reading, err := corpus.Read(ctx, o.Source, corpus.Options{})
	if err != nil {
		return Recipe{}, err
	}
	words := reading.Words() * 4 / 5
	f, err := o.folder()
	if err != nil {
		return Recipe{}, err
	}
	units, many := 0, true
	if ledger, docs, err := f.assign(reading, func(stroke.Event) {}); err == nil {
		words = wordsByRole(ledger, docs)[stroke.RoleTrain]
		units = unitsForetold(byRole(docs, ledger, stroke.RoleJudge))
		many = len(docs) >= 2*crossFolds
	}
	r, err := o.recipeFor(words)
	if err != nil {
		return r, err
	}
	// A cross-fitted run trains on all there is in the end.
	if all := reading.Words(); !o.NoCrossFit && r.Method == LoRA && r.On == "" && many && littleText(all, units) {
		words = all
		if r, err = o.recipeFor(words); err != nil {
			return r, err
		}
	}
	s := r.Genre
	if s.Ask == "" || s.Ask == genre.None || r.Method != LoRA || r.On != "" {
		return r, nil
	}
	has, err := o.hasGenre()
	if err != nil || !has {
		return r, err
	}
	next := pick(words, StartGenre).Recipe()
	next.Genre = s
	if o.Change != nil {
		o.Change(&next)
	}
	next.Genre = s
	switch {
	case s.Ask == genre.Auto:
		emit(stroke.NoteEvent{Text: "this is the recipe if a genre of the library helps, which a run finds out; with none it is that of --genre none"})
	case s.As == AsStart:
		emit(stroke.NoteEvent{Text: fmt.Sprintf("the rank, alpha and targets of the adapter will be those of the genre %s", s.Ask)})
	}
	return next, next.Validate()
}

// hasGenre says whether the library has a genre for the base, where it is known which
// that is; otherwise there is one.
func (o *Options) hasGenre() (bool, error) {
	if o.Base == "" || o.Base == "auto" {
		return true, nil
	}
	l, err := Library()
	if err != nil {
		return false, err
	}
	name := o.Base
	if e, err := base.Find(name); err == nil {
		name = e.Name
	}
	return len(l.List(name, nil)) > 0, nil
}
