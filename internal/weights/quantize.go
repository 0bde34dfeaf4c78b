package weights

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/getstroke/stroke/internal/tensor"
)

// CanQuantize says whether QuantizeRow writes the format t.
func CanQuantize(t tensor.DType) bool {
	switch t {
	case tensor.F32, tensor.F16, tensor.BF16, tensor.Q8_0, tensor.Q5_0, tensor.Q4_1, tensor.Q4_0, tensor.Q6_K, tensor.Q4_K:
		return true
	}
	return false
}

// QuantizeRow overwrites dst with the row x in the format t, as kernel.Widen reads
// it: F32, F16, BF16, Q8_0, Q5_0, Q4_1, Q4_0, Q6_K or Q4_K. x is a whole number of
// blocks and dst holds exactly them; anything else, and any other format, is a
// panic. Scales are searched for: those are taken with which the squared error of
// the block is least. Equal rows give equal bytes, on every machine: below, a product
// is rounded by a conversion before it is added to anything, so that no compiler
// fuses the two.
//
// A number that is not finite, or too large for the format, is an error that wraps
// tensor.ErrRange; dst is then partly written.
func QuantizeRow(dst []byte, x []float32, t tensor.DType) error {
	if !CanQuantize(t) {
		panic("weights: quantize to " + t.String())
	}
	if len(dst) != t.RowBytes(len(x)) {
		panic(fmt.Sprintf("weights: quantize %d values to %s in %d bytes", len(x), t, len(dst)))
	}
	if t == tensor.F32 || t == tensor.F16 || t == tensor.BF16 {
		return tensor.Narrow(dst, x, t)
	}
	elems, size := t.Block()
	for at := 0; at < len(x); at += elems {
		block := x[at : at+elems]
		largest := float32(0)
		for i, v := range block {
			// An infinity times zero is no number, and unequal to itself.
			if z := v * 0; z != z {
				return fmt.Errorf("%v at index %d: %w", v, at+i, tensor.ErrRange)
			}
			largest = max(largest, v, -v)
		}
		out := dst[at/elems*size:][:size]
		var ok bool
		switch t {
		case tensor.Q8_0:
			ok = quantizeQ8_0(out, block, largest)
		case tensor.Q5_0:
			ok = quantizeQ5_0(out, block)
		case tensor.Q4_0:
			ok = quantizeQ4_0(out, block)
		case tensor.Q4_1:
			ok = quantizeQ4_1(out, block)
		case tensor.Q6_K:
			ok = quantizeQ6_K(out, block)
		case tensor.Q4_K:
			ok = quantizeQ4_K(out, block)
		}
		if !ok {
			return fmt.Errorf("a block of %s from index %d with values up to %g: %w", t, at, largest, tensor.ErrRange)
		}
	}
	return nil
}

// putHalf writes v as binary16 and gives what was written; it is infinite where
// v is too large.
func putHalf(dst []byte, v float32) float32 {
	bits, rounded := tensor.Half(v)
	binary.LittleEndian.PutUint16(dst, bits)
	return rounded
}

func finite(v float32) bool { return v-v == 0 }

// inverse is 1/d, and 0 where d is: all codes are then 0.
func inverse(d float32) float32 {
	if d == 0 {
		return 0
	}
	return 1 / d
}

// code is the whole number nearest to v between lo and hi, which are within ±2²².
func code(v, lo, hi float32) float32 {
	if v < lo {
		return lo
	}
	if v > hi {
		return hi
	}
	// Adding 1.5·2²³ leaves no bits behind the point.
	const magic = 3 << 22
	return float32(v+magic) - magic
}

// quantizeQ8_0 writes d f16 and 32 codes of int8. With so many steps nothing is
// gained by a search.
func quantizeQ8_0(dst []byte, x []float32, largest float32) bool {
	d := putHalf(dst, largest/127)
	id := inverse(d)
	for i, v := range x {
		dst[2+i] = byte(int8(code(float32(v*id), -127, 127)))
	}
	return finite(d)
}

// quantizeQ4_0 writes d f16 and 32 codes of four bits, of which 8 stands for 0:
// the first 16 in the lower halves of the bytes.
func quantizeQ4_0(dst []byte, x []float32) bool {
	d := putHalf(dst, fitSigned(x, -8, 7))
	id := inverse(d)
	for i := range 16 {
		lo, hi := code(float32(x[i]*id), -8, 7)+8, code(float32(x[i+16]*id), -8, 7)+8
		dst[2+i] = byte(lo) | byte(hi)<<4
	}
	return finite(d)
}

// quantizeQ5_0 writes d f16, the 32 fifth bits and the other four of 32 codes, of
// which 16 stands for 0.
func quantizeQ5_0(dst []byte, x []float32) bool {
	d := putHalf(dst, fitSigned(x, -16, 15))
	id := inverse(d)
	fifth := uint32(0)
	for i := range 16 {
		lo, hi := uint32(code(float32(x[i]*id), -16, 15)+16), uint32(code(float32(x[i+16]*id), -16, 15)+16)
		fifth |= lo>>4<<i | hi>>4<<(i+16)
		dst[6+i] = byte(lo&15 | hi&15<<4)
	}
	binary.LittleEndian.PutUint32(dst[2:], fifth)
	return finite(d)
}

