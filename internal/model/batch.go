package model

import (
	"fmt"
	"slices"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// PageLen is the number of positions in a page of keys and values.
const PageLen = 64

// Page holds keys and values of PageLen positions for every layer:
// [Layers, 2, KVHeads, PageLen, HeadSize]. Where Limits.KV is not F32 it is
// memory for packed rows of that type.
type Page = []float32

// PageFloats is the size of a Page of this model in F32.
func (c *Config) PageFloats() int { return c.PageSize(tensor.F32) }

// PageSize is the size, in float32s, of a Page whose keys and values are of type
// kv. It panics where [Config.CheckKV] has an error.
func (c *Config) PageSize(kv tensor.DType) int {
	return c.Layers * 2 * c.KVHeads * PageLen * kv.RowBytes(c.HeadSize) / 4
}

// CheckKV says why keys and values cannot be kept in the type kv.
func (c *Config) CheckKV(kv tensor.DType) error {
	if kv != tensor.F32 && kv != tensor.F16 && kv != tensor.Q8_0 {
		return fmt.Errorf("keys and values cannot be kept in %s: F32, F16 and Q8_0 are possible", kv)
	}
	if block, _ := kv.Block(); c.HeadSize%block != 0 {
		return fmt.Errorf("keys and values of heads of %d features cannot be kept in %s, in blocks of %d", c.HeadSize, kv, block)
	}
	return nil
}

// CopyPage copies the first n positions of src to dst, pages whose keys and
// values are of type kv. Later positions of dst stay as they are.
func (c *Config) CopyPage(dst, src Page, n int, kv tensor.DType) {
	row := kv.RowBytes(c.HeadSize)
	to, from := tensor.Bytes(dst), tensor.Bytes(src)
	for at := 0; at < 4*c.PageSize(kv); at += PageLen * row {
		copy(to[at:at+n*row], from[at:])
	}
}

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
	// adapter out; one that is not finite is an error.
	Adapters []lora.Applied
}

// Limits is what a Session has room for.
type Limits struct {
	Tokens  int // in all rows of a batch
	Rows    int // rows of a batch
	Context int // positions of a row, those in its pages included
	Pad     int // sum of the padded ranks of the adapters of a row
	// KV is the type of keys and values in pages: F32, F16 or Q8_0. In the last two
	// attention reads numbers that were rounded when their token was computed: bits
	// still depend on the row alone, but are others than in F32.
	KV tensor.DType
	// Training keeps what the backward pass needs. Kept is the number of layers
	// whose activations are kept; those of the other layers are computed again
	// in the backward pass.
	Training bool
	Kept     int
	Longest  int     // training: tokens of the longest row
	Dropout  float32 // training: probability that a feature of a pair's input is dropped
	// Arithmetic is that of the products of base weights; empty for op.F32. Other is
	// one more that Session.Use can change to; empty for none.
	Arithmetic, Other op.Arithmetic
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
			if a.Strength-a.Strength != 0 {
				return 0, fmt.Errorf("row %d of the batch has an adapter of strength %g", i, a.Strength)
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
// neighbouring rows that use the same adapters. h and dh are memory for the
// low-rank inputs and their gradients; dh is nil where there is no backward pass.
func deltas(d []op.Delta, rows []Row, layer int, m lora.Module, h, dh []float32, drop *op.Dropout) []op.Delta {
	d = d[:0]
	used := 0
	for i, lo := 0, 0; i < len(rows); {
		first, hi := &rows[i], lo
		for i < len(rows) && slices.Equal(rows[i].Adapters, first.Adapters) {
			hi += len(rows[i].Tokens)
			i++
		}
		for _, a := range first.Adapters {
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
