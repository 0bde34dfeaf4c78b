package twin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/train"
)

// OpenGenre opens a genre to write with, without any twin. With no base in the
// options it is on that which the genre is for.
func OpenGenre(ctx context.Context, name string, o VoiceOptions, emit Emit) (*Voice, error) {
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	l, err := Library()
	if err != nil {
		return nil, err
	}
	if name == genre.Auto || name == genre.None || strings.Contains(name, "+") {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("a text is written with one genre, and %q names none", name),
			Hint: "stroke genre list has their names; auto, none and A+B are for stroke train"}
	}
	g, err := l.Find(o.Base, name)
	if err != nil {
		return nil, err
	}
	b, err := openGenreBase(ctx, g, o.Base, emit)
	if err != nil {
		return nil, err
	}
	a, err := b.genre(g)
	if err != nil {
		b.close()
		return nil, err
	}
	v, err := b.voice(name, a, o.Exact)
	if err != nil {
		b.close()
		return nil, err
	}
	return v, nil
}

// openGenreBase opens the base of a genre. One that is no base of the catalog is
// a file that must be named.
func openGenreBase(ctx context.Context, g *genre.Genre, baseName string, emit Emit) (*baseModel, error) {
	if baseName == "" {
		if _, err := base.Find(g.Base.Name); err != nil {
			return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the genre " + g.Name + " is for the base " + g.Base.Name + ", which the catalog does not have",
				Hint: "name its file: --base PATH"}
		}
		baseName = g.Base.Name
	}
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	return openToWrite(ctx, store, baseName, "", "", emit)
}

// voice writes with an adapter and no passages, exact in float32. Closing it closes
// the base.
func (b *baseModel) voice(name string, a *lora.Adapter, exact bool) (*Voice, error) {
	l := &learnt{adapter: a}
	v := &Voice{Folder: &Folder{Manifest: Manifest{Name: name}}, b: b, learnt: l,
		passages: newPassages(nil, &corpus.Ledger{}, b, Prompt{}),
		options:  l.serving(engine.Options{Streams: 4, Pad: max(a.Pad(), 16), Memory: 512 << 20}, exact)}
	if _, err := v.serve(1); err != nil {
		return nil, err
	}
	return v, nil
}

// withGenre changes the strength of the genre that what is used stands on.
func (v *Voice) withGenre(use []lora.Applied, strength *float64) ([]lora.Applied, error) {
	if strength == nil {
		return use, nil
	}
	if v.Version == nil || v.learnt == nil || v.learnt.adapter == nil {
		return nil, errNoLayer
	}
	if v.genre.adapter == nil || v.genre.strength != *strength {
		a, err := v.Version.Recipe.atGenre(v.learnt.adapter, float32(*strength))
		if err != nil {
			return nil, err
		}
		v.genre.adapter, v.genre.strength = a, *strength
	}
	if len(use) == 0 {
		return nil, nil // at strength 0 nothing that was learnt is used
	}
	return []lora.Applied{{Adapter: v.genre.adapter, Strength: use[0].Strength}}, nil
}

// Tried is what each genre saves on a writer's documents.
type Tried struct {
	Event   string             `json:"event"` // "tried"
	Base    string             `json:"base"`
	By      string             `json:"by"`     // role of the documents that were looked at
	Tokens  int                `json:"tokens"` // scored
	Nats    float64            `json:"nats_per_token"`
	Genres  []stroke.GenreGain `json:"genres"` // best first
	Chosen  string             `json:"chosen"` // by --genre auto; empty for none
	Seconds float64            `json:"seconds"`
}

