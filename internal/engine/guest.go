package engine

import "time"

// patience is how long a guest waits for the engine to fall idle before it does
// one piece of its work nevertheless, so that it does not stand still beside
// streams that never end.
const patience = 500 * time.Millisecond

// Yield is for a guest: work in the same process that can wait, such as a
// training run. The guest calls it between pieces of its work, each a few
// hundredths of a second long; Yield returns when no request is being served, or
// after half a second. It changes nothing but when the guest works. Where nobody
// waits it costs the reading of one number.
func (e *Engine) Yield() {
	if e.pending.Load() == 0 {
		return
	}
	e.mu.Lock()
	idle := e.idle
	e.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	case <-e.quit:
	}
}

// enter notes that a request has come.
func (e *Engine) enter() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pending.Load() == 0 {
		e.idle = make(chan struct{})
	}
	e.pending.Add(1)
}

// leave notes that it has ended.
func (e *Engine) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pending.Add(-1) == 0 {
		close(e.idle)
	}
}
