package twin

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
)

// TestGenreLosses scores documents again, in another order and cut elsewhere: what was
// kept of the first time comes to the same bits as what a fresh base computes.
func TestGenreLosses(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	path := toyFile(t)
	open := func() *baseModel {
		b, err := openBase(path, path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.close)
		return b
	}
	used := open()
	trialOf := func(b *baseModel, name string, seed uint64) *trial {
		files := map[string]string{genre.ConfigFile: "config", genre.WeightsFile: name}
		return &trial{genre: &genre.Genre{Card: genre.Card{Name: name, Files: files}}, adapter: loud(b, 2, 0.05, seed)}
	}
	var docs []stroke.Document
	for _, text := range []string{"It rained all week, and nobody said so. ", "The bus was late again; the driver waved. ", "A ferry, two dogs and the last of the light. "} {
		text = strings.Repeat(text, 3)
		docs = append(docs, stroke.Document{Hash: stroke.HashText(text), Text: text})
	}
	score := func(b *baseModel, docs []stroke.Document, tokens int, unknown bool) *tried {
		with := []set{trialOf(b, "one", 1).at(1), trialOf(b, "two", 2).at(0.9), trialOf(b, "one", 1).at(0.5)}
		if unknown {
			with = append(with, set{use: trialOf(b, "three", 3).at(1).use})
		}
		r, err := b.score(context.Background(), docs, with, tokens, false)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	same := func(what string, a, b *tried) {
		t.Helper()
		equal := func(x, y []eval.Loss) bool {
			return slices.EqualFunc(x, y, func(a, b eval.Loss) bool {
				return a.Nats == b.Nats && a.Tokens == b.Tokens && slices.Equal(a.Each, b.Each)
			})
		}
		if !equal(a.bare, b.bare) || !slices.EqualFunc(a.with, b.with, equal) {
			t.Errorf("%s: not the bits of a fresh base", what)
		}
	}
	first := score(used, docs[:2], 100, false)
	if len(first.bare) != 2 || first.bare[1].Tokens >= first.bare[0].Tokens || first.with[0][0].Nats == first.with[2][0].Nats {
		t.Fatalf("the first time: the second of %d documents was to be cut, and strengths to differ", len(first.docs))
	}
	kept := len(used.losses.kept)
	if kept != 2*4 {
		t.Fatalf("%d losses are kept, want those of two documents under the base and three sets", kept)
	}
	for what, c := range map[string]struct {
		docs    []stroke.Document
		tokens  int
		unknown bool
	}{
		"the same":       {docs[:2], 100, false},
		"shorter":        {docs[:2], 40, false},
		"longer":         {docs[:2], 150, false},
		"others between": {[]stroke.Document{docs[1], docs[2], docs[0]}, 400, false},
		"one unknown":    {docs, 400, true},
	} {
		same(what, score(used, c.docs, c.tokens, c.unknown), score(open(), c.docs, c.tokens, c.unknown))
	}
	if n := len(used.losses.kept); n != 3*4 {
		t.Errorf("%d losses are kept in the end, want those of three documents under the base and three sets", n)
	}
}

// TestGenreIdentity tells genres apart that have the same weights and scale them
// otherwise: in what their documents cost, and in what stands on them.
func TestGenreIdentity(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	path := toyFile(t)
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	added(t, path, "one", loud(b, 2, 0.05, 9))
	half := loud(b, 2, 0.05, 9)
	half.Options.Alpha /= 2
	half.Each(func(_ int, _ lora.Module, p *op.Pair) { p.Scale /= 2 })
	added(t, path, "half", half)
	l, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	list := b.trials(l, func(e stroke.Event) { t.Errorf("it tells %+v", e) })
	if len(list) != 2 || list[0].genre.SHA256() != list[1].genre.SHA256() {
		t.Fatalf("%d genres, or they have other weights", len(list))
	}
	text := "It rained all week, and nobody said so."
	docs := []stroke.Document{{Hash: stroke.HashText(text), Text: text}}
	if _, _, _, err := b.try(context.Background(), docs, list, 1, false); err != nil {
		t.Fatal(err)
	}
	if list[0].gain == list[1].gain {
		t.Errorf("both save %g", list[0].gain)
	}
	one, other := standsOn(list[0].genre, 1, 0), standsOn(list[1].genre, 1, 0)
	stage := func(on StandsOn) string { return (&Stage{As: AsLayer, On: []StandsOn{on}}).identity() }
	if stage(one) == stage(other) || one.is(list[1].genre) || !one.is(list[0].genre) {
		t.Errorf("%+v and %+v are taken for the same", one, other)
	}
	// A version that was written without the config's hash goes by the weights'.
	was := one
	was.Config = ""
	if !was.is(list[0].genre) || stage(was) != "layer "+one.SHA256+" 1;" {
		t.Errorf("without the config's hash: %s", stage(was))
	}
	var on [2]Recipe
	for i, x := range list {
		if on[i].OnHash, on[i].OnConfig, err = adapterHash(x.genre.Path); err != nil {
			t.Fatal(err)
		}
	}
	if on[0].OnHash != on[1].OnHash || on[0].onIdentity() == on[1].onIdentity() {
		t.Errorf("as adapters to start from: %+v and %+v", on[0].OnHash, on[1].OnHash)
	}
}
