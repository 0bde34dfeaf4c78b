package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// Weights are turned first, some hundred of a group of rows at a time, and then
// multiplied with all rows of x. A turned block is 32 weights of each row as words:
// 16 vectors of pairs, in the order of the words of a packed block of x, then two
// vectors of float32: scales, and least weights or nothing, or the scales of the
// first and of the last 16.
const turnedVectors = 18

// turner writes a loop that turns weights of eight rows, or of sixteen.
type turner struct {
	lanes  int
	bytes  int // of a block of a row
	blocks int // turned ones that it becomes
	r      *rows
	dst    reg.Register
	w      *interleaved // where they lie, in place of rows; nil for rows
}

func (t *turner) wide() bool { return t.lanes == 16 }

func (t *turner) vec() reg.VecVirtual {
	if t.wide() {
		return ZMM()
	}
	return YMM()
}

// at is vector e of turned block b.
func (t *turner) at(b, e int) Mem {
	return Mem{Base: t.dst, Disp: (b*turnedVectors + e) * 4 * t.lanes}
}

func (t *turner) store(v reg.VecVirtual, to Mem) { VMOVUPS(v, to) }

// constant is a vector of equal double words: in a register, or in memory where
// there are fewer registers.
func (t *turner) constant(name string, each uint32) Op {
	if !t.wide() {
		return ones(name, each)
	}
	v := t.vec()
	VPBROADCASTD(ones(name, each), v)
	return v
}

func (t *turner) and(x, y Op, to reg.VecVirtual) {
	if t.wide() {
		VPANDD(x, y, to)
	} else {
		VPAND(x, y, to)
	}
}

func (t *turner) or(x, y Op, to reg.VecVirtual) {
	if t.wide() {
		VPORD(x, y, to)
	} else {
		VPOR(x, y, to)
	}
}

func (t *turner) xor(x, y Op, to reg.VecVirtual) {
	if t.wide() {
		VPXORD(x, y, to)
	} else {
		VPXOR(x, y, to)
	}
}

// clear clears v; avo is told that what it was does not matter.
func (t *turner) clear(v reg.VecVirtual) {
	opcode := "VPXOR"
	if t.wide() {
		opcode = "VPXORD"
	}
	Instruction(&ir.Instruction{Opcode: opcode, Operands: []Op{v, v, v}, Outputs: []Op{v}})
}

// shifted is v with its double words shifted to the left, or with less than 0 to
// the right.
func (t *turner) shifted(v Op, by int) reg.VecVirtual {
	x := t.vec()
	switch {
	case by > 0:
		VPSLLD(Imm(uint64(by)), v, x)
	case by < 0:
		VPSRLD(Imm(uint64(-by)), v, x)
	default:
		VMOVUPS(v, x)
	}
	return x
}

// words are the four double words that lie at disp of every row.
func (t *turner) words(disp int) [4]reg.VecVirtual {
	var a [4]reg.VecVirtual
	if t.w != nil {
		for g := range a {
			a[g] = t.w.word(format{}, disp, g)
		}
		return a
	}
	for i := range a {
		a[i] = t.vec()
		begin("VMOVDQU", t.r.at(i, disp), a[i])
		if !t.wide() {
			VINSERTI128(Imm(1), t.r.at(i+4, disp), a[i], a[i])
			continue
		}
		for q := 1; q < 4; q++ {
			VINSERTI32X4(Imm(uint64(q)), t.r.at(i+4*q, disp), a[i], a[i])
		}
	}
	return turn(a, t.vec)
}

// floats converts the binary16 in the lower half of each double word; the upper one
// is 0.
func (t *turner) floats(v reg.VecVirtual) reg.VecVirtual {
	f, y := t.vec(), YMM()
	if t.wide() {
		VPMOVDW(v, y)
		VCVTPH2PS(y, f)
		return f
	}
	VPACKUSDW(v, v, y)
	VPERMQ(Imm(0x08), y, y)
	VCVTPH2PS(y.AsX(), f)
	return f
}

// scaled stores byte i of each double word of v, times scale.
func (t *turner) scaled(v reg.VecVirtual, i int, signed bool, low Op, scale reg.VecVirtual, to Mem) {
	x := t.vec()
	switch {
	case signed:
		VPSLLD(Imm(uint64(24-8*i)), v, x)
		VPSRAD(Imm(24), x, x)
	case i == 3:
		VPSRLD(Imm(24), v, x)
	default:
		VPSRLD(Imm(uint64(8*i)), v, x)
		t.and(low, x, x)
	}
	VCVTDQ2PS(x, x)
	VMULPS(scale, x, x)
	t.store(x, to)
}

