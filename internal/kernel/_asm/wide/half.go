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

// dotHalf is dotPanel for rows of B in F16, which lie one behind the other.
func dotHalf() {
	Func("avx512DotHalf", "func(c *float32, ldc int, a *float32, lda int, b *byte, ahead uintptr, m, n, k int)",
		"avx512DotHalf multiplies m > 0 rows of a with n of b in F16, k elements apart, n a positive",
		"multiple of 4 and k of 16, in the lanes of MulNT:",
		"",
		"\tc[i*ldc+j] = sum_p a[i*lda+p]*b[j*k+p]",
		"",
		"It asks for what lies ahead bytes behind b.")
	c, ldc, lda, b := Int("c"), Bytes("ldc"), Bytes("lda"), Int("b")
	ldb, ldb3 := Int("k"), GP64()
	SHLQ(Imm(1), ldb)
	LEAQ(Mem{Base: ldb, Index: ldb, Scale: 2}, ldb3)
	zero := zeroed()
	Label("group")
	a, m, row := Int("a"), Int("m"), GP64()
	MOVQ(c, row)
	for _, rows := range []int{3, 2, 1} {
		l := func(s string) string { return fmt.Sprintf("rows%d_%s", rows, s) }
		Label(l("begin"))
		CMPQ(m, Imm(uint64(rows)))
		JLT(LabelRef(l("end")))
		acc := make([][4]reg.VecVirtual, rows)
		for i := range acc {
			for j := range acc[i] {
				acc[i][j] = ZMM()
				VMOVAPS(zero, acc[i][j])
			}
		}
		pa, pb, line, n := GP64(), GP64(), GP64(), GP64()
		MOVQ(a, pa)
		MOVQ(b, pb)
		Load(Param("ahead"), line)
		ADDQ(b, line)
		Load(Param("k"), n)
		Align()
		Label(l("loop"))
		x := make([]reg.VecVirtual, rows)
		for i := range x {
			x[i] = ZMM()
			VMOVUPS([3]Mem{{Base: pa}, {Base: pa, Index: lda, Scale: 1}, {Base: pa, Index: lda, Scale: 2}}[i], x[i])
		}
		for j := range 4 {
			y := ZMM()
			VCVTPH2PS([4]Mem{{Base: pb}, {Base: pb, Index: ldb, Scale: 1}, {Base: pb, Index: ldb, Scale: 2}, {Base: pb, Index: ldb3, Scale: 1}}[j], y)
			for i := range x {
				VFMADD231PS(y, x[i], acc[i][j])
			}
		}
		for at := 0; at < 128; at += 64 {
			PREFETCHT0(Mem{Base: line, Disp: at})
		}
		ADDQ(Imm(128), line)
		ADDQ(Imm(64), pa)
		ADDQ(Imm(32), pb)
		SUBQ(Imm(16), n)
		JNZ(LabelRef(l("loop")))
		for i := range acc {
			VMOVUPS(sum4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]), Mem{Base: row})
			ADDQ(ldc, row)
			ADDQ(lda, a)
		}
		SUBQ(Imm(uint64(rows)), m)
		if rows == 3 {
			JMP(LabelRef(l("begin")))
		}
		Label(l("end"))
	}
	ADDQ(Imm(16), c)
	LEAQ(Mem{Base: b, Index: ldb, Scale: 4}, b)
	left := Int("n")
	SUBQ(Imm(4), left)
	Store(left, Param("n"))
	JNZ(LabelRef("group"))
	Ret()
}
