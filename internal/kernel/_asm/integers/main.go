// Command integers writes the loops of products of weights with activations that
// are integers of 8 or 16 bits, for AVX2, for AVX2 with VNNI and for AVX-512 with
// VNNI.
package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// format is how 32 weights lie in a block.
type format struct {
	name  string
	bytes int
	at    int  // where the weights begin
	least bool // there is a least weight behind the scale
	whole bool // a byte is a weight with its sign, not two halves without
	// bias is where behind the integers of a packed block of x the number lies that
	// takes the place of the sign: products begin with it. 0 for none. Those of whole
	// bytes are with 8-bit integers alone.
	bias int

	ahead *ahead // what is asked for while a block is multiplied
}

// ahead are lines of memory that are asked for while others are multiplied, one here
// and one there: a core has room for some sixteen requests, and what is behind one
// that finds none waits too.
type ahead struct {
	at            reg.Register
	lines, points int // how many there are, and at how many points of a block
	line, point   int // the first that is not behind
}

// next asks for the lines that are due at the point at hand.
func (a *ahead) next() {
	a.point++
	for ; a.line*a.points < a.point*a.lines && a.line < a.lines; a.line++ {
		PREFETCHT1(Mem{Base: a.at, Disp: 64 * a.line})
	}
}

var formats = []format{
	{name: "Q4_1", bytes: 20, at: 4, least: true},
	{name: "Q4_0", bytes: 18, at: 2, bias: atEight},
	{name: "Q8_0", bytes: 34, at: 2, whole: true, bias: at128},
}

// What lies behind the integers of a packed block of x, see integersBlock in the
// package kernel.
const (
	atScale  = 0
	atSum    = 4
	atEight  = 8
	at128    = 12
	prefetch = 8192 // how many bytes behind the group of rows at hand others are asked for
)

// integers are what x is packed in.
type integers struct {
	name string
	tail int // where in a block of x the integers end
	most float32
}

var (
	int8s  = integers{"Int8", 32, 127}
	int16s = integers{"Int16", 64, 127 * 256}
)

func (s integers) block() int { return s.tail + 16 }

func main() {
	File()
	for _, s := range []integers{int8s, int16s} {
		pack(s)
		for _, f := range formats {
			for m := 1; m <= 4; m++ {
				narrow("avx2", s, f, m, &filed{many: 8}, false)
			}
			for m := 1; m <= 4; m++ {
				narrow("avxvnni", s, f, m, &filed{many: 8}, true)
			}
			for _, m := range []int{1, 2, 3, 4, 8} {
				wide(s, f, m, &filed{many: 16})
			}
		}
	}
	for _, f := range formats {
		for m := 1; m <= 4; m++ {
			narrow("avx2", int16s, f, m, &interleaved{many: 8}, false)
			narrow("avxvnni", int16s, f, m, &interleaved{many: 8}, true)
		}
		for _, m := range []int{1, 2, 3, 4, 8} {
			wide(int16s, f, m, &interleaved{many: 16})
		}
		interleave(8, f)
		interleave(16, f)
	}
	for _, f := range supers {
		for m := 1; m <= 4; m++ {
			interleavedSuper("avx2", f, m, 8, false)
			interleavedSuper("avxvnni", f, m, 8, true)
		}
		for _, m := range []int{1, 2, 3, 4, 8} {
			interleavedSuper("avx512", f, m, 16, true)
		}
	}
	for _, lanes := range []int{8, 16} {
		turnQ4K(lanes)
		turnQ5K(lanes)
		turnQ6K(lanes)
		turnPlain(lanes, nil)
		turnPlain(lanes, &interleaved{many: lanes})
		turnSmall(lanes)
	}
	for _, f := range []form{plain, least, halved} {
		turnedPair(f)
		for m := 1; m <= 4; m++ {
			turned("avx2", 8, m, f, false)
			turned("avxvnni", 8, m, f, true)
		}
		for _, m := range []int{1, 2, 3, 4, 8} {
			turned("avx512", 16, m, f, true)
		}
	}
	generate()
}

// rows are the addresses of rows that lie at equal distances.
type rows struct {
	stride, stride3, stride5, stride7 reg.Register
	low, high                         reg.Register // of the first row and the ninth
}

