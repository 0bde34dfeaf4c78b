// Command gemm writes the AVX2 inner loops of matrix products.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

func main() {
	File()
	dotPanel(4)
	dotPanel(1)
	outerPanel()
	outerPanelMask()
	PackPanels("avx2PackPanels", 8, YMM)
	outerWide(1, 8, false)
	outerWide(2, 4, false)
	outerWide(3, 4, false)
	DotHalf("avx2DotHalf", 8, YMM, func() func(reg.VecVirtual) {
		return func(v reg.VecVirtual) { Zero(v) }
	}, SumLanes4)
	outerWide(1, 8, true)
	for rows := 1; rows <= 3; rows++ {
		outerWide(rows, 4, true)
		outerWide(rows, 2, true)
	}
	peak()
	readSum()
	spin()
	fetch()
	Generate()
}

// dotPanel writes the product of any rows of A with nb rows of B over one chunk
// of k, three rows of A at a time.
func dotPanel(nb int) {
	name := fmt.Sprintf("avx2Dot%d", nb)
	Func(name, "func(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, m, k int, add bool)",
		fmt.Sprintf("%s multiplies m > 0 rows of a with %d of b over k > 0 elements:", name, nb),
		"",
		"\tc[i*ldc+j] = sum_p a[i*lda+p]*b[j*ldb+p]",
		"",
		"in the lanes of MulNT, added to c where add is set.")
	c, ldc, a, lda := Int("c"), Bytes("ldc"), Int("a"), Bytes("lda")
	b, ldb, m := Int("b"), Bytes("ldb"), Int("m")
	var ldb3 reg.Register
	if nb == 4 {
		ldb3 = GP64()
		LEAQ(Mem{Base: ldb, Index: ldb, Scale: 2}, ldb3)
	}
	for _, rows := range []int{3, 2, 1} {
		l := func(s string) string { return fmt.Sprintf("rows%d_%s", rows, s) }
		Label(l("begin"))
		CMPQ(m, Imm(uint64(rows)))
		JLT(LabelRef(l("end")))
		dotTile(l, rows, nb, c, ldc, a, lda, b, ldb, ldb3)
		for range rows {
			ADDQ(lda, a)
			ADDQ(ldc, c)
		}
		SUBQ(Imm(uint64(rows)), m)
		if rows == 3 {
			JMP(LabelRef(l("begin")))
		}
		Label(l("end"))
	}
	Ret()
}

