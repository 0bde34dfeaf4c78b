package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// halfAhead is how many bytes ahead of B at hand others are asked for.
const halfAhead = 4096

// addHalf writes the product of a few rows with a matrix in F16: panels of 16
// columns, some at a time so that the chains hide each other's latency.
func addHalf(rows, panels int) {
	name := fmt.Sprintf("avx512AddHalf%d", rows)
	Func(name, "func(c *float32, ldc int, h *float32, ldh int, b *byte, k, groups int)",
		fmt.Sprintf("%s adds to %d rows of groups > 0 times 16 floats of c the k > 0 products", name, rows),
		"of h and b, which lies in panels of k rows of 16:",
		"",
		"\tc[i*ldc+16*g+l] += h[i*ldh+p] * b[g][p][l]")
	c, ldc, ldh := Int("c"), Bytes("ldc"), Bytes("ldh")
	b, groups := Int("b"), Int("groups")
	stride := Int("k")
	SHLQ(Imm(5), stride)
	stride3, ldh3 := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: ldh, Index: ldh, Scale: 2}, ldh3)
	for _, n := range []int{panels, 1} {
		l := func(s string) string { return fmt.Sprintf("panels%d_%s", n, s) }
		Label(l("begin"))
		CMPQ(groups, Imm(uint64(n)))
		JLT(LabelRef(l("end")))
		acc := make([][]reg.VecVirtual, rows)
		row := GP64()
		MOVQ(c, row)
		for i := range acc {
			acc[i] = make([]reg.VecVirtual, n)
			for j := range acc[i] {
				acc[i][j] = ZMM()
				VMOVUPS(Mem{Base: row, Disp: 64 * j}, acc[i][j])
			}
			ADDQ(ldc, row)
		}
		h, k := GP64(), GP64()
		Load(Param("h"), h)
		Load(Param("k"), k)
		Align()
		Label(l("loop"))
		x := make([]reg.VecVirtual, rows)
		for i := range x {
			x[i] = ZMM()
			VBROADCASTSS([4]Mem{{Base: h}, {Base: h, Index: ldh, Scale: 1}, {Base: h, Index: ldh, Scale: 2}, {Base: h, Index: ldh3, Scale: 1}}[i], x[i])
		}
		for j := range n {
			y := ZMM()
			at := [4]Mem{{Base: b}, {Base: b, Index: stride, Scale: 1}, {Base: b, Index: stride, Scale: 2}, {Base: b, Index: stride3, Scale: 1}}[j]
			VCVTPH2PS(at, y)
			for i := range x {
				VFMADD231PS(y, x[i], acc[i][j])
			}
			at.Disp = halfAhead
			PREFETCHT0(at)
		}
		ADDQ(Imm(4), h)
		ADDQ(Imm(32), b)
		DECQ(k)
		JNZ(LabelRef(l("loop")))
		MOVQ(c, row)
		for i := range acc {
			for j := range acc[i] {
				VMOVUPS(acc[i][j], Mem{Base: row, Disp: 64 * j})
			}
			ADDQ(ldc, row)
		}
		ADDQ(U32(uint64(64*n)), c)
		for range n - 1 {
			ADDQ(stride, b)
		}
		SUBQ(Imm(uint64(n)), groups)
		JMP(LabelRef(l("begin")))
		Label(l("end"))
	}
	Ret()
}

// dotHalf is dotPanel for rows of B in F16.
func dotHalf() {
	DotHalf("avx512DotHalf", 16, ZMM, func() func(reg.VecVirtual) {
		zero := zeroed()
		return func(v reg.VecVirtual) { VMOVAPS(zero, v) }
	}, sum4)
}
