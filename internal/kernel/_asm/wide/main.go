// Command wide writes the AVX-512 inner loops of matrix products.
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
	dotPanel(4, []int{6, 3, 2, 1})
	dotPanel(1, []int{4, 2, 1})
	outer("avx512Outer32", 2, true, []int{14, 8, 4, 2, 1})
	outer("avx512Outer16", 1, false, []int{16, 8, 4, 2, 1})
	PackPanels("avx512PackPanels", 16, ZMM)
	for m := 1; m <= 4; m++ {
		outerFew(m, false)
		outerFew(m, true)
	}
	dotHalf()
	for _, f := range formats {
		for m := 1; m <= 4; m++ {
			rows(f, m)
		}
	}
	addHalf(4, 2)
	addHalf(2, 4)
	addHalf(1, 4)
	for _, f := range formats[:3] {
		widen(f)
	}
	gates()
	expSum()
	peak()
	Generate()
}

// TailK sets mask to n (0 to 16, in a register that is kept) lanes.
func tailK(n reg.Register, mask reg.OpmaskVirtual) {
	ones := GP64()
	MOVQ(U32(0xffff), ones)
	BZHIQ(n, ones, ones)
	KMOVW(ones.As32(), mask)
}

// zeroed is a vector of zeros; vectors copied from it cost nothing, and avo sees
// that they do not depend on what was there before.
func zeroed() reg.VecVirtual {
	z := ZMM()
	VPXORD(z, z, z)
	return z
}

// fold adds the upper half of each zmm to its lower half: lane l and lane l+8.
func fold(z reg.VecVirtual) reg.VecVirtual {
	hi := YMM()
	VEXTRACTF64X4(Imm(1), z, hi)
	VADDPS(z.AsY(), hi, hi)
	return hi
}

// pairs adds neighbours within each four lanes, as VHADDPS does, which neither zmm nor
// registers above 15 have: a0+a1, a2+a3, b0+b1, b2+b3.
func pairs(a, b reg.VecVirtual) reg.VecVirtual {
	odd := YMM()
	if a.Size() == 64 {
		odd = ZMM()
	}
	VSHUFPS(Imm(0xdd), b, a, odd)
	VSHUFPS(Imm(0x88), b, a, a)
	VADDPS(odd, a, a)
	return a
}

// sum4 folds four vectors to their sums: lanes l and l+8, then
// ((l0+l1)+(l2+l3)) + ((l4+l5)+(l6+l7)).
func sum4(a, b, c, d reg.VecVirtual) reg.VecVirtual {
	s := pairs(pairs(fold(a), fold(b)), pairs(fold(c), fold(d)))
	hi := XMM()
	VEXTRACTF32X4(Imm(1), s, hi)
	VADDPS(hi, s.AsX(), hi)
	return hi
}

// sum8 is sum4 of the four vectors of each of two rows, in fewer instructions than two
// of these. The lanes of upper are the last eight.
func sum8(upper reg.OpmaskVirtual, x, y []reg.VecVirtual) []reg.Register {
	for j := range 4 {
		inner := ZMM()
		VSHUFF64X2(Imm(0x4e), y[j], x[j], inner)
		VBLENDMPS(y[j], x[j], upper, x[j])
		VADDPS(inner, x[j], x[j])
	}
	s := pairs(pairs(x[0], x[1]), pairs(x[2], x[3]))
	hi := ZMM()
	VSHUFF64X2(Imm(0xf5), s, s, hi)
	VADDPS(hi, s, s)
	second := XMM()
	VEXTRACTF32X4(Imm(2), s, second)
	return []reg.Register{s.AsX(), second}
}

// sum1 is sum4 of one vector, in the lowest lane.
func sum1(a reg.VecVirtual) reg.VecVirtual {
	return sumLanes(fold(a))
}

// dotPanel writes the product of any rows of A with nb rows of B over one chunk
// of k.
func dotPanel(nb int, tiles []int) {
	name := fmt.Sprintf("avx512Dot%d", nb)
	Func(name, "func(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, m, k int, add bool)",
		fmt.Sprintf("%s multiplies m > 0 rows of a with %d of b over k > 0 elements:", name, nb),
		"",
		"\tc[i*ldc+j] = sum_p a[i*lda+p]*b[j*ldb+p]",
		"",
		"in 16 lanes, lane p mod 16, added to c where add is set.")
	c, ldc, a, lda := Int("c"), Bytes("ldc"), Int("a"), Bytes("lda")
	ldb := Bytes("ldb")
	var ldb3 reg.Register
	if nb == 4 {
		ldb3 = GP64()
		LEAQ(Mem{Base: ldb, Index: ldb, Scale: 2}, ldb3)
	}
	lda3 := GP64()
	LEAQ(Mem{Base: lda, Index: lda, Scale: 2}, lda3)
	zero, upper := zeroed(), K()
	if nb == 4 {
		bits := GP64()
		MOVQ(U32(0xff00), bits)
		KMOVW(bits.As32(), upper)
	}
	for _, rows := range tiles {
		l := func(s string) string { return fmt.Sprintf("rows%d_%s", rows, s) }
		Label(l("begin"))
		m := Load(Param("m"), GP64())
		CMPQ(m, Imm(uint64(rows)))
		JLT(LabelRef(l("end")))
		dotTile(l, rows, nb, zero, upper, c, ldc, a, lda, lda3, ldb, ldb3)
		for range rows {
			ADDQ(lda, a)
			ADDQ(ldc, c)
		}
		m = Load(Param("m"), GP64())
		SUBQ(Imm(uint64(rows)), m)
		Store(m, Param("m"))
		if rows == tiles[0] {
			JMP(LabelRef(l("begin")))
		}
		Label(l("end"))
	}
	Ret()
}

