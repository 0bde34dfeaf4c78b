package train

import (
	"context"
	"fmt"
	"math"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// Trainer trains one adapter on one base, or weights of the base.
type Trainer struct {
	m       *model.Model // the base, or the view of it whose weights are trained
	opt     Options
	data    string // hash of the data
	steps   []step
	next    int
	session *model.Session
	arena   *tensor.Arena
	adapter *lora.Adapter // nil where weights are trained
	params  []*model.Param
	optim   optimizer
	use     []lora.Applied

	rows    []model.Row
	targets []int32
	scale   []float32
	nll     []float32
}

// optimizer moves what a run trains.
type optimizer interface {
	Norm() float64
	Step(rate, scale float64)
	Clear()
	resume(updates int)
	state(f func(name string, shape []int, x []float32))
}

// Job is what a Trainer is made from.
type Job struct {
	Model   *model.Model
	Options Options
	Epochs  [][]Example // the examples of each epoch; shuffled by the trainer
	// From starts from the weights of an adapter of the same shape; nil starts
	// afresh.
	From *lora.Adapter
	// On are frozen adapters below what is trained, none of them in training itself.
	On []lora.Applied
	// Memory is how many bytes the run may take beside the base; activations
	// that do not fit are computed again. 0 means 800 MB, and for weights
	// [KeptMemory] more than the least.
	Memory int64
	// Batch is the largest number of tokens that go through the base together;
	// 0 means 512, or the longest example. Bits depend on it.
	Batch int
	// Pause is called between the operations of a step and parts of some of them, so
	// that others in the process, such as an engine's streams, may have the workers
	// (engine.Engine.Yield); nil for nobody. With a small base that is every few
	// hundredths of a second; a product of a large one takes longer, and so does
	// Adafactor, which has a tensor as its least piece. Bits do not depend on it.
	Pause func()
}

// Info tells of a step done.
type Info struct {
	Step   int // counted from 1
	Steps  int
	Epoch  int     // counted from 1
	Last   bool    // of its epoch
	Loss   float64 // mean nats per scored token, before the update
	Rate   float64
	Norm   float64 // of the gradient, before clipping
	Tokens int     // that went through the base
}

// NotFiniteError stops a run whose loss or gradient is no longer a number. The
// weights are those of the step before.
type NotFiniteError struct {
	Step int
	Rate float64
}

// Error names the step and its learning rate.
func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("the loss is no longer a number at step %d, at a learning rate of %.3g", e.Step, e.Rate)
}

// Hint says what to do.
func (e *NotFiniteError) Hint() string {
	return fmt.Sprintf("train again with a lower rate, for example --rate %.2g; the last good state is kept", e.Rate/3)
}

// planned is a run before anything of it is in memory.
type planned struct {
	steps  []step
	lim    model.Limits
	shapes [][]int // of the weights that are trained
	floats int     // of what is trained, with gradients and moments
}

// plan orders the data of a job and adds up what it takes.
func (j *Job) plan() (*planned, error) {
	o := &j.Options
	if err := o.Validate(); err != nil {
		return nil, err
	}
	longest := 0
	for _, e := range j.Epochs {
		for i := range e {
			longest = max(longest, len(e[i].Tokens))
		}
	}
	if longest < 2 {
		return nil, fmt.Errorf("there is nothing to learn from")
	}
	batch := j.Batch
	if batch == 0 {
		batch = 512
	}
	batch = max(batch, longest)
	p := &planned{}
	var err error
	if p.steps, err = plan(j.Epochs, o.Seed, o.TokensPerStep, batch); err != nil {
		return nil, err
	}
	if len(p.steps) == 0 {
		return nil, fmt.Errorf("no token has a loss")
	}
	p.lim = model.Limits{Tokens: batch, Context: longest, Longest: longest, Training: true, Arithmetic: o.Arithmetic}
	for i := range p.steps {
		lo := 0
		for _, hi := range p.steps[i].micro {
			p.lim.Rows = max(p.lim.Rows, hi-lo)
			lo = hi
		}
	}
	shape := j.Model.Shape()
	for _, a := range j.On {
		if err := a.Adapter.Fits(shape); err != nil {
			return nil, err
		}
		trained := false
		a.Adapter.Each(func(_ int, _ lora.Module, q *op.Pair) { trained = trained || q.GradA != nil })
		if trained {
			return nil, fmt.Errorf("an adapter below what is trained is in training itself")
		}
		p.lim.Pad += a.Adapter.Pad()
	}
	if o.Weights == nil {
		p.lim.Dropout = o.LoRA.Dropout
		p.lim.Pad += op.NewPair(o.LoRA.Rank, 0, 0, 1, func(int) []float32 { return nil }).Pad
		p.floats = need(shape, o)
		return p, nil
	}
	if p.shapes, err = j.Model.Sizes(*o.Weights); err != nil {
		return nil, err
	}
	if len(p.shapes) == 0 {
		return nil, fmt.Errorf("no weight of the base is selected")
	}
	p.floats = weightFloats(o.Optimizer, p.shapes)
	return p, nil
}

