package kernel

import (
	"runtime"
	"sync/atomic"
)

// scratch is a piece of memory for packed or widened panels. An operation claims
// one for its duration, so that there are as many as operations run at once; a
// piece is allocated when it is first claimed and grown when a longer row comes,
// and lives as long as the process. Nothing is allocated per call.
type scratch struct {
	busy atomic.Bool
	buf  []float32
	_    [96]byte // neighbours are claimed by other cores
}

// scratchLeast is the least size of a piece in floats: 512 KiB, which holds the
// panels of every operation on rows up to 32,768 long.
const scratchLeast = 128 << 10

// scratches are three for each of the most workers: an operation that has one may call
// another that claims one, and that another (amxMulIntegers), which could wait for it
// without end where all are claimed so.
var scratches [3 * maxWorkers]scratch

// claimScratch returns a piece of at least n floats. The caller releases it.
func claimScratch(n int) *scratch {
	for {
		for i := range scratches {
			s := &scratches[i]
			if !s.busy.Load() && s.busy.CompareAndSwap(false, true) {
				if len(s.buf) < n {
					s.buf = alignedF32(max(n, scratchLeast))
				}
				return s
			}
		}
		runtime.Gosched()
	}
}

func (s *scratch) release() { s.busy.Store(false) }
