package eval

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/word"
)

// Opening is a text to be gone on with.
type Opening struct {
	Tokens []int32
	Words  int    // to write
	Seed   uint64 // of this text; the sampling's is not used
}

// Rounds and tokens that an opening may take.
const (
	writeRounds   = 4 // of a text that ends too soon and is asked to go on
	tokensPerWord = 2 // at the most
)

// Writer writes under systems with one engine, many texts at a time.
type Writer struct {
	Engine    *engine.Engine
	Tokenizer *token.Tokenizer
	Sampling  engine.Sampling
	// Streams is how many texts are written at once; 4 where zero. What is written
	// does not depend on it.
	Streams int
	// Breaks is how many line ends in a row end a text: those that stand between the
	// passages of a prompt. 0 for none.
	Breaks int
}

// GoOn goes on with each opening under a system until it has the words asked
// for, and no more; the openings are not in what it gives. A text that ends before that is
// asked to go on after a paragraph's end, with the next seed, three times at the
// most; it may come out shorter. The same system, sampling and seeds write the
// same texts. done, where it is not nil, is called after each text, from one
// goroutine at a time.
func (w *Writer) GoOn(ctx context.Context, sys System, openings []Opening, done func(i int)) ([]string, error) {
	out := make([]string, len(openings))
	err := w.each(ctx, len(openings), func(ctx context.Context, i int) error {
		text, err := w.goOn(ctx, sys, i, openings[i])
		out[i] = text
		return err
	}, done)
	if err != nil {
		return nil, fmt.Errorf("write under %q: %w", sys.Name, err)
	}
	return out, nil
}

func (w *Writer) goOn(ctx context.Context, sys System, i int, o Opening) (string, error) {
	p := sys.piece(i, Piece{Context: o.Tokens})
	text := ""
	for round := range writeRounds {
		have := word.Count(text)
		if have >= o.Words {
			break
		}
		prompt := p.Context
		if text != "" {
			prompt = append(append([]int32(nil), prompt...), w.Tokenizer.Encode(text)...)
		}
		if len(prompt) >= w.Engine.Context() {
			break
		}
		sampling := w.Sampling
		sampling.Seed = o.Seed + uint64(round)
		part, reason, err := w.ask(ctx, sys, prompt, sampling, 16+tokensPerWord*(o.Words-have), func(part string) bool { return word.Count(text+part) > o.Words })
		if err != nil {
			return "", err
		}
		text += part
		if reason == engine.Stopped {
			text = strings.TrimRight(text, " \n") + "\n\n"
		}
	}
	return first(text, o.Words), nil
}

// first are the first n words of a text.
func first(text string, n int) string {
	for _, end := range word.All(text, unicode.IsSpace) {
		if n--; n == 0 {
			text = text[:end]
			break
		}
	}
	return strings.TrimSpace(text)
}

// errBeyond ends a text that has gone beyond what was asked for.
var errBeyond = errors.New("beyond what was asked for")

// ask generates up to most tokens behind a prompt, or to its end, or to the first that
// goes beyond what was asked for; beyond may be nil.
func (w *Writer) ask(ctx context.Context, sys System, prompt []int32, sampling engine.Sampling, most int, beyond func(text string) bool) (string, engine.Reason, error) {
	text, d := "", w.Tokenizer.NewDecoder()
	r, err := w.Engine.Generate(ctx, engine.Request{Prompt: prompt, Adapters: sys.Adapters, Sampling: sampling, Max: most, Stop: w.Tokenizer.Ending(w.Breaks)}, func(id int32) error {
		text += d.Next(id)
		if beyond != nil && beyond(text) {
			return errBeyond
		}
		return nil
	})
	if errors.Is(err, errBeyond) {
		return text, engine.Length, nil
	}
	if err != nil {
		return "", "", err
	}
	return text + d.Flush(), r.Reason, nil
}

// each runs n tasks, as many at once as there are streams.
func (w *Writer) each(ctx context.Context, n int, do func(ctx context.Context, i int) error, done func(i int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	streams := w.Streams
	if streams == 0 {
		streams = 4
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	next := make(chan int)
	for range min(streams, n) {
		wg.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
					continue
				}
				mu.Lock()
				if done != nil {
					done(i)
				}
				mu.Unlock()
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// Request is a text to be written again, as a system is asked to.
type Request struct {
	Prompt []int32 // rendered, up to where the answer begins
	Most   int     // tokens of the answer
	Seed   uint64
}

// Answer gives each request's answer under a system; see [Writer.GoOn].
func (w *Writer) Answer(ctx context.Context, sys System, requests []Request, done func(i int)) ([]string, error) {
	out := make([]string, len(requests))
	err := w.each(ctx, len(requests), func(ctx context.Context, i int) error {
		p := sys.piece(i, Piece{Context: requests[i].Prompt})
		sampling := w.Sampling
		sampling.Seed = requests[i].Seed
		text, _, err := w.ask(ctx, sys, p.Context, sampling, requests[i].Most, nil)
		out[i] = strings.TrimSpace(text)
		return err
	}, done)
	if err != nil {
		return nil, fmt.Errorf("answer under %q: %w", sys.Name, err)
	}
	return out, nil
}
