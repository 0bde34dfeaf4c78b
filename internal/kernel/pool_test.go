package kernel

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counting counts how often each piece was made and by whom.
type counting struct {
	made   []atomic.Int32
	worker []atomic.Int32
	each   func(i, worker int)
}

func newCounting(n int) *counting {
	return &counting{made: make([]atomic.Int32, n), worker: make([]atomic.Int32, maxWorkers)}
}

func (c *counting) Do(i, worker int) {
	c.made[i].Add(1)
	c.worker[worker].Add(1)
	if c.each != nil {
		c.each(i, worker)
	}
}

func (c *counting) check(t *testing.T, workers int) {
	t.Helper()
	for i := range c.made {
		if n := c.made[i].Load(); n != 1 {
			t.Fatalf("piece %d was made %d times", i, n)
		}
	}
	for w := workers; w < len(c.worker); w++ {
		if c.worker[w].Load() != 0 {
			t.Fatalf("worker %d of %d made a piece", w, workers)
		}
	}
}

func withWorkers(t *testing.T, n int) {
	t.Helper()
	before := Workers()
	SetWorkers(n)
	t.Cleanup(func() { SetWorkers(before) })
}

func TestRunMakesEveryPieceOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 7} {
		withWorkers(t, workers)
		if Workers() != workers {
			t.Fatalf("Workers() = %d after SetWorkers(%d)", Workers(), workers)
		}
		for _, n := range []int{0, 1, 2, 3, 10, 1000} {
			for range 20 {
				c := newCounting(n)
				Run(n, c)
				c.check(t, workers)
			}
		}
	}
}

func TestRunAfterSleep(t *testing.T) {
	withWorkers(t, 4)
	for range 20 {
		c := newCounting(50)
		c.each = func(int, int) { runtime.Gosched() }
		Run(50, c)
		c.check(t, 4)
		time.Sleep(2 * spinTime)
	}
}

func TestRunUsesWorkers(t *testing.T) {
	withWorkers(t, 3)
	// Three pieces that wait for each other can only end on three workers.
	var here sync.WaitGroup
	here.Add(3)
	c := newCounting(3)
	c.each = func(int, int) { here.Done(); here.Wait() }
	Run(3, c)
	c.check(t, 3)
	for w := range 3 {
		if n := c.worker[w].Load(); n != 1 {
			t.Errorf("worker %d made %d pieces", w, n)
		}
	}
}

func TestRunNested(t *testing.T) {
	withWorkers(t, 3)
	const n = 20
	inner := make([]*counting, n)
	for i := range inner {
		inner[i] = newCounting(10)
	}
	outer := newCounting(n)
	outer.each = func(i, worker int) {
		inner[i].each = func(_, w int) {
			if w != worker {
				t.Errorf("a nested piece ran as worker %d inside worker %d", w, worker)
			}
		}
		Run(10, inner[i])
	}
	Run(n, outer)
	outer.check(t, 3)
	for _, c := range inner {
		c.check(t, 3)
	}
}

func TestRunConcurrent(t *testing.T) {
	withWorkers(t, 3)
	var busy [3]atomic.Bool
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				c := newCounting(20)
				c.each = func(_, w int) {
					if busy[w].Swap(true) {
						t.Errorf("worker %d does two things at once", w)
					}
					busy[w].Store(false)
				}
				Run(20, c)
				c.check(t, 3)
			}
		})
	}
	wg.Wait()
}

func TestRunPanics(t *testing.T) {
	withWorkers(t, 3)
	want := errors.New("piece 17")
	for range 50 {
		c := newCounting(200)
		c.each = func(i, _ int) {
			if i == 17 {
				panic(want)
			}
		}
		got := func() (cause any) {
			defer func() { cause = recover() }()
			Run(200, c)
			return nil
		}()
		if got != want {
			t.Fatalf("Run panicked with %v, want %v", got, want)
		}
		after := newCounting(200)
		Run(200, after)
		after.check(t, 3)
	}
}

func TestRunPanicInWorker(t *testing.T) {
	withWorkers(t, 2)
	var here sync.WaitGroup
	here.Add(2)
	c := newCounting(2)
	c.each = func(_, w int) {
		here.Done()
		here.Wait()
		if w == 1 {
			c.made[w+100].Add(1)
		}
	}
	defer func() {
		if _, ok := recover().(runtime.Error); !ok {
			t.Error("the worker's runtime error did not come up as one")
		}
	}()
	Run(2, c)
	t.Error("Run returned")
}

func TestSetWorkersWhileIdle(t *testing.T) {
	before := Workers()
	defer SetWorkers(before)
	for _, n := range []int{5, 1, 3, 2, 8, 1} {
		SetWorkers(n)
		c := newCounting(100)
		Run(100, c)
		c.check(t, n)
	}
	defer func() {
		if recover() == nil {
			t.Error("SetWorkers(0) did not panic")
		}
	}()
	SetWorkers(0)
}

func TestRunAllocatesNothing(t *testing.T) {
	withWorkers(t, 3)
	c := newCounting(10)
	if n := testing.AllocsPerRun(100, func() { Run(10, c) }); n != 0 {
		t.Errorf("Run allocates %v times", n)
	}
}

func BenchmarkRunEmpty(b *testing.B) {
	c := newCounting(2)
	for b.Loop() {
		Run(2, c)
	}
}

// TestWorkersStay holds that the number of workers that was told is that of the first Run,
// whatever became of GOMAXPROCS meanwhile.
func TestWorkersStay(t *testing.T) {
	p := &workers{done: make(chan struct{}, 1)}
	n := p.workers()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n + 3))
	if got := p.workers(); got != n {
		t.Errorf("%d workers, %d were told", got, n)
	}
	c := newCounting(1000)
	p.run(len(c.made), c)
	c.check(t, n)
	if got := p.workers(); got != n || len(p.all) != n-1 {
		t.Errorf("%d workers and %d goroutines after a Run, %d were told", got, len(p.all), n)
	}
	p.mu.Lock()
	p.resize(1)
	p.mu.Unlock()
}
