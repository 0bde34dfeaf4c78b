// Package engine serves a base model to many streams at once: it keeps their
// keys and values in pages, shares those of equal prefixes, puts the next
// tokens of all streams in one ragged batch, and samples.
package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
)

// Options are the sizes of an engine; zero values take the defaults.
type Options struct {
	Batch   int   // tokens in a pass: 512
	Streams int   // served at once, the others wait: 16
	Context int   // positions of a stream: the base's own
	Pad     int   // sum of padded ranks of a stream's adapters: 64
	Memory  int64 // bytes for keys and values: 1 GiB
}

// Request is a text to go on with.
type Request struct {
	Prompt   []int32
	Adapters []lora.Applied
	Sampling Sampling
	Max      int                 // tokens to write at the most
	Stop     func(id int32) bool // ends the text; the token is not given out. nil: never
	// Lookup guesses tokens from what stands in the text already and verifies
	// several in one pass: faster where a text repeats its prompt, as a rewrite
	// does. The text is the same.
	Lookup bool
}

// Reason is why a text ended.
type Reason string

// The reasons.
const (
	Stopped Reason = "stop"    // a stop token
	Length  Reason = "length"  // Request.Max tokens
	Full    Reason = "context" // no position left
)

// Result is what a stream came to.
type Result struct {
	Tokens []int32
	Reason Reason
	Cached int // tokens of the prompt whose keys and values were found
	Passes int // through the model, those that read the prompt included
	// Guessed tokens were verified because of Request.Lookup, Right ones of them
	// were those to come.
	Guessed, Right int
}

// ErrClosed is returned by Generate once the engine is closed.
var ErrClosed = errors.New("the engine is closed")

// Engine runs streams over one model. It is safe for concurrent use.
type Engine struct {
	m       *model.Model
	opt     Options
	session *model.Session
	pool    *pool

	submit chan *stream
	quit   chan struct{}
	done   chan struct{}
	close  sync.Once

	streams []*stream
	waiting []*stream
	rows    []model.Row
	at      []int32
	logits  []float32
}

// stream is a request being served.
type stream struct {
	Request
	ctx     context.Context
	out     chan int32
	result  Result
	err     error
	sampler *Sampler

	limit  int     // positions it may come to
	tokens []int32 // prompt and text so far
	filled int     // positions whose keys and values are in pages
	pages  []*page
	data   []model.Page
	take   int // tokens in the pass at hand, 0 for none
	drafts int // how many of them are guessed
	logits int // which of the pass's logits are its own: the first of them

	gain float64 // tokens that a guess brought in the mean, lately
	sure bool    // all of the last guess was right
}

