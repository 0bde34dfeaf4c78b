package twin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/weights"
)

// DefaultWithin is how long a whole run may be forecast to take where a base is
// chosen automatically.
const DefaultWithin = 10 * time.Minute

// tokensPerWord is the usual ratio for English prose.
const tokensPerWord = 1.35

// verdictTokens is what a run puts through the base beside training, at most.
const verdictTokens = gateTokens + controlShare + 4*selectTokens

// scoreShare is the share of the machine's float32 arithmetic that scoring
// reaches, as measured in bench/; forecasts are made with it.
const scoreShare = 0.55

// scoreShareBF16 is that in bfloat16, which has a peak of its own: 1.3 with
// AVX512_BF16 and 1.7 with tiles, less for what is read in small pieces.
const scoreShareBF16 = 1.2

// stepShare is that of training: over 1 in bfloat16, which has a peak of its own.
func stepShare(o *train.Options) float64 {
	if o.Arithmetic == train.BF16 {
		return 1
	}
	return 0.55
}

// openBase finds, fetches where needed, and opens the base of a run.
func (o *Options) openBase(ctx context.Context, f *Folder, r *corpus.Reading, words int, recipe Recipe, emit Emit) (*baseModel, error) {
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	name, reason, err := o.baseOf(ctx, store, f, r, words, recipe, emit)
	if err != nil {
		return nil, err
	}
	e, err := base.Find(name)
	if listed := err == nil; listed {
		tellLanguage(r, name, e.Languages, emit) // before it is fetched
		return OpenBase(ctx, store, name, o.From, reason, emit)
	}
	b, err := OpenBase(ctx, store, name, o.From, reason, emit)
	if err == nil {
		tellLanguage(r, name, languagesOf(b.model.Source), emit)
	}
	return b, err
}

// baseOf is the base that a run takes, by name or path, and why. f is nil where there
// is no twin.
func (o *Options) baseOf(ctx context.Context, store *base.Store, f *Folder, r *corpus.Reading, words int, recipe Recipe, emit Emit) (name, reason string, err error) {
	if o.Base != "" && o.Base != "auto" {
		return o.Base, "", nil
	}
	if f != nil && o.goesOn(f) {
		// The machine may be faster or slower now; the run is on the base it has.
		if was := f.lastRun(baseFile); was != "" {
			return was, "the base of the run that was stopped", nil
		}
	}
	language, _ := r.Language()
	name, reason, err = o.choose(ctx, store, words, recipe, language, emit)
	if o.ExamplesOnly {
		reason = "the one that would be trained"
	}
	return name, reason, err
}

// foretell tells in a dry run, as a run would, of a language that the base does not
// know. Nothing is fetched, and no base is chosen where all of them know it.
func (o *Options) foretell(ctx context.Context, f *Folder, r *corpus.Reading, words int, recipe Recipe, emit Emit) error {
	if err := o.possible(ctx, f, recipe); err != nil {
		return err
	}
	strange := func(e base.Entry) bool { return unknownLanguage(r, e.Name, e.Languages) != "" }
	auto := o.Base == "" || o.Base == "auto"
	if auto && !slices.ContainsFunc(base.Catalog(), strange) {
		return nil
	}
	store, err := base.NewStore()
	if err != nil {
		return err
	}
	name, _, err := o.baseOf(ctx, store, f, r, words, recipe, emit)
	if err != nil {
		return err
	}
	if e, err := base.Find(name); err == nil {
		tellLanguage(r, name, e.Languages, emit)
		return nil
	}
	path := name
	if _, err := os.Stat(path); err != nil {
		found, err := store.Locate(ctx, name)
		if err != nil {
			return nil // a dry run needs no base
		}
		path = found.Path
	}
	src, err := weights.Open(path)
	if err != nil {
		return baseError(name, path, err)
	}
	defer src.Close()
	tellLanguage(r, name, languagesOf(src), emit)
	return nil
}

