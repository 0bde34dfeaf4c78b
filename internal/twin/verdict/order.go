package verdict

import "github.com/getstroke/stroke/internal/eval"

// Order is whether the sentences of what was trained on stand in an order.
type Order struct {
	Stretches int     `json:"stretches"`
	Mean      float64 `json:"mean"` // nats that the bare base finds a stretch likelier as it is written than dealt anew
	P         float64 `json:"p"`    // one-sided, of "in no order", by dealing what is written among what is dealt
}

const (
	// OrderAlpha is the chance of text without any order to pass for ordered.
	OrderAlpha = 0.05
	// fewStretches is how many are enough to tell by: of fewer a text in order may not
	// show it.
	fewStretches = 6
	// orderSeed is one for all runs, so that nobody chooses by it.
	orderSeed = 1
)

// Ordered tells by stretches of a text, of each by what it costs the bare base in nats:
// first as it is written, then with its sentences dealt anew. It is nil where
// there are too few.
func Ordered(nats [][]float64) *Order {
	if len(nats) < fewStretches {
		return nil
	}
	o := &Order{Stretches: len(nats)}
	blocks := make([][]float64, len(nats))
	least := 1.0 // that the p-value could be
	for i, x := range nats {
		others := 0.0
		for _, n := range x {
			blocks[i] = append(blocks[i], -n)
		}
		for _, n := range x[1:] {
			others += n / float64(len(x)-1)
		}
		o.Mean += (others - x[0]) / float64(len(nats))
		least /= float64(len(x))
	}
	if least > OrderAlpha {
		return nil
	}
	o.P = eval.PermuteBlocks(blocks, rounds, orderSeed)
	return o
}

// Pass says whether the order lets a version through.
func (o *Order) Pass() bool { return o == nil || o.P <= OrderAlpha }
