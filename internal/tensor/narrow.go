package tensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrRange is returned by [Narrow] where a value has no finite counterpart in
// the narrower format.
var ErrRange = errors.New("value out of range")

// Narrow overwrites dst with src in the format t: F32, F16 or BF16, little
// endian, rounded to the nearest value and to the even one of two that are
// equally near. dst holds exactly len(src) values of t; anything else, and any
// other format, is a panic. A NaN, an infinity, or a value that would round to
// infinity is an error that wraps [ErrRange] and names its place; dst is then
// partly written.
func Narrow(dst []byte, src []float32, t DType) error {
	if t != F32 && t != F16 && t != BF16 {
		panic("tensor: narrow to " + t.String())
	}
	if len(dst) != t.RowBytes(len(src)) {
		panic(fmt.Sprintf("tensor: narrow %d values to %s in %d bytes", len(src), t, len(dst)))
	}
	for i, v := range src {
		b := math.Float32bits(v)
		ok := b&0x7f800000 != 0x7f800000
		switch t {
		case F32:
			binary.LittleEndian.PutUint32(dst[4*i:], b)
		case F16:
			h := half(b)
			ok = ok && h&0x7c00 != 0x7c00
			binary.LittleEndian.PutUint16(dst[2*i:], h)
		case BF16:
			h := uint16((b + 0x7fff + b>>16&1) >> 16)
			ok = ok && h&0x7f80 != 0x7f80
			binary.LittleEndian.PutUint16(dst[2*i:], h)
		}
		if !ok {
			return fmt.Errorf("%v at index %d as %s: %w", v, i, t, ErrRange)
		}
	}
	return nil
}

// half rounds the float32 with the bits b, finite, to the bits of a float16:
// 1 sign, 5 exponent (bias 15), 10 fraction. Magnitudes from 65520 on become
// infinity, those up to 2⁻²⁵ zero.
func half(b uint32) uint16 {
	sign := uint16(b >> 16 & 0x8000)
	mag := b & 0x7fffffff
	switch {
	case mag >= 0x477ff000: // 65520, halfway between the largest float16 and what would follow
		return sign | 0x7c00
	case mag >= 0x38800000: // 2⁻¹⁴, the least normal float16
		// A carry out of the fraction moves the exponent up, as it should.
		mag += 0xfff + mag>>13&1
		return sign | uint16((mag-0x38000000)>>13)
	case mag > 0x33000000: // 2⁻²⁵, half the least subnormal
		shift := 126 - mag>>23 // the fraction, with its leading one, counts 2⁻²⁴ after this shift
		frac := mag&0x7fffff | 0x800000
		half := uint32(1) << (shift - 1)
		return sign | uint16((frac+half-1+frac>>shift&1)>>shift)
	}
	return sign
}
