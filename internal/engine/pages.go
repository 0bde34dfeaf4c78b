package engine

import (
	"errors"
	"fmt"
	"sync"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
)

// page is a page of keys and values. A page that is known is a node of a tree:
// the way to it from the root spells the tokens up to its end. Full pages are
// shared; from one that agrees only in its first tokens these are copied.
type page struct {
	data model.Page
	mem  *tensor.Arena
	refs int // streams that use it

	known  bool
	parent *page
	child  *page // the first; the others follow it by next
	next   *page
	n      int // tokens that it holds, where it is known
	tokens [model.PageLen]int32

	// Known pages without a stream are in a ring, in the order of their last use.
	older, newer *page
}

// root is where the tree of texts begins that went through the same adapters. Its
// page has no contents; refs are the streams that grow the tree.
type root struct {
	page
	use []lora.Applied // strengths of 0 left out
}

// partLeast is how many tokens must agree for the start of a page to be copied.
const partLeast = 4

// pool holds the pages of an engine. Known pages stay after their stream and are
// found again, until their room is needed: the longest unused goes first. A
// page's parent is in use wherever the page is, and is released after it, so a
// parent never goes before its children.
type pool struct {
	m      *model.Model
	kv     tensor.DType
	budget *Budget
	bytes  int64 // of a page

	mu    sync.Mutex
	free  []*page
	idle  page // the ring's fixed point: idle.newer is the oldest
	kept  int  // pages in the ring
	total int
	roots []*root

	closed bool // pages that are still used go when they are released
}

func newPool(m *model.Model, kv tensor.DType, b *Budget) *pool {
	p := &pool{m: m, kv: kv, budget: b, bytes: pageBytes(m, kv)}
	p.idle.newer, p.idle.older = &p.idle, &p.idle
	b.join(p)
	return p
}

// pageBytes is the memory that a page takes.
func pageBytes(m *model.Model, kv tensor.DType) int64 {
	return 4 * int64(tensor.Aligned(m.PageSize(kv)))
}

// close gives all memory back.
func (p *pool) close() error {
	p.budget.leave(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.kept > 0 {
		p.forget(p.idle.newer)
	}
	p.roots, p.closed = nil, true
	return p.drop(len(p.free))
}

// drop gives the memory of n free pages back.
func (p *pool) drop(n int) error {
	var first error
	for range n {
		last := len(p.free) - 1
		g := p.free[last]
		p.free[last] = nil
		p.free = p.free[:last]
		if err := g.mem.Close(); first == nil {
			first = err
		}
		p.total--
		p.budget.Release(p.bytes)
	}
	return first
}

// trim gives back n bytes, or what of them no stream uses; it says whether any.
func (p *pool) trim(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	want := int((n + p.bytes - 1) / p.bytes)
	for len(p.free) < want && p.kept > 0 {
		p.forget(p.idle.newer)
	}
	want = min(want, len(p.free))
	p.drop(want)
	return want > 0
}

// errShort says that memory is short until somebody gives some back.
var errShort = errors.New("memory is short")

// takeAll appends n pages that nobody else uses, or none of them: the error is
// errShort, or the system's where it has no memory.
func (p *pool) takeAll(into []*page, n int) ([]*page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.free) < n {
		if p.budget.take(p.bytes) {
			mem, err := tensor.NewArena(int(p.bytes))
			if err != nil {
				p.budget.Release(p.bytes)
				return into, fmt.Errorf("take a page of keys and values: %w", err)
			}
			p.free = append(p.free, &page{mem: mem, data: mem.Floats(p.m.PageSize(p.kv))})
			p.total++
			continue
		}
		// Pages that are remembered go only where enough of them go to matter.
		if len(p.free)+p.kept < n {
			return into, errShort
		}
		p.forget(p.idle.newer)
	}
	for range n {
		last := len(p.free) - 1
		g := p.free[last]
		p.free[last] = nil
		p.free = p.free[:last]
		g.refs = 1
		into = append(into, g)
	}
	return into, nil
}

// root finds the tree of the adapters in use, or plants it, and counts its use.
func (p *pool) root(use []lora.Applied) *root {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.roots {
		if sameUse(r.use, use) {
			r.refs++
			return r
		}
	}
	r := &root{}
	r.known, r.refs = true, 1
	for _, a := range use {
		if a.Strength != 0 {
			r.use = append(r.use, a)
		}
	}
	// Trees without pages are of no use; they would keep their adapters alive.
	var roots []*root
	for _, old := range p.roots {
		if old.child != nil || old.refs > 0 {
			roots = append(roots, old)
		}
	}
	p.roots = append(roots, r)
	return r
}

