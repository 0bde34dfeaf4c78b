package op

import (
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

// UseInt8 makes products with quantized base weights those of 8-bit integers
// (kernel.MulInt8), from here on: their inputs, of which there are at most tokens
// rows of features each, are rounded in blocks of 32. Weights of types that
// kernel.MulInt8 does not know, low-rank pairs and attention stay in float32.
// There is no backward pass.
func (e *Exec) UseInt8(tokens, features int, alloc func(n int) []float32) {
	features = roundUp(features, 32)
	e.int8 = tensor.Bytes(alloc((kernel.Int8Len(tokens, features) + 3) / 4))
	e.useInt8 = true
}

// packTask rounds rows of x to 8-bit integers.
type packTask struct {
	dst         []byte
	x           []float32
	n, in, rows int
}

// packInt8 rounds x [n, in] to dst.
func (e *Exec) packInt8(x []float32, n, in int) {
	t := &e.pack
	*t = packTask{dst: e.int8, x: x, n: n, in: in, rows: rowChunk(n, 64)}
	run(ceilDiv(n, t.rows), t)
}

// Do runs task i.
func (t *packTask) Do(i, worker int) {
	lo, hi := i*t.rows, min((i+1)*t.rows, t.n)
	kernel.PackInt8(t.dst[kernel.Int8Len(lo, t.in):], t.x[lo*t.in:], t.in, hi-lo, t.in)
}

// anyInt8 says whether x is to be rounded for any of the linears.
func (e *Exec) anyInt8(lins []Linear, in int) bool {
	if !e.useInt8 || in%32 != 0 {
		return false
	}
	for i := range lins {
		if kernel.HasInt8(lins[i].W.DType) {
			return true
		}
	}
	return false
}
