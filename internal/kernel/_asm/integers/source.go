package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// source is how groups of rows of W lie, of which a loop takes block after block.
type source interface {
	lanes() int                     // rows in a group
	of(s integers) string           // in the name of a loop for x packed so
	lie() string                    // in its comment
	loads() int                     // of each 16 bytes, beside their words
	load()                          // before all groups
	begin(far reg.Register)         // before a group: far becomes what is asked for first
	step(f format)                  // behind a block
	end()                           // behind a group
	word(f format, disp, g int) vec // the double words at disp + 4g of a block, one of each row
	scales(f format) [2]vec         // of a block, and its least weights where it has them
}

type vec = reg.VecVirtual

// vecOf is a register for so many double words.
func vecOf(lanes int) vec {
	if lanes == 16 {
		return ZMM()
	}
	return YMM()
}

// filed are rows that lie one behind the other at equal distances, as in a file. Words
// are turned four vectors at a time.
type filed struct {
	many   int
	r      *rows
	turned [4]vec
	ahead  func() // called before each load
}

func (w *filed) lanes() int           { return w.many }
func (w *filed) of(s integers) string { return s.name }
func (w *filed) lie() string          { return "stride bytes apart" }
func (w *filed) loads() int           { return 4 }
func (w *filed) load()                { w.r = newRows(w.many) }
func (w *filed) step(f format)        { w.r.step(f.bytes) }

func (w *filed) begin(far reg.Register) {
	w.r.begin()
	LEAQ(Mem{Base: w.r.low, Index: w.r.stride, Scale: 8, Disp: prefetch}, far)
	if w.r.high != nil {
		LEAQ(Mem{Base: far, Index: w.r.stride, Scale: 8}, far)
	}
}

func (w *filed) end() {
	p := GP64()
	Load(Param("w"), p)
	LEAQ(Mem{Base: p, Index: w.r.stride, Scale: 8}, p)
	if w.many == 16 {
		LEAQ(Mem{Base: p, Index: w.r.stride, Scale: 8}, p)
	}
	Store(p, Param("w"))
}

func (w *filed) word(f format, disp, g int) vec {
	if g == 0 {
		var a [4]vec
		for i := range a {
			f.ahead.next()
			a[i] = vecOf(w.many)
			if w.many == 8 {
				begin("VMOVDQU", w.r.at(i, disp), a[i])
				VINSERTI128(Imm(1), w.r.at(i+4, disp), a[i], a[i])
				continue
			}
			begin("VMOVUPS", w.r.at(i, disp), a[i])
			for q := 1; q < 4; q++ {
				VINSERTI32X4(Imm(uint64(q)), w.r.at(i+4*q, disp), a[i], a[i])
			}
		}
		w.turned = turn(a, func() vec { return vecOf(w.many) })
	}
	return w.turned[g]
}

func (w *filed) scales(f format) (v [2]vec) {
	switch {
	case w.many == 16:
		v[0], v[1] = wideScales(f, w.r)
	case f.least:
		a, b := YMM(), YMM()
		v = [2]vec{YMM(), YMM()}
		VCVTPH2PS(doubles(w.r, [4]int{0, 1, 4, 5}).AsX(), a)
		VCVTPH2PS(doubles(w.r, [4]int{2, 3, 6, 7}).AsX(), b)
		VSHUFPS(Imm(0x88), b, a, v[0])
		VSHUFPS(Imm(0xdd), b, a, v[1])
	default:
		v[0] = YMM()
		VCVTPH2PS(halves(w.r, 8, 0)[0].AsX(), v[0])
	}
	return v
}

// interleaved are the blocks of a group side by side: first the scales of all rows,
// their least weights where there are some, then the weights, a double word of each row
// and the next of each.
type interleaved struct {
	many int
	p    reg.Register
}

func (w *interleaved) lanes() int           { return w.many }
func (w *interleaved) of(integers) string   { return "Interleaved" }
func (w *interleaved) lie() string          { return "interleaved" }
func (w *interleaved) loads() int           { return 0 }
func (w *interleaved) load()                { w.p = Int("w") }
func (w *interleaved) begin(f reg.Register) { LEAQ(Mem{Base: w.p, Disp: prefetch}, f) }
func (w *interleaved) step(f format)        { ADDQ(U32(uint64(w.many*f.bytes)), w.p) }
func (w *interleaved) end()                 {}

func (w *interleaved) word(_ format, disp, g int) vec {
	v := vecOf(w.many)
	VMOVUPS(Mem{Base: w.p, Disp: w.many * (disp + 4*g)}, v)
	return v
}

func (w *interleaved) scales(f format) (v [2]vec) {
	for i := range f.at / 2 {
		v[i] = w.halves(2 * i)
	}
	return v
}

// halves are the numbers of two bytes at disp of a block.
func (w *interleaved) halves(disp int) vec {
	v := vecOf(w.many)
	VCVTPH2PS(Mem{Base: w.p, Disp: w.many * disp}, v)
	return v
}

// interleave writes the loop that interleaves a group of rows.
func interleave(lanes int, f format) {
	kind := map[int]string{8: "avx2", 16: "avx512"}[lanes]
	name := kind + "Interleave" + f.name
	Func(name, "func(dst *byte, w *byte, stride int, blocks int)",
		fmt.Sprintf("%s interleaves blocks > 0 blocks of each of %d rows of w, stride bytes apart,", name, lanes),
		"as Interleaved says.")
	t := &turner{lanes: lanes, r: newRows(lanes)}
	t.r.begin()
	dst, n := Int("dst"), Int("blocks")
	Align()
	Label("block")
	for disp := 0; disp < f.at; disp += 2 {
		for i, v := range halves(t.r, lanes, disp) {
			VMOVUPS(v.AsX(), Mem{Base: dst, Disp: lanes*disp + 16*i})
		}
	}
	for disp := f.at; disp < f.bytes; disp += 16 {
		for g, v := range t.words(disp) {
			VMOVUPS(v, Mem{Base: dst, Disp: lanes * (disp + 4*g)})
		}
	}
	t.r.step(f.bytes)
	ADDQ(U32(uint64(lanes*f.bytes)), dst)
	DECQ(n)
	JNZ(LabelRef("block"))
	Ret()
}
