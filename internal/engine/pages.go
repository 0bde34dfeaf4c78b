package engine

import (
	"container/list"
	"fmt"
	"hash/maphash"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
)

// page is a page of keys and values and who holds it.
type page struct {
	data model.Page
	refs int           // streams that use it
	key  prefixKey     // what it holds, where it can be shared
	in   *list.Element // its place among the shared pages that no stream uses
}

// prefixKey names the contents of a full page: all tokens up to its end and the
// adapters they went through.
type prefixKey struct {
	sum  uint64
	len  int
	last [4]int32 // the last tokens, so that an unlucky sum is noticed
}

// pool holds the pages of an engine. Full pages stay after their stream and are
// found again by prefix, until their room is needed: the longest unused goes
// first.
type pool struct {
	arena  *tensor.Arena
	free   []*page
	shared map[prefixKey]*page
	tokens map[prefixKey][]int32 // all tokens of a shared page's prefix
	idle   *list.List            // of *page, least recently used first
	seed   maphash.Seed
	ids    map[*lora.Adapter]uint64
}

func newPool(m *model.Model, pages int) (*pool, error) {
	size := m.PageFloats()
	arena, err := tensor.NewArena(4 * pages * tensor.Aligned(size))
	if err != nil {
		return nil, fmt.Errorf("take memory for %d pages of keys and values: %w", pages, err)
	}
	p := &pool{arena: arena, shared: map[prefixKey]*page{}, tokens: map[prefixKey][]int32{}, idle: list.New(),
		seed: maphash.MakeSeed(), ids: map[*lora.Adapter]uint64{}}
	for range pages {
		p.free = append(p.free, &page{data: arena.Floats(size)})
	}
	return p, nil
}

// room is the number of pages that could be had now.
func (p *pool) room() int { return len(p.free) + p.idle.Len() }

// take gives a page that nobody else uses; nil where there is none.
func (p *pool) take() *page {
	if n := len(p.free); n > 0 {
		g := p.free[n-1]
		p.free = p.free[:n-1]
		g.refs = 1
		return g
	}
	e := p.idle.Front()
	if e == nil {
		return nil
	}
	g := p.idle.Remove(e).(*page)
	p.forget(g)
	g.in, g.refs = nil, 1
	return g
}

func (p *pool) forget(g *page) {
	if g.key.len > 0 && p.shared[g.key] == g {
		delete(p.shared, g.key)
		delete(p.tokens, g.key)
	}
	g.key = prefixKey{}
}

// release ends a stream's use of a page.
func (p *pool) release(g *page) {
	g.refs--
	if g.refs > 0 {
		return
	}
	if g.key.len > 0 {
		g.in = p.idle.PushBack(g)
		return
	}
	p.free = append(p.free, g)
}

// share makes a full page known as the end of the prefix tokens.
func (p *pool) share(g *page, tokens []int32, use []lora.Applied) {
	k := p.key(tokens, use)
	if g.key.len > 0 || p.shared[k] != nil {
		return
	}
	g.key = k
	p.shared[k] = g
	p.tokens[k] = append([]int32(nil), tokens...)
}

// find gives the page that ends the prefix tokens, and counts its use; nil
// where there is none.
func (p *pool) find(tokens []int32, use []lora.Applied) *page {
	k := p.key(tokens, use)
	g := p.shared[k]
	if g == nil || !equal(p.tokens[k], tokens) {
		return nil
	}
	if g.in != nil {
		p.idle.Remove(g.in)
		g.in = nil
	}
	g.refs++
	return g
}

func equal(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (p *pool) key(tokens []int32, use []lora.Applied) prefixKey {
	var h maphash.Hash
	h.SetSeed(p.seed)
	for _, a := range use {
		if a.Strength == 0 {
			continue
		}
		if p.ids[a.Adapter] == 0 {
			p.ids[a.Adapter] = uint64(len(p.ids) + 1)
		}
		maphash.WriteComparable(&h, p.ids[a.Adapter])
		maphash.WriteComparable(&h, a.Strength)
	}
	for _, t := range tokens {
		maphash.WriteComparable(&h, t)
	}
	k := prefixKey{sum: h.Sum64(), len: len(tokens)}
	copy(k.last[:], tokens[max(0, len(tokens)-len(k.last)):])
	return k
}
