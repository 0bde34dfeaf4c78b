package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestPrefixFile saves prefixes of many lengths and goes on with them in another
// engine: they are found there, and the texts are those of an engine that read
// all of it.
func TestPrefixFile(t *testing.T) {
	m, a := tiny(t)
	rng := rand.New(rand.NewPCG(7, 7))
	ctx := context.Background()
	for _, kv := range []tensor.DType{tensor.F32, tensor.F16} {
		for _, n := range []int{4, 40, 63, 64, 65, 66, 67, 68, 100, 125, 126} {
			t.Run(fmt.Sprintf("%s/%d", kv, n), func(t *testing.T) {
				p := Prefix{Tokens: make([]int32, n), Base: "base", Adapter: "adapter"}
				for i := range p.Tokens {
					p.Tokens[i] = int32(rng.IntN(m.Vocab))
				}
				if n%2 == 0 {
					p.Adapters = []lora.Applied{{Adapter: a, Strength: 0.5}}
				}
				r := Request{Prompt: slices.Concat(p.Tokens, []int32{int32(rng.IntN(m.Vocab))}), Max: 5, Adapters: p.Adapters}
				path := filepath.Join(t.TempDir(), "prefix")
				saving := start(t, m, Options{Streams: 2, Batch: 64, KV: kv})
				want, err := saving.Generate(ctx, r, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := saving.SavePrefix(ctx, path, p); err != nil {
					t.Fatal(err)
				}
				settled(t, saving)
				first, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}

				e := start(t, m, Options{Streams: 2, Batch: 64, KV: kv})
				kept := n
				if n%64 < partLeast {
					kept = n - n%64
				}
				got, err := e.LoadPrefix(ctx, path, p)
				if err != nil || got != kept {
					t.Fatalf("%d tokens of %d were loaded, want %d: %v", got, n, kept, err)
				}
				for range 2 {
					res, err := e.Generate(ctx, r, nil)
					if err != nil || !slices.Equal(res.Tokens, want.Tokens) || res.Cached != kept {
						t.Errorf("%d tokens were known; %v and not %v: %v", res.Cached, res.Tokens, want.Tokens, err)
					}
				}
				if _, err := e.LoadPrefix(ctx, path, p); err != nil {
					t.Errorf("loaded a second time: %v", err)
				}
				// What was loaded is saved to the same bytes, whatever else was written.
				if err := e.SavePrefix(ctx, path, p); err != nil {
					t.Fatal(err)
				}
				again, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(first, again) {
					t.Errorf("saved again, the file is another: %v", err)
				}
				files, err := os.ReadDir(filepath.Dir(path))
				if err != nil || len(files) != 1 {
					t.Errorf("there are %v: %v", files, err)
				}
				settled(t, e)
			})
		}
	}
}

