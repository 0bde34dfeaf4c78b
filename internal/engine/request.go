package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
)

// ContextError says that a prompt has more tokens than there is room for.
type ContextError struct {
	Tokens  int // of the prompt
	Context int // positions of a stream
}

// Error says how many tokens there are and for how many there is room.
func (e *ContextError) Error() string {
	return fmt.Sprintf("a prompt of %d tokens where there is room for %d", e.Tokens, e.Context-1)
}

// Hint says what to do.
func (e *ContextError) Hint() string { return "give less text, or part of it at a time" }

// AdapterError says that an adapter of a request cannot be used on this base.
type AdapterError struct {
	Index int // which of the request's adapters
	Err   error
}

// Error says what is wrong with the adapter.
func (e *AdapterError) Error() string { return fmt.Sprintf("adapter %d: %v", e.Index, e.Err) }

// Unwrap gives what is wrong.
func (e *AdapterError) Unwrap() error { return e.Err }

// ErrNoNumber ends a text whose next token cannot be drawn since the logits are
// no numbers: weights or an adapter are damaged.
var ErrNoNumber = errors.New("the logits are not numbers: the weights of the base or of an adapter are damaged")

// check says why a request cannot be served, whatever else is.
func (e *Engine) check(r *Request) error {
	if err := r.Sampling.Validate(); err != nil {
		return err
	}
	if len(r.Prompt) == 0 {
		return errors.New("the prompt has no tokens")
	}
	if len(r.Prompt) >= e.opt.Context {
		return &ContextError{Tokens: len(r.Prompt), Context: e.opt.Context}
	}
	if r.Max < 1 {
		return fmt.Errorf("at most %d tokens are asked for: ask for at least 1", r.Max)
	}
	for _, t := range r.Prompt {
		if t < 0 || int(t) >= e.m.Vocab {
			return fmt.Errorf("token %d of a vocabulary of %d", t, e.m.Vocab)
		}
	}
	if err := e.checkAdapters(r.Adapters); err != nil {
		return err
	}
	if err := e.checkRoom(r); err != nil {
		return err
	}
	return e.watch.changed(e.m.Source, true)
}

// limit is the number of positions that a request may come to.
func (e *Engine) limit(r *Request) int {
	return len(r.Prompt) + min(r.Max, e.opt.Context-len(r.Prompt))
}

// checkRoom says with a *BudgetError that there is no room for a request even where
// it has the engine's memory to itself.
func (e *Engine) checkRoom(r *Request) error {
	var adapters int64
	for i, a := range r.Adapters {
		if !slices.ContainsFunc(r.Adapters[:i], func(b lora.Applied) bool { return b.Adapter == a.Adapter }) {
			adapters += AdapterBytes(a.Adapter)
		}
	}
	left := e.budget.Limit() - e.fixed - e.laid.bytes
	if adapters > left {
		return &BudgetError{What: "an adapter", Need: adapters, Left: left, Limit: e.budget.Limit()}
	}
	if limit := e.limit(r); int64(pagesFor(limit))*e.pool.bytes > left-adapters {
		return e.shortOf(fmt.Sprintf("a text of %d tokens", limit), pagesFor(limit), left-adapters)
	}
	return nil
}

// checkAdapters says with an *AdapterError why adapters cannot be used.
func (e *Engine) checkAdapters(use []lora.Applied) error {
	pad := 0
	for i, a := range use {
		if a.Adapter == nil {
			return &AdapterError{Index: i, Err: errors.New("there is none")}
		}
		if s := float64(a.Strength); math.IsNaN(s) || math.IsInf(s, 0) {
			return &AdapterError{Index: i, Err: fmt.Errorf("a strength of %g", s)}
		}
		err := a.Adapter.Fits(e.m.Shape())
		a.Adapter.Each(func(l int, m lora.Module, p *op.Pair) {
			if err == nil && (p.Rank < 1 || p.Pad < p.Rank || p.Pad%16 != 0 || len(p.A) < p.Pad*p.In || len(p.B) < p.Pad*p.Out) {
				err = fmt.Errorf("its %s in layer %d has a rank of %d and %d and %d weights: it is damaged", m, l, p.Rank, len(p.A), len(p.B))
			}
		})
		if err != nil {
			return &AdapterError{Index: i, Err: err}
		}
		if a.Strength != 0 {
			pad += a.Adapter.Pad()
		}
		if pad > e.opt.Pad {
			return &AdapterError{Index: i, Err: fmt.Errorf("ranks come to %d in all where there is room for %d", pad, e.opt.Pad)}
		}
	}
	return nil
}

// held is an adapter that streams use.
type held struct {
	streams int
	bytes   int64 // taken from the budget
}

// hold takes the memory of those of a stream's adapters that no other stream
// uses from the budget.
func (e *Engine) hold(s *stream) error {
	for _, a := range s.Adapters[s.held:] {
		h := e.inUse[a.Adapter]
		if h == nil {
			h = &held{bytes: AdapterBytes(a.Adapter)}
			if err := e.budget.Reserve("an adapter", h.bytes); err != nil {
				return err
			}
			e.inUse[a.Adapter] = h
		}
		h.streams++
		s.held++
	}
	return nil
}

// letGo ends a stream's use of adapters.
func (e *Engine) letGo(s *stream) {
	for _, a := range s.Adapters[:s.held] {
		h := e.inUse[a.Adapter]
		if h.streams--; h.streams == 0 {
			delete(e.inUse, a.Adapter)
			e.budget.Release(h.bytes)
		}
	}
	s.held = 0
}

// AdapterBytes is the memory of an adapter's factors, which an engine counts in its
// budget while a stream uses it.
func AdapterBytes(a *lora.Adapter) int64 {
	var n int64
	a.Each(func(_ int, _ lora.Module, p *op.Pair) {
		n += 4*int64(len(p.A)+len(p.B)) + int64(len(p.Half)+len(p.HalfB)) + 2*int64(len(p.TileA)+len(p.TileB))
	})
	return n
}

// Forget drops what is remembered of texts that went through an adapter: it has
// changed, or will not be used again.
func (e *Engine) Forget(a *lora.Adapter) { e.pool.forgetAdapter(a) }
