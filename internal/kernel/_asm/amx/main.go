// Command amx writes the loops of bfloat16: those of matrix tiles, and those of
// AVX512_BF16, which packs operands for both. Neither avo nor Go's assembler has these
// instructions: they are spelled in bytes, as Intel's manual
// encodes them, each with its mnemonic beside it.
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"strings"
)

var out strings.Builder

func p(format string, args ...any) { fmt.Fprintf(&out, "\t"+format+"\n", args...) }

// The numbers of the general registers that addresses are made of.
const (
	ax  = 0
	cx  = 1
	dx  = 2
	bx  = 3
	si  = 6
	di  = 7
	r8  = 8
	r9  = 9
	r10 = 10
	r11 = 11
)

var names = map[int]string{ax: "AX", cx: "CX", dx: "DX", bx: "BX", si: "SI", di: "DI", r8: "R8", r9: "R9", r10: "R10", r11: "R11"}

// bytes writes an instruction in bytes.
func bytes(comment string, b ...int) {
	s := make([]string, len(b))
	for i, x := range b {
		s[i] = fmt.Sprintf("BYTE $0x%02X", x&0xff)
	}
	p("%s // %s", strings.Join(s, "; "), comment)
}

// memory is a tile instruction with a tile and an address base+index.
func memory(name string, pp, tile, base, index int) {
	bytes(fmt.Sprintf("%s tmm%d, (%s)(%s*1)", name, tile, names[base], names[index]),
		0xC4, 0xE2^(index>>3)<<6^(base>>3)<<5, 0x78|pp, 0x4B, 0x04|tile<<3, index&7<<3|base&7)
}

func load(tile, base, index int)  { memory("TILELOADD", 3, tile, base, index) }
func store(tile, base, index int) { memory("TILESTORED", 2, tile, base, index) }

func zero(tile int) {
	bytes(fmt.Sprintf("TILEZERO tmm%d", tile), 0xC4, 0xE2, 0x7B, 0x49, 0xC0|tile<<3)
}

// dot is C += A·B on tiles.
func dot(c, a, b int) {
	bytes(fmt.Sprintf("TDPBF16PS tmm%d, tmm%d, tmm%d", c, a, b), 0xC4, 0xE2, (15^b)<<3|2, 0x5C, 0xC0|c<<3|a)
}

// narrow is two vectors of float32 made one of bfloat16, hi above lo.
func narrow(dst, hi, lo int) {
	bytes(fmt.Sprintf("VCVTNE2PS2BF16 Z%d, Z%d, Z%d", dst, hi, lo),
		0x62, 0x02|(1^dst>>3&1)<<7|(1^lo>>4&1)<<6|(1^lo>>3&1)<<5|(1^dst>>4&1)<<4,
		0x04|3|(15^hi&15)<<3, 0x40|(1^hi>>4&1)<<3, 0x72, 0xC0|dst&7<<3|lo&7)
}

// frame is the stack that every function has for itself.
const frame = 32

func function(doc, signature string, args int) {
	name, _, _ := strings.Cut(signature, "(")
	fmt.Fprintf(&out, "\n// %s\n// func %s\nTEXT ·%s(SB), NOSPLIT, $%d-%d\n", doc, signature, name, frame, args)
}

func label(s string) { fmt.Fprintf(&out, "%s:\n", s) }

