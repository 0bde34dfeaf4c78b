package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// format is how weights lie in blocks of 32 and become two vectors of 16.
type format struct {
	name   string
	bytes  int  // of a block
	scale  bool // a block begins with its scale, in binary16
	least  bool // and its least value after that
	before func() any
	widen  func(ctx any, block reg.Register, scale, least Mem) (lo, hi reg.VecVirtual)
}

var tables = map[string]Mem{}

// iota16 is a constant of 16 floats that count up.
func iota16(name string, from float32) Mem {
	if m, ok := tables[name]; ok {
		return m
	}
	m := GLOBL(name, attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(4*i, U32(math.Float32bits(from+float32(i))))
	}
	tables[name] = m
	return m
}

// nibbles looks the 32 4-bit numbers of a block up in a table of 16 values.
func nibbles(block reg.Register, disp int, table reg.VecVirtual) (lo, hi reg.VecVirtual) {
	q := ZMM()
	lo, hi = ZMM(), ZMM()
	VPMOVZXBD(Mem{Base: block, Disp: disp}, q)
	VPERMPS(table, q, lo)
	VPSRLD(Imm(4), q, q)
	VPERMPS(table, q, hi)
	return lo, hi
}

var formats = []format{
	{
		name: "Q4_1", bytes: 20, scale: true, least: true,
		before: func() any {
			v := ZMM()
			VMOVUPS(iota16("iota0", 0), v)
			return v
		},
		widen: func(ctx any, block reg.Register, scale, least Mem) (reg.VecVirtual, reg.VecVirtual) {
			table := ZMM()
			VBROADCASTSS(least, table)
			VFMADD231PS_BCST(scale, ctx.(reg.VecVirtual), table)
			return nibbles(block, 4, table)
		},
	},
	{
		name: "Q4_0", bytes: 18, scale: true,
		before: func() any {
			v := ZMM()
			VMOVUPS(iota16("iota8", -8), v)
			return v
		},
		widen: func(ctx any, block reg.Register, scale, _ Mem) (reg.VecVirtual, reg.VecVirtual) {
			table := ZMM()
			VMULPS_BCST(scale, ctx.(reg.VecVirtual), table)
			return nibbles(block, 2, table)
		},
	},
	{
		name: "Q8_0", bytes: 34, scale: true,
		before: func() any { return nil },
		widen: func(_ any, block reg.Register, scale, _ Mem) (reg.VecVirtual, reg.VecVirtual) {
			lo, hi := ZMM(), ZMM()
			for i, v := range []reg.VecVirtual{lo, hi} {
				VPMOVSXBD(Mem{Base: block, Disp: 2 + 16*i}, v)
				VCVTDQ2PS(v, v)
				VMULPS_BCST(scale, v, v)
			}
			return lo, hi
		},
	},
	{
		name: "F16", bytes: 64,
		before: func() any { return nil },
		widen: func(_ any, block reg.Register, _, _ Mem) (reg.VecVirtual, reg.VecVirtual) {
			lo, hi := ZMM(), ZMM()
			VCVTPH2PS(Mem{Base: block}, lo)
			VCVTPH2PS(Mem{Base: block, Disp: 32}, hi)
			return lo, hi
		},
	},
	{
		name: "BF16", bytes: 64,
		before: func() any { return nil },
		widen: func(_ any, block reg.Register, _, _ Mem) (reg.VecVirtual, reg.VecVirtual) {
			lo, hi := ZMM(), ZMM()
			for i, v := range []reg.VecVirtual{lo, hi} {
				VPMOVZXWD(Mem{Base: block, Disp: 32 * i}, v)
				VPSLLD(Imm(16), v, v)
			}
			return lo, hi
		},
	},
	{
		name: "F32", bytes: 128,
		before: func() any { return nil },
		widen: func(_ any, block reg.Register, _, _ Mem) (reg.VecVirtual, reg.VecVirtual) {
			lo, hi := ZMM(), ZMM()
			VMOVUPS(Mem{Base: block}, lo)
			VMOVUPS(Mem{Base: block, Disp: 64}, hi)
			return lo, hi
		},
	},
}

