package main

import "fmt"

// pairDot is VDPBF16PS on registers: c += a·b, pair by pair.
func pairDot(c, a, b int) {
	bytes(fmt.Sprintf("VDPBF16PS Z%d, Z%d, Z%d", c, a, b),
		0x62, 0x02|(1^c>>3&1)<<7|(1^b>>4&1)<<6|(1^b>>3&1)<<5|(1^c>>4&1)<<4,
		0x04|2|(15^a&15)<<3, 0x40|(1^a>>4&1)<<3, 0x52, 0xC0|c&7<<3|b&7)
}

// rowsOf names the rows of C from the one at DX on, R10 bytes apart, with three
// times as much in R11 and the fifth row in AX.
var rowsOf = []string{"(DX)", "(DX)(R10*1)", "(DX)(R10*2)", "(DX)(R11*1)", "(AX)", "(AX)(R10*1)", "(AX)(R10*2)", "(AX)(R11*1)"}

// prefetchRow asks for a line of C to be written.
func prefetchRow(row, at int) {
	base, sib := dx, []int{-1, 0x00 | r10&7<<3, 0x40 | r10&7<<3, 0x00 | r11&7<<3}[row%4]
	if row >= 4 {
		base = ax
	}
	comment := fmt.Sprintf("PREFETCHW %d%s", at, rowsOf[row])
	if sib < 0 {
		bytes(comment, 0x0F, 0x0D, 0x48|base, at)
		return
	}
	bytes(comment, 0x42, 0x0F, 0x0D, 0x4C, sib|base, at)
}

// dotRows writes a loop over halves of tiles: 8 rows of C by cols columns of tiles.
func dotRows(cols int) {
	name := fmt.Sprintf("bf16Dots%d", cols)
	function(fmt.Sprintf("%s does blocks of 16 rows of C, one below the other, in %d columns of 16: kt tiles of each are multiplied pair by pair, with C or 0 before them. Addresses that are no element count bytes.", name, cols),
		name+"(c *float32, ldc int, a *uint16, aRow int, b *uint16, bCol, kt, blocks int, add bool)", 65)
	p("MOVQ c+0(FP), DX")
	p("MOVQ ldc+8(FP), R10")
	p("MOVQ a+16(FP), BX")
	p("MOVQ aRow+24(FP), R15")
	p("SUBQ $512, R15")
	p("MOVQ $512, R14")
	p("MOVQ blocks+56(FP), R13")
	p("SHLQ $1, R13")
	p("MOVBLZX add+64(FP), R12")
	p("LEAQ (R10)(R10*2), R11")
	label(name + "_half")
	p("LEAQ (DX)(R10*4), AX")
	p("MOVQ BX, SI")
	p("MOVQ b+32(FP), R8")
	if cols == 2 {
		p("MOVQ R8, R9")
		p("ADDQ bCol+40(FP), R9")
	}
	p("MOVQ kt+48(FP), CX")
	p("TESTQ R12, R12")
	p("JZ %s_zero", name)
	for r, at := range rowsOf {
		for j := range cols {
			p("VMOVUPS %d%s, Z%d", 64*j, at, r*cols+j)
		}
	}
	p("JMP %s_k", name)
	label(name + "_zero")
	for r := range rowsOf {
		for j := range cols {
			p("VPXORD Z%d, Z%d, Z%d", r*cols+j, r*cols+j, r*cols+j)
			// C is cold: it is there when the products are.
			prefetchRow(r, 64*j)
		}
	}
	label(name + "_k")
	for pair := range 16 {
		p("VMOVDQU64 %d(R8), Z16", 64*pair)
		if cols == 2 {
			p("VMOVDQU64 %d(R9), Z17", 64*pair)
		}
		for r := range rowsOf {
			p("VPBROADCASTD %d(SI), Z%d", 64*r+4*pair, 18+r)
			for j := range cols {
				pairDot(r*cols+j, 18+r, 16+j)
			}
		}
	}
	for _, r := range []string{"SI", "R8", "R9"}[:1+cols] {
		p("ADDQ $1024, %s", r)
	}
	p("DECQ CX")
	p("JNZ %s_k", name)
	for r, at := range rowsOf {
		for j := range cols {
			p("VMOVUPS Z%d, %d%s", r*cols+j, 64*j, at)
		}
	}
	p("LEAQ (DX)(R10*8), DX")
	p("ADDQ R14, BX")
	p("XCHGQ R14, R15")
	p("DECQ R13")
	p("JNZ %s_half", name)
	p("VZEROUPPER")
	p("RET")
}

// dots writes the products of AVX512_BF16 over packed operands.
func dots() {
	dotRows(2)
	dotRows(1)
	function("bf16Peak makes iterations times twelve products of pairs in registers.", "bf16Peak(iterations int)", 8)
	p("MOVQ iterations+0(FP), CX")
	for i := range 14 {
		p("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	label("bf16Peak_loop")
	for i := range 12 {
		pairDot(i, 12, 13)
	}
	p("DECQ CX")
	p("JNZ bf16Peak_loop")
	p("VZEROUPPER")
	p("RET")
	function("vendor is what CPUID calls the maker, its first four letters.", "vendor() uint32", 4)
	p("XORL AX, AX")
	p("XORL CX, CX")
	p("CPUID")
	p("MOVL BX, ret+0(FP)")
	p("RET")
}