// tiles multiplies blocks of 2x2 tiles, one above the other.
func tiles() {
	function("amxTiles does blocks of 32 rows of C, one after the other.",
		"amxTiles(cfg *byte, c *float32, ldc int, a *uint16, aRow int, b *uint16, bCol, kt, blocks int, add bool)", 73)
	p("MOVQ cfg+0(FP), AX")
	bytes("LDTILECFG (AX)", 0xC4, 0xE2, 0x78, 0x49, 0x00)
	p("MOVQ c+8(FP), DX")
	p("MOVQ ldc+16(FP), R10")
	p("MOVQ a+24(FP), BX")
	p("MOVQ kt+56(FP), R12")
	p("MOVQ blocks+64(FP), R13")
	p("MOVQ $64, R11")
	label("amxTiles_block")
	p("MOVQ BX, SI")
	p("MOVQ BX, DI")
	p("ADDQ aRow+32(FP), DI")
	p("MOVQ b+40(FP), R8")
	p("MOVQ R8, R9")
	p("ADDQ bCol+48(FP), R9")
	p("MOVQ R10, AX")
	p("SHLQ $4, AX")
	p("ADDQ DX, AX")
	p("MOVQ R12, CX")
	p("MOVQ DX, R15")
	p("MOVBLZX add+72(FP), R14")
	p("TESTQ R14, R14")
	p("JZ amxTiles_zero")
	load(0, dx, r10)
	load(2, ax, r10)
	p("ADDQ $64, DX")
	p("ADDQ $64, AX")
	load(1, dx, r10)
	load(3, ax, r10)
	p("SUBQ $64, DX")
	p("SUBQ $64, AX")
	p("JMP amxTiles_k")
	label("amxTiles_zero")
	for i := range 4 {
		zero(i)
	}
	label("amxTiles_k")
	load(4, si, r11)
	load(6, r8, r11)
	dot(0, 4, 6)
	load(7, r9, r11)
	dot(1, 4, 7)
	load(5, di, r11)
	dot(2, 5, 6)
	// C is cold: two of its rows are asked for while tiles multiply, so that the
	// stores find them.
	for range 2 {
		bytes("PREFETCHW (R15)", 0x41, 0x0F, 0x0D, 0x0F)
		bytes("PREFETCHW 64(R15)", 0x41, 0x0F, 0x0D, 0x4F, 0x40)
		p("ADDQ R10, R15")
	}
	dot(3, 5, 7)
	for _, r := range []string{"SI", "DI", "R8", "R9"} {
		p("ADDQ $1024, %s", r)
	}
	p("DECQ CX")
	p("JNZ amxTiles_k")
	store(0, dx, r10)
	store(2, ax, r10)
	p("ADDQ $64, DX")
	p("ADDQ $64, AX")
	store(1, dx, r10)
	store(3, ax, r10)
	p("MOVQ R10, R14")
	p("SHLQ $5, R14")
	p("LEAQ -64(DX)(R14*1), DX")
	p("MOVQ aRow+32(FP), R14")
	p("LEAQ (BX)(R14*2), BX")
	p("DECQ R13")
	p("JNZ amxTiles_block")
	bytes("TILERELEASE", 0xC4, 0xE2, 0x78, 0x49, 0xC0)
	p("RET")
}

// tile multiplies one tile.
func tile() {
	function("amxTile does one tile of C.", "amxTile(cfg *byte, c *float32, ldc int, a, b *uint16, kt int, add bool)", 49)
	p("MOVQ cfg+0(FP), AX")
	bytes("LDTILECFG (AX)", 0xC4, 0xE2, 0x78, 0x49, 0x00)
	p("MOVQ c+8(FP), DX")
	p("MOVQ ldc+16(FP), R10")
	p("MOVQ a+24(FP), SI")
	p("MOVQ b+32(FP), R8")
	p("MOVQ kt+40(FP), CX")
	p("MOVQ $64, R11")
	p("MOVBLZX add+48(FP), R14")
	p("TESTQ R14, R14")
	p("JZ amxTile_zero")
	load(0, dx, r10)
	p("JMP amxTile_k")
	label("amxTile_zero")
	zero(0)
	label("amxTile_k")
	load(4, si, r11)
	load(6, r8, r11)
	dot(0, 4, 6)
	p("ADDQ $1024, SI")
	p("ADDQ $1024, R8")
	p("DECQ CX")
	p("JNZ amxTile_k")
	store(0, dx, r10)
	bytes("TILERELEASE", 0xC4, 0xE2, 0x78, 0x49, 0xC0)
	p("RET")
}

// tall multiplies four tiles, one above the other, with one.
func tall() {
	function("amxTall does four tiles of C, one above the other: a tile waits for the product before it, four of them do not.",
		"amxTall(cfg *byte, c *float32, ldc int, a *uint16, aRow int, b *uint16, kt int, add bool)", 57)
	p("MOVQ cfg+0(FP), AX")
	bytes("LDTILECFG (AX)", 0xC4, 0xE2, 0x78, 0x49, 0x00)
	p("MOVQ c+8(FP), DX")
	p("MOVQ ldc+16(FP), R10")
	p("MOVQ a+24(FP), SI")
	p("MOVQ aRow+32(FP), BX")
	p("MOVQ b+40(FP), R8")
	p("MOVQ kt+48(FP), CX")
	p("MOVQ $64, R11")
	p("MOVQ R10, R12")
	p("SHLQ $4, R12")
	p("LEAQ (SI)(BX*1), DI")
	p("LEAQ (SI)(BX*2), R9")
	p("LEAQ (DI)(BX*2), AX")
	p("MOVBLZX add+56(FP), R14")
	p("TESTQ R14, R14")
	p("JZ amxTall_zero")
	for i := range 4 {
		load(i, dx, r10)
		p("ADDQ R12, DX")
	}
	p("JMP amxTall_k")
	label("amxTall_zero")
	for i := range 4 {
		zero(i)
	}
	label("amxTall_k")
	load(7, r8, r11)
	for i, r := range []int{si, di, r9, ax} {
		load(4+i%3, r, r11)
		dot(i, 4+i%3, 7)
	}
	for _, r := range []string{"SI", "DI", "R9", "AX", "R8"} {
		p("ADDQ $1024, %s", r)
	}
	p("DECQ CX")
	p("JNZ amxTall_k")
	p("MOVQ c+8(FP), DX")
	for i := range 4 {
		store(i, dx, r10)
		p("ADDQ R12, DX")
	}
	bytes("TILERELEASE", 0xC4, 0xE2, 0x78, 0x49, 0xC0)
	p("RET")
}

