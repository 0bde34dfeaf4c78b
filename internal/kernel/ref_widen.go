package kernel

import (
	"encoding/binary"
	"math"
)

// f16 widens a binary16.
func f16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&31, uint32(h&0x3ff)
	switch exp {
	case 31: // infinite or NaN; a NaN becomes quiet, as hardware does
		if frac != 0 {
			frac |= 0x200
		}
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case 0:
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// toF16 rounds to binary16, to nearest, ties to even.
func toF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN: keep the top of its payload, quiet
		return sign | 0x7e00 | uint16(b>>13)&0x3ff
	case b >= 0x477ff000: // 65520 and up round to infinity
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: subnormal, in units of 2^-24
		// Adding 0.5 puts the unit at the last bit of the fraction, and the
		// hardware's rounding does the rest.
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	b += 0xfff + b>>13&1
	return sign | uint16((b-0x38000000)>>13)
}

func loadF16(b []byte) float32 { return f16(binary.LittleEndian.Uint16(b)) }

func narrowF16(dst []byte, src []float32) {
	for i, f := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], toF16(f))
	}
}

func widenF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func widenF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = loadF16(src[2*i:])
	}
}

func widenBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// In the quantized types every product of scales and weights is exact in
// float32, so that only the one addition rounds and a fused multiply-add gives
// the same bits.

func widenQ4_0(dst []float32, src []byte) {
	for len(dst) >= 32 {
		d, q, y := loadF16(src), src[2:18], dst[:32]
		for i, b := range q {
			y[i] = float32(int32(b&15)-8) * d
			y[i+16] = float32(int32(b>>4)-8) * d
		}
		dst, src = dst[32:], src[18:]
	}
}

func widenQ4_1(dst []float32, src []byte) {
	for len(dst) >= 32 {
		d, m, q, y := loadF16(src), loadF16(src[2:]), src[4:20], dst[:32]
		for i, b := range q {
			y[i] = float32(b&15)*d + m
			y[i+16] = float32(b>>4)*d + m
		}
		dst, src = dst[32:], src[20:]
	}
}

func widenQ5_0(dst []float32, src []byte) {
	for len(dst) >= 32 {
		d, h, q, y := loadF16(src), binary.LittleEndian.Uint32(src[2:]), src[6:22], dst[:32]
		for i, b := range q {
			y[i] = float32(int32(b&15)|int32(h>>i&1<<4)-16) * d
			y[i+16] = float32(int32(b>>4)|int32(h>>(i+16)&1<<4)-16) * d
		}
		dst, src = dst[32:], src[22:]
	}
}

func widenQ5_1(dst []float32, src []byte) {
	for len(dst) >= 32 {
		d, m := loadF16(src), loadF16(src[2:])
		h, q, y := binary.LittleEndian.Uint32(src[4:]), src[8:24], dst[:32]
		for i, b := range q {
			y[i] = float32(int32(b&15)|int32(h>>i&1<<4))*d + m
			y[i+16] = float32(int32(b>>4)|int32(h>>(i+16)&1<<4))*d + m
		}
		dst, src = dst[32:], src[24:]
	}
}

func widenQ8_0(dst []float32, src []byte) {
	for len(dst) >= 32 {
		d, q, y := loadF16(src), src[2:34], dst[:32]
		for i, b := range q {
			y[i] = float32(int8(b)) * d
		}
		dst, src = dst[32:], src[34:]
	}
}

// scaleMin takes the six-bit scale and minimum of sub-block j (of 8) out of the
// 12 bytes that a Q4_K or Q5_K block packs them in.
func scaleMin(s []byte, j int) (scale, min float32) {
	s = s[:12]
	if j < 4 {
		return float32(s[j] & 63), float32(s[j+4] & 63)
	}
	return float32(s[j+4]&15 | s[j-4]>>6<<4), float32(s[j+4]>>4 | s[j]>>6<<4)
}

func widenQ4_K(dst []float32, src []byte) {
	for len(dst) >= 256 {
		d, dmin, scales, q := loadF16(src), loadF16(src[2:]), src[4:16], src[16:144]
		for j := range 4 {
			s1, m1 := scaleMin(scales, 2*j)
			s2, m2 := scaleMin(scales, 2*j+1)
			s1, m1, s2, m2 = s1*d, m1*dmin, s2*d, m2*dmin
			y := dst[64*j : 64*j+64]
			for i, b := range q[32*j : 32*j+32] {
				y[i] = s1*float32(b&15) - m1
				y[i+32] = s2*float32(b>>4) - m2
			}
		}
		dst, src = dst[256:], src[144:]
	}
}

func widenQ5_K(dst []float32, src []byte) {
	for len(dst) >= 256 {
		d, dmin, scales := loadF16(src), loadF16(src[2:]), src[4:16]
		h, q := src[16:48], src[48:176]
		for j := range 4 {
			s1, m1 := scaleMin(scales, 2*j)
			s2, m2 := scaleMin(scales, 2*j+1)
			s1, m1, s2, m2 = s1*d, m1*dmin, s2*d, m2*dmin
			y := dst[64*j : 64*j+64]
			for i, b := range q[32*j : 32*j+32] {
				y[i] = s1*float32(b&15|h[i]>>(2*j)&1<<4) - m1
				y[i+32] = s2*float32(b>>4|h[i]>>(2*j+1)&1<<4) - m2
			}
		}
		dst, src = dst[256:], src[176:]
	}
}

func widenQ6_K(dst []float32, src []byte) {
	for len(dst) >= 256 {
		d := loadF16(src[208:])
		for half := range 2 {
			q, h, s := src[64*half:64*half+64], src[128+32*half:160+32*half], src[192+8*half:200+8*half]
			y := dst[128*half : 128*half+128]
			for i, b := range h {
				g := i / 16
				lo, hi := q[i], q[i+32]
				y[i] = d * float32(int8(s[g])) * float32(int32(lo&15|b&3<<4)-32)
				y[i+32] = d * float32(int8(s[g+2])) * float32(int32(hi&15|b>>2&3<<4)-32)
				y[i+64] = d * float32(int8(s[g+4])) * float32(int32(lo>>4|b>>4&3<<4)-32)
				y[i+96] = d * float32(int8(s[g+6])) * float32(int32(hi>>4|b>>6<<4)-32)
			}
		}
		dst, src = dst[256:], src[210:]
	}
}
