package engine

import (
	"fmt"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
)

const (
	defaultBatch   = 512
	defaultChunk   = 64
	defaultStreams = 16
	defaultPad     = 64
	defaultMemory  = 1 << 30

	leastBatch = 32
	// usual is the context for which an engine that may choose takes smaller
	// batches: what fits less of a text is of little use.
	usual = 2048
)

func (o *Options) memory() int64 {
	if o.Memory == 0 {
		return defaultMemory
	}
	return o.Memory
}

// heads is how many logits a pass may ask for.
func (o *Options) heads() int { return max(o.Streams, widePass, tilePass) }

// limits are those of the engine's session.
func (o *Options) limits() model.Limits {
	return model.Limits{Tokens: max(o.Batch, o.heads()), Rows: o.Streams, Context: o.Context, Pad: o.Pad, KV: o.KV, Arithmetic: o.writing(), Other: o.reading()}
}

// draws is how many tokens are drawn side by side.
func (o *Options) draws() int { return max(1, min(kernel.Workers(), o.Streams)) }

// fixed is the memory, in bytes, of an engine without pages.
func (o *Options) fixed(m *model.Model) int64 {
	return m.Need(o.limits()) + (4*int64(o.heads())+scratchBytes*int64(o.draws()))*int64(m.Vocab)
}

// need is the memory with which streams of full length are served at once, with their
// adapters.
func (o *Options) need(m *model.Model, streams int) int64 {
	return o.fixed(m) + o.Adapters + int64(streams)*int64(pagesFor(o.Context))*pageBytes(m, o.KV)
}

// Need is the memory, in bytes, with which an engine serves all of o.Streams
// streams of o.Context positions at once, where their adapters take no more than
// o.Adapters.
func Need(m *model.Model, o Options) int64 {
	o.defaults(m)
	return o.need(m, o.Streams)
}

// Least is the memory, in bytes, with which it serves one of them at a time.
func Least(m *model.Model, o Options) int64 {
	o.defaults(m)
	return o.need(m, 1)
}

func (o *Options) defaults(m *model.Model) {
	or := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	or(&o.Batch, defaultBatch)
	or(&o.Chunk, defaultChunk)
	or(&o.Streams, defaultStreams)
	or(&o.Pad, defaultPad)
	if o.Context == 0 || o.Context > m.Context {
		o.Context = m.Context
	}
	o.Batch = min(o.Batch, o.Context)
}

// fit gives the options with which the engine starts in what is left of the budget
// but for so many bytes: what is asked for, or where batch or context are left open, as
// much as there is room for.
func (o Options) fit(m *model.Model, b *Budget, but int64) (Options, error) {
	if o.Adapters < 0 || o.Adapters > 1<<48 {
		return o, fmt.Errorf("adapters of %d bytes cannot be", o.Adapters)
	}
	for _, f := range []struct {
		name string
		v    int
	}{{"batch", o.Batch}, {"chunk", o.Chunk}, {"number of streams", o.Streams}, {"context", o.Context}, {"sum of ranks", o.Pad}} {
		if f.v < 0 || f.v > 1<<24 {
			return o, fmt.Errorf("a %s of %d cannot be", f.name, f.v)
		}
	}
	open := o
	o.defaults(m)
	left := b.inReach() - but
	batches := []int{o.Batch}
	if open.Batch == 0 {
		for n := o.Batch / 2; n >= leastBatch; n /= 2 {
			batches = append(batches, n)
		}
	}
	enough := o.Context
	if open.Context == 0 {
		enough = min(enough, usual)
	}
	best := Options{}
	for _, n := range batches {
		try := o
		try.Batch = n
		try.Context = try.longest(m, left)
		if try.Context > best.Context {
			best = try
		}
		if best.Context >= enough {
			break
		}
	}
	if best.Context >= o.Context || open.Context == 0 && best.Context > 0 {
		best.Batch = min(best.Batch, best.Context)
		return best, nil
	}
	least := o
	least.Batch = batches[len(batches)-1]
	err := &BudgetError{Left: left, Limit: b.Limit()}
	if open.Context != 0 {
		err.What, err.Need = fmt.Sprintf("a context of %d positions", o.Context), least.need(m, 1)
		if best.Context > 0 {
			err.Fits = fmt.Sprintf("a context of %d positions would fit", best.Context)
			return o, err
		}
	}
	least.Context = min(model.PageLen, o.Context)
	least.Batch = min(least.Batch, least.Context)
	if err.What == "" {
		err.What, err.Need = "an engine for this base", least.need(m, 1)
	}
	err.Fits = fmt.Sprintf("%s would do for %d positions", size(least.need(m, 1)), least.Context)
	return o, err
}

// longest is the longest context, up to that of o, of which one stream fits in
// so many bytes; whole pages, or 0.
func (o Options) longest(m *model.Model, bytes int64) int {
	fits := func(context int) bool {
		o.Context = context
		return o.need(m, 1) <= bytes
	}
	if fits(o.Context) {
		return o.Context
	}
	lo, hi := 0, pagesFor(o.Context)-1 // pages
	for lo < hi {
		if mid := (lo + hi + 1) / 2; fits(mid * model.PageLen) {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo * model.PageLen
}
