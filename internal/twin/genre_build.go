package twin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/control"
	"github.com/getstroke/stroke/internal/twin/examples"
)

// GenreOptions are what the making of a genre is asked for.
type GenreOptions struct {
	Recipe     *genre.Recipe
	Data       string // folder that the recipe's sources lie below
	To         string // folder of a library, for BASE/NAME; the user's where empty
	Base       string // in place of the recipe's
	Arithmetic train.Arithmetic
	Memory     int64 // bytes the run may take
	Resume     bool
	Force      bool // replaces a genre that is there
	DryRun     bool // stops before anything is trained or written
}

// buildRecipe is a genre's recipe as one of training: the text as it stands.
func buildRecipe(g *genre.Recipe, a train.Arithmetic) Recipe {
	r := plainRecipe()
	o := &r.Options
	o.LoRA = lora.Options{Rank: g.Rank, Alpha: g.Alpha}
	o.Rate, o.Seed, o.TokensPerStep = g.Rate, g.Seed, g.TokensPerStep
	if a != "" {
		o.Arithmetic = a
	}
	r.Epochs, r.Genre, r.Prompt = g.Epochs, Stage{}, Prompt{}
	r.Mix = examples.Mix{Length: g.Length}
	return r
}

// BuildGenre makes a genre from its recipe and the text that this names. The same
// recipe, text, base, kind of kernel and arithmetic give the same bytes.
func BuildGenre(ctx context.Context, o GenreOptions, emit Emit) (*genre.Genre, error) {
	r, card, err := o.prepare(ctx, emit)
	if err != nil || o.DryRun {
		return nil, err
	}
	l, err := Library()
	if err != nil {
		return nil, err
	}
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	name := o.Base
	if name == "" {
		name = o.Recipe.Base
	}
	if name == "" {
		name = base.Catalog()[0].Name
	}
	if r.b, err = OpenBase(ctx, store, name, "", "", emit); err != nil {
		return nil, err
	}
	defer r.b.close()
	to := l.Dir(r.b.name, card.Name)
	if o.To != "" {
		to = filepath.Join(o.To, genre.Key(r.b.name), card.Name)
	}
	if err := genre.Taken(to, o.Force); err != nil {
		return nil, err
	}
	r.f = &Folder{Dir: l.Work(r.b.name, card.Name), Manifest: Manifest{Name: card.Name}}
	if err := os.MkdirAll(r.f.Dir, 0o700); err != nil {
		return nil, writeError(r.f.Dir, err)
	}
	unlock, err := r.f.lock("make the genre")
	if stroke.CodeOf(err) == stroke.CodeBusy {
		return nil, &stroke.Error{Code: stroke.CodeBusy, Msg: "the genre " + card.Name + " is being made by another process", Hint: "wait until it is done, or stop it and go on with --resume"}
	}
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		unlock()
		if done {
			os.RemoveAll(r.f.Dir)
		}
	}()
	if card.Base, err = r.b.baseOf(); err != nil {
		return nil, fmt.Errorf("name the base: %w", err)
	}
	card.Recipe.Base = card.Base.Name
	if o.To != "" {
		l = l.Before(o.To)
	}
	start, err := r.startGenre(l, card)
	if err != nil {
		return nil, err
	}
	card.Prints = control.Sample(textsOf(slices.Concat(r.train, r.choose)), card.Prints)
	r.passages = newPassages(nil, r.ledger, r.b, Prompt{})
	a, err := r.learnGenre(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := card.putAdapter(r.f.Dir, a, true); err != nil {
		return nil, err
	}
	// What is measured is the adapter as it lies there, rounded.
	file, err := lora.ReadDir(r.f.Dir)
	if err != nil {
		return nil, fmt.Errorf("make the genre: %w", err)
	}
	if a, err = r.b.fit(file); err != nil {
		return nil, fmt.Errorf("make the genre: %w", err)
	}
	if err := r.measureGenre(ctx, card, a, start); err != nil {
		return nil, interrupted(err, "measure the genre", "go on with the same arguments and --resume")
	}
	if err := card.put(r.f.Dir, to, o.Force); err != nil {
		return nil, err
	}
	done = true
	return l.Find(r.b.name, card.Name)
}

