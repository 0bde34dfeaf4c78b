package main

// packRows narrows rows as they lie.
func packRows() {
	function("bf16PackRows narrows rows of kt·32 numbers, lds bytes apart, to a row of tiles.",
		"bf16PackRows(dst *uint16, src *float32, lds, rows, kt int)", 40)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ lds+16(FP), R8")
	p("MOVQ rows+24(FP), R9")
	p("MOVQ kt+32(FP), R10")
	label("bf16PackRows_row")
	p("MOVQ SI, AX")
	p("MOVQ DI, DX")
	p("MOVQ R10, CX")
	label("bf16PackRows_k")
	p("VMOVUPS (AX), Z0")
	p("VMOVUPS 64(AX), Z1")
	narrow(2, 1, 0)
	p("VMOVDQU32 Z2, (DX)")
	p("ADDQ $128, AX")
	p("ADDQ $1024, DX")
	p("DECQ CX")
	p("JNZ bf16PackRows_k")
	p("ADDQ R8, SI")
	p("ADDQ $64, DI")
	p("DECQ R9")
	p("JNZ bf16PackRows_row")
	p("VZEROUPPER")
	p("RET")
}

// packHalf narrows rows of 16 numbers, half of a tile's.
func packHalf() {
	function("bf16PackHalf narrows rows of 16 numbers, lds bytes apart, to the first half of the rows of a tile, the second being zero.",
		"bf16PackHalf(dst *uint16, src *float32, lds, rows int)", 32)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ lds+16(FP), R8")
	p("MOVQ rows+24(FP), R9")
	p("VPXORD Z1, Z1, Z1")
	label("bf16PackHalf_row")
	p("VMOVUPS (SI), Z0")
	narrow(2, 1, 0)
	p("VMOVDQU32 Z2, (DI)")
	p("ADDQ R8, SI")
	p("ADDQ $64, DI")
	p("DECQ R9")
	p("JNZ bf16PackHalf_row")
	p("VZEROUPPER")
	p("RET")
}

// turn transposes 16 vectors of 16 dwords in registers 0 to 15, with 16 to 31
// for scratch; the result is in 0 to 15.
func turn() {
	// Dwords, then pairs of them, within lanes of 128 bits.
	for i := 0; i < 16; i += 2 {
		p("VPUNPCKLDQ Z%d, Z%d, Z%d", i+1, i, 16+i)
		p("VPUNPCKHDQ Z%d, Z%d, Z%d", i+1, i, 17+i)
	}
	for i := 0; i < 16; i += 4 {
		p("VPUNPCKLQDQ Z%d, Z%d, Z%d", 18+i, 16+i, i)
		p("VPUNPCKHQDQ Z%d, Z%d, Z%d", 18+i, 16+i, i+1)
		p("VPUNPCKLQDQ Z%d, Z%d, Z%d", 19+i, 17+i, i+2)
		p("VPUNPCKHQDQ Z%d, Z%d, Z%d", 19+i, 17+i, i+3)
	}
	// Z(4g+c) lane q holds column 4q+c of rows 4g to 4g+3: lanes change places.
	for c := range 4 {
		p("VSHUFI32X4 $0x88, Z%d, Z%d, Z%d", 4+c, c, 16+c)
		p("VSHUFI32X4 $0xdd, Z%d, Z%d, Z%d", 4+c, c, 20+c)
		p("VSHUFI32X4 $0x88, Z%d, Z%d, Z%d", 12+c, 8+c, 24+c)
		p("VSHUFI32X4 $0xdd, Z%d, Z%d, Z%d", 12+c, 8+c, 28+c)
	}
	for c := range 4 {
		p("VSHUFI32X4 $0x88, Z%d, Z%d, Z%d", 24+c, 16+c, c)
		p("VSHUFI32X4 $0xdd, Z%d, Z%d, Z%d", 24+c, 16+c, 8+c)
		p("VSHUFI32X4 $0x88, Z%d, Z%d, Z%d", 28+c, 20+c, 4+c)
		p("VSHUFI32X4 $0xdd, Z%d, Z%d, Z%d", 28+c, 20+c, 12+c)
	}
}

