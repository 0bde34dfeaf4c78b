package main

import (
	"context"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/index"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// passageTokens is how many tokens of the writer's passages stand before a text
// that is scored behind a prompt.
const passageTokens = 1400

// written is one line about how text is written behind a prompt.
type written struct {
	Writer     string  `json:"writer"`
	Seed       uint64  `json:"seed,omitempty"` // of the adapter; none for the bare base
	Words      int     `json:"words"`
	Kernel     string  `json:"kernel"`
	Reading    string  `json:"reading"` // arithmetic of the prompt
	Writing    string  `json:"writing"` // and of the text that is scored
	KV         string  `json:"kv"`      // how keys and values are kept
	Prompt     int     `json:"prompt_tokens"`
	Tokens     int     `json:"tokens"`
	Exact      float64 `json:"exact"`      // loss with all three in f32, nats a token
	Fast       float64 `json:"fast"`       // loss of the same weights in these
	Difference float64 `json:"difference"` // fast less exact
}

// behind scores a writer's judge documents, and text that no run has seen, behind
// passages of the writer in the prompt, as the engine computes them: the prompt in
// one arithmetic, the rows of the text in another, all logits in that, keys and values
// kept as kv. It is done
// with the base as it is, and with an adapter of each seed.
func (in *reader) behind(ctx context.Context, writer, source string, reading, writing op.Arithmetic, kv tensor.DType) error {
	folder := in.folder(writer)
	text, err := sample(source, folder, in.words)
	if err != nil {
		return err
	}
	more, err := in.more(source, folder)
	if err != nil {
		return err
	}
	line := written{Writer: writer, Words: len(strings.Fields(text)), Kernel: kernel.Name(), Reading: string(reading), Writing: string(writing), KV: kv.String()}
	for seed := uint64(1); seed <= in.seeds; seed++ {
		f, _, adapter, err := in.twin(ctx, writer, folder, seed)
		if err != nil {
			return err
		}
		ledger, err := f.Ledger()
		if err != nil {
			return err
		}
		var all []index.Passage
		for _, d := range f.Documents(ledger, stroke.RoleTrain) {
			all = append(all, index.Passages(d, 160, 320)...)
		}
		ix := index.New(all)
		var pieces []eval.Piece
		line.Prompt = 0
		add := func(query string, tokens []int32, exclude map[string]bool) {
			p := eval.Piece{Context: []int32{in.tok.Separator()}, Tokens: tokens}
			cost := func(text string) int { return len(in.tok.Encode(text)) + 1 }
			chosen := index.Choose(ix, query, passageTokens, cost, index.ChooseOptions{Exclude: exclude})
			for i := len(chosen) - 1; i >= 0; i-- {
				p.Context = append(append(p.Context, in.tok.Encode(chosen[i].Text)...), in.tok.Separator())
			}
			p.Tokens = p.Tokens[:min(len(p.Tokens), in.m.Context-len(p.Context))]
			line.Prompt += len(p.Context)
			pieces = append(pieces, p)
		}
		for _, d := range f.Documents(ledger, stroke.RoleJudge) {
			exclude := map[string]bool{d.Hash: true}
			for _, n := range ledger.Neighbours(d.Hash) {
				exclude[n] = true
			}
			add(opening(d.Text), in.tok.Encode(d.Text), exclude)
		}
		for _, p := range more {
			var d strings.Builder
			for _, t := range p.Tokens {
				d.Write(in.tok.Piece(t))
			}
			add(opening(d.String()), p.Tokens, nil)
		}
		for _, adapters := range [][]lora.Applied{nil, {{Adapter: adapter, Strength: 1}}} {
			if line.Seed = seed; adapters == nil {
				if line.Seed = 0; seed > 1 {
					continue
				}
			}
			if line.Exact, line.Tokens, err = follow(ctx, in.m, pieces, adapters, op.F32, op.F32, tensor.F32); err != nil {
				return err
			}
			if line.Fast, _, err = follow(ctx, in.m, pieces, adapters, reading, writing, kv); err != nil {
				return err
			}
			line.Difference = line.Fast - line.Exact
			print(line)
		}
	}
	return nil
}

// opening is what passages are asked for with: the first words of a text.
func opening(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(len(words), 12)], " ")
}

// follow is the mean loss of the pieces' tokens behind their contexts, in nats a
// token.
func follow(ctx context.Context, m *model.Model, pieces []eval.Piece, adapters []lora.Applied, reading, writing op.Arithmetic, kv tensor.DType) (nats float64, n int, err error) {
	const chunk = 512
	longest := 0
	for _, p := range pieces {
		longest = max(longest, len(p.Context)+len(p.Tokens))
	}
	lim := model.Limits{Tokens: chunk, Rows: 1, Context: longest, Arithmetic: writing, Other: reading, KV: kv}
	for _, x := range adapters {
		lim.Pad += x.Adapter.Pad()
	}
	s, err := m.NewSession(lim)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	var pages []model.Page
	for at := 0; at < longest; at += model.PageLen {
		pages = append(pages, make(model.Page, m.PageSize(kv)))
	}
	nll, targets := make([]float32, chunk), make([]int32, chunk)
	for _, p := range pieces {
		ids := append(append([]int32(nil), p.Context...), p.Tokens...)
		for at := 0; at < len(ids)-1; {
			if err := ctx.Err(); err != nil {
				return 0, 0, err
			}
			a, end := reading, len(p.Context)
			if at >= len(p.Context) {
				a, end = writing, len(ids)-1
			}
			end = min(end, at+chunk)
			s.Use(a)
			if err := s.Forward([]model.Row{{Tokens: ids[at:end], Start: at, Pages: pages, Adapters: adapters}}); err != nil {
				return 0, 0, err
			}
			for i := at; i < end; i++ {
				if targets[i-at] = -1; i+1 >= len(p.Context) {
					targets[i-at] = ids[i+1]
				}
			}
			s.Use(writing)
			if err := s.Loss(nll, targets[:end-at], nil, false); err != nil {
				return 0, 0, err
			}
			for i := range end - at {
				if targets[i] >= 0 {
					nats, n = nats+float64(nll[i]), n+1
				}
			}
			at = end
		}
	}
	return nats / float64(n), n, nil
}
