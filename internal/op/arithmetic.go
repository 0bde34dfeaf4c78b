package op

// Arithmetic names how the products with base weights are computed. In each of
// them the bits of a row depend on the row alone.
type Arithmetic string

// The arithmetics. bf16 is meant for kernels with matrix tiles; others compute it
// with the same bits, slowly. int8 is for inference alone.
const (
	F32  Arithmetic = "f32"  // exact: float32 throughout
	BF16 Arithmetic = "bf16" // operands of all products narrowed to bfloat16, sums in float32
	Int8 Arithmetic = "int8" // inputs of base weights in blocks of 8-bit integers, see Exec.UseInt8
)
