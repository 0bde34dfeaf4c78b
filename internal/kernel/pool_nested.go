package kernel

import (
	"runtime"
	"slices"
	"sync"
)

// A Run that finds the pool busy is either another goroutine's turn to wait or a
// Run from inside a piece, which must not wait for itself. Only then, a few
// microseconds are spent to tell: a worker knows its own goroutine's number, and
// the caller of the Run under way has the frame of drain on its stack.
var nested struct {
	sync.Mutex
	drain uintptr // where drain goes on after a piece
	text  [64]byte
	pcs   [64]uintptr
}

// inside says whether it is called from inside a piece, and in which worker.
func (p *workers) inside() (id int, ok bool) {
	known := p.known.Load()
	if known == nil {
		return 0, false // the first Run of the process is only beginning
	}
	me := goid()
	for _, w := range *known {
		if w.goid.Load() == me {
			return w.id, true
		}
	}
	nested.Lock()
	defer nested.Unlock()
	for skip := 1; ; skip += len(nested.pcs) {
		n := runtime.Callers(skip, nested.pcs[:])
		if slices.Contains(nested.pcs[:n], nested.drain) {
			return 0, true
		}
		if n < len(nested.pcs) {
			return 0, false
		}
	}
}

// goid is the number of the goroutine, as a stack trace begins with it:
// "goroutine 7 [running]:".
func goid() uint64 {
	nested.Lock()
	defer nested.Unlock()
	n := runtime.Stack(nested.text[:], false)
	var id uint64
	for _, c := range nested.text[len("goroutine "):n] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	return id
}

// whereDrain is a task that notes from where in drain it was called.
type whereDrain struct{}

func (*whereDrain) Do(int, int) {
	nested.Lock()
	defer nested.Unlock()
	runtime.Callers(2, nested.pcs[:1])
	nested.drain = nested.pcs[0]
}

// learnDrain finds out how drain looks on a stack. No job is under way.
func (p *workers) learnDrain() {
	p.n, p.task = 1, &whereDrain{}
	p.next.Store(0)
	p.drain(0)
	p.task = nil
}