// New makes an engine and starts it.
func New(m *model.Model, o Options) (*Engine, error) {
	if o.Batch == 0 {
		o.Batch = 512
	}
	if o.Streams == 0 {
		o.Streams = 16
	}
	if o.Context == 0 || o.Context > m.Context {
		o.Context = m.Context
	}
	if o.Pad == 0 {
		o.Pad = 64
	}
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	pages := int(o.Memory / (4 * int64(m.PageFloats())))
	if pages < 1 {
		return nil, fmt.Errorf("start the engine: %d bytes for keys and values hold no page of %d bytes", o.Memory, 4*m.PageFloats())
	}
	o.Context = min(o.Context, pages*model.PageLen)
	o.Batch = min(o.Batch, o.Context)
	session, err := m.NewSession(model.Limits{Tokens: max(o.Batch, o.Streams, widePass), Rows: o.Streams, Context: o.Context, Pad: o.Pad})
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	p, err := newPool(m, pages)
	if err != nil {
		session.Close()
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	e := &Engine{m: m, opt: o, session: session, pool: p,
		submit: make(chan *stream), quit: make(chan struct{}), done: make(chan struct{}),
		logits: make([]float32, max(o.Streams, widePass)*m.Vocab)}
	go e.loop()
	return e, nil
}

// Close ends all streams and gives the memory back.
func (e *Engine) Close() error {
	e.close.Do(func() { close(e.quit) })
	<-e.done
	err := e.session.Close()
	if x := e.pool.arena.Close(); err == nil {
		err = x
	}
	return err
}

// Context is the number of positions a stream may take.
func (e *Engine) Context() int { return e.opt.Context }

// Generate serves one request; each token is handed to token as it comes. It
// returns when the text ends, ctx ends or token returns an error, with what was
// written so far.
func (e *Engine) Generate(ctx context.Context, r Request, token func(id int32) error) (Result, error) {
	if err := e.check(&r); err != nil {
		return Result{}, fmt.Errorf("generate: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &stream{Request: r, ctx: ctx, out: make(chan int32, min(r.Max, e.opt.Context)), sampler: NewSampler(r.Sampling, e.m.Vocab), gain: gainStart,
		limit:  min(len(r.Prompt)+r.Max, e.opt.Context),
		tokens: append(make([]int32, 0, len(r.Prompt)+min(r.Max, e.opt.Context)), r.Prompt...)}
	select {
	case e.submit <- s:
	case <-e.quit:
		return Result{}, ErrClosed
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	var failed error
	for id := range s.out {
		if failed == nil && token != nil {
			if failed = token(id); failed != nil {
				cancel()
			}
		}
	}
	if failed != nil {
		return s.result, failed
	}
	return s.result, s.err
}

func (e *Engine) check(r *Request) error {
	if err := r.Sampling.Validate(); err != nil {
		return err
	}
	if len(r.Prompt) == 0 {
		return errors.New("the prompt has no tokens")
	}
	if len(r.Prompt) >= e.opt.Context {
		return fmt.Errorf("a prompt of %d tokens where there is room for %d", len(r.Prompt), e.opt.Context)
	}
	if r.Max < 1 {
		return fmt.Errorf("at most %d tokens are asked for: ask for at least 1", r.Max)
	}
	for _, t := range r.Prompt {
		if t < 0 || int(t) >= e.m.Vocab {
			return fmt.Errorf("token %d of a vocabulary of %d", t, e.m.Vocab)
		}
	}
	pad := 0
	for _, a := range r.Adapters {
		if err := a.Adapter.Fits(e.m.Shape()); err != nil {
			return err
		}
		pad += a.Adapter.Pad()
	}
	if pad > e.opt.Pad {
		return fmt.Errorf("adapters of rank %d in all where there is room for %d", pad, e.opt.Pad)
	}
	return nil
}

// loop serves until the engine is closed.
func (e *Engine) loop() {
	defer close(e.done)
	for {
		if len(e.streams)+len(e.waiting) == 0 {
			select {
			case s := <-e.submit:
				e.waiting = append(e.waiting, s)
			case <-e.quit:
				return
			}
		}
		for more := true; more; {
			select {
			case s := <-e.submit:
				e.waiting = append(e.waiting, s)
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
	}
}

// admit lets waiting streams in, in their order, as far as there is room.
func (e *Engine) admit() {
	for len(e.waiting) > 0 && len(e.streams) < e.opt.Streams {
		s := e.waiting[0]
		if s.ctx.Err() != nil {
			e.waiting = e.waiting[1:]
			e.end(s, "", s.ctx.Err())
			continue
		}
		need := (s.limit + model.PageLen - 1) / model.PageLen
		e.reuse(s)
		if need-len(s.pages) > e.pool.room() {
			e.release(s)
			return
		}
		for len(s.pages) < need {
			s.pages = append(s.pages, e.pool.take())
		}
		for _, g := range s.pages {
			s.data = append(s.data, g.data)
		}
		e.waiting = e.waiting[1:]
		e.streams = append(e.streams, s)
	}
}

// reuse finds pages of the prompt that are already filled; the last token of a
// prompt is always computed, since its logits are wanted.
func (e *Engine) reuse(s *stream) {
	for end := model.PageLen; end < len(s.Prompt); end += model.PageLen {
		g := e.pool.find(s.Prompt[:end], s.Adapters)
		if g == nil {
			return
		}
		s.pages = append(s.pages, g)
		s.filled = end
	}
	s.result.Cached = s.filled
}

// release gives a stream's pages back.
func (e *Engine) release(s *stream) {
	for _, g := range s.pages {
		e.pool.release(g)
	}
	s.pages, s.data, s.filled = nil, nil, 0
}

// end finishes a stream.
func (e *Engine) end(s *stream, reason Reason, err error) {
	e.release(s)
	s.result.Reason, s.err = reason, err
	close(s.out)
}

// step runs one pass: a token of every stream that writes, and with what room
// is left the prompts of those that still read. Where none reads and few write,
// guessed tokens are verified beside the next ones.
func (e *Engine) step() {
	e.rows, e.at = e.rows[:0], e.at[:0]
	room := e.opt.Batch
	total, writing := 0, 0 // writing: streams whose next token is to come
	for _, s := range e.streams {
		s.take, s.drafts = 0, 0
		if len(s.tokens)-s.filled == 1 {
			writing++
		}
	}
	lookup := writing == len(e.streams)
	for _, s := range e.streams {
		if len(s.tokens)-s.filled == 1 && room > 0 {
			k := 0
			if s.Lookup && lookup {
				width := narrowPass
				if s.sure {
					width = widePass
				}
				k = s.guess(min(width-total-writing, room-1))
			}
			writing--
			e.place(s, 1, k, &total, &room)
		}
	}
	for _, s := range e.streams {
		if n := min(len(s.tokens)-s.filled, room); s.take == 0 && n > 0 {
			e.place(s, n, 0, &total, &room)
		}
	}
	if len(e.rows) == 0 {
		return
	}
	err := e.session.Forward(e.rows)
	if err == nil && len(e.at) > 0 {
		err = e.session.Logits(e.logits, e.at)
	}
	live := e.streams[:0]
	for _, s := range e.streams {
		if e.advance(s, err) {
			live = append(live, s)
		}
	}
	clear(e.streams[len(live):])
	e.streams = live
}

// place gives a stream n tokens of the batch, and k guessed ones behind them.
func (e *Engine) place(s *stream, n, k int, total, room *int) {
	s.take, s.drafts = n, k
	e.rows = append(e.rows, model.Row{Tokens: s.tokens[s.filled : s.filled+n+k], Start: s.filled, Pages: s.data, Adapters: s.Adapters})
	*total += n + k
	*room -= n + k
	if s.filled+n == len(s.tokens) {
		s.logits = len(e.at)
		for i := *total - k - 1; i < *total; i++ {
			e.at = append(e.at, int32(i))
		}
	}
}

// advance takes what the pass gave a stream, and says whether it goes on.
func (e *Engine) advance(s *stream, err error) bool {
	if err == nil {
		err = s.ctx.Err()
	}
	if err != nil {
		e.end(s, "", err)
		return false
	}
	if s.take == 0 {
		return true
	}
	s.result.Passes++
	e.fill(s, s.take)
	if s.filled < len(s.tokens) {
		return true
	}
	n := e.m.Vocab
	for i := 0; ; i++ {
		id := s.sampler.Next(e.logits[(s.logits+i)*n:(s.logits+i+1)*n], s.tokens)
		// Beyond the stream's tokens lie the guessed ones.
		right := i < s.drafts && s.tokens[:len(s.tokens)+1][len(s.tokens)] == id
		reason, ended := e.give(s, id)
		if right && reason != Stopped {
			e.fill(s, 1) // the guessed token went through the model in this pass
		}
		if !ended && right {
			continue
		}
		if s.drafts > 0 {
			accepted := i
			if right {
				accepted++
			}
			s.learn(s.drafts, accepted)
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
	before := s.filled / model.PageLen
	s.filled += n
	for k := before; k < s.filled/model.PageLen; k++ {
		e.pool.share(s.pages[k], s.tokens[:(k+1)*model.PageLen], s.Adapters)
	}
}

// give hands a token out, and says whether the text ends with it or before it.
func (e *Engine) give(s *stream, id int32) (Reason, bool) {
	if s.Stop != nil && s.Stop(id) {
		return Stopped, true
	}
	s.tokens = append(s.tokens, id)
	s.result.Tokens = s.tokens[len(s.Prompt):]
	s.out <- id // never blocks: there is room for all of them
	switch {
	case len(s.result.Tokens) == s.Max:
		return Length, true
	case len(s.tokens) >= e.opt.Context:
		return Full, true
	}
	return "", false
}