// prefetch is how many bytes ahead of the weights at hand others are asked for.
const prefetch = 8192

// rows writes the product of m rows of A with four rows of W over one chunk of
// whole blocks, the weights widened in registers.
func rows(f format, m int) {
	name := fmt.Sprintf("avx512%sx%d", f.name, m)
	Func(name, "func(c *float32, ldc int, a *float32, lda int, w *[4]*byte, scales *[64]float32, blocks int, add bool)",
		fmt.Sprintf("%s multiplies %d rows of a with four of w, blocks (1 to 24) of 32 weights each:", name, m),
		"",
		"\tc[i*ldc+j] = sum_p a[i*lda+p]*w[j][p]",
		"",
		"in 16 lanes, lane p mod 16, added to c where add is set. Each w moves past its",
		"blocks; scales is scratch.")
	acc := make([][4]reg.VecVirtual, m)
	zero := zeroed()
	for i := range acc {
		for j := range acc[i] {
			acc[i][j] = ZMM()
			VMOVAPS(zero, acc[i][j])
		}
	}
	ctx := f.before()
	pa, lda := Int("a"), Bytes("lda")
	list := Int("w")
	var w [4]reg.Register
	for j := range w {
		w[j] = GP64()
		MOVQ(Mem{Base: list, Disp: 8 * j}, w[j])
	}
	// The four rows lie one after the other: what comes after them is fetched ahead,
	// line by line, as they are read.
	ahead := GP64()
	LEAQ(Mem{Base: w[0], Disp: prefetch}, ahead)
	n := Int("blocks")
	var scales reg.Register
	if f.scale {
		scales = Int("scales")
	}
	Align()
	Label("loop")
	// Scales of the four blocks: two binary16 each, the second the least value or
	// of no meaning.
	if f.scale {
		for j := range w {
			s := XMM()
			VMOVD(Mem{Base: w[j]}, s)
			VCVTPH2PS(s, s)
			VMOVQ(s, Mem{Base: scales, Disp: 8 * j})
		}
	}
	var x [][2]reg.VecVirtual
	for i := range m {
		v := [2]reg.VecVirtual{ZMM(), ZMM()}
		row := [4]Mem{{Base: pa}, {Base: pa, Index: lda, Scale: 1}, {Base: pa, Index: lda, Scale: 2}}
		at := row[min(i, 2)]
		if i == 3 {
			p := GP64()
			LEAQ(Mem{Base: pa, Index: lda, Scale: 2}, p)
			at = Mem{Base: p, Index: lda, Scale: 1}
		}
		VMOVUPS(at, v[0])
		at.Disp = 64
		VMOVUPS(at, v[1])
		x = append(x, v)
	}
	for j := range w {
		lo, hi := f.widen(ctx, w[j], Mem{Base: scales, Disp: 8 * j}, Mem{Base: scales, Disp: 8*j + 4})
		for i := range x {
			VFMADD231PS(lo, x[i][0], acc[i][j])
		}
		for i := range x {
			VFMADD231PS(hi, x[i][1], acc[i][j])
		}
		ADDQ(Imm(uint64(f.bytes)), w[j])
	}
	for at := 0; at < 4*f.bytes; at += 64 {
		PREFETCHT0(Mem{Base: ahead, Disp: at})
	}
	ADDQ(U32(uint64(4*f.bytes)), ahead)
	ADDQ(U32(128), pa)
	DECQ(n)
	JNZ(LabelRef("loop"))
	for j := range w {
		MOVQ(w[j], Mem{Base: list, Disp: 8 * j})
	}
	c, ldc := Int("c"), Bytes("ldc")
	add := Load(Param("add"), GP8())
	for i := range acc {
		s := sum4(acc[i][0], acc[i][1], acc[i][2], acc[i][3])
		TESTB(add, add)
		JZ(LabelRef(fmt.Sprintf("store%d", i)))
		VADDPS(Mem{Base: c}, s, s)
		Label(fmt.Sprintf("store%d", i))
		VMOVUPS(s, Mem{Base: c})
		ADDQ(ldc, c)
	}
	Ret()
}
