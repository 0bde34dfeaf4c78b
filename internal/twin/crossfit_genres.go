package twin

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
)

// What the parts of a cross-fitted run choose from is the same for all of them, also
// where the run is stopped and the library changes in between.

const amongFile = "genres.json"

// among is run/genres.json.
type among struct {
	Key    string       `json:"key"` // of what the run was asked for
	Genres []namedGenre `json:"genres"`
}

// namedGenre is a genre with what it computes.
type namedGenre struct {
	Name     string `json:"name"`
	Identity string `json:"identity"`
}

// choices are the genres that a run can stand on by what it is asked for.
func (r *run) choices(l *genre.Library) []namedGenre {
	out := []namedGenre{}
	s := &r.asked.Genre
	names, _, err := s.names()
	if err != nil || s.Ask == "" || s.Ask == genre.None {
		return out
	}
	for _, g := range l.List(r.b.name, nil) {
		if s.Ask == genre.Auto || slices.Contains(names, g.Name) {
			out = append(out, namedGenre{g.Name, g.Identity()})
		}
	}
	return out
}

// keepAmong takes what the run that is gone on with can choose from, or keeps that of one
// that begins.
func (r *run) keepAmong(key string) error {
	var kept among
	if b, err := readAtMost(r.path(amongFile), mostVersion); err == nil && json.Unmarshal(b, &kept) == nil && kept.Key == key {
		r.among = &kept
		return nil
	}
	l, err := Library()
	if err != nil {
		return err
	}
	r.among = &among{Key: key, Genres: r.choices(l)}
	b, err := json.Marshal(r.among)
	if err != nil {
		return fmt.Errorf("keep what there is to choose from: %w", err)
	}
	return writeFile(r.path(amongFile), b)
}

// unchanged says which of the genres that the run began with is not there any more, or
// is another now.
func (r *run) unchanged(l *genre.Library) error {
	if r.among == nil {
		return nil
	}
	now := r.choices(l)
	for _, g := range r.among.Genres {
		if slices.Contains(now, g) {
			continue
		}
		what := "which is not there any more"
		if slices.ContainsFunc(now, func(x namedGenre) bool { return x.Name == g.Name }) {
			what = "which is another now"
		}
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("what is left of this run would choose among other genres than its beginning: that had %s, %s", g.Name, what),
			Hint: "put the genre back as it was and resume, or begin again with --afresh"}
	}
	return nil
}

// known are those of a list that were there when the run began.
func (r *run) known(list []trial) []trial {
	if r.among == nil {
		return list
	}
	return slices.DeleteFunc(list, func(t trial) bool {
		return !slices.Contains(r.among.Genres, namedGenre{t.genre.Name, t.genre.Identity()})
	})
}
