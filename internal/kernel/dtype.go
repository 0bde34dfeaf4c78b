package kernel

import "fmt"

// DType names how numbers are stored. The quantized types are those of ggml:
// blocks of weights that share scales.
type DType uint8

// The storage types, with the bytes of one block.
const (
	F32  DType = iota // IEEE binary32
	F16               // IEEE binary16
	BF16              // the upper half of a binary32
	Q4_0              // 32 weights in 18 bytes: d f16, 16 bytes of nibbles; (q-8)*d
	Q4_1              // 32 weights in 20 bytes: d, m f16, nibbles; q*d+m
	Q5_0              // 32 weights in 22 bytes: d f16, 32 fifth bits, nibbles; (q-16)*d
	Q5_1              // 32 weights in 24 bytes: d, m f16, 32 fifth bits, nibbles; q*d+m
	Q8_0              // 32 weights in 34 bytes: d f16, 32 int8; q*d
	Q4_K              // 256 weights in 144 bytes: d, dmin f16, 8 six-bit scales and minima, nibbles
	Q5_K              // 256 weights in 176 bytes: as Q4_K, with fifth bits
	Q6_K              // 256 weights in 210 bytes: six-bit weights, 16 int8 scales, d f16

	numDTypes

	// I8 is a byte with a sign, whose scale lies elsewhere: a file can have it, and no
	// kernel knows it.
	I8 = numDTypes
)

var dtypes = [numDTypes + 1]struct {
	name         string
	elems, bytes int
}{
	F32: {"F32", 1, 4}, F16: {"F16", 1, 2}, BF16: {"BF16", 1, 2},
	Q4_0: {"Q4_0", 32, 18}, Q4_1: {"Q4_1", 32, 20},
	Q5_0: {"Q5_0", 32, 22}, Q5_1: {"Q5_1", 32, 24}, Q8_0: {"Q8_0", 32, 34},
	Q4_K: {"Q4_K", 256, 144}, Q5_K: {"Q5_K", 256, 176}, Q6_K: {"Q6_K", 256, 210},
	I8: {"I8", 1, 1},
}

// String is the name the formats use, such as Q4_1.
func (t DType) String() string {
	if int(t) >= len(dtypes) {
		return fmt.Sprintf("DType(%d)", uint8(t))
	}
	return dtypes[t].name
}

// Block says how many elements share one block and how many bytes it takes.
func (t DType) Block() (elems, bytes int) {
	return dtypes[t].elems, dtypes[t].bytes
}

// RowBytes is the size of a row of n elements. It panics where n is not a whole
// number of blocks.
func (t DType) RowBytes(n int) int {
	d := &dtypes[t]
	if n < 0 || n%d.elems != 0 {
		panic(fmt.Sprintf("kernel: a row of %d elements is no whole number of %s blocks of %d", n, t, d.elems))
	}
	return n / d.elems * d.bytes
}
