package main

import "fmt"

// Sizes, in bytes, of what amxInt16Tiles makes of a block of 32 activations of 16
// rows: a tile of their low bytes and one of their high bytes, the scales, and
// those times the sums.
const (
	planeBytes  = 512
	scalesAt    = 2 * planeBytes
	sumsAt      = scalesAt + 64
	blockBytes  = sumsAt + 64
	packedBlock = 80 // of a row, as Integers.Pack leaves it
	packedTail  = 64
)

// Places in the scratch of the product, in bytes, of which there are two, for blocks
// in turn: sums of the products with low and with high bytes, weights, scales and
// least weights.
const (
	lowSums   = 0
	highSums  = 1024
	weightsAt = 2048
	scaleAt   = weightsAt + 512
	leastAt   = scaleAt + 64
	turnBytes = leastAt + 64
)

// The signs of a product's operands: of the weights and of the activations.
const (
	unsignedUnsigned = 0
	unsignedSigned   = 1
	signedUnsigned   = 2
	signedSigned     = 3
)

// dotInt is C += A·B on tiles of bytes.
func dotInt(signs, c, a, b int) {
	name := [...]string{"TDPBUUD", "TDPBUSD", "TDPBSUD", "TDPBSSD"}[signs]
	bytes(fmt.Sprintf("%s tmm%d, tmm%d, tmm%d", name, c, a, b), 0xC4, 0xE2, (15^b)<<3|signs, 0x5E, 0xC0|c<<3|a)
}

