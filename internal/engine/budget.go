package engine

import (
	"fmt"
	"sync"
)

// Budget is one limit on the memory of what works in a process beside the base
// models' files: an engine's pages of keys and values, its working memory, the
// adapters in use, and guests such as a training run. It is safe for concurrent
// use.
type Budget struct {
	mu          sync.Mutex
	limit       int64 // bytes
	used, peak  int64
	reclaimable []*pool // give back what no stream uses when others need it
}

// NewBudget makes a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// BudgetError says that memory was asked for which a budget does not have.
type BudgetError struct {
	What              string // what it was for
	Need, Left, Limit int64  // bytes
	Fits              string // says what would fit; may be empty
}

// Error says how much was asked for and how much there is.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("%s needs %s where %s of a budget of %s are left", e.What, size(e.Need), size(e.Left), size(e.Limit))
}

// Hint says what would fit.
func (e *BudgetError) Hint() string {
	if e.Fits == "" {
		return "give more memory"
	}
	return "give more memory; " + e.Fits
}

// size writes bytes for people.
func size(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// Reserve takes n bytes of the budget for what; where they are not free, engines
// give back pages that no stream uses. The error is a *BudgetError, and nothing
// is taken or given back then.
func (b *Budget) Reserve(what string, n int64) error {
	if b.take(n) {
		return nil
	}
	if left := b.inReach(); n > left {
		return &BudgetError{What: what, Need: n, Left: left, Limit: b.limit}
	}
	for _, p := range b.pools() {
		// What is given back another may take first, so there are more rounds.
		for more := true; more; {
			more = p.trim(n - b.Left())
			if b.take(n) {
				return nil
			}
		}
	}
	return &BudgetError{What: what, Need: n, Left: b.Left(), Limit: b.limit}
}

// reclaim has engines other than a pool's own give back what no stream of theirs uses,
// until n bytes are left; nothing where that does not do.
func (b *Budget) reclaim(but *pool, n int64) {
	if n > b.inReach() {
		return
	}
	for _, p := range b.pools() {
		if p == but {
			continue
		}
		for b.Left() < n && p.trim(n-b.Left()) {
		}
	}
}

// inReach is what is not taken and what engines could give back, in bytes. The pools
// are locked together, in the order in which they joined: what one gives back is counted
// once.
func (b *Budget) inReach() int64 {
	var idle int64
	for _, p := range b.pools() {
		p.mu.Lock()
		defer p.mu.Unlock()
		idle += int64(len(p.free)+p.kept) * p.bytes
	}
	return b.Left() + idle
}

func (b *Budget) pools() []*pool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reclaimable
}

// take takes n bytes if they are free.
func (b *Budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n < 0 || n > b.limit-b.used {
		return false
	}
	b.used += n
	b.peak = max(b.peak, b.used)
	return true
}

// Release gives n reserved bytes back.
func (b *Budget) Release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used -= n; b.used < 0 {
		panic("engine: more memory is given back to a budget than was taken")
	}
}

// Limit is the size of the budget, in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Left is what is not taken, in bytes.
func (b *Budget) Left() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit - b.used
}

// Peak is the most that was ever taken, in bytes.
func (b *Budget) Peak() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.peak
}

// join makes a pool known that can give memory back.
func (b *Budget) join(p *pool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reclaimable = append(b.reclaimable[:len(b.reclaimable):len(b.reclaimable)], p)
}

// leave forgets it.
func (b *Budget) leave(p *pool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var others []*pool
	for _, q := range b.reclaimable {
		if q != p {
			others = append(others, q)
		}
	}
	b.reclaimable = others
}
