package twin

import (
	"cmp"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
)

// serving sets the arithmetics in which what was learnt writes and its prompts are
// read, and how keys and values are kept: the fastest that are proven (docs/SPEED.md),
// and float32 where exact is asked for, or where weights of the base were trained, for
// which nothing but float32 is proven. What an adapter takes comes to the memory.
func (l *learnt) serving(o engine.Options, exact bool) engine.Options {
	if l != nil && l.adapter != nil {
		o.Adapters = engine.AdapterBytes(l.adapter)
		o.Memory += o.Adapters
	}
	if !exact && (l == nil || l.tuned == nil) {
		o.Arithmetic, o.Reading = engine.Fastest()
		o.KV = engine.FastestKV()
	}
	return o
}

// start starts an engine on the base, or on a view of it. For a context that the options
// name it takes more memory than they allow where one text of it needs that: some bases
// keep ten times as much of a token as others. Where the machine has memory to give, weights are laid out in the kernel's order beside what the options allow, and
// where the file is read too it is held in large pages. Nobody may use the base meanwhile.
func (b *baseModel) start(m *model.Model, o engine.Options) (*engine.Engine, error) {
	if o.Context > 0 {
		o.Memory = max(o.Memory, engine.Least(m, o))
	}
	n, free := engine.InOrder(m, o), freeMemory()
	if free > 4*n || free == 0 && n <= unknownFree {
		o.InOrder = true
		o.Memory += n
	}
	if n == 0 || !o.InOrder || o.Reading != o.Arithmetic || !m.AlwaysInterleaved() {
		if err := b.hold(); err != nil {
			return nil, err
		}
	}
	return engine.New(m, o)
}

// hold holds the base's file in large pages where there are some, unless it is held.
// Nobody may use the base meanwhile. A third of what is free goes to it, which is in the
// system's memory as well.
func (b *baseModel) hold() error {
	src := b.model.Source
	if src.Held() > 0 || freeMemory() <= 3*src.Size() {
		return nil
	}
	if err := src.Hold(); err != nil {
		return baseError(b.name, src.Path, err)
	}
	return nil
}

// unknownFree is how many bytes of weights are laid out where the system does not say
// what is free.
const unknownFree = 256 << 20

// Arithmetics are those of the products of base weights: of what is written, and of
// prompts.
func (v *Voice) Arithmetics() (writing, reading string) {
	w := cmp.Or(v.options.Arithmetic, op.F32)
	return string(w), string(cmp.Or(v.options.Reading, w))
}