// quantizeQ4_1 writes d and m f16 and 32 codes of four bits, q·d+m.
func quantizeQ4_1(dst []byte, x []float32) bool {
	d, m := fitAffine(x, 15, false)
	m = putHalf(dst[2:], m)
	if !finite(m) {
		return false
	}
	d = putHalf(dst, refitScale(x, 15, d, m))
	id := inverse(d)
	for i := range 16 {
		lo, hi := code(float32((x[i]-m)*id), 0, 15), code(float32((x[i+16]-m)*id), 0, 15)
		dst[4+i] = byte(lo) | byte(hi)<<4
	}
	return finite(d)
}

// tiny is below what any format can tell from zero.
const tiny = 1e-20

// searchSteps and searchWidth say how many scales are tried, and how far beyond
// the one that just holds the largest value, in steps of the code.
const (
	searchSteps = 16
	searchWidth = 1.6
)

// fitSigned finds d, of either sign, that makes Σ (x-d·q)² small, where q are the
// whole numbers from lo to hi and -lo is hi+1. For given codes the best d is
// Σxq/Σqq, and the error Σxx-(Σxq)²/Σqq; codes are those of a row of scales around
// those that put the largest value at either end, and then those of the best d.
func fitSigned(x []float32, lo, hi float32) float32 {
	top := float32(0)
	for _, v := range x {
		if v > top || -v > top {
			top = max(v, -v)
		}
	}
	if top < tiny {
		return 0
	}
	best, gain := float32(0), float32(-1)
	try := func(id float32) {
		xq, qq := float32(0), float32(0)
		for _, v := range x {
			q := code(float32(v*id), lo, hi)
			xq += float32(v * q)
			qq += float32(q * q)
		}
		if qq > 0 && float32(xq*xq) > float32(gain*qq) {
			best, gain = xq/qq, float32(xq*xq)/qq
		}
	}
	inv := 1 / top
	for i := range searchSteps {
		id := float32((hi + 0.5 + searchWidth*(2*float32(i)/(searchSteps-1)-1)) * inv)
		try(id)
		try(-id)
	}
	for range 2 {
		try(inverse(best))
	}
	return best
}

// mostRange is beyond what any affine format reaches from its smallest number to its
// largest, and so little that no sum of squares below overflows.
const mostRange = 1e12

// fitAffine finds d ≥ 0 and m that make Σ (x-d·q-m)² small, where q are the whole
// numbers from 0 to hi; with belowZero, m ≤ 0. For given codes d and m come from
// two linear equations. d is infinite where x is further apart than mostRange.
func fitAffine(x []float32, hi float32, belowZero bool) (d, m float32) {
	low, high := x[0], x[0]
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	if belowZero {
		low = min(low, 0)
	}
	if high-low < tiny {
		return 0, low
	}
	if high-low > mostRange {
		return float32(math.Inf(1)), low
	}
	// Sums are of y = x-low, so that little cancels.
	n, sy, syy := float32(len(x)), float32(0), float32(0)
	for _, v := range x {
		y := v - low
		sy += y
		syy += float32(y * y)
	}
	d, m, loss := float32(0), low, syy
	try := func(id, from float32) {
		sq, sqq, sqy := float32(0), float32(0), float32(0)
		for _, v := range x {
			q := code(float32((v-from)*id), 0, hi)
			sq += q
			sqq += float32(q * q)
			sqy += float32(q * (v - low))
		}
		det := float32(n*sqq) - float32(sq*sq)
		if det <= 0 {
			return
		}
		e, c := (float32(n*sqy)-float32(sq*sy))/det, (float32(sqq*sy)-float32(sq*sqy))/det
		if belowZero && c+low > 0 {
			c = -low
			e = (sqy - float32(c*sq)) / sqq
		}
		if e <= 0 {
			return
		}
		l := syy - 2*float32(e*sqy) - 2*float32(c*sy) + float32(float32(e*e)*sqq) + 2*float32(float32(e*c)*sq) + float32(float32(c*c)*n)
		if l < loss {
			d, m, loss = e, c+low, l
		}
	}
	inv := 1 / (high - low)
	for i := range searchSteps {
		try(float32((hi+searchWidth*(2*float32(i)/(searchSteps-1)-1))*inv), low)
	}
	for range 2 {
		try(inverse(d), m)
	}
	return d, m
}

// refitScale is the best d for the codes that d and m give, with m as it is.
func refitScale(x []float32, hi, d, m float32) float32 {
	id := inverse(d)
	qq, qx := float32(0), float32(0)
	for _, v := range x {
		q := code(float32((v-m)*id), 0, hi)
		qq += float32(q * q)
		qx += float32(q * (v - m))
	}
	if qq == 0 || qx <= 0 {
		return d
	}
	return qx / qq
}

// blockLoss is Σ (x-s·q-m)² with the nearest codes q from lo to hi.
func blockLoss(x []float32, s, m, lo, hi float32) float32 {
	is := inverse(s)
	sum := float32(0)
	for _, v := range x {
		e := v - m - float32(s*code(float32((v-m)*is), lo, hi))
		sum += float32(e * e)
	}
	return sum
}

// tooLarge says whether a fitted scale is no number of binary16.
func tooLarge(v float32) bool { return !(math.Abs(float64(v)) < 65520) }
