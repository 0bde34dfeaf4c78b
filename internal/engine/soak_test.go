package engine

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/testkit"
)

var (
	soakFor  = flag.Duration("soak", 2*time.Second, "how long TestSoak goes on")
	soakBase = flag.Bool("soak-base", false, "TestSoak on the real base instead of the toy")
)

// resident is the memory of the process that is no file's, in bytes; 0 where the
// system does not tell.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(b)
	if err != nil || len(fields) < 3 {
		return 0
	}
	all, err := strconv.ParseInt(string(fields[1]), 10, 64)
	files, err2 := strconv.ParseInt(string(fields[2]), 10, 64)
	if err != nil || err2 != nil {
		return 0
	}
	return (all - files) * int64(os.Getpagesize())
}

// TestSoak serves streams that come, go and are cancelled, over several adapters
// and with saved prefixes, beside training runs one after the other, all in one
// budget. Every text is that of its request alone, every run ends at the same
// bits, and memory stays flat. For an hour:
//
//	go test ./internal/engine -run '^TestSoak$' -soak 1h -soak-base -timeout 2h -v
func TestSoak(t *testing.T) {
	m, a := tiny(t)
	o := Options{Streams: 6, Batch: 64, Chunk: 16}
	tokens, steps, gap := 90, 20, 5*time.Millisecond
	if *soakBase {
		m = open(t, testkit.Base(t))
		a = lora.New(m.Shape(), lora.Options{Rank: 8, Alpha: 16}, 3, nil)
		o, tokens, steps, gap = Options{Streams: 6, Context: 512}, 256, 5, 3*time.Second
	}
	rng := rand.New(rand.NewPCG(1, 6))
	all := requests(t, rng, m, a, o, 40)
	quiet := trained(t, m, tokens, steps, nil)
	want := finished(t, quiet)
	room := quiet.Bytes()
	quiet.Close()
	o.Memory = withPages(m, o, 14) + AdapterBytes(a) + room
	e := start(t, m, o)
	p := Prefix{Tokens: all[0].Prompt, Base: "base"}
	path := t.TempDir() + "/prefix"
	if len(p.Tokens) < partLeast {
		p.Tokens = slices.Repeat([]int32{1, 2}, 20)
	}

	end := time.Now().Add(*soakFor)
	var wg sync.WaitGroup
	var served, runs, loads, looks atomic.Int64
	going := func() bool {
		enough := served.Load() > 0 && runs.Load() > 0 && loads.Load() > 0 && looks.Load() >= 8
		left := time.Until(end)
		return !t.Failed() && (left > 0 || !enough && left > -2*time.Minute) // a busy machine may be slow to begin
	}
	for w := range o.Streams + 2 {
		rng := rand.New(rand.NewPCG(2, uint64(w)))
		wg.Go(func() {
			for going() {
				time.Sleep(time.Duration(rng.Int64N(int64(gap))))
				all[rng.IntN(len(all))].serve(t, e, false)
				served.Add(1)
			}
		})
	}
	wg.Go(func() {
		for going() {
			if err := e.Budget().Reserve("training", room); err != nil {
				time.Sleep(time.Millisecond) // streams have it; they will give some back
				continue
			}
			tr := trained(t, m, tokens, steps, e.Yield)
			got := finished(t, tr)
			tr.Close()
			e.Budget().Release(room)
			runs.Add(1)
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Errorf("run %d: weight %d is %g beside streams and %g alone", runs.Load(), i, got[i], want[i])
					return
				}
			}
		}
	})
	wg.Go(func() {
		var short *BudgetError
		for going() {
			time.Sleep(20 * time.Millisecond)
			if err := e.SavePrefix(context.Background(), path, p); err != nil && !errors.As(err, &short) {
				t.Error(err)
				return
			}
			if _, err := e.LoadPrefix(context.Background(), path, p); err != nil && !errors.As(err, &short) {
				t.Error(err)
				return
			}
			loads.Add(1)
		}
	})

	type sample struct {
		resident int64
		heap     uint64
	}
	var samples []sample
	every := max(*soakFor/100, 20*time.Millisecond)
	for going() {
		time.Sleep(every)
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		samples = append(samples, sample{resident(), s.HeapAlloc})
		looks.Add(1)
	}
	wg.Wait()
	stats := e.Stats()
	if served.Load() == 0 || runs.Load() == 0 || loads.Load() == 0 {
		t.Errorf("%d texts, %d runs, %d loads: the test is too short to show anything", served.Load(), runs.Load(), loads.Load())
	}
	settled(t, e)

	// The last quarter against the second: what is learned once is learned by then.
	median := func(part []sample, of func(sample) int64) int64 {
		var v []int64
		for _, s := range part {
			v = append(v, of(s))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	n := len(samples)
	if n < 8 {
		t.Fatalf("%d samples of memory", n)
	}
	early, late := samples[n/4:n/2], samples[3*n/4:]
	rss := func(s sample) int64 { return s.resident }
	heap := func(s sample) int64 { return int64(s.heap) }
	t.Logf("%d texts, %d runs, %d prefixes in %s: %+v; %.1f → %.1f MB resident, %.2f → %.2f MB of heap", served.Load(), runs.Load(), loads.Load(), *soakFor, stats,
		float64(median(early, rss))/1e6, float64(median(late, rss))/1e6, float64(median(early, heap))/1e6, float64(median(late, heap))/1e6)
	if grown := median(late, rss) - median(early, rss); grown > 16<<20+median(early, rss)/20 {
		t.Errorf("%d bytes more are resident than before", grown)
	}
	if grown := median(late, heap) - median(early, heap); grown > 4<<20+median(early, heap)/10 {
		t.Errorf("%d bytes more are on the heap than before", grown)
	}
}