// TryGenres measures the genres of a base on a writer's files, as training with
// --genre auto would; nothing is written. name is of the twin whose roles the documents
// keep; that of the files where it is empty.
func TryGenres(ctx context.Context, source, name, baseName string, emit Emit) (*Tried, error) {
	own, err := twinFor(source, name)
	if err != nil {
		return nil, err
	}
	reading, err := corpus.Read(ctx, source, corpus.Options{Looked: tellLooked(source, emit)})
	if reading != nil {
		tellReading(source, reading, emit)
	}
	if err != nil {
		return nil, err
	}
	docs, by, err := own.tryOn(reading, emit)
	if err != nil {
		return nil, err
	}
	l, err := Library()
	if err != nil {
		return nil, err
	}
	if baseName == "" || baseName == "auto" {
		baseName = base.Catalog()[0].Name
	}
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	b, err := OpenBase(ctx, store, baseName, "", "", emit)
	if err != nil {
		return nil, err
	}
	defer b.close()
	all := b.trials(l, emit)
	list := distinct(strangers(all, reading.Documents, emit), emit)
	if len(list) == 0 {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: b.none(all), Hint: "make one from others' text, stroke genre build RECIPE.toml, or add one: stroke genre add DIR"}
	}
	emit(stroke.NoteEvent{Text: trying(list)})
	begin := time.Now()
	t := &Tried{Event: "tried", Base: b.name, By: by}
	kinds := ""
	if t.Nats, t.Tokens, kinds, err = b.try(ctx, docs, list, LayerStrength, train.Fastest() == train.BF16); err != nil {
		return nil, interrupted(err, "try the genres", againHint)
	}
	if kinds != "" {
		emit(stroke.NoteEvent{Text: kinds})
	}
	for _, x := range list {
		t.Genres = append(t.Genres, stroke.GenreGain{Name: x.genre.Name, Gain: finiteGain(x.gain)})
	}
	stage := defaultStage()
	if list, _, err = b.take(ctx, docs, list, &stage, train.Fastest() == train.BF16, emit); err != nil {
		return nil, interrupted(err, "try the genres", againHint)
	}
	for _, x := range list {
		stage.On = append(stage.On, StandsOn{Name: x.genre.Name})
	}
	share(t.Genres, list)
	t.Chosen = stage.title()
	t.Seconds = time.Since(begin).Seconds()
	return t, nil
}

// tryOn are the documents of a reading that genres are tried on before any training, by
// the roles that the twin has given them or would give; f is nil where there is no twin.
func (f *Folder) tryOn(r *corpus.Reading, emit Emit) (docs []stroke.Document, by string, err error) {
	l, o := &corpus.Ledger{}, corpus.AssignOptions{Clusters: r.Clusters}
	if f != nil {
		if l, err = f.Ledger(); err != nil {
			return nil, "", err
		}
		o.Text = f.Text
	}
	docs, err = corpus.Assign(l, r.Documents, o)
	switch {
	case err == nil:
		docs, by = tryOn(byRole(docs, l, stroke.RoleSelect), byRole(docs, l, stroke.RoleTrain))
		return docs, by, nil
	case len(l.Entries) > 0:
		return nil, "", err // all would be what judges, too
	}
	emit(stroke.NoteEvent{Text: fmt.Sprintf("none of it is withheld, and all is looked at: %v", err)})
	return r.Documents, "all", nil
}

// RemoveGenre deletes a genre of the user's, and tells which twins stand on it.
func RemoveGenre(name, baseName string, emit Emit) (*genre.Genre, error) {
	l, err := Library()
	if err != nil {
		return nil, err
	}
	g, err := l.Find(baseName, name)
	if err != nil {
		return nil, err
	}
	if err := g.Removable(); err != nil {
		return nil, err
	}
	dirs, err := List()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		f, err := Open(dir)
		if err != nil {
			continue
		}
		for _, id := range f.Versions {
			v, err := f.Version(id)
			if err != nil || !v.standsOn(g) {
				continue
			}
			emit(stroke.NoteEvent{Text: "the version " + id + " of " + f.Name + " stands on it and keeps what it needs"})
		}
	}
	return g, l.Remove(g)
}

func (v *Version) standsOn(g *genre.Genre) bool {
	for _, on := range v.Recipe.Genre.On {
		if on.is(g) {
			return true
		}
	}
	return false
}

// baseOf names a base in a genre's card.
func (b *baseModel) baseOf() (genre.Base, error) {
	out := genre.Base{Name: genre.Key(b.name), Architecture: b.model.Architecture, Bytes: b.model.Bytes()}
	if e, err := base.Find(b.name); err == nil {
		out.Model = e.Model
	}
	var err error
	out.SHA256, err = hashBase(b.model.Source.Path)
	return out, err
}

// hashBase is the SHA-256 of a base's file, or of the list of hashes of the files
// in its folder, as sha256sum prints it.
func hashBase(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		sum, _, err := hashFile(path)
		return sum, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var list strings.Builder
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".safetensors" && ext != ".json" {
			continue
		}
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); err != nil { // of what a link leads to, as in a hub's cache
			return "", err
		} else if !info.Mode().IsRegular() {
			continue
		}
		sum, _, err := hashFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&list, "%s  %s\n", sum, e.Name())
	}
	return genre.Hash([]byte(list.String())), nil
}
