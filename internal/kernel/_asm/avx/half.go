package avx

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// DotHalf writes the product of any rows of A with rows of B in F16, which lie one behind
// the other, by vectors of so many lanes. begin, called once, gives what clears one; sum
// folds four to the lanes of an XMM register.
func DotHalf(name string, lanes int, vector func() reg.VecVirtual, begin func() func(reg.VecVirtual), sum func(a, b, c, d reg.VecVirtual) reg.VecVirtual) {
	Func(name, "func(c *float32, ldc int, a *float32, lda int, b *byte, ahead uintptr, m, n, k int)",
		name+" multiplies m > 0 rows of a with n of b in F16, k elements apart, n a positive",
		fmt.Sprintf("multiple of 4 and k of %d, in the lanes of MulNT:", lanes),
		"",
		"\tc[i*ldc+j] = sum_p a[i*lda+p]*b[j*k+p]",
		"",
		"It asks for what lies ahead bytes behind b.")
	c, ldc, lda, b := Int("c"), Bytes("ldc"), Bytes("lda"), Int("b")
	ldb, ldb3 := Int("k"), GP64()
	SHLQ(Imm(1), ldb)
	LEAQ(Mem{Base: ldb, Index: ldb, Scale: 2}, ldb3)
	clear := begin()
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
				acc[i][j] = vector()
				clear(acc[i][j])
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
			x[i] = vector()
			VMOVUPS([3]Mem{{Base: pa}, {Base: pa, Index: lda, Scale: 1}, {Base: pa, Index: lda, Scale: 2}}[i], x[i])
		}
		for j := range 4 {
			y := vector()
			VCVTPH2PS([4]Mem{{Base: pb}, {Base: pb, Index: ldb, Scale: 1}, {Base: pb, Index: ldb, Scale: 2}, {Base: pb, Index: ldb3, Scale: 1}}[j], y)
			for i := range x {
				VFMADD231PS(y, x[i], acc[i][j])
			}
		}
		for at := 0; at < 8*lanes; at += 64 {
			PREFETCHT0(Mem{Base: line, Disp: at})
		}
		ADDQ(Imm(uint64(8*lanes)), line)
		ADDQ(Imm(uint64(4*lanes)), pa)
		ADDQ(Imm(uint64(2*lanes)), pb)
		SUBQ(Imm(uint64(lanes)), n)
		JNZ(LabelRef(l("loop")))
		for i := range acc {
			VMOVUPS(sum(acc[i][0], acc[i][1], acc[i][2], acc[i][3]), Mem{Base: row})
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
