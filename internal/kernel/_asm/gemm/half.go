package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// dotHalf is dotPanel for rows of B in F16, which lie one behind the other.
func dotHalf() {
	Func("avx2DotHalf", "func(c *float32, ldc int, a *float32, lda int, b *byte, ahead uintptr, m, n, k int)",
		"avx2DotHalf multiplies m > 0 rows of a with n of b in F16, k elements apart, n a positive",
		"multiple of 4 and k of 8, in the lanes of MulNT:",
		"",
		"\tc[i*ldc+j] = sum_p a[i*lda+p]*b[j*k+p]",
		"",
		"It asks for what lies ahead bytes behind b.")
	c, ldc, lda, b := Int("c"), Bytes("ldc"), Bytes("lda"), Int("b")
	ldb, ldb3 := Int("k"), GP64()
	SHLQ(Imm(1), ldb)
	LEAQ(Mem{Base: ldb, Index: ldb, Scale: 2}, ldb3)
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
				acc[i][j] = YMM()
				Zero(acc[i][j])
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
			x[i] = YMM()
			VMOVUPS([3]Mem{{Base: pa}, {Base: pa, Index: lda, Scale: 1}, {Base: pa, Index: lda, Scale: 2}}[i], x[i])
		}
		for j := range 4 {
			y := YMM()
			VCVTPH2PS([4]Mem{{Base: pb}, {Base: pb, Index: ldb, Scale: 1}, {Base: pb, Index: ldb, Scale: 2}, {Base: pb, Index: ldb3, Scale: 1}}[j], y)
			for i := range x {
				VFMADD231PS(y, x[i], acc[i][j])
			}
		}
		PREFETCHT0(Mem{Base: line})
		ADDQ(Imm(64), line)
		ADDQ(Imm(32), pa)
		ADDQ(Imm(16), pb)
		SUBQ(Imm(8), n)
		JNZ(LabelRef(l("loop")))
		for i := range acc {
			VMOVUPS(SumLanes4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]), Mem{Base: row})
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

// outerHalf is outerWide for a B in F16.
func outerHalf(rows, vecs int) {
	name := fmt.Sprintf("avx2OuterHalf%dx%d", rows, 8*vecs)
	Func(name, "func(c *float32, ldc int, a *float32, lda int, b *byte, ldb int, ahead uintptr, k int)",
		fmt.Sprintf("%s adds to %d rows of %d columns of c the k > 0 products of a and b, which is in F16:", name, rows, 8*vecs),
		"",
		"\tc[i*ldc+j] += a[i*lda+p] * b[p*ldb+j]",
		"",
		"It asks for what lies ahead bytes behind b.")
	c, ldc, a, lda := Int("c"), Bytes("ldc"), Int("a"), Bytes("lda")
	b, ldb, ahead, n := Int("b"), Int("ldb"), Int("ahead"), Int("k")
	SHLQ(Imm(1), ldb)
	acc := make([][]reg.VecVirtual, rows)
	row := GP64()
	MOVQ(c, row)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, vecs)
		for j := range acc[i] {
			acc[i][j] = YMM()
			VMOVUPS(Mem{Base: row, Disp: 32 * j}, acc[i][j])
		}
		ADDQ(ldc, row)
	}
	Align()
	Label("loop")
	x := make([]reg.VecVirtual, rows)
	for i := range x {
		x[i] = YMM()
		VBROADCASTSS([3]Mem{{Base: a}, {Base: a, Index: lda, Scale: 1}, {Base: a, Index: lda, Scale: 2}}[i], x[i])
	}
	for j := range vecs {
		y := YMM()
		VCVTPH2PS(Mem{Base: b, Disp: 16 * j}, y)
		for i := range x {
			VFMADD231PS(y, x[i], acc[i][j])
		}
	}
	for at := 0; at < 16*vecs; at += 64 {
		PREFETCHT0(Mem{Base: b, Index: ahead, Scale: 1, Disp: at})
	}
	ADDQ(Imm(4), a)
	ADDQ(ldb, b)
	DECQ(n)
	JNZ(LabelRef("loop"))
	for i := range acc {
		for j := range acc[i] {
			VMOVUPS(acc[i][j], Mem{Base: c, Disp: 32 * j})
		}
		ADDQ(ldc, c)
	}
	Ret()
}
