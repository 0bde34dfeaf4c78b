package engine

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestTwoEnginesOneBudget holds that what one engine remembers makes way for the texts
// of another, and for the other itself, but not for a text that it does not make room for.
func TestTwoEnginesOneBudget(t *testing.T) {
	m, _ := tiny(t)
	o := Options{Streams: 1, Batch: 64, Chunk: 16, Context: 128}
	b := NewBudget(2*withPages(m, o, 0) + 2*pageBytes(m, 0))
	o.Budget = b
	first := start(t, m, o)
	long := Request{Prompt: slices.Repeat([]int32{1, 2, 3}, 30), Max: 20}
	write := func(e *Engine, r Request) {
		t.Helper()
		if got, err := e.Generate(context.Background(), r, nil); err != nil || !slices.Equal(got.Tokens, alone(t, m, r)) {
			t.Fatalf("%v %v", got.Tokens, err)
		}
	}
	write(first, long)
	if s := first.Stats(); s.Remembered < 2 {
		t.Fatalf("%+v", s)
	}
	second := start(t, m, o)
	other := Request{Prompt: slices.Repeat([]int32{4, 5, 6}, 30), Max: 20}
	write(second, other)
	write(first, long)
	if err := b.Reserve("a guest", pageBytes(m, 0)); err != nil {
		t.Fatal(err)
	}
	defer b.Release(pageBytes(m, 0))
	was := first.Stats().Remembered
	if _, err := second.Generate(context.Background(), other, nil); !isBudget(err) {
		t.Errorf("a text for which there is no room: %v", err)
	}
	if now := first.Stats().Remembered; was != 1 || now != was {
		t.Errorf("%d pages are remembered and then, for nothing, %d", was, now)
	}
	if b.Peak() > b.Limit() {
		t.Errorf("%d bytes of %d were taken", b.Peak(), b.Limit())
	}
}

// TestNoEnd writes up to the end of the context where no end is given.
func TestNoEnd(t *testing.T) {
	m, _ := tiny(t)
	e := start(t, m, Options{Streams: 1, Context: 64})
	r, err := e.Generate(context.Background(), Request{Prompt: []int32{1, 2, 3}, Max: math.MaxInt}, nil)
	if err != nil || r.Reason != Full || len(r.Tokens) != 61 {
		t.Errorf("%d tokens, %q, %v", len(r.Tokens), r.Reason, err)
	}
}
