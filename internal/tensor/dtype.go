// Package tensor names what the engine's numbers lie in: the storage formats
// of a weight, a weight matrix as it lies in its file, and memory outside the
// Go heap for activations, gradients and caches. It holds no gradients and
// does no arithmetic beyond widening and narrowing.
package tensor

import "github.com/getstroke/stroke/internal/kernel"

// DType is a storage format of numbers; see [kernel.DType].
type DType = kernel.DType

// The storage formats, named as GGUF names them.
const (
	F32  = kernel.F32
	F16  = kernel.F16
	BF16 = kernel.BF16
	Q4_0 = kernel.Q4_0
	Q4_1 = kernel.Q4_1
	Q5_0 = kernel.Q5_0
	Q5_1 = kernel.Q5_1
	Q8_0 = kernel.Q8_0
	Q4_K = kernel.Q4_K
	Q5_K = kernel.Q5_K
	Q6_K = kernel.Q6_K
	I8   = kernel.I8
)