// packTurned narrows 16 rows and turns them.
func packTurned() {
	function("bf16PackTurned narrows up to 16 rows of kt·32 numbers, lds bytes apart, to a column of tiles: its columns are the rows.",
		"bf16PackTurned(dst *uint16, src *float32, lds, rows, kt int)", 40)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ lds+16(FP), R8")
	p("MOVQ rows+24(FP), R9")
	p("MOVQ kt+32(FP), CX")
	label("bf16PackTurned_k")
	p("MOVQ SI, AX")
	for i := range 16 {
		p("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	for i := range 16 {
		if i > 0 {
			p("CMPQ R9, $%d", i)
			p("JLE bf16PackTurned_turn")
			p("ADDQ R8, AX")
		}
		p("VMOVUPS (AX), Z%d", 16+i%2*2)
		p("VMOVUPS 64(AX), Z%d", 17+i%2*2)
		narrow(i, 17+i%2*2, 16+i%2*2)
	}
	label("bf16PackTurned_turn")
	p("ADDQ $128, SI")
	storeTurned("bf16PackTurned_k")
}

// storeTurned turns what is in registers 0 to 15, stores the tile at DI, goes on at again
// as often as CX says, and returns.
func storeTurned(again string) {
	turn()
	for i := range 16 {
		p("VMOVDQU32 Z%d, %d(DI)", i, 64*i)
	}
	p("ADDQ $1024, DI")
	p("DECQ CX")
	p("JNZ %s", again)
	p("VZEROUPPER")
	p("RET")
}

// packPairs narrows two rows and weaves them.
func packPairs() {
	function("bf16PackPairs narrows two rows of cols·16 numbers to a row of pairs in as many tiles, tile bytes apart.",
		"bf16PackPairs(dst *uint16, tile int, even, odd *float32, cols int, order *uint16)", 48)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ tile+8(FP), R8")
	p("MOVQ even+16(FP), SI")
	p("MOVQ odd+24(FP), DX")
	p("MOVQ cols+32(FP), CX")
	p("MOVQ order+40(FP), AX")
	p("VMOVDQU16 (AX), Z3")
	label("bf16PackPairs_col")
	p("VMOVUPS (SI), Z0")
	p("VMOVUPS (DX), Z1")
	narrow(2, 1, 0)
	p("VPERMW Z2, Z3, Z2")
	p("VMOVDQU32 Z2, (DI)")
	p("ADDQ $64, SI")
	p("ADDQ $64, DX")
	p("ADDQ R8, DI")
	p("DECQ CX")
	p("JNZ bf16PackPairs_col")
	p("VZEROUPPER")
	p("RET")
}

// blockPairs widens rows of W as packPairs narrows them, without float32 in memory.
func blockPairs(format string, size int, widen func(row string, z, spare, iota int)) {
	name := "bf16Pairs" + format
	function(name+" widens blocks > 0 of two rows of "+format+" and narrows them to a row of pairs in twice as many tiles, tile bytes apart, for as many pairs of rows, of which the addresses are given.",
		name+"(dst *uint16, tile int, rows **byte, pairs, blocks int, order *uint16)", 48)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ tile+8(FP), R8")
	p("MOVQ rows+16(FP), BX")
	p("MOVQ pairs+24(FP), CX")
	p("MOVQ order+40(FP), AX")
	p("VMOVDQU16 (AX), Z16")
	loadIota(format, 17)
	label(name + "_pair")
	p("MOVQ (BX), SI")
	p("MOVQ 8(BX), DX")
	p("MOVQ DI, R9")
	p("MOVQ blocks+32(FP), R10")
	label(name + "_block")
	widen("SI", 2, 0, 17)
	widen("DX", 4, 0, 17)
	narrow(6, 4, 2)
	narrow(7, 5, 3)
	p("VPERMW Z6, Z16, Z6")
	p("VPERMW Z7, Z16, Z7")
	p("VMOVDQU32 Z6, (R9)")
	p("VMOVDQU32 Z7, (R9)(R8*1)")
	p("LEAQ (R9)(R8*2), R9")
	p("ADDQ $%d, SI", size)
	p("ADDQ $%d, DX", size)
	p("DECQ R10")
	p("JNZ %s_block", name)
	p("ADDQ $64, DI")
	p("ADDQ $16, BX")
	p("DECQ CX")
	p("JNZ %s_pair", name)
	p("VZEROUPPER")
	p("RET")
}

// loadIota loads what a nibble of a format is before it is scaled.
func loadIota(format string, z int) {
	if format != "Q8_0" {
		p("VMOVUPS ·%s(SB), Z%d", map[string]string{"Q4_1": "amxIota0", "Q4_0": "amxIota8"}[format], z)
	}
}

// blockTurned widens rows of W and narrows and turns them as packTurned does, without
// float32 in memory.
func blockTurned(format string, size int, widen func(row string, z, spare, iota int)) {
	name := "bf16Turned" + format
	function(name+" widens blocks > 0 of 16 rows of "+format+", of which the addresses are given, and narrows them to a column of tiles: its columns are the rows.",
		name+"(dst *uint16, rows **byte, blocks int)", 24)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ rows+8(FP), BX")
	p("MOVQ blocks+16(FP), CX")
	p("XORQ R11, R11")
	label(name + "_block")
	loadIota(format, 20)
	for i := range 16 {
		p("MOVQ %d(BX), SI", 8*i)
		p("ADDQ R11, SI")
		widen("SI", 18, 16, 20)
		narrow(i, 19, 18)
	}
	p("ADDQ $%d, R11", size)
	storeTurned(name + "_block")
}

// blocks writes blockPairs and blockTurned of the common types: widen leaves the 32
// numbers of the block at row in z and z+1, and uses spare and the register behind it.
func blocks() {
	nibbles := func(row string, at, z, table int) {
		p("VPMOVZXBD %d(%s), Z%d", at, row, z+1)
		p("VPERMPS Z%d, Z%d, Z%d", table, z+1, z)
		p("VPSRLD $4, Z%d, Z%d", z+1, z+1)
		p("VPERMPS Z%d, Z%d, Z%d", table, z+1, z+1)
	}
	for _, of := range []struct {
		format string
		size   int
		widen  func(row string, z, spare, iota int)
	}{
		{"Q4_1", 20, func(row string, z, spare, iota int) {
			p("VCVTPH2PS (%s), X%d", row, spare)
			p("VMOVSHDUP X%d, X%d", spare, spare+1)
			p("VBROADCASTSS X%d, Z%d", spare+1, spare+1)
			p("VBROADCASTSS X%d, Z%d", spare, spare)
			p("VFMADD231PS Z%d, Z%d, Z%d", spare, iota, spare+1)
			nibbles(row, 4, z, spare+1)
		}},
		{"Q4_0", 18, func(row string, z, spare, iota int) {
			p("VPBROADCASTW (%s), Y%d", row, spare)
			p("VCVTPH2PS Y%d, Z%d", spare, spare)
			p("VMULPS Z%d, Z%d, Z%d", spare, iota, spare+1)
			nibbles(row, 2, z, spare+1)
		}},
		{"Q8_0", 34, func(row string, z, spare, _ int) {
			p("VPBROADCASTW (%s), Y%d", row, spare)
			p("VCVTPH2PS Y%d, Z%d", spare, spare)
			for i := range 2 {
				p("VPMOVSXBD %d(%s), Z%d", 2+16*i, row, z+i)
				p("VCVTDQ2PS Z%d, Z%d", z+i, z+i)
				p("VMULPS Z%d, Z%d, Z%d", spare, z+i, z+i)
			}
		}},
	} {
		blockPairs(of.format, of.size, of.widen)
		blockTurned(of.format, of.size, of.widen)
	}
}
