package twin

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/train"
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
	r := DefaultRecipe(math.MaxInt32)
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
	to := l.Dir(name, card.Name)
	if o.To != "" {
		to = filepath.Join(o.To, genre.Key(name), card.Name)
	}
	if _, err := os.Lstat(to); err == nil && !o.Force {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "there is a genre in " + to + " already", Hint: "replace it with --force, or write below another folder with --to DIR"}
	}
	r.f = &Folder{Dir: l.Work(name, card.Name), Manifest: Manifest{Name: card.Name}}
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
	if r.b, err = OpenBase(ctx, store, name, "", "", emit); err != nil {
		return nil, err
	}
	defer r.b.close()
	if card.Base, err = r.b.baseOf(); err != nil {
		return nil, fmt.Errorf("name the base: %w", err)
	}
	card.Recipe.Base = card.Base.Name
	r.passages = newPassages(nil, r.ledger, r.b, Prompt{})
	a, err := r.learnGenre(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := card.putAdapter(r.f.Dir, a); err != nil {
		return nil, err
	}
	// What is measured is the adapter as it lies there, in F16.
	file, err := lora.ReadDir(r.f.Dir)
	if err != nil {
		return nil, fmt.Errorf("make the genre: %w", err)
	}
	if a, err = r.b.fit(file); err != nil {
		return nil, fmt.Errorf("make the genre: %w", err)
	}
	if err := r.measureGenre(ctx, card, a); err != nil {
		return nil, interrupted(err, "measure the genre", "go on with the same arguments and --resume")
	}
	if err := card.put(r.f.Dir, to); err != nil {
		return nil, err
	}
	done = true
	if o.To != "" {
		l = genre.Open(o.To)
	}
	return l.Find(name, card.Name)
}

// prepare reads the recipe's sources and takes their documents.
func (o *GenreOptions) prepare(ctx context.Context, emit Emit) (*run, *genreCard, error) {
	g := o.Recipe
	recipe := buildRecipe(g, o.Arithmetic)
	for _, name := range g.Targets {
		m, err := lora.ParseModule(name)
		if err != nil {
			return nil, nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe " + g.Name + " cannot be used", Err: err}
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
			file, _, _ := strings.Cut(d.Source, "#")
			if s.Match(file) && !known[d.Hash] {
				known[d.Hash] = true
				of = append(of, d)
			}
		}
		of = genre.Pick(of, s.Words)
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

// learnGenre trains as for a twin.
func (r *run) learnGenre(ctx context.Context, card *genreCard) (*lora.Adapter, error) {
	if err := r.plan(); err != nil {
		return nil, err
	}
	err := r.steps(ctx)
	if e := r.trainer.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	learnt, epoch, err := r.chosen()
	if err != nil {
		return nil, err
	}
	card.Epoch, card.Tokens = epoch, r.progress.Tokens
	a := learnt.adapter
	if a.Base = card.Base.Model; a.Base == "" {
		a.Base = card.Base.Name
	}
	return a, nil
}

// With fewer documents than fewJudged the interval of a head start is over blocks
// of judgedBlock tokens or more, as a verdict's is.
const (
	fewJudged   = 8
	judgedBlock = 200
)

// measureGenre measures the head start on documents that were withheld, and
// writes the samples.
func (r *run) measureGenre(ctx context.Context, card *genreCard, a *lora.Adapter) error {
	var pieces []eval.Piece
	var groups []string
	f := &genre.Figures{}
	left, longest := judgeTokens/2, 2
	for _, d := range r.judge {
		ids := r.b.tok.Encode(d.Text)
		if ids = ids[:min(len(ids), pieceTokens, left)]; len(ids) == 0 {
			continue
		}
		left -= len(ids)
		pieces = append(pieces, eval.Piece{Context: []int32{r.b.sep}, Tokens: ids})
		groups = append(groups, d.Hash)
		longest = max(longest, len(ids)+1)
		f.Documents++
		f.Words += d.Words
	}
	s, err := eval.NewScorer(r.b.model, longest, a.Pad(), r.bf16())
	if err != nil {
		return err
	}
	defer s.Close()
	var losses [2][]eval.Loss
	for i, use := range [][]lora.Applied{nil, {{Adapter: a, Strength: 1}}} {
		condition := [...]string{"base", "adapter"}[i]
		if losses[i], err = s.Score(ctx, pieces, use, func(k int) {
			r.emit(stroke.ScoreEvent{Condition: condition, Done: k + 1, Total: len(pieces)})
		}); err != nil {
			return err
		}
	}
	bare, with := eval.Pool(losses[0]), eval.Pool(losses[1])
	units := eval.Gains(groups, losses[0], losses[1])
	if len(units) < fewJudged {
		units = eval.BlockGains(groups, losses[0], losses[1], judgedBlock)
	}
	p := eval.Predict("genre", units, 10000, r.recipe.Options.Seed)
	f.Tokens, f.Base, f.Genre = bare.Tokens, bare.PerToken(), with.PerToken()
	f.Gain = genre.Gain{Mean: p.Gain.Mean, Low: p.Gain.Low, High: p.Gain.High}
	for _, x := range []float64{f.Base, f.Genre, f.Gain.Mean, f.Gain.Low, f.Gain.High} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return &stroke.Error{Code: stroke.CodeFailure, Msg: "the genre gives no numbers on what was withheld", Hint: "make it with a lower rate"}
		}
	}
	card.Figures = f
	return r.sampleGenre(ctx, card, a)
}

func (r *run) sampleGenre(ctx context.Context, card *genreCard, a *lora.Adapter) error {
	if len(card.Recipe.Openings) == 0 {
		return nil
	}
	v := &Voice{Folder: r.f, b: r.b, learnt: &learnt{adapter: a}, passages: r.passages,
		options: engine.Options{Streams: 1, Context: min(1024, r.b.model.Context), Pad: a.Pad(), Memory: 256 << 20}}
	defer v.stop()
	for _, opening := range card.Recipe.Openings {
		x := genre.Sample{Opening: opening}
		for i, into := range []*string{&x.Base, &x.Genre} {
			var out strings.Builder
			s := &Speech{Sampling: DefaultSampling(), Max: 100, Strength: float64(i)}
			s.Sampling.Seed = r.recipe.Options.Seed
			if _, err := v.Write(ctx, opening, s, func(t string) error { out.WriteString(t); return nil }); err != nil {
				return err
			}
			*into = strings.TrimSpace(wholeSentences(out.String()))
		}
		card.Samples = append(card.Samples, x)
	}
	return nil
}