func newRows(n int) *rows {
	r := &rows{stride: Int("stride"), stride3: GP64(), stride5: GP64(), stride7: GP64(), low: GP64()}
	LEAQ(Mem{Base: r.stride, Index: r.stride, Scale: 2}, r.stride3)
	LEAQ(Mem{Base: r.stride, Index: r.stride, Scale: 4}, r.stride5)
	LEAQ(Mem{Base: r.stride3, Index: r.stride, Scale: 4}, r.stride7)
	if n > 8 {
		r.high = GP64()
	}
	return r
}

func (r *rows) begin() {
	Load(Param("w"), r.low)
	if r.high != nil {
		LEAQ(Mem{Base: r.low, Index: r.stride, Scale: 8}, r.high)
	}
}

func (r *rows) at(i, disp int) Mem {
	p := r.low
	if i >= 8 {
		p, i = r.high, i-8
	}
	m := [8]Mem{{Base: p}, {Base: p, Index: r.stride, Scale: 1}, {Base: p, Index: r.stride, Scale: 2}, {Base: p, Index: r.stride3, Scale: 1},
		{Base: p, Index: r.stride, Scale: 4}, {Base: p, Index: r.stride5, Scale: 1}, {Base: p, Index: r.stride3, Scale: 2}, {Base: p, Index: r.stride7, Scale: 1}}[i]
	m.Disp = disp
	return m
}

func (r *rows) step(bytes int) {
	ADDQ(Imm(uint64(bytes)), r.low)
	if r.high != nil {
		ADDQ(Imm(uint64(bytes)), r.high)
	}
}

// inputs are the addresses of up to eight packed rows of x.
type inputs struct {
	integers
	p          []reg.Register // of every fourth
	ldx, three reg.Register
}

func newInputs(s integers, m int) *inputs {
	in := &inputs{integers: s}
	for range (m + 3) / 4 {
		in.p = append(in.p, GP64())
	}
	if m > 1 {
		in.ldx = Int("ldx")
	}
	if m > 3 {
		in.three = GP64()
		LEAQ(Mem{Base: in.ldx, Index: in.ldx, Scale: 2}, in.three)
	}
	return in
}

func (in *inputs) begin() {
	Load(Param("x"), in.p[0])
	for i := range in.p[1:] {
		LEAQ(Mem{Base: in.p[i], Index: in.ldx, Scale: 4}, in.p[i+1])
	}
}

func (in *inputs) at(i, disp int) Mem {
	p := in.p[i/4]
	m := [4]Mem{{Base: p}, {Base: p, Index: in.ldx, Scale: 1}, {Base: p, Index: in.ldx, Scale: 2}, {Base: p, Index: in.three, Scale: 1}}[i%4]
	m.Disp = disp
	return m
}

// end is where in row i something lies behind the integers.
func (in *inputs) end(i, disp int) Mem { return in.at(i, in.tail+disp) }

func (in *inputs) step() {
	for _, p := range in.p {
		ADDQ(Imm(uint64(in.block())), p)
	}
}

// product writes what all products have in common: groups of lanes rows of W, a
// block of each at a time, and m rows of x.
func product(kind string, s integers, f format, m int, w source, acc []reg.VecVirtual, clear func(reg.VecVirtual), block func(f format, in *inputs)) {
	lanes := w.lanes()
	name := fmt.Sprintf("%s%s%sx%d", kind, w.of(s), f.name, m)
	Func(name, "func(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)",
		fmt.Sprintf("%s multiplies %d packed rows of x, ldx bytes apart, with groups > 0 times %d", name, m, lanes),
		"rows of w, "+w.lie()+", of blocks > 0 blocks each, as Integers.Mul does, and",
		"overwrites c. Meanwhile it asks for what lies behind them, and in place of what is",
		"rest bytes and more behind w, for what is then bytes farther.")
	w.load()
	in := newInputs(s, m)
	far, line, end, n := GP64(), GP64(), GP64(), GP64()
	Load(Param("w"), end)
	ADDQ(NewParamAddr("rest", 64), end)
	Store(end, Param("rest"))
	Label("group")
	w.begin(far)
	in.begin()
	Load(Param("blocks"), n)
	for i := range acc {
		clear(acc[i])
	}
	Align()
	Label("block")
	askFrom(line, far)
	f.ahead = &ahead{at: line, lines: (lanes*f.bytes + 63) / 64, points: (f.bytes - f.at) / 16 * (4 + w.loads())}
	block(f, in)
	ADDQ(U32(uint64(lanes*f.bytes)), far)
	w.step(f)
	in.step()
	DECQ(n)
	JNZ(LabelRef("block"))
	storeGroup(acc, lanes)
	w.end()
	nextGroup()
	Ret()
}

