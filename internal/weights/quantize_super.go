package weights

import (
	"github.com/getstroke/stroke/internal/tensor"
)

// The formats below have super-blocks of 256 values, whose sub-blocks have scales
// that are whole numbers themselves. The scales are found in turns: each
// sub-block's own for given super-scales, then the super-scales for given codes.

// superRounds is how many turns there are; more gain less than a thousandth.
const superRounds = 3

// superQ6 is a super-block of Q6_K: (q-32)·scale·d, 16 values to a scale.
type superQ6 struct {
	d     float32
	scale [16]float32
}

// loss is the squared error; with refit, d becomes the best for the codes.
func (s *superQ6) loss(x []float32, refit bool) float32 {
	sum, qx, qq := float32(0), float32(0), float32(0)
	for j := range s.scale {
		step := s.d * s.scale[j]
		id := inverse(step)
		for _, v := range x[16*j : 16*j+16] {
			q := code(float32(v*id), -32, 31)
			e := v - float32(step*q)
			sum += float32(e * e)
			u := float32(q * s.scale[j])
			qx += float32(u * v)
			qq += float32(u * u)
		}
	}
	if refit && qq > 0 {
		s.d = qx / qq
	}
	return sum
}

// choose gives each sub-block the whole scale with which its error is least, among
// those around want.
func (s *superQ6) choose(x []float32, want *[16]float32) {
	id := inverse(s.d)
	for j := range s.scale {
		part := x[16*j : 16*j+16]
		mid := code(float32(want[j]*id), -127, 127)
		best, least := mid, blockLoss(part, float32(s.d*mid), 0, -32, 31)
		for _, c := range [2]float32{mid - 1, mid + 1} {
			if c < -128 || c > 127 {
				continue
			}
			if l := blockLoss(part, float32(s.d*c), 0, -32, 31); l < least {
				best, least = c, l
			}
		}
		s.scale[j] = best
	}
}

// quantizeQ6_K writes the lower four bits of 256 codes, their upper two, 16 scales
// of int8 and d f16.
func quantizeQ6_K(dst []byte, x []float32) bool {
	clear(dst)
	var want [16]float32
	top := float32(0)
	for j := range want {
		want[j] = fitSigned(x[16*j:16*j+16], -32, 31)
		if v := want[j]; v > top || -v > top {
			top = max(v, -v)
		}
	}
	if tooLarge(top / 127) {
		return false
	}
	var best superQ6
	least := float32(-1)
	s := superQ6{d: top / 127}
	for range superRounds {
		_, s.d = tensor.Half(s.d)
		s.choose(x, &want)
		now := s
		if l := s.loss(x, true); least < 0 || l < least {
			best, least = now, l
		}
	}
	d := putHalf(dst[208:], best.d)
	for j, c := range best.scale {
		dst[192+j] = byte(int8(c))
		id := inverse(d * c)
		for i, v := range x[16*j : 16*j+16] {
			// Value k of a half of 128: the byte k mod 64, its lower half for the first 64.
			q := byte(int32(code(float32(v*id), -32, 31)) + 32)
			half, k := j/8, 16*(j%8)+i
			dst[64*half+k%64] |= q & 15 << (k / 64 * 4)
			dst[128+32*half+k%32] |= q >> 4 << (k / 32 * 2)
		}
	}
	return finite(d)
}

// superQ4 is a super-block of Q4_K: q·scale·d - low·dmin, 32 values to a scale.
type superQ4 struct {
	d, dmin    float32
	scale, low [8]float32
}

// loss is the squared error; with refit, d and dmin become the best for the codes.
func (s *superQ4) loss(x []float32, refit bool) float32 {
	// x ≈ d·a - dmin·b with a = scale·q and b = low.
	sum := float32(0)
	var aa, ab, bb, ax, bx float64
	for j := range s.scale {
		step, m := s.d*s.scale[j], s.dmin*s.low[j]
		id := inverse(step)
		q1, qq, qx, x1 := float32(0), float32(0), float32(0), float32(0)
		for _, v := range x[32*j : 32*j+32] {
			q := code(float32((v+m)*id), 0, 15)
			e := v + m - float32(step*q)
			sum += float32(e * e)
			q1 += q
			qq += float32(q * q)
			qx += float32(q * v)
			x1 += v
		}
		a, b := float64(s.scale[j]), float64(s.low[j])
		aa += float64(a * a * float64(qq))
		ab -= float64(a * b * float64(q1))
		bb += 32 * b * b // whole numbers, exact
		ax += float64(a * float64(qx))
		bx -= float64(b * float64(x1))
	}
	if !refit {
		return sum
	}
	switch det := float64(aa*bb) - float64(ab*ab); {
	case bb == 0 && aa > 0:
		s.d = float32(ax / aa)
	case det > 0:
		d, dmin := (float64(ax*bb)-float64(bx*ab))/det, (float64(bx*aa)-float64(ax*ab))/det
		if d > 0 && dmin >= 0 {
			s.d, s.dmin = float32(d), float32(dmin)
		}
	}
	return sum
}

// choose gives each sub-block the whole scale and minimum with which its error is
// least, among those around the wanted.
func (s *superQ4) choose(x []float32, scale, low *[8]float32) {
	id, idmin := inverse(s.d), inverse(s.dmin)
	for j := range s.scale {
		part := x[32*j : 32*j+32]
		mid, under := code(float32(scale[j]*id), 0, 63), code(float32(low[j]*idmin), 0, 63)
		least := float32(-1)
		for a := max(mid-1, 0); a <= min(mid+1, 63); a++ {
			for b := max(under-1, 0); b <= min(under+1, 63); b++ {
				if l := blockLoss(part, float32(s.d*a), -float32(s.dmin*b), 0, 15); least < 0 || l < least {
					s.scale[j], s.low[j], least = a, b, l
				}
			}
		}
	}
}

// quantizeQ4_K writes d and dmin f16, eight scales and eight minima of six bits in
// 12 bytes, and 256 codes of four bits.
func quantizeQ4_K(dst []byte, x []float32) bool {
	clear(dst)
	var scale, low [8]float32
	var topScale, topLow float32
	for j := range scale {
		d, m := fitAffine(x[32*j:32*j+32], 15, true)
		scale[j], low[j] = d, -m
		topScale, topLow = max(topScale, d), max(topLow, -m)
	}
	if tooLarge(topScale/63) || tooLarge(topLow/63) {
		return false
	}
	var best superQ4
	least := float32(-1)
	s := superQ4{d: topScale / 63, dmin: topLow / 63}
	for range superRounds {
		_, s.d = tensor.Half(s.d)
		_, s.dmin = tensor.Half(s.dmin)
		s.choose(x, &scale, &low)
		now := s
		if l := s.loss(x, true); least < 0 || l < least {
			best, least = now, l
		}
	}
	d, dmin := putHalf(dst, best.d), putHalf(dst[2:], best.dmin)
	for j := range best.scale {
		sc, m := byte(best.scale[j]), byte(best.low[j])
		// Four bits of each of the last four stand together, their upper two bits
		// above the first four's six.
		if p := dst[4:16]; j < 4 {
			p[j] |= sc
			p[j+4] |= m
		} else {
			p[j+4] = sc&15 | m<<4
			p[j-4] |= sc >> 4 << 6
			p[j] |= m >> 4 << 6
		}
		step, under := d*best.scale[j], dmin*best.low[j]
		id := inverse(step)
		for i, v := range x[32*j : 32*j+32] {
			dst[16+32*(j/2)+i] |= byte(code(float32((v+under)*id), 0, 15)) << (j % 2 * 4)
		}
	}
	return finite(d) && finite(dmin)
}
