package op

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
)

// TestShares holds that each task is dealt out to one worker, in its own run's order,
// and is done by one, also where others do all of a worker's.
func TestShares(t *testing.T) {
	before := kernel.Workers()
	defer kernel.SetWorkers(before)
	for _, workers := range []int{1, 2, 3, 8} {
		kernel.SetWorkers(workers)
		for _, n := range []int{0, 1, 2, 7, 100} {
			for there := 1; there <= workers; there++ {
				var s shares
				s.deal(n)
				done := make([]atomic.Int32, n)
				var all sync.WaitGroup
				for w := range there {
					all.Go(func() {
						last := -1
						for {
							i, own, ok := s.claim(w)
							if !ok {
								return
							}
							done[i].Add(1)
							first, end := shareOf(n, w)
							if own && (i <= last || i < first || i >= end) {
								t.Errorf("worker %d of %d has task %d of %d after %d for its own", w, workers, i, n, last)
							}
							last = i
						}
					})
				}
				all.Wait()
				for i := range done {
					if c := done[i].Load(); c != 1 {
						t.Errorf("task %d of %d was done %d times by %d of %d workers", i, n, c, there, workers)
					}
				}
			}
		}
	}
}
