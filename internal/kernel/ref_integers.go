package kernel

import (
	"encoding/binary"
	"math"
)

const (
	leastPacked = 0x0d800000 // 2⁻¹⁰⁰: blocks of less are zero
	infBits     = 0x7f800000
	nanBits     = 0x7fc00000
)

func packInt8(dst []byte, x []float32)  { packIntegers(Int8, dst, x) }
func packInt16(dst []byte, x []float32) { packIntegers(Int16, dst, x) }

// packIntegers packs one row.
func packIntegers(s Integers, dst []byte, x []float32) {
	size, tail := integersBlock[s].bytes, integersBlock[s].tail
	for ; len(x) >= 32; x, dst = x[32:], dst[size:] {
		var most uint32
		for _, v := range x[:32] {
			most = max(most, math.Float32bits(v)&0x7fffffff)
		}
		clear(dst[:size])
		end := dst[tail:size]
		switch {
		case most < leastPacked:
			continue
		case most >= infBits:
			binary.LittleEndian.PutUint32(end, nanBits)
			binary.LittleEndian.PutUint32(end[4:], nanBits)
			continue
		}
		a := math.Float32frombits(most)
		d, inverse := a/mostInt[s], mostInt[s]/a
		sum := int32(0)
		for i, v := range x[:32] {
			q := int32(math.RoundToEven(float64(v * inverse)))
			if s == Int8 {
				dst[i] = byte(q)
			} else {
				binary.LittleEndian.PutUint16(dst[2*exchanged(i):], uint16(q))
			}
			sum += q
		}
		binary.LittleEndian.PutUint32(end, math.Float32bits(d))
		binary.LittleEndian.PutUint32(end[4:], math.Float32bits(d*float32(sum)))
		binary.LittleEndian.PutUint32(end[8:], uint32(-8*sum))
		binary.LittleEndian.PutUint32(end[12:], uint32(-128*sum))
	}
}

// exchanged is where word i of a block lies.
func exchanged(i int) int { return i&^3 | i&1<<1 | i&2>>1 }

// packedInt is number i of a packed block.
func packedInt(s Integers, block []byte, i int) int32 {
	if s == Int8 {
		return int32(int8(block[i]))
	}
	return int32(int16(binary.LittleEndian.Uint16(block[2*exchanged(i):])))
}

// fused is x·y+z with one rounding. The product is exact in float64; where the sum
// is not, it is made odd in its last place, so that rounding it to float32 does
// what rounding the exact sum does (Boldo and Melquiond, IEEE TC 2008).
func fused(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	if math.IsInf(s, 0) || s != s {
		return float32(s)
	}
	t := s - p
	lost := (p - (s - t)) + (c - t)
	if b := math.Float64bits(s); lost != 0 && b&1 == 0 {
		if (lost > 0) == (s > 0) {
			b++
		} else {
			b--
		}
		s = math.Float64frombits(b)
	}
	return float32(s)
}

// weightBlock is 32 weights: integers, the scales of the first and of the last 16
// of them, which in most types are one, and the least weight in types that have one.
type weightBlock struct {
	q      [32]int32
	scale  [2]float32
	halves bool
	least  float32
	below  bool
}

// read reads block b of a row.
func (w *weightBlock) read(row []byte, t DType, b int) {
	elems, size := t.Block()
	src := row[b*32/elems*size:][:size]
	in := b % (elems / 32) // of a super-block
	q := &w.q
	w.scale[0] = loadF16(src)
	switch t {
	case Q4_0:
		for i, b := range src[2:18] {
			q[i], q[i+16] = int32(b&15)-8, int32(b>>4)-8
		}
	case Q4_1:
		w.least, w.below = loadF16(src[2:]), true
		for i, b := range src[4:20] {
			q[i], q[i+16] = int32(b&15), int32(b>>4)
		}
	case Q8_0:
		for i, b := range src[2:34] {
			q[i] = int32(int8(b))
		}
	case Q5_0:
		h := binary.LittleEndian.Uint32(src[2:])
		for i, b := range src[6:22] {
			q[i], q[i+16] = int32(b&15)+int32(h>>i&1*16)-16, int32(b>>4)+int32(h>>(i+16)&1*16)-16
		}
	case Q5_1:
		w.least, w.below = loadF16(src[2:]), true
		h := binary.LittleEndian.Uint32(src[4:])
		for i, b := range src[8:24] {
			q[i], q[i+16] = int32(b&15)+int32(h>>i&1*16), int32(b>>4)+int32(h>>(i+16)&1*16)
		}
	case Q4_K, Q5_K:
		scale, least := scaleMin(src[4:16], in)
		w.scale[0] *= scale
		w.least, w.below = -(loadF16(src[2:]) * least), true
		for i, b := range src[size-128+in/2*32:][:32] {
			q[i] = int32(b >> (in % 2 * 4) & 15)
			if t == Q5_K {
				q[i] |= int32(src[16+i]>>in&1) << 4
			}
		}
	case Q6_K:
		d, half, n := loadF16(src[208:]), in/4, in%4
		for i := range w.scale {
			w.scale[i] = d * float32(int8(src[192+2*in+i]))
		}
		w.halves = true
		for i := range q {
			low, high := src[64*half+n%2*32+i]>>(n/2*4)&15, src[128+32*half+i]>>(2*n)&3
			q[i] = int32(low|high<<4) - 32
		}
	}
}

func mulIntegers(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int) {
	rb, row := t.RowBytes(k), s.Len(1, k)
	xs, tail := integersBlock[s].bytes, integersBlock[s].tail
	var weights weightBlock
	for j := range n {
		stored := storedRow(w, order, rb, j)
		for i := range m {
			c[i*ldc+j] = 0
		}
		for b := range k / 32 {
			weights.read(stored, t, b)
			for i := range m {
				block := x[i*row+b*xs:][:xs]
				d := math.Float32frombits(binary.LittleEndian.Uint32(block[tail:]))
				sum, y := int32(0), c[i*ldc+j]
				for e, v := range weights.q {
					sum += v * packedInt(s, block, e)
					if e == 15 && weights.halves {
						y = fused(float32(sum), weights.scale[0]*d, y)
						sum = 0
					}
				}
				scale := weights.scale[0]
				if weights.halves {
					scale = weights.scale[1]
				}
				y = fused(float32(sum), scale*d, y)
				if weights.below {
					y = fused(weights.least, math.Float32frombits(binary.LittleEndian.Uint32(block[tail+4:])), y)
				}
				c[i*ldc+j] = y
			}
		}
	}
}
