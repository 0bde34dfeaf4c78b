package engine

import (
	"sync/atomic"
	"time"

	"github.com/getstroke/stroke/internal/weights"
)

// Stats are what an engine has done since it was started, and what it holds.
type Stats struct {
	Passes  int64 // through the model
	Read    int64 // tokens of prompts that went through the model
	Cached  int64 // tokens of prompts whose keys and values were found
	Written int64 // tokens given out
	Guessed int64 // tokens that were verified because of Request.Lookup
	Right   int64 // those of them that were right

	Pages      int // in memory
	Free       int // of them without contents
	Remembered int // of them known, and used by no stream
}

type counters struct {
	passes, read, cached, written, guessed, right atomic.Int64
}

// Stats tells what the engine has done.
func (e *Engine) Stats() Stats {
	c := &e.stats
	s := Stats{Passes: c.passes.Load(), Read: c.read.Load(), Cached: c.cached.Load(), Written: c.written.Load(),
		Guessed: c.guessed.Load(), Right: c.right.Load()}
	s.Pages, s.Free, s.Remembered = e.pool.counts()
	return s
}

// watch notices that the base's file is no longer the one that was opened.
type watch struct {
	next atomic.Int64 // when to look again, Unix time in nanoseconds
}

// watchEvery is how often the files are looked at while streams write.
const watchEvery = time.Second

// changed says with a *weights.ReplacedError what happened to the base's file: to
// new requests anything, to streams under way only that the bytes they read have
// changed.
func (w *watch) changed(src *weights.Source, anything bool) error {
	if src == nil {
		return nil
	}
	if now := time.Now().UnixNano(); anything || now >= w.next.Load() {
		if !anything { // new requests may come more often than streams look
			w.next.Store(now + int64(watchEvery))
		}
		err := src.Unchanged()
		if r, ok := err.(*weights.ReplacedError); ok && !anything && !r.InPlace {
			return nil
		}
		return err
	}
	return nil
}
