package kernel

import (
	"sync"
	"testing"
)

// TestScratchOfMany has more workers than most machines, each with a piece, claim a
// second one before any gives its first back.
func TestScratchOfMany(t *testing.T) {
	const many = 200
	var all, first sync.WaitGroup
	first.Add(many)
	for range many {
		all.Go(func() {
			a := claimScratch(1)
			defer a.release()
			first.Done()
			first.Wait()
			claimScratch(1).release()
		})
	}
	all.Wait()
	for i := range scratches {
		scratches[i].buf = nil // for so many are not used again
	}
}
