package main

import (
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
	Kernel     string  `json:"kernel"`
	Arithmetic string  `json:"arithmetic"`
	Tokens     int     `json:"tokens"`
	Exact      float64 `json:"exact"`      // loss in f32, nats a token
	Fast       float64 `json:"fast"`       // loss in the other, of the same weights
	Difference float64 `json:"difference"` // fast less exact
}

// reader reads text in f32 and in another arithmetic.
type reader struct {
	a             op.Arithmetic
	m             *model.Model
	tok           *token.Tokenizer
	home, base    string
	words, unseen int
	seeds         uint64
}

// read reads a writer's judge documents and text that no run has seen: with the
// base as it is, and with an adapter of each seed, trained in the fastest
// arithmetic.
func (in *reader) read(ctx context.Context, writer, source string) error {
	folder := filepath.Join(in.home, writer)
	text, err := sample(source, folder, in.words)
	if err != nil {
		return err
	}
	more, err := in.more(source, folder)
	if err != nil {
		return err
	}
	r := read{Writer: writer, Words: len(strings.Fields(text)), Kernel: kernel.Name(), Arithmetic: string(in.a)}
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
		pieces = append(pieces, more...)
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
			}{{op.F32, &line.Exact}, {in.a, &line.Fast}} {
				if *x.to, line.Tokens, err = loss(ctx, x.a, in.m, pieces, adapters); err != nil {
					return err
				}
			}
			line.Difference = line.Fast - line.Exact
			print(line)
		}
	}
	return nil
}

// twin is the twin of a seed that was trained on a folder, before or now.
func (in *reader) twin(ctx context.Context, writer, folder string, seed uint64) (*twin.Folder, *twin.Version, *lora.Adapter, error) {
	dir := filepath.Join(in.home, fmt.Sprint(writer, seed))
	f, err := twin.Open(dir)
	if err != nil || f.Newest == "" {
		o := twin.Options{Source: folder, To: dir, Base: in.base, NoCrossFit: true,
			Change: func(x *twin.Recipe) { x.Options.Arithmetic, x.Options.Seed = train.Fastest(), seed }}
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