// data is 64 bytes of constants.
func data(name string, at func(i int) uint64) {
	for i := range 8 {
		fmt.Fprintf(&out, "DATA ·%s+%d(SB)/8, $0x%016x\n", name, 8*i, at(i))
	}
	fmt.Fprintf(&out, "GLOBL ·%s(SB), RODATA|NOPTR, $64\n\n", name)
}

// constants of the look-up of nibbles.
func constants() {
	out.WriteString("\n")
	// Byte i%16 of a block's nibbles for each of 32 words.
	data("amxSpread", func(i int) uint64 {
		var v uint64
		for w := range 4 {
			b := uint64((4*i + w) % 16)
			v |= (b | b<<8) << (16 * w)
		}
		return v
	})
	// The low nibbles come first.
	data("amxShift", func(i int) uint64 { return map[bool]uint64{true: 0, false: 0x0004000400040004}[i < 4] })
	float := func(from int) func(i int) uint64 {
		return func(i int) uint64 {
			return uint64(math.Float32bits(float32(from+2*i))) | uint64(math.Float32bits(float32(from+2*i+1)))<<32
		}
	}
	data("amxIota0", float(0))
	data("amxIota8", float(-8))
}

// few writes the product of weights, widened a tile at a time, with one column of
// tiles: while a tile is multiplied, the next one is widened.
func few(format string, bytesOf int, widenPair func(pair int)) {
	name := "amxFew" + format
	function(name+" does groups of 16 rows of C: rows are those of the weights, each of kt blocks, b is a column of as many tiles, part is scratch for two tiles; what lies ahead bytes further is fetched.",
		name+"(cfg *byte, c *float32, ldc int, rows **byte, b *uint16, kt, groups int, part *uint16, ahead int)", 72)
	p("MOVQ cfg+0(FP), AX")
	bytes("LDTILECFG (AX)", 0xC4, 0xE2, 0x78, 0x49, 0x00)
	p("MOVQ c+8(FP), DX")
	p("MOVQ ldc+16(FP), R10")
	p("MOVQ rows+24(FP), BX")
	p("MOVQ groups+48(FP), R13")
	p("MOVQ part+56(FP), AX")
	p("MOVQ ahead+64(FP), R12")
	p("MOVQ $64, R11")
	nibbleConstants(format)
	label(name + "_group")
	p("MOVQ b+32(FP), R8")
	p("MOVQ kt+40(FP), CX")
	p("XORQ R9, R9")
	zero(0)
	label(name + "_k")
	for pair := range 8 {
		p("MOVQ %d(BX), SI", 16*pair)
		p("MOVQ %d(BX), DI", 16*pair+8)
		p("ADDQ R9, SI")
		p("ADDQ R9, DI")
		p("PREFETCHT0 (SI)(R12*1)")
		p("PREFETCHT0 (DI)(R12*1)")
		widenPair(pair)
	}
	load(1, ax, r11)
	load(2, r8, r11)
	dot(0, 1, 2)
	p("XORQ $1024, AX")
	p("ADDQ $1024, R8")
	p("ADDQ $%d, R9", bytesOf)
	p("DECQ CX")
	p("JNZ %s_k", name)
	store(0, dx, r10)
	p("ADDQ $128, BX")
	p("MOVQ R10, R14")
	p("SHLQ $4, R14")
	p("ADDQ R14, DX")
	p("DECQ R13")
	p("JNZ %s_group", name)
	bytes("TILERELEASE", 0xC4, 0xE2, 0x78, 0x49, 0xC0)
	p("VZEROUPPER")
	p("RET")
}

