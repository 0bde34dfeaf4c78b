package tensor

import "math"

// Half rounds v to binary16, to nearest and to even between two that are equally
// near, and gives its bits and the value that they stand for. What is too large
// becomes infinite; v is no NaN.
func Half(v float32) (bits uint16, rounded float32) {
	bits = half(math.Float32bits(v))
	exp, frac := uint32(bits>>10&31), uint32(bits&0x3ff)
	switch exp {
	case 0:
		rounded = float32(frac) * (1.0 / (1 << 24))
	case 31:
		rounded = float32(math.Inf(1))
	default:
		rounded = math.Float32frombits((exp+112)<<23 | frac<<13)
	}
	if bits&0x8000 != 0 {
		rounded = -rounded
	}
	return bits, rounded
}