func dotTile(l func(string) string, rows, nb int, zero reg.VecVirtual, upper reg.OpmaskVirtual, c, ldc, a, lda, lda3, ldb, ldb3 reg.Register) {
	acc := make([][]reg.VecVirtual, rows)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, nb)
		for j := range acc[i] {
			acc[i][j] = ZMM()
			VMOVAPS(zero, acc[i][j])
		}
	}
	pa, pa3, pb, n := GP64(), GP64(), GP64(), GP64()
	MOVQ(a, pa)
	LEAQ(Mem{Base: a, Index: lda3, Scale: 1}, pa3)
	Load(Param("b"), pb)
	rowA := func(i int) Mem {
		return [6]Mem{{Base: pa}, {Base: pa, Index: lda, Scale: 1}, {Base: pa, Index: lda, Scale: 2},
			{Base: pa3}, {Base: pa3, Index: lda, Scale: 1}, {Base: pa3, Index: lda, Scale: 2}}[i]
	}
	rowB := func(j int) Mem {
		return [4]Mem{{Base: pb}, {Base: pb, Index: ldb, Scale: 1}, {Base: pb, Index: ldb, Scale: 2}, {Base: pb, Index: ldb3, Scale: 1}}[j]
	}
	Load(Param("k"), n)
	SUBQ(Imm(16), n)
	JLT(LabelRef(l("tail")))
	Align()
	Label(l("loop"))
	x := make([]reg.VecVirtual, rows)
	for i := range x {
		x[i] = ZMM()
		VMOVUPS(rowA(i), x[i])
	}
	for j := range nb {
		y := ZMM()
		VMOVUPS(rowB(j), y)
		for i := range x {
			VFMADD231PS(y, x[i], acc[i][j])
		}
	}
	ADDQ(Imm(64), pa)
	ADDQ(Imm(64), pa3)
	ADDQ(Imm(64), pb)
	SUBQ(Imm(16), n)
	JGE(LabelRef(l("loop")))
	Label(l("tail"))
	ADDQ(Imm(16), n)
	JZ(LabelRef(l("sum")))
	mask := K()
	tailK(n, mask)
	for i := range x {
		x[i] = ZMM()
		VMOVUPS_Z(rowA(i), mask, x[i])
	}
	for j := range nb {
		y := ZMM()
		VMOVUPS_Z(rowB(j), mask, y)
		for i := range x {
			VFMADD231PS(y, x[i], acc[i][j])
		}
	}
	Label(l("sum"))
	add := Load(Param("add"), GP8())
	at := GP64()
	MOVQ(c, at)
	for i := 0; i < rows; {
		var sums []reg.Register
		switch {
		case nb == 1:
			sums = []reg.Register{sum1(acc[i][0])}
		case i+1 < rows:
			sums = sum8(upper, acc[i], acc[i+1])
		default:
			sums = []reg.Register{sum4(acc[i][0], acc[i][1], acc[i][2], acc[i][3])}
		}
		for _, s := range sums {
			TESTB(add, add)
			JZ(LabelRef(l(fmt.Sprintf("store%d", i))))
			if nb == 4 {
				VADDPS(Mem{Base: at}, s, s)
			} else {
				VADDSS(Mem{Base: at}, s, s)
			}
			Label(l(fmt.Sprintf("store%d", i)))
			if nb == 4 {
				VMOVUPS(s, Mem{Base: at})
			} else {
				VMOVSS(s, Mem{Base: at})
			}
			ADDQ(ldc, at)
			i++
		}
	}
}

