// Package engine serves a base model to many streams at once: it keeps their
// keys and values in pages, shares those of equal prefixes, puts the next
// tokens of all streams in one ragged batch, and samples. Its memory is of one
// budget, which guests such as a training run may share, but for what grows with
// the number of requests, about 8 bytes for each position that one asks for, those
// that wait among them, and for adapters that no stream uses, which stay alive
// where texts that went through them are remembered (see [Engine.Forget]).
package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// Options are the sizes of an engine; zero values take the defaults.
type Options struct {
	Batch   int // tokens in a pass: 512, or fewer where memory is short
	Chunk   int // tokens of prompts in a pass beside streams that write: 64
	Streams int // served at once, the others wait: 16
	Context int // positions of a stream: the base's own, or as many as memory holds
	Pad     int // sum of padded ranks of a stream's adapters: 64
	// Adapters is how many bytes those of all streams will take ([AdapterBytes]): the
	// context leaves room for them. With more, a text of that length may be refused.
	Adapters int64
	// Memory is how many bytes the engine may take beside the base's file: 1 GiB.
	// With a Budget, which may be shared, it is that which counts.
	Memory int64
	Budget *Budget
	// InOrder has an engine that writes in op.Int16 lay the weights out in the kernel's
	// order, which is faster, where the budget has room for that besides: see [InOrder].
	InOrder bool
	// KV is how keys and values are kept: F32, or at less memory F16 or Q8_0, with
	// which attention reads rounded numbers. In each of them a row's bits depend on
	// the row alone. [FastestKV] gives the fastest that is proven.
	KV tensor.DType
	// Arithmetic is that of the products with base weights; empty for op.F32. In each
	// a row's bits depend on the row alone. op.BF16 is fast where the kernel has tiles
	// and many streams write; adapters that do not change are faster there with
	// op.Pair.KeepTiles. Reading is the arithmetic of the rows of prompts; empty for
	// Arithmetic. [Fastest] gives the fastest that are proven.
	Arithmetic, Reading op.Arithmetic
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

// Engine runs streams over one model. It is safe for concurrent use.
type Engine struct {
	m       *model.Model
	opt     Options
	budget  *Budget
	fixed   int64 // bytes of the budget for what is not pages or adapters
	laid    *laid
	session *model.Session
	pool    *pool

	submit chan *stream
	quit   chan struct{}
	done   chan struct{}
	close  sync.Once

	mu      sync.Mutex
	idle    chan struct{} // closed when no request is left; nil before the first
	pending atomic.Int32  // requests from their arrival to their end
	stats   counters
	watch   watch
	holders holders

	// What follows is the loop's own.
	inUse   map[*lora.Adapter]*held
	streams []*stream
	waiting []*stream
	short   bool  // the first that waits found too little memory, and nobody has ended since;
	left    int64 // then this much of the budget was left
	stalled bool  // nobody is served, and those that wait do so for holders of pages
	rows    []model.Row
	at      []int32
	logits  []float32
	scratch []*scratch // of each of the draws side by side
	draws   drawTask
}

// stream is a request being served.
type stream struct {
	Request
	ctx     context.Context
	out     chan int32
	result  Result
	err     error
	sampler *Sampler

	limit   int      // positions it may come to
	tokens  []int32  // prompt and text so far
	filled  int      // positions whose keys and values are in pages
	held    int      // adapters whose memory is counted
	carried *carried // pages that it brings or leaves; nil for none
	root    *root
	pages   []*page
	data    []model.Page
	take    int   // tokens in the pass at hand, 0 for none
	placed  bool  // they are in the batch
	drafts  int   // how many guessed ones are behind them
	logits  int   // which of the pass's logits are its own: the first of them
	drawn   int32 // from the first of them

	gain float64 // tokens that a guess brought in the mean, lately
	sure bool    // all of the last guess was right
}

// New makes an engine and starts it. Where the memory does not do, the error is
// a *BudgetError that says what would.
func New(m *model.Model, o Options) (*Engine, error) {
	e, err := prepare(m, o)
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	go e.loop()
	return e, nil
}

// prepare makes an engine that is not yet running.
func prepare(m *model.Model, o Options) (*Engine, error) {
	if err := m.CheckKV(o.KV); err != nil {
		return nil, err
	}
	b := o.Budget
	if b == nil {
		b = NewBudget(o.memory())
	}
	asked := o
	o, err := asked.fit(m, b, 0)
	if err != nil {
		return nil, err
	}
	laidBytes := asked.roomInOrder(m, b, &o)
	fixed := o.fixed(m)
	if err := b.Reserve("the engine's working memory", fixed); err != nil {
		return nil, err
	}
	laid, err := interleave(m, &o, b, laidBytes)
	if err != nil {
		b.Release(fixed)
		return nil, err
	}
	session, err := laid.m.NewSession(o.limits())
	if err != nil && laid.arena != nil { // where memory is short that is what can be done without
		laid.release(b)
		laid = notLaid(m)
		session, err = m.NewSession(o.limits())
	}
	if err != nil {
		b.Release(fixed)
		return nil, err
	}
	e := &Engine{m: m, opt: o, budget: b, fixed: fixed, laid: laid, session: session, pool: newPool(m, o.KV, b),
		submit: make(chan *stream), quit: make(chan struct{}), done: make(chan struct{}), inUse: map[*lora.Adapter]*held{}, holders: newHolders(),
		rows: make([]model.Row, 0, o.Streams), at: make([]int32, 0, o.heads()), logits: make([]float32, o.heads()*m.Vocab)}
	for range o.draws() {
		e.scratch = append(e.scratch, newScratch(m.Vocab))
	}
	return e, nil
}

// Close ends all streams and gives the memory back.
func (e *Engine) Close() error {
	var err error
	e.close.Do(func() {
		close(e.quit)
		<-e.done
		err = e.session.Close()
		if x := e.pool.close(); err == nil {
			err = x
		}
		if x := e.laid.release(e.budget); err == nil {
			err = x
		}
		e.budget.Release(e.fixed)
	})
	return err
}

// ErrClosed is returned by Generate once the engine is closed.
var ErrClosed = errors.New("the engine is closed")

// Context is the number of positions that a stream may take: beside adapters of
// Options.Adapters there is room for one of that length, unless others share the
// budget.
func (e *Engine) Context() int { return e.opt.Context }

// Budget is what the engine's memory is taken from.
func (e *Engine) Budget() *Budget { return e.budget }

// Generate serves one request; each token is handed to token as it comes. It
// returns when the text ends, ctx ends or token returns an error, with what was
// written so far. While it runs, the adapters must not change; one that has
// changed since an earlier request is made known with [Engine.Forget].
//
// Errors concern this request alone: *ContextError, *AdapterError, *BudgetError,
// [ErrNoNumber], [ErrClosed], ctx's, token's, the system's where it has no memory for a
// page, weights' ReplacedError for a base's file in whose place there is another, or one
// without a type that says what of the request cannot be. All that are served end with
// weights' LostError, and with a ReplacedError where the file has been written to.
func (e *Engine) Generate(ctx context.Context, r Request, token func(id int32) error) (Result, error) {
	return e.generate(ctx, r, token, nil)
}

func (e *Engine) generate(ctx context.Context, r Request, token func(id int32) error, c *carried) (Result, error) {
	if err := e.check(&r); err != nil {
		return Result{}, fmt.Errorf("generate: %w", err)
	}
	e.enter()
	defer e.leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := e.newStream(ctx, r)
	s.carried = c
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

// newStream takes the memory of a stream that is not pages: a pass takes none.
func (e *Engine) newStream(ctx context.Context, r Request) *stream {
	limit := e.limit(&r)
	return &stream{Request: r, ctx: ctx, out: make(chan int32, limit-len(r.Prompt)+1), sampler: newSampler(r.Sampling, nil),
		gain: gainStart, limit: limit, tokens: append(make([]int32, 0, limit+1), r.Prompt...),
		pages: make([]*page, 0, pagesFor(limit)), data: make([]model.Page, 0, pagesFor(limit))}
}

// pagesFor is how many pages hold so many positions.
func pagesFor(positions int) int { return (positions + model.PageLen - 1) / model.PageLen }
