package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestInOrder holds that an engine has its weights in the kernel's order where there is
// room for them and not where there is none, that its texts are the same, and that all
// memory is given back.
func TestInOrder(t *testing.T) {
	m := open(t, testkit.Base(t))
	o := Options{Streams: 3, Batch: 32, Context: 64, Arithmetic: op.Int16, InOrder: true}
	extra := InOrder(m, o)
	if extra == 0 {
		t.Skip("the kernel in use has no order of its own")
	}
	if got := InOrder(m, Options{}); got != 0 {
		t.Errorf("an engine in float32 would take %d bytes", got)
	}
	o.defaults(m)
	need := o.need(m, 1)
	if e := still(t, m, Options{Streams: 3, Batch: 32, Context: 64, Arithmetic: op.Int16}); e.laid.m != m {
		t.Error("weights are in order where nobody asked for it")
	}
	var texts [][]int32
	for _, c := range []struct {
		limit int64
		laid  bool
	}{{need, false}, {need + extra - 1, false}, {need + extra, true}, {1 << 30, true}} {
		b := NewBudget(c.limit)
		o.Budget = b
		e, err := New(m, o)
		if err != nil {
			t.Fatal(err)
		}
		if laid := e.laid.m != m; laid != c.laid {
			t.Errorf("with %d bytes, of which %d are needed, weights in order: %v", c.limit, need, laid)
		}
		r, err := e.Generate(context.Background(), Request{Prompt: []int32{500, 501, 502}, Max: 20}, nil)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, r.Tokens)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if b.Left() != c.limit || b.Peak() > c.limit {
			t.Errorf("of %d bytes %d are left, and %d were taken", c.limit, b.Left(), b.Peak())
		}
	}
	for _, text := range texts {
		if !slices.Equal(text, texts[0]) {
			t.Errorf("%v is not %v", text, texts[0])
		}
	}
}