// function writes the loop over blocks.
func (t *turner) function(name string, once func(), body func()) {
	kind := "avx2"
	if t.wide() {
		kind = "avx512"
	}
	if t.w != nil {
		t.overInterleaved(kind+"TurnInterleaved"+name, once, body)
		return
	}
	TEXT(kind+"Turn"+name, attr.NOSPLIT, "func(dst *byte, w *byte, stride int, blocks int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%sTurn%s turns blocks > 0 blocks of each of %d rows of w, stride bytes apart,", kind, name, t.lanes),
		"as turnedLoops says, and asks for as much of the rows that come after them.")
	t.r = newRows(t.lanes)
	t.r.begin()
	after := *t.r
	for _, p := range []*reg.Register{&after.low, &after.high} {
		if *p == nil {
			continue
		}
		next := GP64()
		LEAQ(Mem{Base: *p, Index: t.r.stride, Scale: 8}, next)
		if t.wide() {
			LEAQ(Mem{Base: next, Index: t.r.stride, Scale: 8}, next)
		}
		*p = next
	}
	t.dst = Int("dst")
	n := Int("blocks")
	once()
	Align()
	Label("block")
	for i := range t.lanes {
		for disp := 0; disp < t.bytes; disp += 64 {
			PREFETCHT1(after.at(i, disp))
		}
	}
	body()
	t.r.step(t.bytes)
	after.step(t.bytes)
	ADDQ(U32(uint64(t.blocks*turnedVectors*4*t.lanes)), t.dst)
	DECQ(n)
	JNZ(LabelRef("block"))
	Ret()
}

// overInterleaved writes the loop over interleaved blocks.
func (t *turner) overInterleaved(name string, once func(), body func()) {
	TEXT(name, attr.NOSPLIT, "func(dst *byte, w *byte, stride int, blocks int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s turns blocks > 0 blocks of each of %d rows of w, interleaved,", name, t.lanes),
		"as turnedLoops says, and asks for what comes after them.")
	t.w.load()
	t.dst = Int("dst")
	n := Int("blocks")
	once()
	Align()
	Label("block")
	for line := range (t.lanes*t.bytes + 63) / 64 {
		PREFETCHT1(Mem{Base: t.w.p, Disp: prefetch + 64*line})
	}
	body()
	t.w.step(format{bytes: t.bytes})
	ADDQ(U32(uint64(turnedVectors*4*t.lanes)), t.dst)
	DECQ(n)
	JNZ(LabelRef("block"))
	Ret()
}

// scalesAndLeast stores the scales and least weights of a super-block of Q4_K or
// Q5_K.
func (t *turner) scalesAndLeast() {
	v := t.words(0)
	low := t.constant("byte", 0xff)
	word := t.constant("word", 0xffff)
	d, least := t.vec(), t.shifted(v[0], -16)
	t.and(word, v[0], d)
	d, least = t.floats(d), t.floats(least)
	t.xor(t.constant("sign", 0x80000000), least, least)
	six, four, two := t.constant("sixes", 0x3f3f3f3f), t.constant("halves", 0x0f0f0f0f), t.constant("upper", 0x30303030)
	for i, scale := range []reg.VecVirtual{d, least} {
		first, last, upper := t.vec(), t.vec(), t.shifted(v[1+i], -2)
		t.and(six, v[1+i], first)
		t.and(two, upper, upper)
		if i == 0 {
			t.and(four, v[3], last)
		} else {
			last = t.shifted(v[3], -4)
			t.and(four, last, last)
		}
		t.or(upper, last, last)
		for b := range 8 {
			from := first
			if b > 3 {
				from = last
			}
			t.scaled(from, b%4, false, low, scale, t.at(b, 16+i))
		}
	}
}

// split stores bytes without a sign as two vectors of words.
func (t *turner) split(v reg.VecVirtual, even Op, b, e int) {
	x := t.vec()
	t.and(even, v, x)
	t.store(x, t.at(b, e))
	VPSRLW(Imm(8), v, v)
	t.store(v, t.at(b, e+1))
}

// add adds to sum the products of w with the two words at x, or without VNNI, where they
// are the first, overwrites it.
func (t *turner) add(x Mem, w, sum reg.VecVirtual, vnni, first bool) {
	if t.wide() {
		dotBroadcast(int16s, x, w, sum)
		return
	}
	v := YMM()
	VPBROADCASTD(x, v)
	switch {
	case vnni:
		dotVEX(int16s, v, w, sum)
	case first:
		VPMADDWD(v, w, sum)
	default:
		VPMADDWD(v, w, v)
		VPADDD(v, sum, sum)
	}
}

