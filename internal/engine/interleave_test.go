package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/weights"
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

// TestInOrderOfALostFile holds that an engine whose file is cut short while its weights
// are laid out is not made, and takes no memory.
func TestInOrderOfALostFile(t *testing.T) {
	whole, err := os.ReadFile(testkit.Base(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "base.gguf")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	m := open(t, path)
	b := NewBudget(1 << 30)
	o := Options{Streams: 1, Batch: 32, Context: 64, Arithmetic: op.Int16, InOrder: true, Budget: b}
	if InOrder(m, o) == 0 {
		t.Skip("the kernel in use has no order of its own")
	}
	if err := os.Truncate(path, int64(len(whole))/2); err != nil {
		t.Skip("this system does not let a mapped file be changed: ", err)
	}
	e, err := New(m, o)
	var lost *weights.LostError
	if !errors.As(err, &lost) {
		t.Errorf("an engine of a file that was cut short: %v, %v", e, err)
	}
	if b.Left() != b.Limit() {
		t.Errorf("of %d bytes %d are left", b.Limit(), b.Left())
	}
}
