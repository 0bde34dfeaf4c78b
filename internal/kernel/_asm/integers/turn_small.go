package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// turnPlain writes the turning of the types that are interleaved too, of rows as they
// lie in a file or of those.
func turnPlain(lanes int, w *interleaved) {
	t := &turner{lanes: lanes, bytes: 18, blocks: 1, w: w}
	var flip, quarters Op
	// Halves of bytes that are 8 too large become those of words with a sign.
	t.function("Q4_0", func() { flip = t.constant("eights", 0x88888888) }, func() {
		t.store(t.scales(0), t.at(0, 16))
		for g, v := range t.words(2) {
			t.xor(flip, v, v)
			for n, e := range []int{2 * g, 2*g + 1, 8 + 2*g, 8 + 2*g + 1} {
				up := []int{12, 4, 8, 0}[n]
				x := v
				if up > 0 {
					x = t.vec()
					VPSLLW(Imm(uint64(up)), v, x)
				}
				VPSRAW(Imm(12), x, x)
				t.store(x, t.at(0, e))
			}
		}
	})
	t = &turner{lanes: lanes, bytes: 20, blocks: 1, w: w}
	t.function("Q4_1", func() { quarters = t.constant("quarters", 0x000f000f) }, func() {
		if w == nil {
			t.pair(t.words(0)[0])
		} else {
			t.store(t.scales(0), t.at(0, 16))
			t.store(t.scales(2), t.at(0, 17))
		}
		for g, v := range t.words(4) {
			t.quarters(v, quarters, t.at(0, 2*g), t.at(0, 8+2*g))
		}
	})
	t = &turner{lanes: lanes, bytes: 34, blocks: 1, w: w}
	t.function("Q8_0", func() {}, func() {
		t.store(t.scales(0), t.at(0, 16))
		for p := range 2 {
			for g, v := range t.words(2 + 16*p) {
				t.splitSigned(v, 0, 8*p+2*g)
			}
		}
	})
}

// turnSmall writes the turning of other types with blocks of 32.
func turnSmall(lanes int) {
	t := &turner{lanes: lanes, bytes: 22, blocks: 1}
	fives := newFives(t, 0xf0, 0)
	t.function("Q5_0", fives.load, func() {
		v := t.words(0)
		d, h, up := t.vec(), t.shifted(v[0], -16), t.shifted(v[1], 16)
		t.or(up, h, h)
		t.and(t.constant("word", 0xffff), v[0], d)
		t.store(t.floats(d), t.at(0, 16))
		fives.each(h, 6, func(v reg.VecVirtual, e int) { t.splitSigned(v, 0, e) })
	})
	t = &turner{lanes: lanes, bytes: 24, blocks: 1}
	fives = newFives(t, 0, 0x10)
	t.function("Q5_1", fives.load, func() {
		v := t.words(0)
		h := v[1]
		t.pair(v[0])
		fives.each(h, 8, func(v reg.VecVirtual, e int) { t.split(v, t.constant("even", 0x00ff00ff), 0, e) })
	})
}

// pair stores the scale in the lower half of each double word, and the least weight
// in the upper one.
func (t *turner) pair(v reg.VecVirtual) {
	d, least := t.vec(), t.shifted(v, -16)
	t.and(t.constant("word", 0xffff), v, d)
	t.store(t.floats(d), t.at(0, 16))
	t.store(t.floats(least), t.at(0, 17))
}

// fives joins halves of bytes with fifth bits: clear is what a bit of 0 puts into
// the upper half of a byte, set what one of 1 does.
type fives struct {
	*turner
	clear, set byte
	table      reg.VecVirtual
	halves     Op
}

func newFives(t *turner, clear, set byte) *fives { return &fives{turner: t, clear: clear, set: set} }

// load loads constants.
func (f *fives) load() {
	f.halves = f.constant("halves", 0x0f0f0f0f)
	if !f.wide() {
		return
	}
	m := GLOBL(fmt.Sprintf("fives%d", f.set), attr.RODATA|attr.NOPTR)
	for i := range 16 {
		w := uint32(0)
		for b := range 4 {
			x := f.clear
			if i>>b&1 > 0 {
				x = f.set
			}
			w |= uint32(x) << (8 * b)
		}
		DATA(4*i, U32(w))
	}
	f.table = f.vec()
	VMOVUPS(m, f.table)
}

// each joins the halves at disp with the bits in h.
func (f *fives) each(h reg.VecVirtual, disp int, do func(v reg.VecVirtual, e int)) {
	for g, v := range f.words(disp) {
		for n := range 2 {
			low := f.vec()
			if n > 0 {
				VPSRLW(Imm(4), v, v)
			}
			f.and(f.halves, v, low)
			f.or(f.bits(h, g+4*n), low, low)
			do(low, 8*n+2*g)
		}
	}
}

// bits are what bits 4g to 4g+3 of each double word put into its bytes.
func (f *fives) bits(h reg.VecVirtual, g int) reg.VecVirtual {
	x := f.vec()
	if f.wide() {
		x = f.shifted(h, -4*g)
		VPERMD(f.table, x, x)
		return x
	}
	at := [8]uint32{}
	for i := range at {
		at[i] = 0x01010101 * uint32(4*(i%4)+g/2)
	}
	VPSHUFB(Words(fmt.Sprintf("byte%d", g/2), at), h, x)
	bit := []Mem{ones("lowBits", 0x08040201), ones("highBits", 0x80402010)}[g%2]
	VPAND(bit, x, x)
	if f.set > 0 {
		VPCMPEQB(bit, x, x)
		VPAND(ones("tens", 0x10101010), x, x)
	} else {
		zero := YMM()
		VPXOR(zero, zero, zero)
		VPCMPEQB(zero, x, x)
		VPAND(ones("highHalves", 0xf0f0f0f0), x, x)
	}
	return x
}