// outer writes the product of any rows of A with up to 16·nv columns of B, whose rows
// have as many numbers where whole is set.
func outer(name string, nv int, whole bool, tiles []int) {
	doc := []string{fmt.Sprintf("%s adds to m > 0 rows of 0 < n <= %d columns of c, k > 0 products each:", name, 16*nv),
		"",
		"\tc[i*ldc+j] += a[i*rs+p*cs] * b[p*ldb+j]", ""}
	if whole {
		doc = append(doc, fmt.Sprintf("It reads %d columns of every row of b, whatever n is.", 16*nv))
	} else {
		doc = append(doc, "It asks for what lies 16 columns on in the first row of a.")
	}
	Func(name, "func(c *float32, ldc int, a *float32, rs, cs int, b *float32, ldb int, m, k, n int)", doc...)
	c, a, rs := Int("c"), Int("a"), Bytes("rs")
	rs3, rs5, rs7 := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: rs, Index: rs, Scale: 2}, rs3)
	LEAQ(Mem{Base: rs, Index: rs, Scale: 4}, rs5)
	LEAQ(Mem{Base: rs3, Index: rs, Scale: 4}, rs7)
	mask := make([]reg.OpmaskVirtual, nv)
	{
		n, zero := Int("n"), GP64()
		for v := range mask {
			mask[v] = K()
			lo, most := GP64(), GP64()
			MOVQ(n, lo)
			MOVQ(U32(16), most)
			CMPQ(lo, most)
			CMOVQGT(most, lo)
			tailK(lo, mask[v])
			XORQ(zero, zero)
			SUBQ(Imm(16), n)
			CMOVQLT(zero, n)
		}
	}
	for _, rows := range tiles {
		l := func(s string) string { return fmt.Sprintf("rows%d_%s", rows, s) }
		Label(l("begin"))
		m := Load(Param("m"), GP64())
		CMPQ(m, Imm(uint64(rows)))
		JLT(LabelRef(l("end")))
		acc := make([][]reg.VecVirtual, rows)
		row, ldc := GP64(), Bytes("ldc")
		MOVQ(c, row)
		for i := range acc {
			acc[i] = make([]reg.VecVirtual, nv)
			for v := range acc[i] {
				acc[i][v] = ZMM()
				VMOVUPS_Z(Mem{Base: row, Disp: 64 * v}, mask[v], acc[i][v])
			}
			ADDQ(ldc, row)
		}
		if whole && rows == tiles[0] {
			for range rows {
				for v := range nv {
					PREFETCHT0(Mem{Base: row, Disp: 64 * v})
				}
				ADDQ(ldc, row)
			}
		}
		pa, pa8, pb, n, cs, ldb := GP64(), GP64(), GP64(), GP64(), Bytes("cs"), Bytes("ldb")
		MOVQ(a, pa)
		Load(Param("b"), pb)
		Load(Param("k"), n)
		rowA := func(i int) Mem {
			p := pa
			if i >= 8 {
				p, i = pa8, i-8
			}
			return [8]Mem{{Base: p}, {Base: p, Index: rs, Scale: 1}, {Base: p, Index: rs, Scale: 2}, {Base: p, Index: rs3, Scale: 1},
				{Base: p, Index: rs, Scale: 4}, {Base: p, Index: rs5, Scale: 1}, {Base: p, Index: rs3, Scale: 2}, {Base: p, Index: rs7, Scale: 1}}[i]
		}
		Align()
		Label(l("loop"))
		if rows > 8 {
			LEAQ(Mem{Base: pa, Index: rs, Scale: 8}, pa8)
		}
		b := make([]reg.VecVirtual, nv)
		for v := range b {
			b[v] = ZMM()
			at := Mem{Base: pb, Disp: 64 * v}
			if whole {
				VMOVUPS(at, b[v]) // a mask would cost an instruction beside the load
			} else {
				VMOVUPS_Z(at, mask[v], b[v])
			}
		}
		if !whole {
			PREFETCHT0(Mem{Base: pa, Disp: 64})
		}
		for i := range acc {
			if nv == 1 {
				VFMADD231PS_BCST(rowA(i), b[0], acc[i][0])
				continue
			}
			x := ZMM()
			VBROADCASTSS(rowA(i), x)
			for v := range b {
				VFMADD231PS(b[v], x, acc[i][v])
			}
		}
		ADDQ(cs, pa)
		ADDQ(ldb, pb)
		DECQ(n)
		JNZ(LabelRef(l("loop")))
		ldc = Bytes("ldc")
		for i := range acc {
			for v := range acc[i] {
				VMOVUPS(acc[i][v], mask[v], Mem{Base: c, Disp: 64 * v})
			}
			ADDQ(ldc, c)
			ADDQ(rs, a)
		}
		m = Load(Param("m"), GP64())
		SUBQ(Imm(uint64(rows)), m)
		Store(m, Param("m"))
		if rows == tiles[0] {
			JMP(LabelRef(l("begin")))
		}
		Label(l("end"))
	}
	Ret()
}

// peak writes a loop of nothing but multiply-adds, 24 chains of them.
func peak() {
	Func("avx512Peak", "func(iterations int)", "avx512Peak makes 24 multiply-adds of 16 lanes in each of iterations > 0 rounds.")
	n := Int("iterations")
	acc := make([]reg.VecVirtual, 24)
	x := zeroed()
	for i := range acc {
		acc[i] = ZMM()
		VMOVAPS(x, acc[i])
	}
	Align()
	Label("loop")
	for i := range acc {
		VFMADD231PS(x, x, acc[i])
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	Ret()
}
