package kernel

import (
	"sync"
	"testing"
	"time"
)

// TestScratchOfAll has as many workers as there can be hold two pieces each: one that
// claims a third gets it.
func TestScratchOfAll(t *testing.T) {
	for i := range 2 * maxWorkers {
		scratches[i].busy.Store(true)
		defer scratches[i].busy.Store(false)
	}
	claimed := make(chan *scratch, 1)
	go func() { claimed <- claimScratch(1) }()
	select {
	case s := <-claimed:
		s.release()
		s.buf = nil // that far none is used again
	case <-time.After(time.Minute):
		t.Fatal("one that claims a third piece waits for those that hold two each")
	}
}

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
