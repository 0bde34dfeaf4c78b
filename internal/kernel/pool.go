package kernel

import (
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Task is work in pieces. Do makes piece i; worker, below Workers(), names who
// does it, so that it may use memory of its own per worker. Which worker makes
// which piece is chance: results must not depend on it.
type Task interface {
	Do(i, worker int)
}

// Run makes the pieces 0 to n-1 of t on the workers of the process, the caller
// among them as worker 0, and returns when all are done. It allocates nothing.
//
// Pieces are claimed one by one in order. A Run from inside a piece does its
// pieces in turn in the same worker, under that worker's number. Runs of
// different goroutines come one after the other, so that a piece must not wait
// for a goroutine that calls Run. A panic in a piece keeps the
// pieces not yet claimed from starting and comes up in the caller with its own
// value; workers turn faults on mapped memory into such panics.
func Run(n int, t Task) {
	if n <= 0 {
		return
	}
	pool.run(n, t)
}

// Workers is the number of workers, the caller of Run included: GOMAXPROCS when it was
// first asked for, unless SetWorkers said otherwise.
func Workers() int { return pool.workers() }

// SetWorkers sets the number of workers, for tests and for those who want to
// leave cores to others. It waits for a Run under way; it must not be called
// from inside a Task.
func SetWorkers(n int) {
	if n < 1 || n > maxWorkers {
		panic("kernel: SetWorkers: the number of workers is out of range")
	}
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.resize(n)
}

const (
	maxWorkers = 1 << 10
	// spinTime is how long an idle worker looks for work before it sleeps: longer
	// than what lies between two Runs of one token, in which a wake-up would cost
	// more than the work.
	spinTime = 40 * time.Microsecond
	// spinRounds, of 16 looks each, is the bound where the clock stands still for longer:
	// that of Windows moves on every 15.6 ms where nobody asks for more. A look takes seven
	// cycles and more, the clock's reading shared out, even with a pause that does nothing:
	// in spinTime no processor comes so far. With pauses of 140 cycles, the longest, these
	// are one to two milliseconds.
	spinRounds = 1 << 11
)

// The state word says which job is on offer and who is in it: the job's number,
// a bit while it may be joined, a bit while the caller sleeps until all have
// left, and the number of workers in it. A worker that comes late finds the job
// closed and is not waited for.
const (
	stateActive = 1<<16 - 1
	stateOpen   = 1 << 16
	stateWait   = 1 << 17
	stateJob    = 1 << 32
)

// workers is the pool. The words that many cores write have cache lines to
// themselves.
type workers struct {
	_     [64]byte
	state atomic.Uint64
	_     [56]byte
	next  atomic.Int64 // the next piece to claim
	_     [56]byte

	// Written while no worker is in a job.
	n    int64
	task Task
	size atomic.Int32 // workers including the caller; 0 before the first use
	told atomic.Int32 // the number that was told before; 0 where nobody asked

	mu     sync.Mutex // held by the caller of the Run under way, or SetWorkers
	all    []*worker
	known  atomic.Pointer[[]*worker] // all, for those who do not hold mu
	done   chan struct{}             // wakes the caller that set stateWait
	failMu sync.Mutex
	failed bool
	cause  any
}

type worker struct {
	id     int
	parked atomic.Bool
	wake   chan struct{}
	gone   chan struct{} // closed when it has ended
	goid   atomic.Uint64
	_      [64]byte
}

var pool = workers{done: make(chan struct{}, 1)}

func (p *workers) workers() int {
	if n := p.size.Load(); n > 0 {
		return int(n)
	}
	// Memory per worker is sized by what was told first.
	p.told.CompareAndSwap(0, int32(min(runtime.GOMAXPROCS(0), maxWorkers)))
	return int(p.told.Load())
}

// resize stops and starts goroutines until there are n workers. mu is held.
func (p *workers) resize(n int) {
	p.size.Store(int32(n))
	p.learnDrain()
	p.state.Store((p.state.Load()/stateJob + 1) * stateJob) // wakes those who spin; they look at size
	for len(p.all) > n-1 {
		w := p.all[len(p.all)-1]
		w.unpark()
		<-w.gone
		p.all = p.all[:len(p.all)-1]
	}
	for len(p.all) < n-1 {
		w := &worker{id: len(p.all) + 1, wake: make(chan struct{}, 1), gone: make(chan struct{})}
		p.all = append(p.all, w)
		go p.serve(w, p.state.Load()/stateJob)
	}
	known := slices.Clone(p.all)
	p.known.Store(&known)
}

func (p *workers) run(n int, t Task) {
	if !p.mu.TryLock() {
		if id, nested := p.inside(); nested {
			for i := range n {
				t.Do(i, id)
			}
			return
		}
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	if p.size.Load() == 0 {
		p.resize(p.workers())
	}
	p.n, p.task = int64(n), t
	p.next.Store(0)
	if n > 1 && len(p.all) > 0 {
		p.state.Store((p.state.Load()/stateJob+1)*stateJob | stateOpen)
		helpers := min(n-1, len(p.all))
		for _, w := range p.all {
			if helpers == 0 {
				break
			}
			w.unpark()
			helpers--
		}
		p.work(0)
		p.finish()
	} else {
		p.work(0)
	}
	p.task = nil
	if p.failed {
		cause := p.cause
		p.failed, p.cause = false, nil
		panic(cause)
	}
}

// work makes pieces until none is left, and keeps what a piece panics with.
func (p *workers) work(id int) {
	defer func() {
		if cause := recover(); cause != nil {
			p.next.Store(p.n)
			p.failMu.Lock()
			if !p.failed {
				p.failed, p.cause = true, cause
			}
			p.failMu.Unlock()
		}
	}()
	p.drain(id)
}

// drain has a frame of its own by which inside knows a nested Run.
//
//go:noinline
func (p *workers) drain(id int) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.n {
			return
		}
		p.task.Do(int(i), id)
	}
}

