package op

import (
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

// integers are what inputs of linears are rounded to, in an arithmetic of
// integers.
type integers struct {
	on     bool
	size   kernel.Integers
	packed [2][]byte // by size, where there is memory
	laid   [2][]byte // for few rows, where the kernel reads them otherwise
}

// rows are the packed rows of in features from row lo on.
func (q *integers) rows(lo, in int) []byte { return q.packed[q.size][q.size.Len(lo, in):] }

// UseIntegers makes products with quantized base weights those of Int8 or Int16
// (kernel.Integers.Mul), from here on: their inputs, of which there are at most
// tokens rows of features each, are rounded in blocks of 32. Weights of types
// without such products, low-rank pairs and attention stay in float32. There is no
// backward pass.
func (e *Exec) UseIntegers(a Arithmetic, tokens, features int, alloc func(n int) []float32) {
	q := &e.rounded
	q.size, q.on = a.integers()
	features = roundUp(features, 32)
	q.packed[q.size] = tensor.Bytes(alloc((q.size.Len(tokens, features) + 3) / 4))
	if n := q.size.LaidLen(min(tokens, fewInputs), features); n > 0 {
		q.laid[q.size] = tensor.Bytes(alloc(n / 4))
	}
}

// packTask rounds rows of x, some rows a task, or where they are few but more than a
// handful some blocks of all of them, which are laid out too.
type packTask struct {
	q            *integers
	x            []float32
	n, in, rows  int
	blocks, part int // of a row, and of a task; 0 for whole rows
}

// packIntegers rounds x [n, in].
func (e *Exec) packIntegers(x []float32, n, in int) {
	t := &e.pack
	*t = packTask{q: &e.rounded, x: x, n: n, in: in, rows: rowChunk(n, 64)}
	if n > smallBatch && n <= fewInputs {
		t.blocks = in / 32
		t.part = ceilDiv(t.blocks, kernel.Workers())
		run(ceilDiv(t.blocks, t.part), t)
		return
	}
	run(ceilDiv(n, t.rows), t)
}

// Do runs task i.
func (t *packTask) Do(i, worker int) {
	if t.part > 0 {
		b0, b1 := i*t.part, min((i+1)*t.part, t.blocks)
		for r := range t.n {
			t.q.size.Pack(t.q.rows(r, t.in)[t.q.size.Len(1, 32*b0):], t.x[r*t.in+32*b0:], t.in, 1, 32*(b1-b0))
		}
		t.q.size.Lay(t.q.laid[t.q.size], t.q.rows(0, t.in), t.n, t.in, b0, b1)
		return
	}
	lo, hi := i*t.rows, min((i+1)*t.rows, t.n)
	t.q.size.Pack(t.q.rows(lo, t.in), t.x[lo*t.in:], t.in, hi-lo, t.in)
}

// any says whether x is to be rounded for any of the linears.
func (q *integers) any(lins []Linear, in int) bool {
	if !q.on || in%32 != 0 {
		return false
	}
	for i := range lins {
		if q.size.Has(lins[i].W.DType) {
			return true
		}
	}
	return false
}