func dotTile(l func(string) string, rows, nb int, c, ldc, a, lda, b, ldb, ldb3 reg.Register) {
	acc := make([][]reg.VecVirtual, rows)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, nb)
		for j := range acc[i] {
			acc[i][j] = YMM()
			Zero(acc[i][j])
		}
	}
	pa, pb, n := GP64(), GP64(), GP64()
	MOVQ(a, pa)
	MOVQ(b, pb)
	rowA := func(i, disp int) Mem {
		return [3]Mem{{Base: pa, Disp: disp}, {Base: pa, Index: lda, Scale: 1, Disp: disp}, {Base: pa, Index: lda, Scale: 2, Disp: disp}}[i]
	}
	rowB := func(j, disp int) Mem {
		return [4]Mem{{Base: pb, Disp: disp}, {Base: pb, Index: ldb, Scale: 1, Disp: disp}, {Base: pb, Index: ldb, Scale: 2, Disp: disp}, {Base: pb, Index: ldb3, Scale: 1, Disp: disp}}[j]
	}
	step := func(disp int) {
		x := make([]reg.VecVirtual, rows)
		for i := range x {
			x[i] = YMM()
			VMOVUPS(rowA(i, disp), x[i])
		}
		for j := range nb {
			y := YMM()
			VMOVUPS(rowB(j, disp), y)
			for i := range x {
				VFMADD231PS(y, x[i], acc[i][j])
			}
		}
	}
	Load(Param("k"), n)
	// The next rows of A come from the second-level cache, a line each a turn.
	ahead := GP64()
	if rows == 3 {
		LEAQ(Mem{Base: pa, Index: lda, Scale: 2}, ahead)
		ADDQ(lda, ahead)
	}
	SUBQ(Imm(16), n)
	JLT(LabelRef(l("eight")))
	Align()
	Label(l("loop"))
	step(0)
	if rows == 3 {
		PREFETCHT0(Mem{Base: ahead})
		PREFETCHT0(Mem{Base: ahead, Index: lda, Scale: 1})
		PREFETCHT0(Mem{Base: ahead, Index: lda, Scale: 2})
		ADDQ(Imm(64), ahead)
	}
	step(32)
	ADDQ(Imm(64), pa)
	ADDQ(Imm(64), pb)
	SUBQ(Imm(16), n)
	JGE(LabelRef(l("loop")))
	Label(l("eight"))
	ADDQ(Imm(8), n)
	JLT(LabelRef(l("tail")))
	step(0)
	ADDQ(Imm(32), pa)
	ADDQ(Imm(32), pb)
	SUBQ(Imm(8), n)
	Label(l("tail"))
	ADDQ(Imm(8), n)
	JZ(LabelRef(l("sum")))
	mask := TailAddress(n)
	x := make([]reg.VecVirtual, rows)
	for i := range x {
		x[i] = YMM()
		VMOVUPS(mask, x[i])
		VMASKMOVPS(rowA(i, 0), x[i], x[i])
	}
	for j := range nb {
		y := YMM()
		VMOVUPS(mask, y)
		VMASKMOVPS(rowB(j, 0), y, y)
		for i := range x {
			VFMADD231PS(y, x[i], acc[i][j])
		}
	}
	Label(l("sum"))
	add := Load(Param("add"), GP8())
	sums := make([]reg.VecVirtual, rows)
	for i := range sums {
		if nb == 4 {
			sums[i] = SumLanes4(acc[i][0], acc[i][1], acc[i][2], acc[i][3])
		} else {
			sums[i] = SumLanes(acc[i][0])
		}
	}
	at := func(i int) Mem {
		return [3]Mem{{Base: c}, {Base: c, Index: ldc, Scale: 1}, {Base: c, Index: ldc, Scale: 2}}[i]
	}
	TESTB(add, add)
	JZ(LabelRef(l("store")))
	for i, s := range sums {
		if nb == 4 {
			VADDPS(at(i), s, s)
		} else {
			VADDSS(at(i), s, s)
		}
	}
	Label(l("store"))
	for i, s := range sums {
		if nb == 4 {
			VMOVUPS(s, at(i))
		} else {
			VMOVSS(s, at(i))
		}
	}
}

// aRows addresses element 0 of up to six rows of A from a pointer.
type aRows struct {
	base, rs, rs3, rs5 reg.Register
}

func loadARows() aRows {
	r := aRows{base: Int("a"), rs: Bytes("rs"), rs3: GP64(), rs5: GP64()}
	LEAQ(Mem{Base: r.rs, Index: r.rs, Scale: 2}, r.rs3)
	LEAQ(Mem{Base: r.rs, Index: r.rs, Scale: 4}, r.rs5)
	return r
}

func (r aRows) row(p reg.Register, i int) Mem {
	return [6]Mem{{Base: p}, {Base: p, Index: r.rs, Scale: 1}, {Base: p, Index: r.rs, Scale: 2},
		{Base: p, Index: r.rs3, Scale: 1}, {Base: p, Index: r.rs, Scale: 4}, {Base: p, Index: r.rs5, Scale: 1}}[i]
}