// finish closes the job and waits until every worker has left it.
func (p *workers) finish() {
	if p.state.And(^uint64(stateOpen))&stateActive == 0 {
		return
	}
	for n, begin := 0, time.Now(); n < spinRounds && time.Since(begin) < spinTime; n++ {
		for range 16 {
			if p.state.Load()&stateActive == 0 {
				return
			}
			pause()
		}
	}
	if p.state.Or(stateWait)&stateActive != 0 {
		<-p.done
	}
	p.state.And(^uint64(stateWait))
}

// serve is the life of a worker; job is the last one it has seen.
func (p *workers) serve(w *worker, job uint64) {
	defer close(w.gone)
	debug.SetPanicOnFault(true)
	w.goid.Store(goid())
	for {
		s := p.await(w, job)
		if w.id >= int(p.size.Load()) {
			return
		}
		if s&stateOpen == 0 {
			job = s / stateJob // over already
			continue
		}
		if !p.state.CompareAndSwap(s, s+1) {
			continue // another worker came or went; look again
		}
		job = s / stateJob
		p.work(w.id)
		if s := p.state.Add(^uint64(0)); s&stateActive == 0 && s&stateWait != 0 {
			p.done <- struct{}{}
		}
	}
}

// await returns the state when it shows another job than the one given. It
// looks for spinTime, spinRounds at the most, and then sleeps until woken.
func (p *workers) await(w *worker, job uint64) uint64 {
	for {
		for n, begin := 0, time.Now(); n < spinRounds && time.Since(begin) < spinTime; n++ {
			for range 16 {
				if s := p.state.Load(); s/stateJob != job {
					return s
				}
				pause()
			}
		}
		w.parked.Store(true)
		if s := p.state.Load(); s/stateJob != job && w.parked.CompareAndSwap(true, false) {
			return s
		}
		<-w.wake
	}
}

// unpark wakes the worker if it sleeps or is about to.
func (w *worker) unpark() {
	if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}
