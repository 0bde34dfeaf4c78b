package twin

import (
	"path/filepath"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/twin/control"
)

// A genre that was made from a writer's own text predicts that text because it has seen
// it: nothing that is measured there says what it is worth to what is written next.

// markLearnt marks the genres of a list that were made from some of the documents, and
// those that have the weights of one that was: the prints in their cards say so.
func markLearnt(list []trial, docs []stroke.Document) {
	prints := make([][]uint64, len(list))
	for i, t := range list {
		prints[i] = control.Unpack(t.genre.Prints)
	}
	for i, held := range control.Held(textsOf(docs), prints...) {
		if !held {
			continue
		}
		for k := range list {
			list[k].learnt = list[k].learnt || k == i || sameAdapter(list[i].adapter, list[k].adapter)
		}
	}
}

// markByLibrary marks those of a list that were made from some of the documents, by their
// own prints or by those of any genre for the base that has their weights: of a copy that
// was added nothing is known by itself.
func (b *baseModel) markByLibrary(list []trial, l *genre.Library, docs []stroke.Document) {
	all := slices.Clone(list)
	for _, g := range madeFrom(l.List(b.name, nil), docs) {
		if a, err := b.genre(&g); err == nil {
			all = append(all, trial{genre: &g, adapter: a})
		}
	}
	markLearnt(all, docs)
	copy(list, all)
}

// madeFrom are those of the genres that were made from some of the documents, by their
// prints: of these alone adapters need be read, which may be large.
func madeFrom(list []genre.Genre, docs []stroke.Document) []genre.Genre {
	prints := make([][]uint64, len(list))
	for i := range list {
		prints[i] = control.Unpack(list[i].Prints)
	}
	var out []genre.Genre
	for i, held := range control.Held(textsOf(docs), prints...) {
		if held {
			out = append(out, list[i])
		}
	}
	return out
}

// strangers leaves out of a list the genres that were made from some of the documents.
func strangers(list []trial, docs []stroke.Document, emit Emit) []trial {
	markLearnt(list, docs)
	var out []trial
	for _, t := range list {
		if t.learnt {
			emit(stroke.NoteEvent{Text: "left out the genre " + t.genre.Name + ": it was made from some of this writing"})
			continue
		}
		out = append(out, t)
	}
	return out
}

// none says why of all genres for the base none is left to try.
func (b *baseModel) none(all []trial) string {
	if len(all) == 0 {
		return b.missing()
	}
	return "all genres for the base " + genre.Key(b.name) + " were made from some of this writing"
}

// learnt has the genres that are stood on and were made from some of the writer's text.
func (s *Stage) learnt() *Stage {
	var of Stage
	for _, g := range s.On {
		if g.Learnt {
			of.On = append(of.On, g)
		}
	}
	return &of
}

// twinOf is the folder of the twin in one of whose versions a path lies; empty for none.
func twinOf(path string) string {
	places, err := placesOf(path)
	if err != nil {
		return ""
	}
	for _, at := range places {
		for ; filepath.Dir(at) != at; at = filepath.Dir(at) {
			if in := filepath.Dir(at); filepath.Base(in) == versionsDir && isTwin(filepath.Dir(in)) {
				return filepath.Dir(in)
			}
		}
	}
	return ""
}

// placesOf are the absolute paths by which it is told where something lies: the one that
// its links lead to, and the one by which it was named, since a twin's versions may be
// links to another disk.
func placesOf(path string) ([]string, error) {
	led, err := filepath.EvalSymlinks(path)
	if err == nil {
		led, err = filepath.Abs(led)
	}
	if err != nil {
		return nil, err
	}
	named, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return []string{led, named}, nil
}