// outerPanel writes the product of any rows of A with 16 columns of B, six rows
// of A at a time.
func outerPanel() {
	Func("avx2Outer16", "func(c *float32, ldc int, a *float32, rs, cs int, b *float32, ldb int, m, k int)",
		"avx2Outer16 adds to m > 0 rows of 16 columns of c, k > 0 products each:",
		"",
		"\tc[i*ldc+j] += a[i*rs+p*cs] * b[p*ldb+j]")
	c, ldc := Int("c"), Bytes("ldc")
	a, cs := loadARows(), Bytes("cs")
	ldb, m := Bytes("ldb"), Int("m")
	for _, rows := range []int{6, 4, 2, 1} {
		l := func(s string) string { return fmt.Sprintf("rows%d_%s", rows, s) }
		Label(l("begin"))
		CMPQ(m, Imm(uint64(rows)))
		JLT(LabelRef(l("end")))
		acc := make([][2]reg.VecVirtual, rows)
		row := GP64()
		MOVQ(c, row)
		for i := range acc {
			acc[i] = [2]reg.VecVirtual{YMM(), YMM()}
			VMOVUPS(Mem{Base: row}, acc[i][0])
			VMOVUPS(Mem{Base: row, Disp: 32}, acc[i][1])
			ADDQ(ldc, row)
		}
		if rows == 6 {
			for range rows {
				PREFETCHT0(Mem{Base: row})
				ADDQ(ldc, row)
			}
		}
		pa, pb, n := GP64(), GP64(), GP64()
		MOVQ(a.base, pa)
		Load(Param("b"), pb)
		Load(Param("k"), n)
		Align()
		Label(l("loop"))
		b0, b1 := YMM(), YMM()
		VMOVUPS(Mem{Base: pb}, b0)
		VMOVUPS(Mem{Base: pb, Disp: 32}, b1)
		for i := range acc {
			x := YMM()
			VBROADCASTSS(a.row(pa, i), x)
			VFMADD231PS(b0, x, acc[i][0])
			VFMADD231PS(b1, x, acc[i][1])
		}
		ADDQ(cs, pa)
		ADDQ(ldb, pb)
		DECQ(n)
		JNZ(LabelRef(l("loop")))
		for _, v := range acc {
			VMOVUPS(v[0], Mem{Base: c})
			VMOVUPS(v[1], Mem{Base: c, Disp: 32})
			ADDQ(ldc, c)
			ADDQ(a.rs, a.base)
		}
		SUBQ(Imm(uint64(rows)), m)
		if rows == 6 {
			JMP(LabelRef(l("begin")))
		}
		Label(l("end"))
	}
	Ret()
}

// outerPanelMask is outerPanel for fewer than 16 columns.
func outerPanelMask() {
	Func("avx2OuterTail", "func(c *float32, ldc int, a *float32, rs, cs int, b *float32, ldb int, m, k, n int)",
		"avx2OuterTail is avx2Outer16 for 0 < n < 16 columns.")
	c, ldc := Int("c"), Bytes("ldc")
	a, cs := loadARows(), Bytes("cs")
	ldb, m := Bytes("ldb"), Int("m")
	mask0, mask1 := YMM(), YMM()
	{
		n, zero, eight := Int("n"), GP64(), GP64()
		MOVQ(U32(8), eight)
		lo := GP64()
		MOVQ(n, lo)
		CMPQ(lo, eight)
		CMOVQGT(eight, lo)
		TailMask(lo, mask0)
		XORQ(zero, zero)
		SUBQ(eight, n)
		CMOVQLT(zero, n)
		TailMask(n, mask1)
	}
	for _, rows := range []int{4, 1} {
		l := func(s string) string { return fmt.Sprintf("rows%d_%s", rows, s) }
		Label(l("begin"))
		CMPQ(m, Imm(uint64(rows)))
		JLT(LabelRef(l("end")))
		acc := make([][2]reg.VecVirtual, rows)
		row := GP64()
		MOVQ(c, row)
		for i := range acc {
			acc[i] = [2]reg.VecVirtual{YMM(), YMM()}
			VMASKMOVPS(Mem{Base: row}, mask0, acc[i][0])
			VMASKMOVPS(Mem{Base: row, Disp: 32}, mask1, acc[i][1])
			ADDQ(ldc, row)
		}
		pa, pb, n := GP64(), GP64(), GP64()
		MOVQ(a.base, pa)
		Load(Param("b"), pb)
		Load(Param("k"), n)
		Align()
		Label(l("loop"))
		b0, b1 := YMM(), YMM()
		VMASKMOVPS(Mem{Base: pb}, mask0, b0)
		VMASKMOVPS(Mem{Base: pb, Disp: 32}, mask1, b1)
		for i := range acc {
			x := YMM()
			VBROADCASTSS(a.row(pa, i), x)
			VFMADD231PS(b0, x, acc[i][0])
			VFMADD231PS(b1, x, acc[i][1])
		}
		ADDQ(cs, pa)
		ADDQ(ldb, pb)
		DECQ(n)
		JNZ(LabelRef(l("loop")))
		for i := range acc {
			VMASKMOVPS(acc[i][0], mask0, Mem{Base: c})
			VMASKMOVPS(acc[i][1], mask1, Mem{Base: c, Disp: 32})
			ADDQ(ldc, c)
			ADDQ(a.rs, a.base)
		}
		SUBQ(Imm(uint64(rows)), m)
		JMP(LabelRef(l("begin")))
		Label(l("end"))
	}
	Ret()
}

