package main

import (
	"context"
	"fmt"
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

// read is one line about how a writer's judge documents are read.
type read struct {
	Writer     string  `json:"writer"`
	Seed       uint64  `json:"seed,omitempty"` // of the adapter; none for the bare base
	Words      int     `json:"words"`
	Kernel     string  `json:"kernel"`
	Arithmetic string  `json:"arithmetic"`
	Tokens     int     `json:"judge_tokens"`
	Exact      float64 `json:"exact"`      // loss in f32, nats a token
	Fast       float64 `json:"fast"`       // loss in the other, of the same weights
	Difference float64 `json:"difference"` // fast less exact
}

// inference reads judge documents in f32 and in another arithmetic: with the base
// as it is, and with an adapter of each seed, trained in the fastest.
func inference(ctx context.Context, a op.Arithmetic, m *model.Model, tok *token.Tokenizer, writer, source, home, baseName string, words int, seeds uint64) error {
	folder := filepath.Join(home, writer)
	text, err := sample(source, folder, words)
	if err != nil {
		return err
	}
	r := read{Writer: writer, Words: len(strings.Fields(text)), Kernel: kernel.Name(), Arithmetic: string(a)}
	for r.Seed = 1; r.Seed <= seeds; r.Seed++ {
		dir := filepath.Join(home, fmt.Sprint(writer, r.Seed))
		o := twin.Options{Source: folder, To: dir, Base: baseName,
			Change: func(x *twin.Recipe) { x.Options.Arithmetic, x.Options.Seed = train.Fastest(), r.Seed }}
		if err := twin.Train(ctx, o, func(stroke.Event) {}); err != nil {
			return err
		}
		f, err := twin.Open(dir)
		if err != nil {
			return err
		}
		v, err := f.Version("")
		if err != nil {
			return err
		}
		adapter, err := f.Adapter(v, m.Shape())
		if err != nil {
			return err
		}
		ledger, err := f.Ledger()
		if err != nil {
			return err
		}
		var pieces []eval.Piece
		for _, d := range f.Documents(ledger, stroke.RoleJudge) {
			pieces = append(pieces, eval.Piece{Tokens: tok.Encode(d.Text)})
		}
		use := [][]lora.Applied{nil, {{Adapter: adapter, Strength: 1}}}
		if r.Seed > 1 {
			use = use[1:]
		}
		for _, adapters := range use {
			line := r
			if adapters == nil {
				line.Seed = 0
			}
			for _, x := range []struct {
				a  op.Arithmetic
				to *float64
			}{{op.F32, &line.Exact}, {a, &line.Fast}} {
				if *x.to, line.Tokens, err = loss(ctx, x.a, m, pieces, adapters); err != nil {
					return err
				}
			}
			line.Difference = line.Fast - line.Exact
			print(line)
		}
	}
	return nil
}

// loss is the mean of the pieces, in nats a token.
func loss(ctx context.Context, a op.Arithmetic, m *model.Model, pieces []eval.Piece, adapters []lora.Applied) (float64, int, error) {
	longest, pad := 0, 0
	for _, p := range pieces {
		longest = max(longest, len(p.Tokens))
	}
	for _, x := range adapters {
		pad += x.Adapter.Pad()
	}
	s, err := eval.NewScorerIn(a, m, longest, pad)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	losses, err := s.Score(ctx, pieces, adapters, nil)
	if err != nil {
		return 0, 0, err
	}
	nats, n := 0.0, 0
	for _, l := range losses {
		nats, n = nats+l.Nats, n+l.Tokens
	}
	return nats / float64(n), n, nil
}
