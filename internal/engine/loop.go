package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
)

// loop serves until the engine is closed.
func (e *Engine) loop() {
	defer close(e.done)
	for {
		if len(e.streams)+len(e.waiting) == 0 || e.stalled {
			select {
			case s := <-e.submit:
				e.queue(s)
			case <-e.holders.freed:
			case <-e.quit: // below
			}
		}
		for more := true; more; {
			select {
			case s := <-e.submit:
				e.queue(s)
			case <-e.holders.freed:
				e.short = false
			case <-e.quit:
				for _, s := range append(e.streams, e.waiting...) {
					e.end(s, "", ErrClosed)
				}
				e.streams, e.waiting = nil, nil
				return
			default:
				more = false
			}
		}
		e.admit()
		e.step()
		if len(e.streams) == 0 {
			clear(e.rows) // nothing of a text that has ended is kept alive
		}
	}
}

// queue has a stream wait: those that bring pages before the others, which may wait for
// these.
func (e *Engine) queue(s *stream) {
	at := len(e.waiting)
	if s.brings() {
		at = 0
		for at < len(e.waiting) && e.waiting[at].brings() {
			at++
		}
	}
	e.waiting = slices.Insert(e.waiting, at, s)
}

// admit ends waiting streams whose context has ended, and lets others in, in
// their order, as far as there is room.
func (e *Engine) admit() {
	e.stalled = false
	if len(e.waiting) == 0 {
		return
	}
	var small *BudgetError
	wait := e.waiting[:0]
	for _, s := range e.waiting {
		if err := s.ctx.Err(); err != nil {
			e.end(s, "", err)
			continue
		}
		if len(wait) > 0 || len(e.streams) == e.opt.Streams || e.short && e.left == e.budget.Left() {
			wait = append(wait, s)
			continue
		}
		err := e.open(s)
		switch {
		case err == nil:
			e.streams = append(e.streams, s)
		case s.carried != nil && s.carried.taken:
			e.end(s, "", err) // they are gone
		case len(e.streams) > 0:
			wait = append(wait, s) // until somebody gives memory back
			e.short, e.left = true, e.budget.Left()
		case errors.As(err, &small) && small.Need <= small.Left:
			wait = append(wait, s) // somebody just did
		case !s.brings() && e.holders.any():
			wait = append(wait, s)
			e.stalled = true
		default:
			e.end(s, "", err)
		}
	}
	clear(e.waiting[len(wait):])
	e.waiting = wait
}

// open counts the memory of a stream's adapters and gives it pages, among them
// those of its prompt that are filled already. The last token of a prompt is
// always computed, since its logits are wanted. Where memory is short it takes
// none, and the error is a *BudgetError.
func (e *Engine) open(s *stream) error {
	if err := e.hold(s); err != nil {
		e.release(s)
		return err
	}
	s.root = e.pool.root(s.Adapters)
	var pages []*page
	var part *page
	n := 0
	if s.brings() {
		pages, s.carried.taken = append(s.pages, s.carried.pages...), true
	} else {
		pages, part, n = e.pool.find(s.root, s.Prompt[:len(s.Prompt)-1], s.pages)
	}
	full, need := len(pages), pagesFor(s.limit)
	pages, err := e.pool.takeAll(pages, need-full)
	if err == errShort && part != nil {
		// The page to copy from may be the one that is wanting.
		e.pool.release(part)
		part, n = nil, 0
		pages, err = e.pool.takeAll(pages, need-full)
	}
	if err == errShort {
		e.budget.reclaim(e.pool, int64(need-full)*e.pool.bytes)
		pages, err = e.pool.takeAll(pages, need-full)
	}
	s.pages = pages
	if err != nil {
		if part != nil {
			e.pool.release(part)
		}
		e.giveBack(s)
		if err == errShort { // told while its adapters are counted: it is not served without them
			err = e.shortOf(fmt.Sprintf("a text of %d tokens", s.limit), need, e.budget.inReach())
		}
		e.letGo(s)
		return err
	}
	for _, g := range s.pages {
		s.data = append(s.data, g.data)
	}
	s.filled = full * model.PageLen
	if s.brings() {
		s.filled = len(s.Prompt) - 1
	}
	if part != nil {
		e.m.CopyPage(s.data[full], part.data, n, e.opt.KV)
		e.pool.release(part)
		s.filled += n
	}
	s.result.Cached = s.filled
	e.stats.cached.Add(int64(s.filled))
	return nil
}

// shortOf is the error for so many pages that cannot be had where so many bytes are
// left.
func (e *Engine) shortOf(what string, pages int, left int64) *BudgetError {
	err := &BudgetError{What: what, Need: int64(pages) * e.pool.bytes, Left: left, Limit: e.budget.Limit()}
	if fits := int(left/e.pool.bytes) * model.PageLen; fits > 0 {
		err.Fits = fmt.Sprintf("%d tokens would fit, prompt and text", fits)
	}
	return err
}