// quarters stores the lower halves of bytes as two vectors of words from low on, and
// the upper ones from high on.
func (t *turner) quarters(v reg.VecVirtual, mask Op, low, high Mem) {
	for n, to := range []Mem{low, high, low.Offset(4 * t.lanes), high.Offset(4 * t.lanes)} {
		x := t.vec()
		switch n {
		case 0:
			t.and(mask, v, x)
		case 3:
			VPSRLW(Imm(12), v, x)
		default:
			VPSRLW(Imm(uint64(4*n)), v, x)
			t.and(mask, x, x)
		}
		t.store(x, to)
	}
}

// splitSigned stores bytes with a sign as two vectors of words.
func (t *turner) splitSigned(v reg.VecVirtual, b, e int) {
	x := t.vec()
	VPSLLW(Imm(8), v, x)
	VPSRAW(Imm(8), x, x)
	t.store(x, t.at(b, e))
	VPSRAW(Imm(8), v, v)
	t.store(v, t.at(b, e+1))
}

func turnQ4K(lanes int) {
	t := &turner{lanes: lanes, bytes: 144, blocks: 8}
	var quarters Op
	t.function("Q4_K", func() { quarters = t.constant("quarters", 0x000f000f) }, func() {
		t.scalesAndLeast()
		for j := range 4 {
			for p := range 2 {
				for g, v := range t.words(16 + 32*j + 16*p) {
					t.quarters(v, quarters, t.at(2*j, 8*p+2*g), t.at(2*j+1, 8*p+2*g))
				}
			}
		}
	})
}

// scales are the binary16 at disp of every row.
func (t *turner) scales(disp int) reg.VecVirtual {
	if t.w != nil {
		return t.w.halves(disp)
	}
	v, d := halves(t.r, t.lanes, disp), t.vec()
	if t.wide() {
		VINSERTI32X4(Imm(1), v[1].AsX(), v[0], v[0])
		VCVTPH2PS(v[0], d)
	} else {
		VCVTPH2PS(v[0].AsX(), d)
	}
	return d
}

// kept are eight vectors in the frame.
func (t *turner) kept() [8]Mem {
	frame := AllocLocal(8 * 4 * t.lanes)
	var m [8]Mem
	for i := range m {
		m[i] = frame.Offset(4 * t.lanes * i)
	}
	return m
}

func turnQ5K(lanes int) {
	t := &turner{lanes: lanes, bytes: 176, blocks: 8}
	var fifths [8]Mem
	t.function("Q5_K", func() { fifths = t.kept() }, func() {
		t.scalesAndLeast()
		for p := range 2 {
			for g, v := range t.words(16 + 16*p) {
				t.store(v, fifths[4*p+g])
			}
		}
		halves, fifth, even := t.constant("halves", 0x0f0f0f0f), t.constant("fifths", 0x10101010), t.constant("even", 0x00ff00ff)
		for j := range 4 {
			for p := range 2 {
				for g, v := range t.words(48 + 32*j + 16*p) {
					for n := range 2 {
						h := t.shifted(fifths[4*p+g], 4-2*j-n)
						t.and(fifth, h, h)
						if n == 1 {
							VPSRLW(Imm(4), v, v)
						}
						x := t.vec()
						t.and(halves, v, x)
						t.or(h, x, x)
						t.split(x, even, 2*j+n, 8*p+2*g)
					}
				}
			}
		}
	})
}

