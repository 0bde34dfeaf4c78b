package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin"
)

// read is one line about how a writer's text is read.
type read struct {
	Writer     string  `json:"writer"`
	Seed       uint64  `json:"seed,omitempty"` // of the adapter; none for the bare base
	Words      int     `json:"words"`
	Trained    string  `json:"trained,omitempty"` // in which arithmetic the adapter was
	Kernel     string  `json:"kernel"`
	Arithmetic string  `json:"arithmetic"`
	Tokens     int     `json:"tokens"`
	Exact      float64 `json:"exact"`      // loss in f32, nats a token
	Fast       float64 `json:"fast"`       // loss in the other, of the same weights
	Difference float64 `json:"difference"` // fast less exact
	Judge      int     `json:"judge_tokens"`
	OnJudge    float64 `json:"judge_difference"` // of the judge documents alone
}

// verdict is how an arithmetic did with the adapters.
type verdict struct {
	Arithmetic string  `json:"arithmetic"`
	Runs       int     `json:"runs"`
	Mean       float64 `json:"mean_difference"`
	Worst      float64 `json:"worst_difference"` // the greatest loss
}

// verdicts are those of arithmetics.
type verdicts map[op.Arithmetic]*verdict

// add takes a run with an adapter in.
func (all verdicts) add(a op.Arithmetic, difference float64) {
	v := all[a]
	if v == nil {
		v = &verdict{Arithmetic: string(a), Worst: difference}
		all[a] = v
	}
	v.Mean = (v.Mean*float64(v.Runs) + difference) / float64(v.Runs+1)
	v.Runs++
	v.Worst = max(v.Worst, difference)
}

// reader reads text in f32 and in other arithmetics.
type reader struct {
	all           verdicts
	others        []op.Arithmetic
	trained       train.Arithmetic
	m             *model.Model
	tok           *token.Tokenizer
	home, base    string
	genre         string // empty for the recipe's
	words, unseen int
	seeds         uint64
}

// read reads a writer's judge documents and text that no run has seen: with the
// base as it is, and with an adapter of each seed.
func (in *reader) read(ctx context.Context, writer, source string) error {
	folder := in.folder(writer)
	text, err := sample(source, folder, in.words)
	if err != nil {
		return err
	}
	more, err := in.more(source, folder)
	if err != nil {
		return err
	}
	r := read{Writer: writer, Words: len(strings.Fields(text)), Trained: string(in.trained), Kernel: kernel.Name()}
	for r.Seed = 1; r.Seed <= in.seeds; r.Seed++ {
		f, _, adapter, err := in.twin(ctx, writer, folder, r.Seed)
		if err != nil {
			return err
		}
		ledger, err := f.Ledger()
		if err != nil {
			return err
		}
		var pieces []eval.Piece
		for _, d := range f.Documents(ledger, stroke.RoleJudge) {
			pieces = append(pieces, eval.Piece{Tokens: in.tok.Encode(d.Text)})
		}
		judge := len(pieces)
		pieces = append(pieces, more...)
		use := [][]lora.Applied{nil, {{Adapter: adapter, Strength: 1}}}
		if r.Seed > 1 {
			use = use[1:]
		}
		for _, adapters := range use {
			line := r
			if adapters == nil {
				line.Seed, line.Trained = 0, ""
			}
			exact, err := losses(ctx, op.F32, in.m, pieces, adapters)
			if err != nil {
				return err
			}
			line.Exact, line.Tokens = mean(exact)
			for _, a := range in.others {
				fast, err := losses(ctx, a, in.m, pieces, adapters)
				if err != nil {
					return err
				}
				line.Arithmetic = string(a)
				line.Fast, _ = mean(fast)
				line.Difference = line.Fast - line.Exact
				was, n := mean(exact[:judge])
				is, _ := mean(fast[:judge])
				line.Judge, line.OnJudge = n, is-was
				print(line)
				if adapters != nil {
					in.all.add(a, line.Difference)
				}
			}
		}
	}
	return nil
}

// folder is where the sample of a writer's text lies.
func (in *reader) folder(writer string) string {
	return filepath.Join(in.home, fmt.Sprintf("%s-%d", writer, in.words))
}

// dir is where a twin is kept. Its name says all that the twin depends on: the rest of
// it by a hash, since a base may be a path.
func (in *reader) dir(writer string, seed uint64) string {
	rest := stroke.HashText(fmt.Sprintf("%q %q %q", in.base, in.trained, in.genre))
	return filepath.Join(in.home, fmt.Sprintf("%s-%d-%d-%s", writer, in.words, seed, rest[:12]))
}

// twin is the twin of a seed that was trained on a folder, before or now.
func (in *reader) twin(ctx context.Context, writer, folder string, seed uint64) (*twin.Folder, *twin.Version, *lora.Adapter, error) {
	dir := in.dir(writer, seed)
	f, err := twin.Open(dir)
	if err != nil || f.Newest == "" {
		o := twin.Options{Source: folder, To: dir, Base: in.base, NoCrossFit: true,
			Change: func(x *twin.Recipe) {
				x.Options.Arithmetic, x.Options.Seed = in.trained, seed
				x.Genre.Ask = cmp.Or(in.genre, x.Genre.Ask)
			}}
		if err := twin.Train(ctx, o, func(stroke.Event) {}); err != nil {
			return nil, nil, nil, err
		}
		if f, err = twin.Open(dir); err != nil {
			return nil, nil, nil, err
		}
	}
	v, err := f.Version("")
	if err != nil {
		return nil, nil, nil, err
	}
	adapter, err := f.Adapter(v, in.m.Shape())
	return f, v, adapter, err
}

// more are pieces of the files behind those of the sample.
func (in *reader) more(source, folder string) ([]eval.Piece, error) {
	all, err := files(source)
	if err != nil {
		return nil, err
	}
	taken, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var pieces []eval.Piece
	left := in.unseen
	for _, f := range all[len(taken):] {
		if left < 2 {
			break
		}
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		ids := in.tok.Encode(string(b))
		ids = ids[:min(len(ids), left, 1024)]
		pieces = append(pieces, eval.Piece{Tokens: ids})
		left -= len(ids)
	}
	return pieces, nil
}

// losses are those of the pieces.
func losses(ctx context.Context, a op.Arithmetic, m *model.Model, pieces []eval.Piece, adapters []lora.Applied) ([]eval.Loss, error) {
	longest, pad := 0, 0
	for _, p := range pieces {
		longest = max(longest, len(p.Tokens))
	}
	for _, x := range adapters {
		pad += x.Adapter.Pad()
	}
	s, err := eval.NewScorerIn(a, m, longest, pad)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Score(ctx, pieces, adapters, nil)
}

// mean is that of losses, in nats a token, and their tokens.
func mean(losses []eval.Loss) (nats float64, tokens int) {
	for _, l := range losses {
		nats, tokens = nats+l.Nats, tokens+l.Tokens
	}
	return nats / float64(max(tokens, 1)), tokens
}