// TestPrefixRefused loads files that must not be used: none of them is, whatever
// is wrong, the memory comes back, and a good one takes its place.
func TestPrefixRefused(t *testing.T) {
	m, a := tiny(t)
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 7))
	p := Prefix{Tokens: make([]int32, 100), Adapters: []lora.Applied{{Adapter: a, Strength: 1}}, Base: "base", Adapter: "adapter"}
	for i := range p.Tokens {
		p.Tokens[i] = int32(rng.IntN(m.Vocab))
	}
	path := filepath.Join(t.TempDir(), "prefix")
	o := Options{Streams: 2, Batch: 64}
	saving := start(t, m, o)
	if err := saving.SavePrefix(ctx, path, p); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e := start(t, m, o)
	refused := func(what string, e *Engine, p Prefix) {
		t.Helper()
		n, err := e.LoadPrefix(ctx, path, p)
		var bad *PrefixError
		if !errors.As(err, &bad) || bad.Path != path || n != 0 {
			t.Errorf("%s: %d tokens, %v", what, n, err)
		}
		if s := e.Stats(); s.Remembered != 0 || s.Free != s.Pages {
			t.Errorf("%s: %+v", what, s)
		}
	}
	change := func(f func(p *Prefix)) Prefix {
		q := p
		q.Tokens = slices.Clone(p.Tokens)
		f(&q)
		return q
	}
	refused("another base", e, change(func(p *Prefix) { p.Base = "bass" }))
	refused("another adapter", e, change(func(p *Prefix) { p.Adapter = "" }))
	refused("another strength", e, change(func(p *Prefix) { p.Adapters = []lora.Applied{{Adapter: a, Strength: 2}} }))
	refused("another text", e, change(func(p *Prefix) { p.Tokens[50]++ }))
	refused("a longer text", e, change(func(p *Prefix) { p.Tokens = append(p.Tokens, 1, 2, 3, 4) }))
	refused("a shorter text", e, change(func(p *Prefix) { p.Tokens = p.Tokens[:99] }))
	refused("another type of keys", start(t, m, Options{Streams: 2, Batch: 64, KV: tensor.F16}), p)
	was := kernel.Name()
	for _, k := range kernel.Kinds() {
		if k == was {
			continue
		}
		if err := kernel.Use(k); err != nil {
			t.Fatal(err)
		}
		refused("another kernel", e, p)
	}
	if err := kernel.Use(was); err != nil {
		t.Fatal(err)
	}

	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	places := []int{0, 8, 12, 16, 40, 300, len(good) / 2, len(good) - 5, len(good) - 1}
	for range 60 {
		places = append(places, rng.IntN(len(good)))
	}
	for _, at := range places {
		b := slices.Clone(good)
		b[at] ^= 1 << rng.IntN(8)
		write(b)
		refused(fmt.Sprintf("a bit of byte %d", at), e, p)
	}
	for _, n := range []int{0, 7, 15, 16, 100, 500, len(good) - 2000, len(good) - 4, len(good) - 1} {
		write(good[:n])
		refused(fmt.Sprintf("the first %d bytes", n), e, p)
	}
	write(append(slices.Clone(good), 0))
	refused("a byte more", e, p)
	b := slices.Clone(good)
	b[len(b)-4-2*int(e.pool.bytes)+2] ^= 0x40 // a key of the first token, and a checksum as it should be
	binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
	write(b)
	refused("other numbers", e, p)
	write(good)
	a.Pairs[1][lora.QProj].B[3]++
	refused("an adapter that is another under the same name", e, p)
	a.Pairs[1][lora.QProj].B[3]--

	if n, err := e.LoadPrefix(ctx, path, p); n != 100 || err != nil {
		t.Errorf("the good one: %d tokens, %v", n, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := e.LoadPrefix(ctx, path, p); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	var bad *PrefixError
	if _, err := e.LoadPrefix(ctx, filepath.Dir(path), p); err == nil || errors.As(err, &bad) {
		t.Errorf("what cannot be read: %v", err)
	}
	if err := e.SavePrefix(ctx, filepath.Join(path, "none", "x"), p); err == nil {
		t.Error("saved into no folder")
	}
	if err := e.SavePrefix(ctx, path, Prefix{Tokens: []int32{1, 2}}); err == nil {
		t.Error("a prefix of two tokens is saved")
	}
	full, cancel := context.WithCancel(ctx)
	cancel()
	if err := saving.SavePrefix(full, path, p); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	settled(t, saving)
	settled(t, e)
}

// TestPagesHeldOutside saves and loads a prefix again and again while others write texts
// that take all the memory there is: they wait for the pages that are held meanwhile.
func TestPagesHeldOutside(t *testing.T) {
	m, _ := tiny(t)
	ctx := context.Background()
	o := Options{Streams: 2, Batch: 64, Context: m.Context}
	o.Memory = withPages(m, o, 2)
	e := start(t, m, o)
	p := Prefix{Tokens: slices.Repeat([]int32{7, 8, 9}, 30), Base: "base"}
	path := filepath.Join(t.TempDir(), "prefix")
	if err := e.SavePrefix(ctx, path, p); err != nil {
		t.Fatal(err)
	}
	var others sync.WaitGroup
	var going atomic.Bool
	going.Store(true)
	for range 2 {
		others.Go(func() {
			var short *BudgetError
			for going.Load() && !t.Failed() {
				if _, err := e.LoadPrefix(ctx, path, p); err != nil && !errors.As(err, &short) {
					t.Error(err)
				}
			}
		})
	}
	others.Go(func() {
		for going.Load() && !t.Failed() {
			if err := e.SavePrefix(ctx, path, p); err != nil {
				t.Error(err)
			}
		}
	})
	var writers sync.WaitGroup
	for w := range int32(2) {
		writers.Go(func() {
			for range 20 {
				r := Request{Prompt: slices.Repeat([]int32{w, 3, 4}, 40), Max: m.Context}
				if _, err := e.Generate(ctx, r, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	going.Store(false)
	others.Wait()
	settled(t, e)
}

// FuzzPrefix loads files that begin as they should.
func FuzzPrefix(f *testing.F) {
	m, _ := tiny(f)
	e := start(f, m, Options{Streams: 1, Batch: 16})
	p := Prefix{Tokens: []int32{1, 2, 3, 4, 5, 6}, Base: "b"}
	path := filepath.Join(f.TempDir(), "prefix")
	if err := e.SavePrefix(context.Background(), path, p); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[:500])
	f.Add([]byte(prefixMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "prefix")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := e.LoadPrefix(context.Background(), path, p); err == nil && (n != len(p.Tokens) || !bytes.Equal(b, good)) {
			t.Errorf("%d tokens of another file", n)
		}
	})
}

// BenchmarkPrefix is the time to the first token of a prompt with 1,400 tokens of
// examples whose keys and values are in a file: loading, and reading 40 tokens
// more.
func BenchmarkPrefix(b *testing.B) {
	m := open(b, testkit.Base(b))
	rng := rand.New(rand.NewPCG(1, 2))
	p := Prefix{Tokens: make([]int32, 1400), Base: "base"}
	for i := range p.Tokens {
		p.Tokens[i] = int32(rng.IntN(m.Vocab))
	}
	ctx := context.Background()
	for _, kv := range []tensor.DType{tensor.F32, tensor.F16} {
		b.Run(fmt.Sprintf("kv=%s/%s", kv, kernel.Name()), func(b *testing.B) {
			o := Options{Streams: 1, Context: 1536, KV: kv, Memory: 512 << 20}
			path := filepath.Join(b.TempDir(), "prefix")
			e, err := New(m, o)
			if err != nil {
				b.Fatal(err)
			}
			err = e.SavePrefix(ctx, path, p)
			e.Close()
			if err != nil {
				b.Fatal(err)
			}
			var load, first time.Duration
			n := 0
			for b.Loop() {
				e, err := New(m, o)
				if err != nil {
					b.Fatal(err)
				}
				begin := time.Now()
				if _, err := e.LoadPrefix(ctx, path, p); err != nil {
					b.Fatal(err)
				}
				load += time.Since(begin)
				if _, err := e.Generate(ctx, Request{Prompt: slices.Concat(p.Tokens, p.Tokens[:40]), Max: 1}, nil); err != nil {
					b.Fatal(err)
				}
				first += time.Since(begin)
				n++
				e.Close()
			}
			b.ReportMetric(float64(load.Microseconds())/1e3/float64(n), "load-ms")
			b.ReportMetric(float64(first.Microseconds())/1e3/float64(n), "first-token-ms")
		})
	}
}

// TestPagesOutliveTheEngine gives pages back after the engine was closed, as
// somebody does who saves a prefix meanwhile.
func TestPagesOutliveTheEngine(t *testing.T) {
	m, _ := tiny(t)
	e := start(t, m, Options{Streams: 1, Batch: 64})
	c := &carried{leave: true}
	if _, err := e.generate(context.Background(), Request{Prompt: slices.Repeat([]int32{1, 2}, 50), Max: 1}, nil, c); err != nil {
		t.Fatal(err)
	}
	b := e.Budget()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if taken := b.Limit() - b.Left(); len(c.pages) != 2 || taken != 2*e.pool.bytes {
		t.Errorf("%d pages are held, and %d bytes taken", len(c.pages), taken)
	}
	c.pages[0].data[0]++ // still memory
	for k := len(c.pages) - 1; k >= 0; k-- {
		e.pool.release(c.pages[k])
	}
	if b.Left() != b.Limit() {
		t.Errorf("%d bytes of %d are left", b.Left(), b.Limit())
	}
}