func fewRows() {
	for _, f := range []struct {
		name  string
		bytes int
	}{{"Q4_1", 20}, {"Q4_0", 18}} {
		quants := f.bytes - 16
		few(f.name, f.bytes, func(pair int) {
			p("VMOVD (SI), X0")
			p("VPINSRD $1, (DI), X0, X0")
			p("VCVTPH2PS X0, X0")
			p("VMOVUPS X0, %d(SP)", 16*(pair%2))
			nibbleTable(f.name, 1, 16*(pair%2))
			nibbleTable(f.name, 2, 16*(pair%2)+8)
			narrow(3, 2, 1)
			for i, r := range []string{"SI", "DI"} {
				p("VBROADCASTI32X4 %d(%s), Z%d", quants, r, 4+i)
				p("VPERMB Z%d, Z16, Z%d", 4+i, 4+i)
				p("VPSRLVW Z17, Z%d, Z%d", 4+i, 4+i)
			}
			p("VPANDD Z19, Z4, Z4")
			p("VPTERNLOGD $0xEA, Z20, Z19, Z5")
			p("VPERMW Z3, Z4, Z4")
			p("VPERMW Z3, Z5, Z5")
			p("VMOVDQU32 Z4, %d(AX)", 128*pair)
			p("VMOVDQU32 Z5, %d(AX)", 128*pair+64)
		})
	}
	few("Q8_0", 34, func(pair int) {
		for i, r := range []string{"SI", "DI"} {
			p("VPBROADCASTW (%s), Y0", r)
			p("VCVTPH2PS Y0, Z0")
			p("VPMOVSXBD 2(%s), Z1", r)
			p("VPMOVSXBD 18(%s), Z2", r)
			p("VCVTDQ2PS Z1, Z1")
			p("VCVTDQ2PS Z2, Z2")
			p("VMULPS Z0, Z1, Z1")
			p("VMULPS Z0, Z2, Z2")
			narrow(3, 2, 1)
			p("VMOVDQU32 Z3, %d(AX)", 128*pair+64*i)
		}
	})
}

// nibbleConstants loads what the look-up of nibbles needs.
func nibbleConstants(format string) {
	if format == "Q8_0" {
		return
	}
	p("VMOVDQU64 ·amxSpread(SB), Z16")
	p("VMOVDQU64 ·amxShift(SB), Z17")
	p("VMOVUPS ·%s(SB), Z18", map[string]string{"Q4_1": "amxIota0", "Q4_0": "amxIota8"}[format])
	p("MOVL $0x000f000f, R14")
	p("VPBROADCASTD R14, Z19")
	p("MOVL $0x00100010, R14")
	p("VPBROADCASTD R14, Z20")
}

// nibbleTable makes the 16 values of a block whose scale, and least value after
// it, stand in float32 at a place of the stack.
func nibbleTable(format string, z, at int) {
	if format == "Q4_1" {
		p("VBROADCASTSS %d(SP), Z%d", at+4, z)
		p("VFMADD231PS.BCST %d(SP), Z18, Z%d", at, z)
		return
	}
	p("VMULPS.BCST %d(SP), Z18, Z%d", at, z)
}

// peak keeps the tiles as busy as they can be.
func peak() {
	function("amxPeak makes iterations times four products of tiles from the first-level cache.",
		"amxPeak(cfg *byte, a *uint16, iterations int)", 24)
	p("MOVQ cfg+0(FP), AX")
	bytes("LDTILECFG (AX)", 0xC4, 0xE2, 0x78, 0x49, 0x00)
	p("MOVQ a+8(FP), SI")
	p("MOVQ iterations+16(FP), CX")
	p("MOVQ $64, R11")
	for i := range 4 {
		zero(i)
	}
	for i := 4; i < 8; i++ {
		load(i, si, r11)
	}
	label("amxPeak_loop")
	dot(0, 4, 6)
	dot(1, 4, 7)
	dot(2, 5, 6)
	dot(3, 5, 7)
	p("DECQ CX")
	p("JNZ amxPeak_loop")
	bytes("TILERELEASE", 0xC4, 0xE2, 0x78, 0x49, 0xC0)
	p("RET")
}

func main() {
	dir := flag.String("dir", "", "the folder of the assembly")
	flag.Parse()
	tiles()
	tile()
	tall()
	constants()
	fewRows()
	allIntegers()
	peak()
	write(*dir, "amx_amd64.s")
	packRows()
	packHalf()
	packTurned()
	packPairs()
	blocks()
	dots()
	write(*dir, "bf16_amd64.s")
}

// write makes a file of what was written since the last one.
func write(dir, name string) {
	text := "// Code generated by command: go run ./amx -dir ... DO NOT EDIT.\n\n//go:build !purego\n\n#include \"textflag.h\"\n" + out.String()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
	out.Reset()
}
