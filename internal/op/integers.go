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
	q.packed[q.size] = tensor.Bytes(alloc((q.size.Len(tokens, roundUp(features, 32)) + 3) / 4))
}

// packTask rounds rows of x.
type packTask struct {
	q           *integers
	x           []float32
	n, in, rows int
}

// packIntegers rounds x [n, in].
func (e *Exec) packIntegers(x []float32, n, in int) {
	t := &e.pack
	*t = packTask{q: &e.rounded, x: x, n: n, in: in, rows: rowChunk(n, 64)}
	run(ceilDiv(n, t.rows), t)
}

// Do runs task i.
func (t *packTask) Do(i, worker int) {
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
