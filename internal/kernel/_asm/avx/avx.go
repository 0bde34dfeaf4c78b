// Package avx has what the generators of the AVX2 kind share: constants, masks
// for tails, loops and the last step of reductions.
package avx

import (
	"fmt"
	"go/types"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// File begins a file by the builds it belongs to.
func File() {
	ConstraintExpr("!purego")
}

// Func begins a function that touches nothing but its arguments' memory.
func Func(name, signature string, doc ...string) {
	TEXT(name, attr.NOSPLIT, signature)
	Pragma("noescape")
	Doc(doc...)
}

// Int loads the named int or pointer argument.
func Int(name string) reg.Register { return Load(Param(name), GP64()) }

// Bytes loads the named count of float32 and turns it into bytes.
func Bytes(name string) reg.Register {
	r := Int(name)
	SHLQ(Imm(2), r)
	return r
}

// Align begins a loop on a line of its own.
func Align() {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{Imm(32)}})
}

// Ret ends a function.
func Ret() {
	VZEROUPPER()
	RET()
}

// Result makes the lowest lane of v the function's result. Store would move it by SSE,
// where the upper halves of registers are still in use.
func Result(v reg.VecVirtual) {
	r, err := ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	if r.Type == types.Typ[types.Float64] {
		VMOVSD(v.AsX(), r.Addr)
		return
	}
	VMOVSS(v.AsX(), r.Addr)
}

var (
	consts = map[string]Mem{}
	masks  Mem
)

// F32s is a constant of eight equal floats in memory.
func F32s(name string, v float32) Mem { return U32s(name, math.Float32bits(v)) }

// U32s is a constant of eight equal words in memory.
func U32s(name string, v uint32) Mem {
	return words(name, [8]uint32{v, v, v, v, v, v, v, v})
}

// Words is a constant of eight words in memory.
func Words(name string, v [8]uint32) Mem { return words(name, v) }

func words(name string, v [8]uint32) Mem {
	if m, ok := consts[name]; ok {
		return m
	}
	m := GLOBL(name, attr.RODATA|attr.NOPTR)
	for i, w := range v {
		DATA(4*i, U32(w))
	}
	consts[name] = m
	return m
}

// TailMask sets mask to n (1 to 7) lanes of ones and the rest zero; n is lost.
func TailMask(n reg.Register, mask reg.VecVirtual) {
	VMOVUPS(tail(n), mask)
}

// Tail is where in memory the mask of n lanes lies; n is lost.
func tail(n reg.Register) Mem {
	if masks.Symbol.Name == "" {
		masks = GLOBL("tailMasks", attr.RODATA|attr.NOPTR)
		for i := range 16 {
			v := U32(0)
			if i < 8 {
				v = U32(0xffffffff)
			}
			DATA(4*i, v)
		}
	}
	at := GP64()
	LEAQ(masks, at)
	NEGQ(n)
	return Mem{Base: at, Index: n, Scale: 4, Disp: 32}
}

// TailAddress turns n (1 to 7) into the address of its mask.
func TailAddress(n reg.Register) Mem {
	m := tail(n)
	at := GP64()
	LEAQ(m, at)
	return Mem{Base: at}
}

// SumLanes leaves ((l0+l1)+(l2+l3)) + ((l4+l5)+(l6+l7)) of v in the lowest lane.
func SumLanes(v reg.VecVirtual) reg.VecVirtual {
	hi := XMM()
	VHADDPS(v, v, v)
	VHADDPS(v, v, v)
	VEXTRACTF128(Imm(1), v, hi)
	VADDSS(hi, v.AsX(), hi)
	return hi
}

// SumLanes4 is SumLanes of four vectors at once, which it destroys: their sums
// are the four lanes of the result.
func SumLanes4(a, b, c, d reg.VecVirtual) reg.VecVirtual {
	hi := XMM()
	VHADDPS(b, a, a)
	VHADDPS(d, c, c)
	VHADDPS(c, a, a)
	VEXTRACTF128(Imm(1), a, hi)
	VADDPS(hi, a.AsX(), hi)
	return hi
}

// SumLanes2 is SumLanes4 of two vectors, their sums in the lowest two lanes.
func SumLanes2(a, b reg.VecVirtual) reg.VecVirtual {
	hi := XMM()
	VHADDPS(b, a, a)
	VHADDPS(a, a, a)
	VEXTRACTF128(Imm(1), a, hi)
	VADDPS(hi, a.AsX(), hi)
	return hi
}

// Zero clears vectors.
func Zero(vs ...reg.VecVirtual) {
	for _, v := range vs {
		VXORPS(v, v, v)
	}
}

// PackPanels writes the copy of rows into panels as wide as two vectors, each of so many
// lanes.
func PackPanels(name string, lanes int, vector func() reg.VecVirtual) {
	Func(name, "func(panel *float32, ldp int, src *float32, lds int, rows, panels int)",
		fmt.Sprintf("%s copies %d columns for each of panels > 0 from rows > 0 rows of", name, 2*lanes),
		"src, lds apart: panels are ldp apart, and their rows lie one behind the other.")
	panel, ldp, src, lds := Int("panel"), Bytes("ldp"), Int("src"), Bytes("lds")
	rows, panels := Int("rows"), Int("panels")
	Label("row")
	from, to, n := GP64(), GP64(), GP64()
	MOVQ(src, from)
	MOVQ(panel, to)
	MOVQ(panels, n)
	Label("panel")
	lo, hi := vector(), vector()
	VMOVUPS(Mem{Base: from}, lo)
	VMOVUPS(Mem{Base: from, Disp: 4 * lanes}, hi)
	VMOVUPS(lo, Mem{Base: to})
	VMOVUPS(hi, Mem{Base: to, Disp: 4 * lanes})
	ADDQ(U32(uint32(8*lanes)), from)
	ADDQ(ldp, to)
	DECQ(n)
	JNZ(LabelRef("panel"))
	ADDQ(lds, src)
	ADDQ(U32(uint32(8*lanes)), panel)
	DECQ(rows)
	JNZ(LabelRef("row"))
	Ret()
}