// release gives back a stream's pages and its adapters.
func (e *Engine) release(s *stream) {
	e.giveBack(s)
	e.letGo(s)
}

// giveBack gives back a stream's pages, the last first.
func (e *Engine) giveBack(s *stream) {
	for k := len(s.pages) - 1; k >= 0; k-- {
		e.pool.release(s.pages[k])
	}
	clear(s.pages)
	clear(s.data)
	s.pages, s.data, s.filled = s.pages[:0], s.data[:0], 0
	if s.root != nil {
		e.pool.leave(s.root)
		s.root = nil
	}
}

// end finishes a stream. What it read stays known, and in one arithmetic what it
// wrote too, the last page though it is not full. Where that led to no number, nothing
// of it does.
func (e *Engine) end(s *stream, reason Reason, err error) {
	if s.carried != nil && err == nil {
		e.settle(s)
	}
	switch n := e.common(s); {
	case err == ErrNoNumber:
		e.pool.forgetText(s.root, s.tokens)
	case n%model.PageLen >= partLeast:
		e.share(s, n/model.PageLen, n%model.PageLen)
	}
	e.release(s)
	e.short = false
	s.result.Reason, s.err = reason, err
	close(s.out)
}

// share makes the first n positions of page k of a stream known.
func (e *Engine) share(s *stream, k, n int) {
	if c := s.carried; c != nil && !c.leave && !c.same {
		return // not before they are known to be right
	}
	parent := &s.root.page
	if k > 0 {
		parent = s.pages[k-1]
	}
	s.pages[k] = e.pool.share(parent, s.pages[k], s.tokens[k*model.PageLen:k*model.PageLen+n])
	s.data[k] = s.pages[k].data
}

// plan says how many tokens of each stream go into the next pass: a token of
// every stream that writes, and with what room is left, a token's at the least, the
// prompts of those that still read; where some write, no more of these than a chunk, so
// that nobody waits long. Where none reads and few write, guessed tokens are verified beside
// the next ones.
func (e *Engine) plan() {
	total, writing := 0, 0 // writing: streams whose next token is to come
	for _, s := range e.streams {
		s.take, s.drafts, s.placed = 0, 0, false
		if !e.reads(s) {
			writing++
		}
	}
	room := max(e.opt.Batch, min(writing+1, len(e.streams)))
	lookup, chunk := writing == len(e.streams), e.opt.Batch
	if writing > 0 {
		chunk = e.opt.Chunk
	}
	gain := gainLeast
	if e.opt.Arithmetic == op.BF16 {
		gain = tileLeast
	}
	for _, s := range e.streams {
		if e.reads(s) {
			continue
		}
		s.take = 1
		if s.Lookup && lookup {
			s.drafts = s.guess(min(e.width(s)-total, room)-writing, gain) // a token is kept for each that writes
		}
		writing--
		total += 1 + s.drafts
		room -= 1 + s.drafts
	}
	room = min(room, chunk)
	for _, s := range e.streams {
		if s.take == 0 {
			s.take = min(len(s.tokens)-s.filled, room)
			room -= s.take
		}
	}
}

// lay puts the planned tokens into a batch, those of prompts or the others where
// they have two arithmetics, rows with equal adapters beside each other: their
// low-rank products are one then. The pass's logits so far are given.
func (e *Engine) lay(reads bool, logits int) {
	e.rows, e.at = e.rows[:0], e.at[:0]
	total := 0
	for i, first := range e.streams {
		for _, s := range e.streams[i:] {
			if s.take == 0 || s.placed || e.opt.two() && e.reads(s) != reads || !slices.Equal(s.Adapters, first.Adapters) {
				continue
			}
			s.placed = true
			n := s.take + s.drafts
			e.rows = append(e.rows, model.Row{Tokens: s.tokens[s.filled : s.filled+n], Start: s.filled, Pages: s.data, Adapters: s.Adapters})
			total += n
			if s.filled+s.take == len(s.tokens) {
				s.logits = logits + len(e.at)
				for k := total - s.drafts - 1; k < total; k++ {
					e.at = append(e.at, int32(k))
				}
			}
		}
	}
}

// pass computes what was planned: in one arithmetic all of it at once, in two the
// rows of prompts and then the others.
func (e *Engine) pass() error {
	logits := 0
	if e.opt.two() {
		e.lay(true, 0)
		if err := e.run(e.opt.reading(), 0); err != nil {
			return err
		}
		logits = len(e.at)
	}
	e.lay(false, logits)
	return e.run(e.opt.writing(), logits)
}