// OpenBase opens a base by its name in the catalog or by a path, and fetches one
// of the catalog that is not here. It is held for what trains or scores, which reads
// all of it.
func OpenBase(ctx context.Context, store *base.Store, name, from, reason string, emit Emit) (*baseModel, error) {
	b, err := openToWrite(ctx, store, name, from, reason, emit)
	if err != nil {
		return nil, err
	}
	if err := b.hold(); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// openToWrite is OpenBase for what writes alone: the engine's start knows whether the
// file is read.
func openToWrite(ctx context.Context, store *base.Store, name, from, reason string, emit Emit) (*baseModel, error) {
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	if _, err := os.Stat(name); err == nil {
		abs, err := filepath.Abs(name)
		if err != nil {
			return nil, fmt.Errorf("open base: %w", err)
		}
		b, err := openBase(abs, abs)
		if err != nil {
			return nil, err
		}
		emit(stroke.BaseEvent{Name: name, Path: abs, From: "a path", Architecture: b.model.Architecture, Bytes: b.model.Bytes(), Reason: reason})
		return b, nil
	}
	if strings.ContainsAny(name, `/\`) || strings.EqualFold(filepath.Ext(name), ".gguf") {
		return nil, noBase(name)
	}
	found, err := store.Pull(ctx, name, base.PullOptions{From: from, Else: "--base PATH takes a file or a folder",
		Progress: func(p base.Progress) {
			emit(stroke.FetchEvent{Base: name, Source: p.Source, Done: p.Done, Total: p.Total})
		},
		Say: func(line string) { emit(stroke.NoteEvent{Text: line}) }})
	if err != nil {
		return nil, err
	}
	b, err := openBase(found.Entry.Name, found.Path)
	if err != nil {
		return nil, err
	}
	emit(stroke.BaseEvent{Name: b.name, Path: found.Path, From: found.From, Architecture: b.model.Architecture, Bytes: b.model.Bytes(),
		Licence: found.Entry.Licence, Reason: reason})
	return b, nil
}

// openBase opens the base of the twin that is called of, or another where one is
// named, by open.
func (f *Folder) openBase(ctx context.Context, of, named string, emit Emit, open opener) (*baseModel, error) {
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	if named == "" {
		if err := f.baseThere(of); err != nil {
			return nil, err
		}
		named = of
	}
	return open(ctx, store, named, "", "", emit)
}

// opener is OpenBase or openToWrite.
type opener func(ctx context.Context, store *base.Store, name, from, reason string, emit Emit) (*baseModel, error)

// baseThere says of a base that is a file or a folder that it is gone or was moved.
func (f *Folder) baseThere(of string) error {
	if !filepath.IsAbs(of) {
		return nil // of the catalog: it is fetched again
	}
	if _, err := os.Stat(of); errors.Is(err, fs.ErrNotExist) {
		return &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("the base of the twin %s is no longer at %s", f.Name, of),
			Hint: "put it back there, or say where it is now: --base PATH"}
	}
	return nil
}

// choose takes the largest base whose whole forecast fits.
func (o *Options) choose(ctx context.Context, store *base.Store, words int, recipe Recipe, language string, emit Emit) (name, reason string, err error) {
	within := o.Within
	if within == 0 {
		within = DefaultWithin
	}
	memory := o.Memory
	if memory == 0 {
		memory = freeMemory()
	}
	peak := bench.FlopsPeak(0.1)
	tokens := float64(words) * tokensPerWord * float64(recipe.Epochs) * (1 + recipe.Mix.Context*float64(recipe.Mix.ContextTokens)/float64(recipe.Mix.Length)) * 1.2
	if !o.NoCrossFit && recipe.Method == LoRA && recipe.On == "" && words < 2*crossWords {
		// It is likely to be cross-fitted: three times all of the text, of which words
		// are four fifths. Blocks to judge by may be too few with more than crossWords.
		tokens *= 3 / (1 - 0.2)
	}
	scores := scoreShare
	if recipe.Options.Arithmetic == train.BF16 {
		scores = scoreShareBF16
	}
	var candidates []base.Candidate
	asked, answered := false, false // of the network
	for _, e := range base.Catalog() {
		if e.Architecture == "" || e.Shape.Layers == 0 {
			continue
		}
		c := base.Candidate{Entry: e, MemoryBytes: forecastMemory(e, &recipe)}
		p := float64(e.Shape.Parameters())
		c.TrainSeconds = (4+2*tunedShare(e, &recipe.Options))*p*tokens/(peak*1e9*stepShare(&recipe.Options)) + 2*p*verdictTokens/(peak*1e9*scores)
		_, err := store.Locate(ctx, e.Name)
		switch {
		case err == nil:
			c.Have = true
		case e.Terms != "":
			continue // terms are accepted by a person, who then names the base
		case time.Duration(c.TrainSeconds*float64(time.Second)) > 4*within:
			// It would not be taken even if it were here: do not ask the network.
			c.FetchSeconds = float64(e.Size) / 5e6
		default:
			c.FetchSeconds, c.Gone = fetchSeconds(ctx, store, e.Name)
			asked, answered = true, answered || !c.Gone
		}
		if err := ctx.Err(); err != nil {
			return "", "", interrupted(err, "choose a base", againHint+", or name the base: --base NAME")
		}
		candidates = append(candidates, c)
	}
	if asked && !answered {
		for i := range candidates {
			candidates[i].Gone = !candidates[i].Have
		}
	}
	chosen, _, reason, err := base.Choose(candidates, within, memory, language)
	if err != nil {
		return "", "", err
	}
	return chosen.Entry.Name, reason, nil
}

// fetchSeconds forecasts the fetch of a base; gone where no source answers.
func fetchSeconds(ctx context.Context, store *base.Store, name string) (s float64, gone bool) {
	reach, err := store.Probe(ctx, name)
	if err != nil {
		return 0, true
	}
	rate := reach.BytesPerSecond
	if rate <= 0 {
		rate = 5e6
	}
	return float64(reach.Size) / rate, false
}

// forecastMemory is what a run of a recipe on a base has resident at the least: the
// file, the adapter or the base's weights with gradients and moments, activations, which
// are computed again, and what scores select documents.
func forecastMemory(e base.Entry, r *Recipe) int64 {
	s, o := e.Shape, &r.Options
	wq, wkv := s.Widths()
	h, q, kv, f := int64(s.Hidden), int64(wq), int64(wkv), int64(s.FFN)
	length := r.Mix.Length + 1
	if r.Mix.Context > 0 {
		length += r.Mix.ContextTokens
	}
	lim := model.Limits{Tokens: max(length, 512), Rows: 1, Context: length, Longest: length, Training: true, Arithmetic: o.Arithmetic}
	var trained int64
	if share := tunedShare(e, o); share > 0 {
		each := 16.0
		if o.Optimizer == train.Adafactor {
			each = 8
		}
		trained = int64(each * share * float64(s.Parameters()))
	} else {
		lim.Pad = paddedRank(o)
		trained = int64(s.Layers) * int64(lim.Pad) * (2*(h+q) + 2*(h+kv) + 3*(h+f)) * 4 * 4
	}
	m := &model.Model{Config: model.Config{Vocab: s.Vocab, Dim: s.Hidden, Layers: s.Layers, Heads: s.Heads, KVHeads: s.KVHeads, HeadSize: wq / s.Heads, FFN: s.FFN, Context: max(length, pieceTokens+1)},
		Layer: make([]model.Layer, s.Layers)}
	return e.Size + trained + m.Need(lim) + eval.ScorerBytes(m, pieceTokens+1, lim.Pad, o.Arithmetic == train.BF16) + processBytes
}

// TrainMemory is what training an adapter by the default recipe on a base of the
// catalog has resident at the least, in bytes; 0 where its shape is not known.
func TrainMemory(e base.Entry) int64 {
	if e.Shape.Layers == 0 {
		return 0
	}
	r := DefaultRecipe(0)
	return forecastMemory(e, &r)
}

// forecastRate is how many tokens a second training is expected to do.
func forecastRate(b *baseModel, r Recipe) float64 {
	flops := bench.StepFlops(b.model, r.Mix.Length, r.Options.LoRA.Rank)
	if s := r.Options.Weights; s != nil {
		// The trainer has been made, so the selection names what is there.
		if f, err := bench.TuneFlops(b.model, r.Mix.Length, *s); err == nil {
			flops = f
		}
	}
	return bench.FlopsPeak(0.1) * 1e9 * stepShare(&r.Options) / flops
}

// tunedShare is the share of a base's weights that a recipe trains, at most.
func tunedShare(e base.Entry, o *train.Options) float64 {
	switch {
	case o.Weights == nil:
		return 0
	case len(o.Weights.Layers) > 0:
		return min(1, float64(len(o.Weights.Layers))/float64(e.Shape.Layers))
	}
	return 1
}

// OpenModel opens a base's model alone, for measurements; done gives it back.
func OpenModel(ctx context.Context, store *base.Store, name string, emit Emit) (m *model.Model, done func(), err error) {
	b, err := OpenBase(ctx, store, name, "", "", emit)
	if err != nil {
		return nil, nil, err
	}
	return b.model, b.close, nil
}
