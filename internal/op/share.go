package op

import (
	"sync/atomic"

	"github.com/getstroke/stroke/internal/kernel"
)

// share is what is left of a worker's run of tasks: the number of its first in the
// upper half, and of the one behind its last in the lower one.
type share struct {
	left atomic.Uint64
	_    [56]byte // one worker's to a cache line
}

// shares deal tasks out to workers, to each a run of its own, so that a worker knows
// what it does next, and that its neighbour's memory is not asked for. Whoever has
// done its own takes from the end of others'.
type shares []share

// deal makes shares of n tasks.
func (s *shares) deal(n int) {
	w := kernel.Workers()
	if len(*s) != w {
		*s = make(shares, w)
	}
	for i := range *s {
		first, end := shareOf(n, i)
		(*s)[i].left.Store(uint64(first)<<32 | uint64(end))
	}
}

// shareOf is the run of n tasks that is dealt out to a worker.
func shareOf(n, worker int) (first, end int) {
	w := kernel.Workers()
	return n * worker / w, n * (worker + 1) / w
}

// claim gives worker a task that nobody else has, the next of its own run first.
func (s shares) claim(worker int) (task int, own, ok bool) {
	if worker < len(s) {
		for {
			left := s[worker].left.Load()
			first, end := left>>32, left&(1<<32-1)
			if first == end {
				break
			}
			if s[worker].left.CompareAndSwap(left, left+1<<32) {
				return int(first), true, true
			}
		}
	}
	for i := range s {
		for {
			left := s[i].left.Load()
			first, end := left>>32, left&(1<<32-1)
			if first == end {
				break
			}
			if s[i].left.CompareAndSwap(left, left-1) {
				return int(end - 1), false, true
			}
		}
	}
	return 0, false, false
}
