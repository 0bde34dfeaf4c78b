package engine

import (
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// laid are the weights of an engine that writes in 16-bit integers once more, in the
// order in which the kernel reads them: to lay them out takes as long as to check a file
// of them, so they are in no file.
type laid struct {
	m     *model.Model // a view that has them; the model itself where there are none
	arena *tensor.Arena
	bytes int64 // of the budget
}

// notLaid is a model without.
func notLaid(m *model.Model) *laid { return &laid{m: m} }

// InOrder is the memory, in bytes, that an engine with these options takes for the
// weights in the kernel's order, where there is so much more than it needs; 0 where
// that is not faster.
func InOrder(m *model.Model, o Options) int64 {
	if o.writing() != op.Int16 {
		return 0
	}
	return 4 * int64(m.InterleavedFloats())
}

// roomInOrder is InOrder where the budget has so much more than takes the options that
// it was fitted to, else 0.
func (o Options) roomInOrder(m *model.Model, b *Budget, fitted *Options) int64 {
	n := InOrder(m, *fitted)
	if n == 0 || !o.InOrder {
		return 0
	}
	with, err := o.fit(m, b, n)
	if err != nil || with.Context != fitted.Context || with.Batch != fitted.Batch {
		return 0
	}
	return n
}

// interleave lays the weights out in n bytes of the budget; 0 is for not at all. The
// error is that of a model file that has become unreadable.
func interleave(m *model.Model, o *Options, b *Budget, n int64) (*laid, error) {
	none := notLaid(m)
	if n == 0 || b.Reserve("the weights in the kernel's order", n) != nil {
		return none, nil
	}
	arena, err := tensor.NewArena(int(n))
	if err != nil { // the file serves, only slower
		b.Release(n)
		return none, nil
	}
	l := &laid{arena: arena, bytes: n}
	forget := !o.two() && m.AlwaysInterleaved() // nothing else reads the file
	if l.m, err = m.Interleaved(arena.Floats, forget); err != nil {
		l.release(b)
		return nil, err
	}
	return l, nil
}

// release gives the memory back.
func (l *laid) release(b *Budget) error {
	if l.arena == nil {
		return nil
	}
	b.Release(l.bytes)
	return l.arena.Close()
}