// askFrom sets line to what is asked for beside a block: far, or what is then farther.
func askFrom(line, far reg.Register) {
	MOVQ(far, line)
	CMPQ(far, NewParamAddr("rest", 64))
	JB(LabelRef("near"))
	ADDQ(NewParamAddr("then", 72), line)
	Label("near")
}

// storeGroup overwrites the columns of c that are a group's.
func storeGroup(acc []reg.VecVirtual, lanes int) {
	c, next := Int("c"), GP64()
	MOVQ(c, next)
	ldc := Bytes("ldc")
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: c})
		if i < len(acc)-1 {
			ADDQ(ldc, c)
		}
	}
	ADDQ(Imm(uint64(4*lanes)), next)
	Store(next, Param("c"))
}

// nextGroup goes on with the next group, where there is one.
func nextGroup() {
	groups := GP64()
	Load(Param("groups"), groups)
	DECQ(groups)
	Store(groups, Param("groups"))
	JNZ(LabelRef("group"))
}

// begin loads the lowest part of a vector and clears the rest, as every
// instruction of AVX does: avo is told, which else takes the rest for something
// that is kept from before.
func begin(opcode string, from Mem, v reg.VecVirtual) {
	Instruction(&ir.Instruction{Opcode: opcode, Operands: []Op{from, v.AsX()}, Inputs: []Op{from}, Outputs: []Op{v}})
}

// turn makes four vectors of rows of four words each four vectors of one word of
// every row, within each 128 bits.
func turn(a [4]reg.VecVirtual, vec func() reg.VecVirtual) (t [4]reg.VecVirtual) {
	l, h := [2]reg.VecVirtual{vec(), vec()}, [2]reg.VecVirtual{vec(), vec()}
	for i := range 2 {
		VPUNPCKLDQ(a[2*i+1], a[2*i], l[i])
		VPUNPCKHDQ(a[2*i+1], a[2*i], h[i])
	}
	for i, v := range [2][2]reg.VecVirtual{l, h} {
		t[2*i], t[2*i+1] = vec(), vec()
		VPUNPCKLQDQ(v[1], v[0], t[2*i])
		VPUNPCKHQDQ(v[1], v[0], t[2*i+1])
	}
	return t
}

// halves gathers the words that so many rows have at disp, eight to a vector.
func halves(r *rows, n, disp int) (v []reg.VecVirtual) {
	for i := 0; i < n; i += 8 {
		x := YMM()
		begin("VMOVD", r.at(i, disp), x)
		for k := 1; k < 8; k++ {
			VPINSRW(Imm(uint64(k)), r.at(i+k, disp), x.AsX(), x.AsX())
		}
		v = append(v, x)
	}
	return v
}

// doubles gathers the double words at the begin of the rows named.
func doubles(r *rows, at [4]int) reg.VecVirtual {
	x := YMM()
	begin("VMOVD", r.at(at[0], 0), x)
	for k := 1; k < 4; k++ {
		VPINSRD(Imm(uint64(k)), r.at(at[k], 0), x.AsX(), x.AsX())
	}
	return x
}

// part is the offset in a packed block of 8-bit x of the four bytes that belong to
// word g of a block's weights, its lower halves or, with upper, the others.
func part(g int, upper bool) int {
	if upper {
		return 16 + 4*g
	}
	return 4 * g
}

func ones(name string, each uint32) Mem { return U32s(name, each) }

