package twin

import (
	"context"
	"math"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/train"
)

// What a genre is worth is measured on at most so many tokens, from as many
// documents as there are. With fewer than fewJudged the interval is over blocks of judgedBlock
// tokens or more, as a verdict's is.
const (
	genreTokens = judgeTokens / 2
	fewJudged   = 8
	judgedBlock = 200
)

// judged are documents cut into what a genre is measured on.
type judged struct {
	pieces    []eval.Piece
	groups    []string // the document of each
	documents int
	words     int // in those documents
	longest   int // tokens of a piece, with what is before it
}

// judgeable cuts documents into pieces of at most left tokens in all: the
// beginnings of all, and where these come to few tokens more of each.
func (b *baseModel) judgeable(docs []stroke.Document, left int) judged {
	j := judged{longest: 2}
	share := max(pieceTokens, left/max(len(docs), 1))
	for _, d := range docs {
		ids := b.tok.Encode(d.Text)
		ids = ids[:min(len(ids), share, left)]
		if len(ids) == 0 {
			continue
		}
		left -= len(ids)
		j.documents++
		j.words += d.Words
		for len(ids) > 0 {
			n := min(len(ids), pieceTokens)
			j.pieces = append(j.pieces, eval.Piece{Context: []int32{b.first}, Tokens: ids[:n]})
			j.groups = append(j.groups, d.Hash)
			j.longest = max(j.longest, n+1)
			ids = ids[n:]
		}
	}
	return j
}

// gainOver is what with saves over without, in nats per token.
func (j *judged) gainOver(without, with []eval.Loss, seed uint64) genre.Gain {
	units := eval.Gains(j.groups, without, with)
	if len(units) < fewJudged {
		units = eval.BlockGains(j.groups, without, with, judgedBlock)
	}
	p := eval.Predict("genre", units, 10000, seed)
	return genre.Gain{Mean: p.Gain.Mean, Low: p.Gain.Low, High: p.Gain.High}
}

// measureGenre measures the head start on documents that were withheld, over the
// base and over what the genre went on from, where that is not nil, and writes the
// samples.
func (r *run) measureGenre(ctx context.Context, card *genreCard, a, start *lora.Adapter) error {
	j := r.b.judgeable(r.judge, genreTokens)
	s, err := eval.NewScorer(r.b.model, j.longest, a.Pad(), r.bf16())
	if err != nil {
		return err
	}
	defer s.Close()
	var losses [3][]eval.Loss
	for i, use := range [...][]lora.Applied{nil, {{Adapter: a, Strength: 1}}, {{Adapter: start, Strength: 1}}} {
		if i == 2 && start == nil {
			break
		}
		condition := [...]string{"base", "adapter", "start"}[i]
		if losses[i], err = s.Score(ctx, j.pieces, use, func(k int) {
			r.emit(stroke.ScoreEvent{Condition: condition, Done: k + 1, Total: len(j.pieces)})
		}); err != nil {
			return err
		}
	}
	bare, with := eval.Pool(losses[0]), eval.Pool(losses[1])
	seed := r.recipe.Options.Seed
	f := &genre.Figures{Documents: j.documents, Words: j.words, Tokens: bare.Tokens, Base: bare.PerToken(), Genre: with.PerToken(), Gain: j.gainOver(losses[0], losses[1], seed)}
	if start != nil {
		g := j.gainOver(losses[2], losses[1], seed)
		f.Start, f.OverStart = eval.Pool(losses[2]).PerToken(), &g
	}
	for _, x := range []float64{f.Base, f.Genre, f.Gain.Mean, f.Gain.Low, f.Gain.High, f.Start} {
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
	l := &learnt{adapter: a}
	v := &Voice{Folder: r.f, b: r.b, learnt: l, passages: r.passages,
		options: l.serving(engine.Options{Streams: 1, Context: min(1024, r.b.model.Context), Pad: a.Pad(), Memory: 256 << 20}, r.o.Exact)}
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

// Withheld are the documents that a genre made by the recipe is measured on: it
// is not trained on them.
func Withheld(ctx context.Context, r *genre.Recipe, data string) ([]stroke.Document, error) {
	o := &GenreOptions{Recipe: r, Data: data}
	run, _, err := o.prepare(ctx, func(stroke.Event) {})
	if err != nil {
		return nil, err
	}
	return run.judge, nil
}

// GenreText is text that genres are measured on.
type GenreText struct {
	Name      string
	Documents []stroke.Document
}

// GenresOn is what each genre saves on a text that none of them was trained on.
type GenresOn struct {
	Text      string               `json:"text"`
	Documents int                  `json:"documents"`
	Tokens    int                  `json:"tokens"` // scored
	Base      float64              `json:"base"`   // nats per token of the bare base
	Genres    map[string]GenreOver `json:"genres"`
}

// GenreOver is what a genre saves, in nats per token with intervals at 95 %.
type GenreOver struct {
	Base  genre.Gain  `json:"over_base"`
	Prose *genre.Gain `json:"over_prose,omitempty"` // over the genre prose, where that is there
}

// CompareGenres measures every genre of a base in the library below dir on at most
// so many tokens of each text.
func CompareGenres(ctx context.Context, dir, baseName string, texts []GenreText, tokens int, emit Emit) ([]GenresOn, error) {
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	b, err := OpenBase(ctx, store, baseName, "", "", emit)
	if err != nil {
		return nil, err
	}
	defer b.close()
	list := b.trials(genre.Open(dir), emit)
	var out []GenresOn
	for _, t := range texts {
		on, err := b.genresOn(ctx, t, list, tokens)
		if err != nil {
			return nil, interrupted(err, "measure the genres", "")
		}
		out = append(out, *on)
	}
	return out, nil
}

func (b *baseModel) genresOn(ctx context.Context, t GenreText, list []trial, tokens int) (*GenresOn, error) {
	j := b.judgeable(t.Documents, tokens)
	pad := 0
	for _, x := range list {
		pad = max(pad, x.adapter.Pad())
	}
	s, err := eval.NewScorer(b.model, j.longest, pad, train.Fastest() == train.BF16)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	bare, err := s.Score(ctx, j.pieces, nil, nil)
	if err != nil {
		return nil, err
	}
	with := map[string][]eval.Loss{}
	for _, x := range list {
		if with[x.genre.Name], err = s.Score(ctx, j.pieces, []lora.Applied{{Adapter: x.adapter, Strength: 1}}, nil); err != nil {
			return nil, err
		}
	}
	l := eval.Pool(bare)
	on := &GenresOn{Text: t.Name, Documents: j.documents, Tokens: l.Tokens, Base: l.PerToken(), Genres: map[string]GenreOver{}}
	for name, losses := range with {
		over := GenreOver{Base: j.gainOver(bare, losses, 1)}
		if prose := with[proseGenre]; prose != nil && name != proseGenre {
			g := j.gainOver(prose, losses, 1)
			over.Prose = &g
		}
		on.Genres[name] = over
	}
	return on, nil
}