// Floor is the least memory in bytes that a job takes beside the base, with all
// activations computed again.
func Floor(j Job) (bytes int64, err error) {
	p, err := j.plan()
	if err != nil {
		return 0, fmt.Errorf("plan training: %w", err)
	}
	return 4*int64(p.floats) + j.Model.Need(p.lim), nil
}

// KeptMemory is how much of the activations of a run that trains weights of the base is
// kept where nobody says what it may take, in bytes, so that less is computed twice.
const KeptMemory = 120e6

// New plans a run. Its memory is taken before the first step; a step allocates
// nothing.
func New(j Job) (*Trainer, error) {
	p, err := j.plan()
	if err != nil {
		return nil, fmt.Errorf("plan training: %w", err)
	}
	t := &Trainer{m: j.Model, opt: j.Options, data: dataHash(j.Epochs), steps: p.steps}
	if t.arena, err = tensor.NewArena(4 * p.floats); err != nil {
		return nil, fmt.Errorf("plan training: %w", err)
	}
	memory := j.Memory
	if err = t.take(&j); err == nil {
		switch {
		case memory == 0 && j.Options.Weights != nil:
			memory = 4*int64(p.floats) + t.m.Need(p.lim) + KeptMemory
		case memory == 0:
			memory = 800e6
		}
		p.lim.Kept = kept(t.m, p.lim, memory-4*int64(p.floats))
		t.session, err = t.m.NewSession(p.lim)
	}
	if err == nil {
		t.session.SetPause(j.Pause)
	}
	if err != nil {
		t.arena.Close()
		return nil, fmt.Errorf("plan training: %w", err)
	}
	t.rows = make([]model.Row, 0, p.lim.Rows)
	t.targets, t.scale, t.nll = make([]int32, p.lim.Tokens), make([]float32, p.lim.Tokens), make([]float32, p.lim.Tokens)
	return t, nil
}

// take makes what is trained, and its optimizer, in the arena.
func (t *Trainer) take(j *Job) (err error) {
	t.use = append([]lora.Applied(nil), j.On...)
	if t.opt.Weights != nil {
		if t.m, t.params, err = j.Model.Tune(*t.opt.Weights, t.arena.Floats); err != nil {
			return err
		}
		o := NewWeightOptimizer(t.params, &t.opt, t.arena.Floats)
		o.parts.pause = j.Pause
		t.optim = o
		return nil
	}
	t.adapter = lora.New(t.m.Shape(), t.opt.LoRA, t.opt.Seed, t.arena.Floats)
	t.adapter.Trainable(t.arena.Floats)
	o := NewOptimizer(t.adapter, &t.opt, t.arena.Floats)
	o.parts.pause = j.Pause
	t.optim = o
	if j.From != nil {
		if !t.adapter.SameShape(j.From) {
			return fmt.Errorf("the adapter to go on from has another shape than the one to train")
		}
		t.adapter.Copy(j.From)
	}
	t.use = append(t.use, lora.Applied{Adapter: t.adapter, Strength: 1})
	return nil
}

// need is the number of float32 that weights, gradients, moments and the
// optimizer's scratch take.
func need(shape lora.Shape, o *Options) int {
	targets := o.LoRA.Targets
	if len(targets) == 0 {
		targets = lora.AllModules()
	}
	total, most := 0, 0
	for _, m := range targets {
		p := op.NewPair(o.LoRA.Rank, shape.In[m], shape.Out[m], 1, func(int) []float32 { return nil })
		total += 4 * (tensor.Aligned(p.Pad*p.In) + tensor.Aligned(p.Pad*p.Out))
		most = max(most, p.Pad*p.In, p.Pad*p.Out)
	}
	return shape.Layers*total + kernel.Workers()*tensor.Aligned(most)
}

// kept is the largest number of layers whose activations fit in the memory.
func kept(m *model.Model, lim model.Limits, memory int64) int {
	for k := m.Layers; k > 0; k-- {
		lim.Kept = k
		if m.Need(lim) <= memory {
			return k
		}
	}
	return 0
}

// Close gives the memory back.
func (t *Trainer) Close() error {
	err := t.session.Close()
	if e := t.arena.Close(); err == nil {
		err = e
	}
	return err
}

