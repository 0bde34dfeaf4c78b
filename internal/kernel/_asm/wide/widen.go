package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// widen writes the loop that widens whole blocks, whose scales it spreads itself.
func widen(f format) {
	name := "avx512Widen" + f.name
	Func(name, "func(dst *float32, src *byte, blocks int)",
		fmt.Sprintf("%s writes the 32*blocks > 0 floats of src to dst.", name))
	dst, src, n := Int("dst"), Int("src"), Int("blocks")
	var count reg.VecVirtual
	if v, ok := f.before().(reg.VecVirtual); ok {
		count = v
	}
	Align()
	Label("loop")
	head, scale := XMM(), ZMM()
	VCVTPH2PS(Mem{Base: src}, head)
	VBROADCASTSS(head, scale)
	var lo, hi reg.VecVirtual
	switch {
	case f.least:
		table := ZMM()
		VMOVSHDUP(head, head)
		VBROADCASTSS(head, table)
		VFMADD231PS(scale, count, table)
		lo, hi = nibbles(src, 4, table)
	case count != nil:
		table := ZMM()
		VMULPS(scale, count, table)
		lo, hi = nibbles(src, 2, table)
	default:
		lo, hi = ZMM(), ZMM()
		for i, v := range []reg.VecVirtual{lo, hi} {
			VPMOVSXBD(Mem{Base: src, Disp: 2 + 16*i}, v)
			VCVTDQ2PS(v, v)
			VMULPS(scale, v, v)
		}
	}
	VMOVUPS(lo, Mem{Base: dst})
	VMOVUPS(hi, Mem{Base: dst, Disp: 64})
	ADDQ(Imm(uint64(f.bytes)), src)
	ADDQ(U32(128), dst)
	DECQ(n)
	JNZ(LabelRef("loop"))
	Ret()
}