// pack writes the packing of rows of x.
func pack(s integers) {
	name := "avx2Pack" + s.name
	Func(name, "func(dst *byte, x *float32, blocks int)",
		name+" packs blocks > 0 blocks of 32 numbers, as Integers.Pack does.")
	dst, x, n := Int("dst"), Int("x"), Int("blocks")
	least, inf := GP32(), GP32()
	MOVL(U32(0x0d800000), least)
	MOVL(U32(0x7f800000), inf)
	top := XMM()
	{
		t := GP32()
		MOVL(U32(math.Float32bits(s.most)), t)
		VMOVD(t, top)
	}
	magnitude := YMM()
	VMOVDQU(ones("magnitude", 0x7fffffff), magnitude)
	order, flip := YMM(), YMM()
	if s == int8s {
		VMOVDQU(Words("packed", [8]uint32{0, 4, 1, 5, 2, 6, 3, 7}), order)
		VMOVDQU(ones("signs8", 0x80808080), flip)
	} else {
		VMOVDQU(Words("exchanged", [8]uint32{0x05040100, 0x07060302, 0x0d0c0908, 0x0f0e0b0a, 0x05040100, 0x07060302, 0x0d0c0908, 0x0f0e0b0a}), order)
	}
	Align()
	Label("loop")
	var v [4]reg.VecVirtual
	most := YMM()
	for i := range v {
		v[i] = YMM()
		VMOVUPS(Mem{Base: x, Disp: 32 * i}, v[i])
		if i == 0 {
			VPAND(magnitude, v[i], most)
			continue
		}
		a := YMM()
		VPAND(magnitude, v[i], a)
		VPMAXUD(a, most, most)
	}
	hi := XMM()
	VEXTRACTI128(Imm(1), most, hi)
	VPMAXUD(hi, most.AsX(), hi)
	t := XMM()
	VPSHUFD(Imm(0x4e), hi, t)
	VPMAXUD(t, hi, hi)
	VPSHUFD(Imm(0xb1), hi, t)
	VPMAXUD(t, hi, hi)
	bits := GP32()
	VMOVD(hi, bits)
	q, upper, d, sum := YMM(), YMM(), XMM(), GP64()
	CMPL(bits, least)
	JB(LabelRef("zero"))
	CMPL(bits, inf)
	JAE(LabelRef("none"))
	inverse := YMM()
	VDIVSS(top, hi, d)
	VDIVSS(hi, top, inverse.AsX())
	VBROADCASTSS(inverse.AsX(), inverse)
	for i := range v {
		VMULPS(inverse, v[i], v[i])
		VCVTPS2DQ(v[i], v[i])
	}
	VPACKSSDW(v[1], v[0], v[0])
	VPACKSSDW(v[3], v[2], v[2])
	each, low, half := YMM(), XMM(), XMM()
	if s == int8s {
		VPACKSSWB(v[2], v[0], q)
		VPERMD(q, order, q)
		zero := YMM()
		VPXOR(zero, zero, zero)
		VPXOR(flip, q, each)
		VPSADBW(zero, each, each)
		VEXTRACTI128(Imm(1), each, low)
		VPADDQ(low, each.AsX(), low)
		VPSHUFD(Imm(0x4e), low, half)
		VPADDQ(half, low, low)
		VMOVQ(low, sum)
		SUBQ(U32(32*128), sum)
	} else {
		VPMADDWD(ones("ones16", 0x00010001), v[0], each)
		VPMADDWD(ones("ones16", 0x00010001), v[2], q)
		VPADDD(q, each, each)
		VEXTRACTI128(Imm(1), each, low)
		VPADDD(low, each.AsX(), low)
		VPSHUFD(Imm(0x4e), low, half)
		VPADDD(half, low, low)
		VPSHUFD(Imm(0xb1), low, half)
		VPADDD(half, low, low)
		VMOVD(low, sum.As32())
		MOVLQSX(sum.As32(), sum)
		for i, to := range []reg.VecVirtual{q, upper} {
			VPERMQ(Imm(0xd8), v[2*i], to)
			VPSHUFB(order, to, to)
		}
	}
	Label("store")
	VMOVDQU(q, Mem{Base: dst})
	if s == int16s {
		VMOVDQU(upper, Mem{Base: dst, Disp: 32})
	}
	VMOVSS(d, Mem{Base: dst, Disp: s.tail + atScale})
	f := XMM()
	VPXOR(f, f, f)
	VCVTSI2SSL(sum.As32(), f, f)
	VMULSS(d, f, f)
	VMOVSS(f, Mem{Base: dst, Disp: s.tail + atSum})
	NEGQ(sum)
	SHLQ(Imm(3), sum)
	MOVL(sum.As32(), Mem{Base: dst, Disp: s.tail + atEight})
	SHLQ(Imm(4), sum)
	MOVL(sum.As32(), Mem{Base: dst, Disp: s.tail + at128})
	ADDQ(U32(128), x)
	ADDQ(Imm(uint64(s.block())), dst)
	DECQ(n)
	JNZ(LabelRef("loop"))
	Ret()
	Label("none")
	nan := GP32()
	MOVL(U32(0x7fc00000), nan)
	VMOVD(nan, d)
	VPXOR(q, q, q)
	VPXOR(upper, upper, upper)
	XORQ(sum, sum)
	JMP(LabelRef("store"))
	Label("zero")
	VPXOR(d, d, d)
	VPXOR(q, q, q)
	VPXOR(upper, upper, upper)
	XORQ(sum, sum)
	JMP(LabelRef("store"))
}
