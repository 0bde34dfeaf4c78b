package op

import "github.com/getstroke/stroke/internal/kernel"

// Arithmetic names how the products with base weights are computed. In each of
// them the bits of a row depend on the row alone.
type Arithmetic string

// The arithmetics. bf16 is meant for kernels that multiply it in hardware; others
// compute it slowly, with the bits of matrix tiles. int8 and int16 are for inference alone.
const (
	F32   Arithmetic = "f32"   // exact: float32 throughout
	BF16  Arithmetic = "bf16"  // operands of products narrowed to bfloat16, sums in float32, see Exec.UseBF16
	Int8  Arithmetic = "int8"  // inputs of base weights in blocks of 8-bit integers, see Exec.UseIntegers
	Int16 Arithmetic = "int16" // the same, of 16-bit integers
)

// Arithmetics are all of them.
var Arithmetics = []Arithmetic{F32, BF16, Int8, Int16}

// Trains says whether there is a backward pass.
func (a Arithmetic) Trains() bool { return a == F32 || a == BF16 }

// integers are those of an arithmetic, where it has any.
func (a Arithmetic) integers() (s kernel.Integers, ok bool) {
	switch a {
	case Int8:
		return kernel.Int8, true
	case Int16:
		return kernel.Int16, true
	}
	return 0, false
}