// leave ends a stream's use of a root.
func (p *pool) leave(r *root) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.refs--
}

// sameUse says whether use, without strengths of 0, is a.
func sameUse(a, use []lora.Applied) bool {
	n := 0
	for _, x := range use {
		if x.Strength == 0 {
			continue
		}
		if n == len(a) || a[n] != x {
			return false
		}
		n++
	}
	return n == len(a)
}

// find appends the known full pages that begin the tokens, each counted as used,
// and finds the page from whose first tokens some more could be copied: part is
// that page, counted as used, nil for none, and n how many.
func (p *pool) find(r *root, tokens []int32, into []*page) (pages []*page, part *page, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, here := 0, &r.page
	for {
		var best *page
		most := 0
		for c := here.child; c != nil; c = c.next {
			if l := agree(c.tokens[:c.n], tokens[at:]); l > most {
				best, most = c, l
			}
		}
		if most < model.PageLen {
			if most < partLeast {
				return into, nil, 0
			}
			p.use(best)
			return into, best, most
		}
		p.use(best)
		into = append(into, best)
		at, here = at+model.PageLen, best
	}
}

// agree is how many tokens a and b begin with together.
func agree(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// hold counts a use more of a page that is in use.
func (p *pool) hold(g *page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g.refs++
}

// use counts a stream more.
func (p *pool) use(g *page) {
	if g.refs == 0 {
		p.unring(g)
	}
	g.refs++
}

// release ends a stream's use of a page.
func (p *pool) release(g *page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.releaseLocked(g)
}

func (p *pool) releaseLocked(g *page) {
	if g.refs--; g.refs > 0 {
		return
	}
	if !g.known || p.closed {
		p.free = append(p.free, g)
		if p.closed {
			p.drop(1)
		}
		return
	}
	g.older, g.newer = p.idle.older, &p.idle
	g.older.newer, p.idle.older = g, g
	p.kept++
}

// unring takes a page out of the ring.
func (p *pool) unring(g *page) {
	g.older.newer, g.newer.older = g.newer, g.older
	g.older, g.newer = nil, nil
	p.kept--
}

// share makes page g known as what follows parent: tokens, PageLen of them or
// the fewer with which a text ended. Where another page is known for that, it is
// returned, counted as used, and g is released: their bits are the same, since
// those of a row depend on the row alone.
func (p *pool) share(parent, g *page, tokens []int32) *page {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !parent.known || g.known {
		return g
	}
	for c := parent.child; c != nil; {
		next := c.next
		switch l := agree(c.tokens[:c.n], tokens); {
		case l == len(tokens):
			p.use(c)
			p.releaseLocked(g)
			return c
		case l == c.n && c.refs == 0:
			p.forget(c) // it holds no more than the beginning of g
		}
		c = next
	}
	g.known, g.parent, g.next, g.child = true, parent, parent.child, nil
	parent.child = g
	g.n = copy(g.tokens[:], tokens)
	return g
}

// forget takes a page, and all that follow it, out of the tree.
func (p *pool) forget(g *page) {
	for g.child != nil {
		p.forget(g.child)
	}
	for at := &g.parent.child; ; at = &(*at).next {
		if *at == g {
			*at = g.next
			break
		}
	}
	g.known, g.parent, g.next, g.n = false, nil, nil, 0
	if g.refs == 0 {
		p.unring(g)
		p.free = append(p.free, g)
	}
}

// forgetText takes all out of the tree that such a text would find, and what follows it:
// which page made the text's logits no numbers is not known, and a text that ended before
// it had any may have left one.
func (p *pool) forgetText(r *root, tokens []int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := r.child; c != nil; {
		next := c.next
		if agree(c.tokens[:c.n], tokens) >= partLeast {
			p.forget(c)
		}
		c = next
	}
}

// forgetAdapter takes all pages that went through an adapter out of the tree.
func (p *pool) forgetAdapter(a *lora.Adapter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var roots []*root
	for _, r := range p.roots {
		gone := false
		for _, u := range r.use {
			gone = gone || u.Adapter == a
		}
		if !gone {
			roots = append(roots, r)
			continue
		}
		for r.child != nil {
			p.forget(r.child)
		}
		r.known = false
	}
	p.roots = roots
}

// counts are the pages in memory, those of them that are free, and those that
// are known and that no stream uses.
func (p *pool) counts() (total, free, kept int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total, len(p.free), p.kept
}
