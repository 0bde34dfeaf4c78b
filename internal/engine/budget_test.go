package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// still is an engine whose passes the test makes itself.
func still(t testing.TB, m *model.Model, o Options) *Engine {
	t.Helper()
	e, err := prepare(m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(e.done)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// submit hands a request to an engine that stands still.
func submit(t testing.TB, e *Engine, ctx context.Context, r Request) *stream {
	t.Helper()
	if err := e.check(&r); err != nil {
		t.Fatal(err)
	}
	s := e.newStream(ctx, r)
	e.waiting = append(e.waiting, s)
	return s
}

// finish makes passes until nobody is left.
func finish(t testing.TB, e *Engine) {
	t.Helper()
	for range 10000 {
		e.admit()
		if len(e.streams)+len(e.waiting) == 0 {
			return
		}
		e.step()
	}
	t.Fatal("the engine comes to no end")
}

// alone is the text of a request without others.
func alone(t testing.TB, m *model.Model, r Request) []int32 {
	t.Helper()
	e, err := New(m, Options{Streams: 1, Batch: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r.Lookup = false
	got, err := e.Generate(context.Background(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got.Tokens
}

// TestSmallBudgets starts engines in all kinds of memory: they keep to it, and
// where it is too little the error says what would fit, which then does.
func TestSmallBudgets(t *testing.T) {
	m, _ := tiny(t)
	one := pageBytes(m, tensor.F32)
	whole := Options{Context: m.Context, Streams: 2, Batch: 64}
	if _, err := New(m, Options{Memory: 1000}); !isBudget(err) || !strings.Contains(hint(err), "would do") {
		t.Errorf("1000 bytes: %v (%s)", err, hint(err))
	}
	least := withPages(m, Options{Batch: leastBatch, Streams: 2, Context: model.PageLen}, 1)
	for memory := least; memory < withPages(m, whole, 3); memory += one / 3 {
		e, err := New(m, Options{Memory: memory, Streams: 2})
		if err != nil {
			t.Fatalf("%d bytes: %v", memory, err)
		}
		r, err := e.Generate(context.Background(), Request{Prompt: []int32{1, 2, 3}, Max: 1 << 20}, nil)
		if err != nil || r.Reason != Full || len(r.Tokens) != e.Context()-3 {
			t.Errorf("%d bytes, a context of %d: %d tokens, %q, %v", memory, e.Context(), len(r.Tokens), r.Reason, err)
		}
		if b := e.Budget(); b.Peak() > memory || b.Limit() != memory {
			t.Errorf("%d bytes: %d were taken of %d", memory, b.Peak(), b.Limit())
		}
		e.Close()
	}
	short := whole
	short.Memory = withPages(m, whole, 1)
	_, err := New(m, short)
	if !isBudget(err) || !strings.Contains(hint(err), "a context of 64 positions would fit") {
		t.Errorf("a context of 128 in the memory of 64: %v (%s)", err, hint(err))
	}
	short.Context = 64
	start(t, m, short)
	for _, o := range []Options{{Batch: -1}, {Streams: 1 << 30}, {KV: tensor.Q4_1}, {KV: tensor.Q8_0}} {
		if _, err := New(m, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if need := Need(m, whole); need != withPages(m, whole, 4) {
		t.Errorf("two streams of 128 positions need %d bytes and not %d", need, withPages(m, whole, 4))
	}
}

func isBudget(err error) bool {
	var b *BudgetError
	return errors.As(err, &b) && b.Need > b.Left
}

func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// TestSharedBudget has a guest take memory: remembered pages make way, requests
// for which there is no room fail alone, and all is well once it is given back.
func TestSharedBudget(t *testing.T) {
	m, a := tiny(t)
	o := Options{Streams: 2, Batch: 64, Chunk: 16}
	b := NewBudget(withPages(m, o, 4) + AdapterBytes(a))
	o.Budget = b
	e := start(t, m, o)
	long := Request{Prompt: slices.Repeat([]int32{1, 2, 3}, 36), Max: 20}
	want := alone(t, m, long)
	write := func(r Request) (Result, error) { return e.Generate(context.Background(), r, nil) }
	if r, err := write(long); err != nil || !slices.Equal(r.Tokens, want) {
		t.Fatalf("%v %v", r.Tokens, err)
	}
	if s := e.Stats(); s.Remembered != 2 || s.Written != 20 || s.Read != 108 {
		t.Errorf("after a text of two pages: %+v", s)
	}
	room := b.Left()
	if err := b.Reserve("more than there is", room+2*pageBytes(m, tensor.F32)+1); !isBudget(err) {
		t.Errorf("more than there is: %v", err)
	}
	if s := e.Stats(); s.Remembered != 2 {
		t.Errorf("after a guest for whom there is no room: %+v", s)
	}
	if err := b.Reserve("a guest", room+2*pageBytes(m, tensor.F32)); err != nil {
		t.Fatalf("remembered pages do not make way: %v", err)
	}
	if s := e.Stats(); s.Pages != 0 {
		t.Errorf("pages stay in memory: %+v", s)
	}
	if _, err := write(long); !isBudget(err) {
		t.Errorf("a text for which there is no room: %v", err)
	}
	if _, err := write(Request{Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Adapter: a, Strength: 1}}}); !isBudget(err) {
		t.Errorf("an adapter for which there is no room: %v", err)
	}
	b.Release(pageBytes(m, tensor.F32))
	if _, err := write(long); !isBudget(err) || !strings.Contains(hint(err), "64 tokens would fit") {
		t.Errorf("a text for which there is half the room: %v (%s)", err, hint(err))
	}
	if r, err := write(Request{Prompt: long.Prompt[:50], Max: 5}); err != nil || len(r.Tokens) != 5 {
		t.Errorf("a short text: %v", err)
	}
	b.Release(room + pageBytes(m, tensor.F32))
	if r, err := write(long); err != nil || !slices.Equal(r.Tokens, want) {
		t.Errorf("afterwards: %v %v", r.Tokens, err)
	}
	if err := b.Reserve("too much", 1<<40); !isBudget(err) {
		t.Errorf("%v", err)
	}
	if b.Peak() > b.Limit() {
		t.Errorf("%d bytes of %d were taken", b.Peak(), b.Limit())
	}
}

// TestRowsFailAlone has one of two streams fail in each way, while the other
// writes what it does alone.
func TestRowsFailAlone(t *testing.T) {
	m, sound := tiny(t)
	good := Request{Prompt: []int32{5, 6, 7}, Max: 12, Adapters: []lora.Applied{{Adapter: sound, Strength: 1}}, Lookup: true}
	want := alone(t, m, good)
	for name, c := range map[string]struct {
		spoil func(a *lora.Adapter, cancel func())
		is    func(err error) bool
	}{
		"cancelled": {func(_ *lora.Adapter, cancel func()) { cancel() }, func(err error) bool { return errors.Is(err, context.Canceled) }},
		"no numbers": {func(a *lora.Adapter, _ func()) { a.Pairs[1][lora.QProj].B[0] = float32(math.NaN()) },
			func(err error) bool { return errors.Is(err, ErrNoNumber) }},
		"another shape": {func(a *lora.Adapter, _ func()) { a.Pairs[2][lora.QProj].In++ }, isAdapter},
		"cut off":       {func(a *lora.Adapter, _ func()) { a.Pairs = a.Pairs[:2] }, isAdapter},
	} {
		t.Run(name, func(t *testing.T) {
			e := still(t, m, Options{Streams: 2, Batch: 64})
			bad := lora.New(m.Shape(), lora.Options{Rank: 4, Alpha: 8}, 2, nil)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			first := submit(t, e, context.Background(), good)
			s := submit(t, e, ctx, Request{Prompt: []int32{1, 2}, Max: 50, Adapters: []lora.Applied{{Adapter: bad, Strength: 1}}})
			for range 3 {
				e.admit()
				e.step()
			}
			written := len(s.result.Tokens)
			c.spoil(bad, cancel)
			e.step()
			if !c.is(s.err) || len(s.result.Tokens) != written || written != 3 {
				t.Errorf("after %d tokens, %d: %v", written, len(s.result.Tokens), s.err)
			}
			finish(t, e)
			if first.err != nil || !slices.Equal(first.result.Tokens, want) {
				t.Errorf("the other: %v, %v and alone %v", first.err, first.result.Tokens, want)
			}
		})
	}
}

func isAdapter(err error) bool {
	var a *AdapterError
	return errors.As(err, &a)
}

// TestWaitingIsCancelled cancels a stream that was not yet let in, behind another
// that waits.
func TestWaitingIsCancelled(t *testing.T) {
	m, _ := tiny(t)
	e := still(t, m, Options{Streams: 1, Batch: 64})
	ctx, cancel := context.WithCancel(context.Background())
	r := Request{Prompt: []int32{1}, Max: 3}
	first, second := submit(t, e, context.Background(), r), submit(t, e, context.Background(), r)
	third := submit(t, e, ctx, r)
	e.admit()
	e.step()
	cancel()
	e.admit()
	if !errors.Is(third.err, context.Canceled) || len(e.streams) != 1 || len(e.waiting) != 1 {
		t.Errorf("%v; %d served and %d waiting", third.err, len(e.streams), len(e.waiting))
	}
	finish(t, e)
	if first.err != nil || second.err != nil || !slices.Equal(first.result.Tokens, second.result.Tokens) {
		t.Errorf("%v %v", first.err, second.err)
	}
}

// TestReplaced changes the base's file under the engine.
func TestReplaced(t *testing.T) {
	folder := filepath.Join("..", "testkit", "testdata", "tiny", "base")
	for name, c := range map[string]struct {
		change func(path string) error
		ends   bool // streams under way too
	}{
		"written to": {func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) }, true},
		"replaced": {func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path+".new", b, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"config.json", "model.safetensors"} {
				b, err := os.ReadFile(filepath.Join(folder, name))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m := open(t, dir)
			e := still(t, m, Options{Streams: 2, Batch: 64})
			s := submit(t, e, context.Background(), Request{Prompt: []int32{1}, Max: 20})
			e.admit()
			e.step()
			if err := c.change(filepath.Join(dir, "model.safetensors")); err != nil {
				t.Skip("this system does not let a mapped file be changed: ", err)
			}
			var replaced *weights.ReplacedError
			if err := e.check(&Request{Prompt: []int32{1}, Max: 1}); !errors.As(err, &replaced) {
				t.Errorf("a new request: %v", err)
			}
			e.watch.next.Store(0) // as if a second had gone by
			finish(t, e)
			if ended := errors.As(s.err, &replaced); ended != c.ends || !ended && len(s.result.Tokens) != 20 {
				t.Errorf("the stream under way has %d tokens: %v", len(s.result.Tokens), s.err)
			}
		})
	}
}

// TestPrefixes goes on with texts that agree in their beginnings: what is known
// is found, to the token, and a changed adapter is forgotten.
func TestPrefixes(t *testing.T) {
	m, a := tiny(t)
	e := start(t, m, Options{Streams: 2, Batch: 64})
	rng := rand.New(rand.NewPCG(2, 8))
	ids := make([]int32, 120)
	for i := range ids {
		ids[i] = int32(rng.IntN(m.Vocab))
	}
	use := []lora.Applied{{Adapter: a, Strength: 1}}
	ask := func(what string, cached int, r Request) Result {
		t.Helper()
		want := alone(t, m, r)
		got, err := e.Generate(context.Background(), r, nil)
		if err != nil || !slices.Equal(got.Tokens, want) || got.Cached != cached {
			t.Errorf("%s: %d tokens were known where %d are; %v, alone %v, %v", what, got.Cached, cached, got.Tokens, want, err)
		}
		return got
	}
	first := ask("nothing", 0, Request{Prompt: ids[:100], Max: 8})
	ask("the same", 99, Request{Prompt: ids[:100], Max: 8})
	ask("a turn more", 107, Request{Prompt: slices.Concat(ids[:100], first.Tokens, ids[100:105]), Max: 3})
	ask("the first 40", 40, Request{Prompt: slices.Concat(ids[:40], ids[50:60]), Max: 3})
	ask("the first 3", 0, Request{Prompt: slices.Concat(ids[:3], ids[50:60]), Max: 3})
	ask("the first 63", 63, Request{Prompt: ids[:64], Max: 3})
	ask("the first 64", 64, Request{Prompt: ids[:65], Max: 3})
	ask("a strength of 0", 99, Request{Prompt: ids[:100], Max: 3, Adapters: []lora.Applied{{Adapter: a}}})
	ask("an adapter", 0, Request{Prompt: ids[:100], Max: 3, Adapters: use})
	ask("the adapter again", 99, Request{Prompt: ids[:100], Max: 3, Adapters: use})
	ask("another strength", 0, Request{Prompt: ids[:100], Max: 3, Adapters: []lora.Applied{{Adapter: a, Strength: 2}}})
	a.Pairs[0][lora.VProj].B[0]++
	e.Forget(a)
	ask("a changed adapter", 0, Request{Prompt: ids[:100], Max: 3, Adapters: use})
	ask("others are kept", 99, Request{Prompt: ids[:100], Max: 3})
}

// TestRowsOfAnAdapter looks at a batch: rows with equal adapters lie beside each
// other, whenever their streams came.
func TestRowsOfAnAdapter(t *testing.T) {
	m, a := tiny(t)
	b := lora.New(m.Shape(), lora.Options{Rank: 4, Alpha: 8}, 2, nil)
	e := still(t, m, Options{Streams: 8, Batch: 64})
	uses := [][]lora.Applied{{{Adapter: a, Strength: 1}}, nil, {{Adapter: b, Strength: 1}}, {{Adapter: a, Strength: 1}}, {{Adapter: a, Strength: 2}}, nil, {{Adapter: b, Strength: 1}}}
	for i, u := range uses {
		submit(t, e, context.Background(), Request{Prompt: []int32{int32(i), 1, 2}, Max: 4, Adapters: u})
	}
	e.admit()
	for range 2 {
		e.step()
		var changes int
		for i := range e.rows[1:] {
			if !slices.Equal(e.rows[i].Adapters, e.rows[i+1].Adapters) {
				changes++
			}
		}
		if len(e.rows) != len(uses) || changes != 3 {
			t.Errorf("%d rows with %d changes of adapter", len(e.rows), changes)
		}
	}
	for i, s := range e.streams {
		if want := alone(t, m, s.Request); !slices.Equal(s.tokens[3:], want[:2]) {
			t.Errorf("stream %d: %v and alone %v", i, s.tokens[3:], want[:2])
		}
	}
	finish(t, e)
}

// TestLastPage writes a text that needs every page there is, among them the one
// from whose beginning it could copy.
func TestLastPage(t *testing.T) {
	m, _ := tiny(t)
	o := Options{Streams: 1, Batch: 64}
	o.Memory = withPages(m, o, 2)
	e := still(t, m, o)
	first := submit(t, e, context.Background(), Request{Prompt: slices.Repeat([]int32{1, 2, 3}, 10), Max: 2})
	finish(t, e)
	r := Request{Prompt: slices.Concat(slices.Repeat([]int32{1, 2, 3}, 9), []int32{9, 9}), Max: 99}
	second := submit(t, e, context.Background(), r)
	finish(t, e)
	if first.err != nil || second.err != nil || !slices.Equal(second.result.Tokens, alone(t, m, r)) {
		t.Errorf("%v, %v: %v", first.err, second.err, second.result.Tokens)
	}
}

// TestSmallPasses asks for a text while as many are written as a pass has tokens: it is
// read, and its first token comes before any of them ends.
func TestSmallPasses(t *testing.T) {
	m, _ := tiny(t)
	e := still(t, m, Options{Batch: 4, Streams: 8})
	for i := range 4 {
		submit(t, e, context.Background(), Request{Prompt: []int32{int32(i)}, Max: 50})
	}
	e.admit()
	e.step()
	r := Request{Prompt: []int32{7, 8, 9}, Max: 2}
	s := submit(t, e, context.Background(), r)
	for range 4 {
		e.admit()
		e.step()
	}
	if len(s.result.Tokens) != 2 || len(e.streams) != 4 {
		t.Errorf("%d tokens while %d others write", len(s.result.Tokens), len(e.streams))
	}
	finish(t, e)
	if !slices.Equal(s.result.Tokens, alone(t, m, r)) {
		t.Errorf("%v", s.result.Tokens)
	}
}

// TestNoRoomBesideAdapter asks for a text that fits without its adapter and, beside a
// guest, not with it: it is refused, and the one behind it is served.
func TestNoRoomBesideAdapter(t *testing.T) {
	m, _ := tiny(t)
	a := lora.New(m.Shape(), lora.Options{Rank: 4, Alpha: 8, Targets: []lora.Module{lora.KProj}}, 1, nil)
	if half := AdapterBytes(a) / 2; half >= pageBytes(m, tensor.F32) {
		t.Fatalf("half of the adapter takes %d bytes, a page or more", half)
	}
	o := Options{Streams: 2, Batch: 64, Context: m.Context}
	guest := AdapterBytes(a) - AdapterBytes(a)/2
	o.Memory = withPages(m, o, 2) + AdapterBytes(a)
	e := still(t, m, o)
	if err := e.budget.Reserve("a guest", guest); err != nil {
		t.Fatal(err)
	}
	defer e.budget.Release(guest)
	use := []lora.Applied{{Adapter: a, Strength: 1}}
	first := submit(t, e, context.Background(), Request{Prompt: []int32{1, 2, 3}, Max: m.Context, Adapters: use})
	r := Request{Prompt: []int32{4, 5}, Max: m.Context}
	second := submit(t, e, context.Background(), r)
	finish(t, e)
	if !isBudget(first.err) || !strings.Contains(hint(first.err), "64 tokens would fit") {
		t.Errorf("a text that has no room beside its adapter: %v (%s)", first.err, hint(first.err))
	}
	if second.err != nil || !slices.Equal(second.result.Tokens, alone(t, m, r)) {
		t.Errorf("the one behind it: %v", second.err)
	}
	if left := e.budget.inReach(); left != o.Memory-guest-e.fixed {
		t.Errorf("%d bytes are left of %d", left, o.Memory-guest-e.fixed)
	}
	third := submit(t, e, context.Background(), Request{Prompt: []int32{1, 2, 3}, Max: 60, Adapters: use})
	finish(t, e)
	if third.err != nil {
		t.Errorf("what would fit: %v", third.err)
	}
}

// TestNeverFits asks, while another is served, for texts that have no room even alone:
// they do not wait for the other's end.
func TestNeverFits(t *testing.T) {
	m, large := tiny(t)
	a := lora.New(m.Shape(), lora.Options{Rank: 4, Alpha: 8, Targets: []lora.Module{lora.KProj}}, 1, nil)
	o := Options{Streams: 2, Batch: 64, Context: m.Context}
	o.Memory = withPages(m, o, 2) + AdapterBytes(a)/2
	if AdapterBytes(large) <= o.Memory-withPages(m, o, 0) {
		t.Fatalf("an adapter of %d bytes fits", AdapterBytes(large))
	}
	e := still(t, m, o)
	submit(t, e, context.Background(), Request{Prompt: []int32{1, 2, 3}, Max: 20})
	e.admit()
	e.step()
	for name, r := range map[string]Request{
		"a text beside its adapter": {Prompt: []int32{1}, Max: m.Context, Adapters: []lora.Applied{{Adapter: a, Strength: 1}}},
		"an adapter":                {Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Adapter: large, Strength: 1}}},
	} {
		if err := e.check(&r); !isBudget(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice := Request{Prompt: []int32{1}, Max: 1, Adapters: []lora.Applied{{Adapter: a, Strength: 1}, {Adapter: a, Strength: 1}}}
	if err := e.check(&twice); err != nil {
		t.Errorf("an adapter twice: %v", err)
	}
	finish(t, e)
}

// TestRoomForAdapters starts engines that will serve adapters in all kinds of memory:
// a text of the whole context is served with one, and with no more than Least.
func TestRoomForAdapters(t *testing.T) {
	m, a := tiny(t)
	use := []lora.Applied{{Adapter: a, Strength: 1}}
	full := func(what string, o Options) {
		t.Helper()
		e, err := New(m, o)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer e.Close()
		r, err := e.Generate(context.Background(), Request{Prompt: []int32{1, 2, 3}, Max: m.Context, Adapters: use}, nil)
		if err != nil || r.Reason != Full || o.Context > 0 && e.Context() != o.Context {
			t.Errorf("%s, a context of %d where %d are asked for: %q, %v", what, e.Context(), o.Context, r.Reason, err)
		}
	}
	open := Options{Streams: 2, Adapters: AdapterBytes(a)}
	one := pageBytes(m, tensor.F32)
	least := Least(m, Options{Streams: 2, Context: model.PageLen, Batch: leastBatch, Adapters: open.Adapters})
	for memory := least; memory < Need(m, open); memory += one / 2 {
		open.Memory = memory
		full(fmt.Sprintf("%d bytes", memory), open)
	}
	open.Memory = least - 1
	if _, err := New(m, open); !isBudget(err) {
		t.Errorf("a byte less: %v", err)
	}
	for _, context := range []int{10, model.PageLen, m.Context} {
		for _, streams := range []int{1, 4} {
			o := Options{Streams: streams, Context: context, Adapters: open.Adapters}
			o.Memory = Least(m, o)
			full("the least", o)
			if n := int64(streams-1) * int64(pagesFor(context)) * one; Need(m, o) != o.Memory+n {
				t.Errorf("%d streams of %d need %d bytes, and one of them %d", streams, context, Need(m, o), o.Memory)
			}
		}
	}
	if _, err := New(m, Options{Adapters: -1}); err == nil {
		t.Error("adapters of less than nothing: no error")
	}
}

// TestSmallerBatches asks for a context that has room with smaller passes than usual,
// beyond that for which an engine that may choose takes them.
func TestSmallerBatches(t *testing.T) {
	m := &model.Model{Config: model.Config{Dim: 64, Layers: 48, Heads: 4, KVHeads: 4, HeadSize: 16, FFN: 64, Vocab: 300, Context: 4 * usual, Rope: model.Rope{Theta: 10000}}}
	o := Options{Streams: 1, Context: usual + 300, Batch: 2 * leastBatch}
	o.Memory, o.Batch = Least(m, o), 0
	e := start(t, m, o)
	if e.Context() != o.Context || e.opt.Batch >= defaultBatch {
		t.Errorf("a context of %d in passes of %d", e.Context(), e.opt.Batch)
	}
}
