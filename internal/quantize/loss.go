package quantize

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
)

const (
	// pieceTokens is how long the stretches are in which a text is scored.
	pieceTokens = 1024
	// textBytes bounds the text, which is scored twice.
	textBytes = 16 << 20
)

// text is what losses are measured on.
func (o *Options) text() (string, error) {
	if o.Text == "" {
		return strings.Join(eval.Paragraphs(), "\n\n"), nil
	}
	info, err := os.Stat(o.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &stroke.Error{Code: stroke.CodeNotFound, Msg: "there is no file " + o.Text, Hint: "leave --text out to measure on the program's own text"}
	}
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > textBytes {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%s is no file of at most %d MB", o.Text, textBytes>>20), Hint: "give a shorter text"}
	}
	b, err := os.ReadFile(o.Text)
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	if !utf8.Valid(b) {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: o.Text + " is not text in UTF-8", Hint: "give plain text in UTF-8"}
	}
	return string(b), nil
}

// pieces cuts the text into stretches that the source and what is written have room
// for, each with what stands before texts where the model has such a token.
func (o *Options) pieces(b *opened) ([]eval.Piece, error) {
	text, err := o.text()
	if err != nil {
		return nil, err
	}
	var bos []int32
	if b.vocab.AddBOS && b.vocab.BOS >= 0 {
		bos = []int32{b.vocab.BOS}
	}
	context := min(pieceTokens, b.model.GGUFContext())
	if context < 2 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%s has a context of %d, in which no token follows another", o.Source, context), Hint: "leave the loss out: --no-loss"}
	}
	room := context - len(bos)
	var out []eval.Piece
	for ids := b.tok.Encode(text); len(ids) > 1; {
		n := min(room, len(ids))
		out = append(out, eval.Piece{Context: bos, Tokens: ids[:n]})
		ids = ids[n:]
	}
	if len(out) == 0 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "there is no text in " + o.Text + " to measure the loss on", Hint: "give a text of some hundred words"}
	}
	return out, nil
}

// score gives the losses of the pieces.
func (b *opened) score(ctx context.Context, pieces []eval.Piece, stage string, emit func(stroke.Event)) ([]eval.Loss, error) {
	s, err := eval.NewScorer(b.model, min(pieceTokens, b.model.Context), 0, false)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	total, done := int64(0), int64(0)
	for _, p := range pieces {
		total += int64(len(p.Tokens))
	}
	emit(stroke.QuantizeEvent{Stage: stage, Total: total})
	return s.Score(ctx, pieces, nil, func(i int) {
		done += int64(len(pieces[i].Tokens))
		emit(stroke.QuantizeEvent{Stage: stage, Done: done, Total: total})
	})
}

// measure scores the pieces with the source and with what was written.
func (o *Options) measure(ctx context.Context, b *opened, pieces []eval.Piece, done *stroke.QuantizedEvent, emit func(stroke.Event)) error {
	before, err := b.score(ctx, pieces, "score source", emit)
	if err != nil {
		return err
	}
	r, err := open(o.Out)
	if err != nil {
		return fmt.Errorf("open what was written: %w", err)
	}
	defer r.close()
	after, err := r.score(ctx, pieces, "score result", emit)
	if err != nil {
		return err
	}
	x, y := eval.Pool(before), eval.Pool(after)
	for what, l := range map[string]eval.Loss{o.Source: x, o.Out: y} {
		if math.IsNaN(l.Nats) || math.IsInf(l.Nats, 0) {
			return &stroke.Error{Code: stroke.CodeFailure, Msg: "the loss of the text with " + what + " is no number", Hint: "the source is damaged, or its numbers are too large for the format: try a wider one"}
		}
	}
	if o.Dump != "" {
		if err := dump(o.Dump, pieces, before, after); err != nil {
			return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot write " + o.Dump, Err: err, Hint: "name a file that can be written"}
		}
	}
	done.Tokens, done.SourceNats, done.Nats = x.Tokens, x.PerToken(), y.PerToken()
	return nil
}

// dump writes what each token cost.
func dump(path string, pieces []eval.Piece, before, after []eval.Loss) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(f)
	for i := range pieces {
		ids := append(append([]int32(nil), pieces[i].Context...), pieces[i].Tokens...)
		err = errors.Join(err, lines.Encode(Scored{IDs: ids, Source: before[i].Each, Result: after[i].Each}))
	}
	return errors.Join(err, f.Close())
}