// turnQ6K leaves six bits of a weight in the upper part of a byte, the highest of
// them turned round, so that shifting them down with their sign takes 32 away.
func turnQ6K(lanes int) {
	t := &turner{lanes: lanes, bytes: 210, blocks: 8}
	var upper [8]Mem
	t.function("Q6_K", func() { upper = t.kept() }, func() {
		d := t.scales(208)
		for w, v := range t.words(192) {
			for i := range 4 {
				t.scaled(v, i, true, nil, d, t.at(2*w+i/2, 16+i%2))
			}
		}
		flip, two, six := t.constant("flip", 0xaaaaaaaa), t.constant("twos", 0xc0c0c0c0), t.constant("sixes", 0x3f3f3f3f)
		for half := range 2 {
			for p := range 2 {
				for g, v := range t.words(128 + 32*half + 16*p) {
					t.xor(flip, v, v)
					t.store(v, upper[4*p+g])
				}
			}
			for p := range 4 {
				for g, v := range t.words(64*half + 16*p) {
					for n := range 2 { // lower and upper halves
						b := p/2 + 2*n
						x := t.shifted(v, 2-4*n)
						h := t.shifted(upper[4*(p%2)+g], 6-2*b)
						if t.wide() {
							VPTERNLOGD(Imm(0xd8), two, h, x) // where two has ones h, else x
						} else {
							t.and(six, x, x)
							t.and(two, h, h)
							t.or(h, x, x)
						}
						odd := t.vec()
						VPSRAW(Imm(10), x, odd)
						VPSLLW(Imm(8), x, x)
						VPSRAW(Imm(10), x, x)
						e := 8*(p%2) + 2*g
						t.store(x, t.at(4*half+b, e))
						t.store(odd, t.at(4*half+b, e+1))
					}
				}
			}
		}
	})
}

// form is what stands behind the weights of a turned block.
type form struct{ name, what string }

var (
	plain  = form{"Plain", "with a scale a block"}
	least  = form{"Least", "with a scale and a least weight a block"}
	halved = form{"Halves", "with two scales a block"}
)

// turned writes the product of m rows of x with a group of turned rows of W.
func turned(kind string, lanes, m int, f form, vnni bool) {
	t := &turner{lanes: lanes}
	name := fmt.Sprintf("%sTurned%sx%d", kind, f.name, m)
	Func(name, "func(c *float32, ldc int, x *byte, ldx int, w *byte, blocks int, add int)",
		fmt.Sprintf("%s multiplies %d packed rows of x, ldx bytes apart, with blocks > 0 turned", name, m),
		fmt.Sprintf("blocks of %d rows of W, %s, as turnedLoops says.", lanes, f.what))
	in := newInputs(int16s, m)
	in.begin()
	t.dst = Int("w")
	n := Int("blocks")
	var acc []reg.VecVirtual
	c, ldc := Int("c"), Bytes("ldc")
	add := Int("add")
	at := GP64()
	MOVQ(c, at)
	for range m {
		acc = append(acc, t.vec())
	}
	TESTQ(add, add)
	JZ(LabelRef("anew"))
	for i := range acc {
		VMOVUPS(Mem{Base: at}, acc[i])
		if i < m-1 {
			ADDQ(ldc, at)
		}
	}
	JMP(LabelRef("block"))
	Label("anew")
	for i := range acc {
		t.clear(acc[i])
	}
	Align()
	Label("block")
	chains := 1
	switch {
	case t.wide():
		chains = chainsOf(int16s, m, 16)
	case vnni:
		chains = chainsOf(int16s, m, 8)
	}
	parts := 1
	if f == halved {
		parts = 2
	}
	for part := range parts {
		sums := make([][]reg.VecVirtual, m)
		for i := range sums {
			for range chains {
				sums[i] = append(sums[i], t.vec())
				if vnni {
					t.clear(sums[i][len(sums[i])-1])
				}
			}
		}
		for k := range 16 / parts {
			e := 16/parts*part + k
			w := t.vec()
			VMOVUPS(t.at(0, e), w)
			for i := range m {
				t.add(in.at(i, 4*e), w, sums[i][k%chains], vnni, k == 0)
			}
		}
		scale := t.vec()
		VMOVUPS(t.at(0, 16+part), scale)
		for i := range m {
			addChains(sums[i])
			VCVTDQ2PS(sums[i][0], sums[i][0])
			d := t.vec()
			if t.wide() {
				VMULPS_BCST(in.end(i, atScale), scale, d)
			} else {
				VBROADCASTSS(in.end(i, atScale), d)
				VMULPS(scale, d, d)
			}
			VFMADD231PS(sums[i][0], d, acc[i])
		}
	}
	if f == least {
		least := t.vec()
		VMOVUPS(t.at(0, 17), least)
		for i := range m {
			if t.wide() {
				VFMADD231PS_BCST(in.end(i, atSum), least, acc[i])
				continue
			}
			d := YMM()
			VBROADCASTSS(in.end(i, atSum), d)
			VFMADD231PS(d, least, acc[i])
		}
	}
	in.step()
	ADDQ(U32(uint64(turnedVectors*4*lanes)), t.dst)
	DECQ(n)
	JNZ(LabelRef("block"))
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: c})
		if i < m-1 {
			ADDQ(ldc, c)
		}
	}
	Ret()
}
