package twin

import (
	"cmp"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/op"
)

// serving sets the arithmetics in which what was learnt writes and its prompts are
// read: the fastest that are proven (docs/SPEED.md), and float32 where exact is
// asked for, or where weights of the base were trained, for which nothing but
// float32 is proven.
func (l *learnt) serving(o engine.Options, exact bool) engine.Options {
	if !exact && (l == nil || l.tuned == nil) {
		o.Arithmetic, o.Reading = engine.Fastest()
	}
	return o
}

// Arithmetics are those of the products of base weights: of what is written, and of
// prompts.
func (v *Voice) Arithmetics() (writing, reading string) {
	w := cmp.Or(v.options.Arithmetic, op.F32)
	return string(w), string(cmp.Or(v.options.Reading, w))
}