// Steps is the number of steps of the run.
func (t *Trainer) Steps() int { return len(t.steps) }

// Done is the number of steps behind.
func (t *Trainer) Done() int { return t.next }

// EpochsDone is the number of epochs whose last step is behind.
func (t *Trainer) EpochsDone() int {
	n := 0
	for _, s := range t.steps[:t.next] {
		if s.last {
			n++
		}
	}
	return n
}

// EpochEnd is the number of steps to the end of an epoch, counted from 1: all steps
// where there are fewer epochs.
func (t *Trainer) EpochEnd(epoch int) int {
	for i, s := range t.steps {
		if s.last {
			if epoch--; epoch == 0 {
				return i + 1
			}
		}
	}
	return len(t.steps)
}

// Tokens is the number of tokens that the steps [from, to) put through the
// base.
func (t *Trainer) Tokens(from, to int) int {
	n := 0
	for _, s := range t.steps[from:to] {
		n += s.tokens
	}
	return n
}

// Bytes is the memory planned: weights of the adapter, gradients, moments and
// activations.
func (t *Trainer) Bytes() int64 {
	return int64(t.arena.Size()) + t.m.Need(t.session.Limits())
}

// Parameters is the number of weights in training: an adapter's, or the base's.
func (t *Trainer) Parameters() int {
	if t.adapter != nil {
		return t.adapter.Parameters()
	}
	n := 0
	for _, p := range t.params {
		n += len(p.W)
	}
	return n
}

// Kept is the number of layers whose activations are kept and not computed
// again.
func (t *Trainer) Kept() int { return t.session.Limits().Kept }

// Adapter is the adapter in training, nil where weights are. It changes with
// each step.
func (t *Trainer) Adapter() *lora.Adapter { return t.adapter }

// Model is the base, or where its weights are trained the view of it that has
// them, which changes with each step and ends with Close.
func (t *Trainer) Model() *model.Model { return t.m }

// Params are the weights in training; none where an adapter is.
func (t *Trainer) Params() []*model.Param { return t.params }

// Step does the next step; at the end of the run it does nothing and ok is
// false. Where ctx ends, the step is given up, the state is that before it and
// the error is ctx's.
func (t *Trainer) Step(ctx context.Context) (info Info, ok bool, err error) {
	if t.next == len(t.steps) {
		return Info{}, false, nil
	}
	s := &t.steps[t.next]
	info = Info{Step: t.next + 1, Steps: len(t.steps), Epoch: s.epoch + 1, Last: s.last, Tokens: s.tokens,
		Rate: t.opt.RateAt(t.next, len(t.steps))}
	var sum float64
	lo := 0
	for micro, hi := range s.micro {
		if err := ctx.Err(); err != nil {
			t.optim.Clear()
			return info, false, err
		}
		loss, err := t.batch(s.examples[lo:hi], float32(1/float64(s.scored)), uint64(t.next)<<20|uint64(micro))
		if err != nil {
			t.optim.Clear()
			return info, false, fmt.Errorf("step %d: %w", info.Step, err)
		}
		sum += loss
		lo = hi
	}
	info.Loss = sum / float64(s.scored)
	info.Norm = t.optim.Norm()
	if !finite(info.Loss) || !finite(info.Norm) {
		t.optim.Clear()
		return info, false, &NotFiniteError{Step: info.Step, Rate: info.Rate}
	}
	t.optim.Step(info.Rate, ClipScale(info.Norm, t.opt.Clip))
	t.next++
	return info, true, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// batch accumulates the gradients of some examples and returns their summed
// loss in nats.
func (t *Trainer) batch(examples []*Example, scale float32, key uint64) (float64, error) {
	t.rows = t.rows[:0]
	n := 0
	for _, x := range examples {
		t.rows = append(t.rows, model.Row{Tokens: x.Tokens, Adapters: t.use})
		last := len(x.Tokens) - 1
		for i := range x.Tokens {
			t.targets[n+i], t.scale[n+i], t.nll[n+i] = -1, 0, 0
			if i < last && (x.Loss == nil || x.Loss[i+1]) {
				t.targets[n+i], t.scale[n+i] = x.Tokens[i+1], scale
			}
		}
		n += len(x.Tokens)
	}
	t.session.SetDropout(t.opt.Seed ^ key*0x9e3779b97f4a7c15)
	if err := t.session.Forward(t.rows); err != nil {
		return 0, err
	}
	if err := t.session.Loss(t.nll, t.targets, t.scale, true); err != nil {
		return 0, err
	}
	if err := t.session.Backward(); err != nil {
		return 0, err
	}
	var sum float64
	for _, l := range t.nll[:n] {
		sum += float64(l)
	}
	return sum, nil
}