// prepare reads the recipe's sources and takes their documents.
func (o *GenreOptions) prepare(ctx context.Context, emit Emit) (*run, *genreCard, error) {
	g := o.Recipe
	recipe := buildRecipe(g, o.Arithmetic)
	for _, name := range g.Targets {
		m, err := lora.ParseModule(name)
		if err != nil {
			return nil, nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe " + g.Name + " cannot be used", Err: err, Hint: "mend targets in the recipe, or leave it out for all seven"}
		}
		recipe.Options.LoRA.Targets = append(recipe.Options.LoRA.Targets, m)
	}
	if err := recipe.Validate(); err != nil {
		return nil, nil, err
	}
	kept := *g // with the base that was used
	card := &genreCard{Card: genre.Card{Schema: 1, Name: g.Name, For: g.For, Language: g.Language, Licence: g.Licence, Rank: g.Rank, Recipe: &kept, Limits: g.Limits,
		Kernel: kernel.Name(), Arithmetic: string(recipe.Options.Arithmetic)}}
	readings := map[string]*corpus.Reading{}
	var docs []stroke.Document
	known := map[string]bool{}
	for _, s := range g.Sources {
		if err := s.Sum(o.Data); err != nil {
			return nil, nil, err
		}
		dir := filepath.Join(o.Data, filepath.FromSlash(s.Folder))
		reading := readings[s.Folder]
		if reading == nil {
			var err error
			if reading, err = corpus.Read(ctx, dir, corpus.Options{}); err != nil {
				return nil, nil, err
			}
			readings[s.Folder] = reading
		}
		var of []stroke.Document
		for _, d := range reading.Documents {
			if s.Match(fileOf(d.Source)) && !known[d.Hash] {
				known[d.Hash] = true
				of = append(of, d)
			}
		}
		of = genre.Pick(of, s.Skip, s.Words)
		if len(of) == 0 {
			return nil, nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the source %s has no text that can be read", s.Origin), Hint: "look into " + dir}
		}
		for _, d := range of {
			s.Documents++
			s.Taken += d.Words
		}
		card.Sources = append(card.Sources, s)
		docs = append(docs, of...)
		emit(stroke.ReadEvent{Source: s.Origin, Documents: s.Documents, Words: s.Taken, LeftOut: len(reading.Documents) - s.Documents, Language: g.Language})
	}
	r := &run{o: &Options{Resume: o.Resume, Memory: o.Memory}, recipe: recipe, ledger: &corpus.Ledger{}, emit: emit, words: map[stroke.Role]int{}}
	var err error
	if r.train, r.choose, r.judge, err = genre.Withhold(docs); err != nil {
		return nil, nil, err
	}
	for role, list := range map[stroke.Role][]stroke.Document{stroke.RoleTrain: r.train, stroke.RoleSelect: r.choose, stroke.RoleJudge: r.judge} {
		for _, d := range list {
			r.words[role] += d.Words
		}
	}
	card.Documents, card.Words = len(r.train), r.words[stroke.RoleTrain]
	emit(stroke.RolesEvent{Documents: len(docs), New: len(docs), Train: r.words[stroke.RoleTrain], Select: r.words[stroke.RoleSelect], Judge: r.words[stroke.RoleJudge]})
	return r, card, nil
}

// startGenre finds the genre that the recipe starts from, and makes the run one
// that goes on from it; nil where it starts from none.
func (r *run) startGenre(l *genre.Library, card *genreCard) (*lora.Adapter, error) {
	name := card.Recipe.Start
	if name == "" {
		return nil, nil
	}
	g, err := l.Find(r.b.name, name)
	if stroke.CodeOf(err) == stroke.CodeNotFound {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("the genre %s starts from %s, which is not there for the base %s", card.Name, name, genre.Key(r.b.name)),
			Hint: "make that first, or take the line start out of the recipe"}
	}
	if err != nil {
		return nil, err
	}
	a, err := r.b.genre(g)
	if err != nil {
		return nil, err
	}
	if !a.SameShape(lora.New(r.b.model.Shape(), r.recipe.Options.LoRA, 0, nil)) {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the genre %s starts from %s, which has the rank %d and alpha %g, and the recipe says another shape", card.Name, name, a.Options.Rank, a.Options.Alpha),
			Hint: "give the recipe the same rank, alpha and targets"}
	}
	card.Start, card.Prints = &genre.Start{Name: name, SHA256: g.SHA256()}, g.Prints
	r.recipe.Genre = Stage{Ask: name, As: AsStart, Strength: 1, On: []StandsOn{standsOn(g, 1, 0)}}
	r.genre, r.progress.On = lora.Applied{Adapter: a, Strength: 1}, r.recipe.Genre.identity()
	return a, nil
}

// learnGenre trains as for a twin.
func (r *run) learnGenre(ctx context.Context, card *genreCard) (*lora.Adapter, error) {
	learnt, epoch, _, err := r.trained(ctx)
	if err != nil {
		return nil, err
	}
	card.Epoch, card.Tokens = epoch, r.progress.Tokens
	a := learnt.adapter
	a.Base = card.Base.Public()
	return a, nil
}
