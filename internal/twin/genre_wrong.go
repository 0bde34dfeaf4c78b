package twin

import (
	"context"
	"fmt"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
)

// wrongLeast is what another genre must save over those that were named, in nats
// per token, to be told of: genres that fit a writer alike differ by less
// (docs/GENRES.md).
const wrongLeast = 0.01

// wrongGenre says which genre would have fitted the writer better than those that
// were named, on the documents that auto would have chosen by; "" where none is
// clearly better, or nothing was named.
func (r *run) wrongGenre(ctx context.Context) (string, error) {
	s := &r.recipe.Genre
	if s.Ask == genre.Auto || len(s.On) == 0 {
		return "", nil
	}
	l, err := Library()
	if err != nil {
		return "", err
	}
	all := r.b.trials(l, func(stroke.Event) {})
	var use []lora.Applied
	for _, on := range s.On {
		i := slices.IndexFunc(all, func(t trial) bool { return t.genre.Name == on.Name && on.is(t.genre) })
		if i < 0 {
			return "", nil // it was deleted since
		}
		use = append(use, lora.Applied{Adapter: all[i].adapter, Strength: float32(on.Strength)})
	}
	if all = strangers(all, r.all(), func(stroke.Event) {}); len(all) == 0 {
		return "", nil
	}
	docs, _ := tryOn(r.choose, r.train)
	with := []set{{use: use}}
	for _, t := range all {
		with = append(with, t.at(s.strength()))
	}
	gains, _, _, err := r.b.gains(ctx, docs, with, trialRoom(len(with)), r.bf16())
	if err != nil {
		return "", interrupted(err, "try the other genres", resumeHint)
	}
	best := 0
	for i := range all {
		if gains[1+i] > gains[1+best] {
			best = i
		}
	}
	if more := gains[1+best] - gains[0]; more >= wrongLeast {
		return fmt.Sprintf("; the genre %s fits you better: by itself it saves %.3f nats a token more than %s; --genre auto goes by that", all[best].genre.Name, more, s.title()), nil
	}
	return "", nil
}
