package lora

import (
	"fmt"
	"slices"

	"github.com/getstroke/stroke/internal/op"
)

// Applied is an adapter with the strength it is used at.
type Applied struct {
	Adapter  *Adapter
	Strength float32
}

// Join makes one adapter that does what the given ones do together: the rank of
// a pair is the sum of theirs, its scale 1, and their scales and strengths are
// folded into B. The result differs from the parts by rounding alone.
func Join(parts ...Applied) (*Adapter, error) {
	if len(parts) == 0 {
		return nil, fmt.Errorf("join adapters: none given")
	}
	layers := len(parts[0].Adapter.Pairs)
	out := &Adapter{Base: parts[0].Adapter.Base, Pairs: make([][Modules]*op.Pair, layers)}
	for _, p := range parts {
		if len(p.Adapter.Pairs) != layers {
			return nil, fmt.Errorf("join adapters: one has %d layers and another %d", layers, len(p.Adapter.Pairs))
		}
		out.Options.Rank += p.Adapter.Options.Rank
		for _, m := range p.Adapter.Options.Targets {
			if !slices.Contains(out.Options.Targets, m) {
				out.Options.Targets = append(out.Options.Targets, m)
			}
		}
	}
	slices.Sort(out.Options.Targets)
	out.Options.Alpha = float64(out.Options.Rank)
	for l := range layers {
		for _, m := range out.Options.Targets {
			// Adapters of PEFT may have another rank in each linear.
			rank := 0
			var first *op.Pair
			for _, part := range parts {
				p := part.Adapter.Pairs[l][m]
				if p == nil {
					continue
				}
				if first == nil {
					first = p
				}
				if p.In != first.In || p.Out != first.Out {
					return nil, fmt.Errorf("join adapters: %s of layer %d is [%d, %d] in one and [%d, %d] in another", m, l, first.Out, first.In, p.Out, p.In)
				}
				rank += p.Rank
			}
			if first == nil {
				continue
			}
			joined := op.NewPair(rank, first.In, first.Out, 1, heap)
			row := 0
			for _, part := range parts {
				p := part.Adapter.Pairs[l][m]
				if p == nil {
					continue
				}
				copy(joined.A[row*p.In:], p.A[:p.Rank*p.In])
				s := p.Scale * part.Strength
				for i, b := range p.B[:p.Rank*p.Out] {
					joined.B[row*p.Out+i] = s * b
				}
				row += p.Rank
			}
			out.Pairs[l][m] = joined
		}
	}
	return out, nil
}
