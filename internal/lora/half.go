package lora

import (
	"sync"

	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// KeepHalf makes the factors in F16 of all pairs (op.Pair.KeepHalf), for an
// adapter that does not change any more. They lie beside each other, in large
// pages where the system has them, since all are read for each token.
func (a *Adapter) KeepHalf() {
	const line = 64 // bytes
	var made sync.WaitGroup
	a.Each(func(_ int, _ Module, p *op.Pair) { made.Go(p.KeepHalf) })
	made.Wait()
	size := func(b []byte) int { return (len(b) + line - 1) / line * line }
	n := 0
	a.Each(func(_ int, _ Module, p *op.Pair) { n += size(p.Half) + size(p.HalfB) })
	room := tensor.Large(n)
	a.Each(func(_ int, _ Module, p *op.Pair) {
		for _, b := range []*[]byte{&p.Half, &p.HalfB} {
			if *b == nil {
				continue
			}
			copy(room, *b)
			*b, room = room[:len(*b):len(*b)], room[size(*b):]
		}
	})
}
