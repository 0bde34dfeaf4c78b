package engine

import "sync/atomic"

// holders are the callers that hold pages outside of streams, while they read them from
// a file or write them to one. A request that finds too little memory beside them waits
// until they have given theirs back.
type holders struct {
	n     atomic.Int32
	freed chan struct{} // has a token where one has given pages back since the loop last took it
}

func newHolders() holders { return holders{freed: make(chan struct{}, 1)} }

// enter notes that a caller is about to hold pages.
func (h *holders) enter() { h.n.Add(1) }

// leave notes that it has given them back.
func (h *holders) leave() {
	select {
	case h.freed <- struct{}{}:
	default:
	}
	h.n.Add(-1)
}

// any says whether there are some, or were since the token was last taken. One that
// leaves between the two looks is seen by the second: its token comes before it is out of
// the count.
func (h *holders) any() bool { return h.n.Load() > 0 || len(h.freed) > 0 }