// outerWide writes the product of a few rows of A with many columns of B, wide
// enough that the chains hide each other's latency; with half, of B in F16.
func outerWide(rows, vecs int, half bool) {
	name, matrix, far, of := fmt.Sprintf("avx2Outer%dx%d", rows, 8*vecs), "*float32", "", ""
	load, size := func(m Mem, v reg.VecVirtual) { VMOVUPS(m, v) }, 32
	if half {
		name, matrix, far, of = fmt.Sprintf("avx2OuterHalf%dx%d", rows, 8*vecs), "*byte", ", ahead uintptr", " of a b in F16, and asks for what lies ahead bytes behind it"
		load, size = func(m Mem, v reg.VecVirtual) { VCVTPH2PS(m, v) }, 16
	}
	Func(name, "func(c *float32, ldc int, a *float32, rs, cs int, b "+matrix+", ldb int"+far+", k int)",
		fmt.Sprintf("%s is avx2Outer16 for %d rows and %d columns%s.", name, rows, 8*vecs, of))
	c, ldc := Int("c"), Bytes("ldc")
	a, cs := loadARows(), Bytes("cs")
	b, ldb, n := Int("b"), Int("ldb"), Int("k")
	SHLQ(Imm(uint64(size/16)), ldb)
	var ahead reg.Register
	if half {
		ahead = Int("ahead")
	}
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
		VBROADCASTSS(a.row(a.base, i), x[i])
	}
	for j := range vecs {
		y := YMM()
		load(Mem{Base: b, Disp: size * j}, y)
		for i := range x {
			VFMADD231PS(y, x[i], acc[i][j])
		}
	}
	for at := 0; half && at < size*vecs; at += 64 {
		PREFETCHT0(Mem{Base: b, Index: ahead, Scale: 1, Disp: at})
	}
	ADDQ(cs, a.base)
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

// peak writes twelve independent chains of multiply-adds.
func peak() {
	Func("avx2Peak", "func(iterations int)",
		"avx2Peak makes 12 vector multiply-adds an iteration that do not wait for each other.")
	n := Int("iterations")
	acc := make([]reg.VecVirtual, 12)
	for i := range acc {
		acc[i] = YMM()
		Zero(acc[i])
	}
	x, y := YMM(), YMM()
	VMOVUPS(F32s("half", 0.5), x)
	VMOVUPS(F32s("quarter", 0.25), y)
	Align()
	Label("loop")
	for _, v := range acc {
		VFMADD213PS(y, x, v)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	Ret()
}

// readSum writes a loop that reads memory as fast as it comes.
func readSum() {
	Func("avx2ReadSum", "func(x *float32, n int) float32",
		"avx2ReadSum adds up n elements, n a positive multiple of 64.")
	x, n := Int("x"), Int("n")
	acc := make([]reg.VecVirtual, 8)
	for i := range acc {
		acc[i] = YMM()
		Zero(acc[i])
	}
	Align()
	Label("loop")
	for i, v := range acc {
		VADDPS(Mem{Base: x, Disp: 32 * i}, v, v)
	}
	ADDQ(U32(256), x)
	SUBQ(Imm(64), n)
	JNZ(LabelRef("loop"))
	for i := 1; i < 8; i++ {
		VADDPS(acc[i], acc[0], acc[0])
	}
	Result(SumLanes(acc[0]))
	Ret()
}

// spin writes the processor's hint that a loop waits for memory to change.
func spin() {
	Func("pause", "func()", "pause makes a spinning loop wait a moment between two looks.")
	PAUSE()
	RET()
}

// fetch writes a loop that asks for memory.
func fetch() {
	Func("fetch", "func(b *byte, lines int)", "fetch asks for lines > 0 cache lines from b on to be brought into the second-level cache.")
	b, n := Int("b"), Int("lines")
	Label("loop")
	PREFETCHT1(Mem{Base: b})
	ADDQ(Imm(64), b)
	DECQ(n)
	JNZ(LabelRef("loop"))
	RET()
}
