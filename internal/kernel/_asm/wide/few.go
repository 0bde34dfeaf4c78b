package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// outerFew writes the product of a few rows of A with 64 columns of B as it lies,
// wide enough that the chains hide each other's latency; with half, of B in F16.
func outerFew(rows int, half bool) {
	name, matrix, of := fmt.Sprintf("avx512Outer%dx64", rows), "*float32", ""
	load, size, far := func(m Mem, v reg.VecVirtual) { VMOVUPS(m, v) }, 64, ""
	if half {
		name, matrix, of = fmt.Sprintf("avx512OuterHalf%dx64", rows), "*byte", " of a b in F16, and asks for what lies ahead bytes behind it"
		load, size, far = func(m Mem, v reg.VecVirtual) { VCVTPH2PS(m, v) }, 32, ", ahead uintptr"
	}
	Func(name, "func(c *float32, ldc int, a *float32, rs, cs int, b "+matrix+", ldb int"+far+", k int)",
		fmt.Sprintf("%s is avx512Outer32 for %d rows and 64 columns%s.", name, rows, of))
	c, ldc := Int("c"), Bytes("ldc")
	a, rs, cs := Int("a"), Bytes("rs"), Bytes("cs")
	b, ldb, n := Int("b"), Int("ldb"), Int("k")
	SHLQ(Imm(uint64(size/32)), ldb)
	var ahead reg.Register
	if half {
		ahead = Int("ahead")
	}
	rs3 := GP64()
	LEAQ(Mem{Base: rs, Index: rs, Scale: 2}, rs3)
	acc := make([][4]reg.VecVirtual, rows)
	row := GP64()
	MOVQ(c, row)
	for i := range acc {
		for j := range acc[i] {
			acc[i][j] = ZMM()
			VMOVUPS(Mem{Base: row, Disp: 64 * j}, acc[i][j])
		}
		ADDQ(ldc, row)
	}
	Align()
	Label("loop")
	x := make([]reg.VecVirtual, rows)
	for i := range x {
		x[i] = ZMM()
		VBROADCASTSS([4]Mem{{Base: a}, {Base: a, Index: rs, Scale: 1}, {Base: a, Index: rs, Scale: 2}, {Base: a, Index: rs3, Scale: 1}}[i], x[i])
	}
	for j := range 4 {
		y := ZMM()
		load(Mem{Base: b, Disp: size * j}, y)
		for i := range x {
			VFMADD231PS(y, x[i], acc[i][j])
		}
	}
	if half {
		PREFETCHT0(Mem{Base: b, Index: ahead, Scale: 1})
		PREFETCHT0(Mem{Base: b, Index: ahead, Scale: 1, Disp: 64})
	}
	ADDQ(cs, a)
	ADDQ(ldb, b)
	DECQ(n)
	JNZ(LabelRef("loop"))
	for i := range acc {
		for j := range acc[i] {
			VMOVUPS(acc[i][j], Mem{Base: c, Disp: 64 * j})
		}
		ADDQ(ldc, c)
	}
	Ret()
}