// run computes what was laid, and the logits that are wanted of it, behind those
// so far.
func (e *Engine) run(a op.Arithmetic, logits int) error {
	if len(e.rows) == 0 {
		return nil
	}
	e.session.Use(a)
	if len(e.at) == 0 {
		return e.session.Fill(e.rows)
	}
	if err := e.session.Forward(e.rows); err != nil {
		return err
	}
	e.session.Use(e.opt.writing())
	return e.session.Logits(e.logits[logits*e.m.Vocab:], e.at)
}

// step runs one pass.
func (e *Engine) step() {
	if len(e.streams) == 0 {
		return
	}
	e.plan()
	e.stats.passes.Add(1)
	err := e.watch.changed(e.m.Source, false)
	if err == nil {
		err = e.pass()
	}
	if err == nil {
		e.draw()
	}
	culprit := false // one whose adapter has become unusable since it was checked
	live := e.streams[:0]
	for _, s := range e.streams {
		if err != nil {
			if bad := e.checkAdapters(s.Adapters); bad != nil {
				culprit = true
				e.end(s, "", bad)
				continue
			}
		} else if !e.advance(s) {
			continue
		}
		live = append(live, s)
	}
	clear(e.streams[len(live):])
	e.streams = live
	if err != nil && !culprit {
		for _, s := range e.streams {
			e.end(s, "", err)
		}
		clear(e.streams)
		e.streams = e.streams[:0]
	}
}

// drawTask draws the first token of each of some streams: which tokens are drawn
// behind it depends on it.
type drawTask struct {
	e       *Engine
	streams []*stream
}

// draw draws a token for each stream whose next one is due.
func (e *Engine) draw() {
	t := &e.draws
	t.e, t.streams = e, t.streams[:0]
	for _, s := range e.streams {
		if s.take > 0 && s.filled+s.take == len(s.tokens) {
			t.streams = append(t.streams, s)
		}
	}
	kernel.Run(min(len(t.streams), len(e.scratch)), t)
	clear(t.streams)
}

// Do draws for every stream whose turn piece i is.
func (t *drawTask) Do(i, _ int) {
	for k := i; k < len(t.streams); k += len(t.e.scratch) {
		s := t.streams[k]
		s.drawn = s.sampler.next(t.e.scratch[i], t.e.logitsOf(s, 0), s.tokens)
	}
}

// logitsOf are those behind a stream's last token, or behind its i-th guessed one.
func (e *Engine) logitsOf(s *stream, i int) []float32 {
	n := e.m.Vocab
	return e.logits[(s.logits+i)*n : (s.logits+i+1)*n]
}

// advance takes what the pass gave a stream, and says whether it goes on.
func (e *Engine) advance(s *stream) bool {
	if err := s.ctx.Err(); err != nil {
		e.end(s, "", err)
		return false
	}
	if s.take == 0 {
		return true
	}
	s.result.Passes++
	if s.filled < len(s.Prompt) {
		e.stats.read.Add(int64(s.take))
	}
	e.fill(s, s.take)
	if s.filled < len(s.tokens) {
		return true
	}
	for i := 0; ; i++ {
		id := s.drawn
		if i > 0 {
			id = s.sampler.next(e.scratch[0], e.logitsOf(s, i), s.tokens)
		}
		if id < 0 {
			e.end(s, "", ErrNoNumber)
			return false
		}
		// Beyond the stream's tokens lie the guessed ones.
		right := i < s.drafts && s.tokens[:len(s.tokens)+1][len(s.tokens)] == id
		reason, ended := e.give(s, id)
		if right && reason != Stopped {
			e.fill(s, 1) // the guessed token went through the model in this pass
		}
		if right && !ended {
			continue
		}
		if s.drafts > 0 {
			accepted := i
			if right {
				accepted++
			}
			s.learn(s.drafts, accepted)
			e.stats.guessed.Add(int64(s.drafts))
			e.stats.right.Add(int64(accepted))
		}
		if ended {
			e.end(s, reason, nil)
		}
		return !ended
	}
}

// fill counts n more tokens whose keys and values are in pages, and makes the
// pages that they complete known.
func (e *Engine) fill(s *stream, n int) {
	before := e.common(s) / model.PageLen
	s.filled += n
	for k := before; k < e.common(s)/model.PageLen; k++ {
		e.share(s, k, model.PageLen)
	}
}

// give hands a token out, and says whether the text ends with it or before it.
func (e *Engine) give(s *stream, id int32) (Reason, bool) {
	if s.Stop != nil && s.Stop(id) {
		return Stopped, true
	}
	s.tokens = append(s.tokens, id)
	s.result.Tokens = s.tokens[len(s.Prompt):]
	e.stats.written.Add(1)
	s.out <- id // never blocks: there is room for all of them
	switch {
	case len(s.result.Tokens) == s.Max:
		return Length, true
	case len(s.tokens) >= e.opt.Context:
		return Full, true
	}
	return "", false
}