// planes parts packed activations into tiles.
func planes() {
	function("amxInt16Tiles parts up to 16 packed rows, ldx bytes apart, into tiles of their low and high bytes, with the scales behind them: 1152 bytes a block.",
		"amxInt16Tiles(dst, x *byte, ldx, rows, blocks int)", 40)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ x+8(FP), SI")
	p("MOVQ ldx+16(FP), R8")
	p("MOVQ rows+24(FP), R9")
	p("MOVQ blocks+32(FP), CX")
	label("amxInt16Tiles_block")
	p("MOVQ SI, AX")
	for i := range 16 {
		p("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	p("VMOVDQU32 Z0, %d(DI)", scalesAt)
	p("VMOVDQU32 Z0, %d(DI)", sumsAt)
	p("VMOVDQU64 ·amxPlanes(SB), Z16")
	for i := range 16 {
		if i > 0 {
			p("CMPQ R9, $%d", i)
			p("JLE amxInt16Tiles_turn")
			p("ADDQ R8, AX")
		}
		p("VPERMB (AX), Z16, Z%d", i)
		p("MOVL %d(AX), DX", packedTail)
		p("MOVL DX, %d(DI)", scalesAt+4*i)
		p("MOVL %d(AX), DX", packedTail+4)
		p("MOVL DX, %d(DI)", sumsAt+4*i)
	}
	label("amxInt16Tiles_turn")
	turn()
	for i := range 16 {
		p("VMOVDQU32 Z%d, %d(DI)", i, 64*i)
	}
	p("ADDQ $%d, SI", packedBlock)
	p("ADDQ $%d, DI", blockBytes)
	p("DECQ CX")
	p("JNZ amxInt16Tiles_block")
	p("VZEROUPPER")
	p("RET")
}

// planeConstants are the places of low and high bytes of a block's words, of every
// four of which the second and third are exchanged.
func planeConstants() {
	data("amxPlanes", func(i int) uint64 {
		var v uint64
		for b := range 8 {
			k := (8*i + b) % 32
			word := k&^3 | k&1<<1 | k&2>>1
			v |= uint64(2*word+i/4) << (8 * b)
		}
		return v
	})
}

// weightRow is where row r of a group lies.
func weightRow(r, offset int) string {
	base := []string{"SI", "DI", "R12", "R13"}[r/4]
	return fmt.Sprintf("%d(%s)", offset, base) + []string{"", "(R8*1)", "(R8*2)", "(R9*1)"}[r%4]
}

// integers writes the product of 16 rows of packed activations with weights, in
// bits that of Integers.Mul: sums of a block's products with low and with high bytes
// are made in tiles, and while they are, those of the block before are added up and
// weights of the next one unpacked.
func integers(format string, bytesOf, quants int, low, high int) {
	name := "amxInt16" + format
	function(name+" does groups of 16 rows of W, stride bytes apart, with the rows of x in tiles: C has as many rows.",
		name+"(cfg *byte, c *float32, ldc, rows int, x, w *byte, stride, blocks, groups int, part *byte)", 80)
	p("MOVQ cfg+0(FP), AX")
	bytes("LDTILECFG (AX)", 0xC4, 0xE2, 0x78, 0x49, 0x00)
	p("MOVQ stride+48(FP), R8")
	p("LEAQ (R8)(R8*2), R9")
	p("MOVQ $32, R10")
	p("MOVQ $64, R11")
	unpack := func(area string) {
		p("KXNORW K1, K1, K1")
		p("VPGATHERDD (SI)(Z31*1), K1, Z16")
		p("VPMOVDW Z16, Y17")
		p("VCVTPH2PS Y17, Z17")
		p("VMOVUPS Z17, %d(%s)", scaleAt, area)
		if format == "Q4_1" {
			p("VPSRLD $16, Z16, Z16")
			p("VPMOVDW Z16, Y18")
			p("VCVTPH2PS Y18, Z18")
			p("VMOVUPS Z18, %d(%s)", leastAt, area)
		}
		for r := range 16 {
			z := 19 + r%4
			if format == "Q8_0" {
				p("VMOVDQU64 %s, Y%d", weightRow(r, quants), z)
			} else {
				p("VBROADCASTI64X2 %s, Y%d", weightRow(r, quants), z)
				p("VPSRLVW Y30, Y%d, Y%d", z, z)
				p("VPANDD Y29, Y%d, Y%d", z, z)
				if format == "Q4_0" {
					p("VPSUBB Y28, Y%d, Y%d", z, z)
				}
			}
			p("VMOVDQU64 Y%d, %d(%s)", z, weightsAt+32*r, area)
		}
	}
	finish := func(area string, block int) {
		p("VMOVUPS %d(BX), Z26", block+scalesAt)
		if format == "Q4_1" {
			p("VMOVUPS %d(BX), Z27", block+sumsAt)
		}
		for r := range 16 {
			sum, scale := 16+r%4, 20+r%4
			p("VMOVDQU32 %d(%s), Z%d", highSums+64*r, area, sum)
			p("VPSLLD $8, Z%d, Z%d", sum, sum)
			p("VPADDD %d(%s), Z%d, Z%d", lowSums+64*r, area, sum, sum)
			p("VCVTDQ2PS Z%d, Z%d", sum, sum)
			p("VMULPS.BCST %d(%s), Z26, Z%d", scaleAt+4*r, area, scale)
			p("VFMADD231PS Z%d, Z%d, Z%d", scale, sum, r)
			if format == "Q4_1" {
				p("VFMADD231PS.BCST %d(%s), Z27, Z%d", leastAt+4*r, area, r)
			}
		}
	}
	label(name + "_group")
	p("VPBROADCASTD R8, Z31")
	p("VPMULLD ·amxCount(SB), Z31, Z31")
	if format != "Q8_0" {
		p("VMOVDQU64 ·amxShift+16(SB), Y30")
		p("MOVL $0x0f0f0f0f, AX")
		p("VPBROADCASTD AX, Y29")
	}
	if format == "Q4_0" {
		p("MOVL $0x08080808, AX")
		p("VPBROADCASTD AX, Y28")
	}
	p("MOVQ w+40(FP), SI")
	p("LEAQ (SI)(R8*4), DI")
	p("LEAQ (DI)(R8*4), R12")
	p("LEAQ (R12)(R8*4), R13")
	p("LEAQ (R13)(R8*4), R15") // the next group
	p("MOVQ x+32(FP), BX")
	p("MOVQ blocks+56(FP), R14")
	p("MOVQ part+72(FP), AX")
	p("LEAQ %d(AX), DX", turnBytes)
	for r := range 16 {
		p("VPXORD Z%d, Z%d, Z%d", r, r, r)
	}
	unpack("AX")
	label(name + "_k")
	p("LEAQ %d(AX), CX", weightsAt)
	load(4, cx, r10)
	zero(0)
	load(2, bx, r11)
	dotInt(low, 0, 4, 2)
	zero(1)
	p("LEAQ %d(BX), CX", planeBytes)
	load(3, cx, r11)
	dotInt(high, 1, 4, 3)
	store(0, ax, r11)
	p("LEAQ %d(AX), CX", highSums)
	store(1, cx, r11)
	p("CMPQ R14, blocks+56(FP)")
	p("JEQ %s_first", name)
	finish("DX", -blockBytes)
	label(name + "_first")
	p("DECQ R14")
	p("JZ %s_last", name)
	for _, r := range []string{"SI", "DI", "R12", "R13"} {
		p("ADDQ $%d, %s", bytesOf, r)
	}
	for at := 0; at < 16*bytesOf; at += 64 {
		p("PREFETCHT0 %d(R15)", at)
	}
	p("ADDQ $%d, R15", 16*bytesOf)
	unpack("DX")
	p("XCHGQ AX, DX")
	p("ADDQ $%d, BX", blockBytes)
	p("JMP %s_k", name)
	label(name + "_last")
	finish("AX", 0)
	turn()
	p("MOVQ c+8(FP), DX")
	p("MOVQ ldc+16(FP), DI")
	p("MOVQ rows+24(FP), SI")
	for i := range 16 {
		if i > 0 {
			p("CMPQ SI, $%d", i)
			p("JLE %s_next", name)
			p("ADDQ DI, DX")
		}
		p("VMOVUPS Z%d, (DX)", i)
	}
	label(name + "_next")
	p("ADDQ $64, c+8(FP)")
	p("MOVQ R8, DX")
	p("SHLQ $4, DX")
	p("ADDQ DX, w+40(FP)")
	p("DECQ groups+64(FP)")
	p("JNZ %s_group", name)
	bytes("TILERELEASE", 0xC4, 0xE2, 0x78, 0x49, 0xC0)
	p("VZEROUPPER")
	p("RET")
}

func allIntegers() {
	planeConstants()
	data("amxCount", func(i int) uint64 { return uint64(2*i) | uint64(2*i+1)<<32 })
	planes()
	integers("Q4_1", 20, 4, unsignedUnsigned, unsignedSigned)
	integers("Q4_0", 18, 2, signedUnsigned, signedSigned)
	integers("Q8_0", 34, 2, signedUnsigned, signedSigned)
}
