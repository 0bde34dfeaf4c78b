package model

import (
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
)

// PageLen is the number of positions in a page of keys and values.
const PageLen = 64

// Page holds keys and values of PageLen positions for every layer:
// [Layers, 2, PageLen, KVHeads·HeadSize].
type Page = []float32

// PageFloats is the size of a Page of this model.
func (c *Config) PageFloats() int { return c.Layers * 2 * PageLen * c.KVHeads * c.HeadSize }

// Row is one sequence's part of a ragged batch.
type Row struct {
	Tokens []int32
	// Start is the position of the first token: how many positions of Pages are
	// already filled. It is 0 for a row without pages.
	Start int
	// Pages hold the row's keys and values, enough of them for Start+len(Tokens)
	// positions; the pass writes those of its tokens. A row without pages
	// attends to its own tokens alone.
	Pages []Page
	// Adapters are added to the base in their order. A strength of 0 leaves an
	// adapter out.
	Adapters []lora.Applied
}

// Limits is what a Session has room for.
type Limits struct {
	Tokens  int // in all rows of a batch
	Rows    int // rows of a batch
	Context int // positions of a row, those in its pages included
	Pad     int // sum of the padded ranks of the adapters of a row
	// Training keeps what the backward pass needs. Kept is the number of layers
	// whose activations are kept; those of the other layers are computed again
	// in the backward pass.
	Training bool
	Kept     int
	Longest  int     // training: tokens of the longest row
	Dropout  float32 // training: probability that a feature of a pair's input is dropped
	// BF16 computes the products of base weights with bfloat16 operands.
	BF16 bool
}

func (m *Model) check(rows []Row, lim *Limits) (int, error) {
	if len(rows) > lim.Rows {
		return 0, fmt.Errorf("a batch of %d rows where there is room for %d", len(rows), lim.Rows)
	}
	n := 0
	for i := range rows {
		r := &rows[i]
		if len(r.Tokens) == 0 {
			return 0, fmt.Errorf("row %d of the batch has no tokens", i)
		}
		end := r.Start + len(r.Tokens)
		if r.Start < 0 || end > lim.Context {
			return 0, fmt.Errorf("row %d of the batch ends at position %d where there is room for %d", i, end, lim.Context)
		}
		if r.Pages == nil && r.Start != 0 {
			return 0, fmt.Errorf("row %d of the batch starts at position %d without pages", i, r.Start)
		}
		if r.Pages != nil && len(r.Pages)*PageLen < end {
			return 0, fmt.Errorf("row %d of the batch has %d pages for %d positions", i, len(r.Pages), end)
		}
		for _, t := range r.Tokens {
			if t < 0 || int(t) >= m.Vocab {
				return 0, fmt.Errorf("row %d of the batch has token %d of a vocabulary of %d", i, t, m.Vocab)
			}
		}
		pad := 0
		for _, a := range r.Adapters {
			if a.Strength == 0 {
				continue
			}
			if err := a.Adapter.Fits(m.Shape()); err != nil {
				return 0, err
			}
			pad += a.Adapter.Pad()
		}
		if pad > lim.Pad {
			return 0, fmt.Errorf("row %d of the batch has adapters of rank %d in all where there is room for %d", i, pad, lim.Pad)
		}
		n += len(r.Tokens)
	}
	if n > lim.Tokens {
		return 0, fmt.Errorf("a batch of %d tokens where there is room for %d", n, lim.Tokens)
	}
	return n, nil
}

// deltas fills d with what the adapters of rows do to one linear, merging
// neighbouring rows that use the same adapter. h and dh are memory for the
// low-rank inputs and their gradients; dh is nil where there is no backward pass.
func deltas(d []op.Delta, rows []Row, layer int, m lora.Module, h, dh []float32, drop *op.Dropout) []op.Delta {
	d = d[:0]
	used, lo := 0, 0
	for i := range rows {
		r := &rows[i]
		hi := lo + len(r.Tokens)
		if i > 0 && len(r.Adapters) == 1 && len(rows[i-1].Adapters) == 1 && r.Adapters[0] == rows[i-1].Adapters[0] {
			if p := r.Adapters[0].Adapter.Pairs[layer][m]; p != nil && r.Adapters[0].Strength != 0 {
				last := &d[len(d)-1]
				last.Hi = hi
				n := len(r.Tokens) * p.Pad
				last.H = last.H[:len(last.H)+n]
				if dh != nil {
					last.DH = last.DH[:len(last.DH)+n]
				}
				used += n
			}
			lo = hi
			continue
		}
		for _, a := range r.Adapters {
			p := a.Adapter.Pairs[layer][m]
			if p == nil || a.Strength == 0 {
				continue
			}
			n := (hi - lo) * p.Pad
			x := op.Delta{Lo: lo, Hi: hi, Pair: p, Strength: a.Strength, H: h[used : used+n]}
			if dh != nil {
				x.DH = dh[used : used+n]
			}
			if p.GradA != nil && drop != nil {
				x.Drop = drop
			}
			d = append(d, x)
			used += n
		}
		lo = hi
	}
	return d
}
