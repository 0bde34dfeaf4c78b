package op

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/getstroke/stroke/internal/kernel"
)

// packed is the memory of a head's rows from position pos on, up to the end of
// its page; off is KOff or VOff.
func (k *Keys) packed(off, head, size, pos int) []byte {
	row := k.DType.RowBytes(size)
	page := k.Pages[pos/k.Len]
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(page))), 4*len(page))
	off += head * k.Len * row
	return b[off+pos%k.Len*row : off+k.Len*row]
}

// next is packed, and nothing from the position to on.
func (k *Keys) next(off, head, size, pos, to int) []byte {
	if pos >= to {
		return nil
	}
	return k.packed(off, head, size, pos)
}

// Pack writes keys and values [n, heads·size] to the pages, rounded to the type
// of k and bounded to its range, at the positions from pos on. k.DType is F16 or Q8_0.
func (k *Keys) Pack(pos int, keys, values []float32, heads, size int) {
	dim := heads * size
	row := k.DType.RowBytes(size)
	for t := range len(keys) / dim {
		for h := range heads {
			at := t*dim + h*size
			packRow(k.packed(k.KOff, h, size, pos+t)[:row], keys[at:at+size], k.DType)
			packRow(k.packed(k.VOff, h, size, pos+t)[:row], values[at:at+size], k.DType)
		}
	}
}

// packRow overwrites dst with src rounded to the type t. What is too large for binary16
// becomes the largest number of its sign: an infinite value would make all queries of
// its block NaN, also those that do not see it. NaN stays NaN.
func packRow(dst []byte, src []float32, t kernel.DType) {
	switch t {
	case kernel.F16:
		kernel.NarrowF16(dst, src)
		bound(dst)
	case kernel.Q8_0:
		for i := 0; i < len(src); i += 32 {
			packQ8(dst[i/32*34:i/32*34+34], src[i:i+32])
		}
	default:
		panic("op: keys and values packed as " + t.String())
	}
}

// bound makes the infinite ones of numbers in binary16 the largest of their signs. It
// looks at four at a time, since there are hardly ever any.
func bound(row []byte) {
	const (
		signs = 0x8000800080008000
		top   = 0x0400040004000400 // carries the exponent of what is not finite to the sign
	)
	for ; len(row) >= 8; row = row[8:] {
		if x := binary.LittleEndian.Uint64(row); (x&^signs+top)&signs != 0 {
			boundEach(row[:8])
		}
	}
	boundEach(row)
}

func boundEach(row []byte) {
	for ; len(row) > 0; row = row[2:] {
		if x := binary.LittleEndian.Uint16(row); x&0x7fff == 0x7c00 {
			binary.LittleEndian.PutUint16(row, x-1)
		}
	}
}

// packQ8 writes a block of Q8_0 as ggml does: d = max|x|/127 in binary16, and
// x/d rounded, halves away from zero, with the d before rounding. A finite d that is
// too large for binary16 becomes the largest there.
func packQ8(dst []byte, src []float32) {
	var most float32
	for _, v := range src {
		most = max(most, v, -v)
	}
	d := most / 127
	scale := [1]float32{d}
	kernel.NarrowF16(dst[:2], scale[:])
	if most <= math.MaxFloat32 {
		bound(dst[:2])
	}
	var inverse float32
	if d > 0 {
		inverse = 1 / d
	}
	for i, v := range src {
		dst[2+i] = byte(int8(math.Round(float64(v * inverse))))
	}
}
