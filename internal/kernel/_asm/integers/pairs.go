package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

const (
	pairRows  = 3                             // of x
	pairGroup = 512 / 32 * 32 * turnedVectors // bytes of the blocks of a group of 8 rows, turned at a time
)

// turnedPair writes the product of three rows of x with two groups of turned rows of
// W: a number of x that was loaded is used twice, and sixteen registers are enough.
func turnedPair(f form) {
	t := &turner{lanes: 8}
	name := fmt.Sprintf("avx2Turned%sPair", f.name)
	Func(name, "func(c *float32, ldc int, x *byte, ldx int, w *byte, blocks int, add int)",
		fmt.Sprintf("%s multiplies %d packed rows of x, ldx bytes apart, with blocks > 0 turned", name, pairRows),
		fmt.Sprintf("blocks of two groups of 8 rows of W, %d bytes apart, %s, as turnedLoops says.", pairGroup, f.what))
	in := newInputs(int16s, pairRows)
	in.begin()
	t.dst = Int("w")
	n := Int("blocks")
	c, ldc := Int("c"), Bytes("ldc")
	add := Int("add")
	at := GP64()
	var acc, sum [pairRows][2]reg.VecVirtual
	for i := range acc {
		acc[i] = [2]reg.VecVirtual{YMM(), YMM()}
		sum[i] = [2]reg.VecVirtual{YMM(), YMM()}
	}
	rows := func(do func(i, g int, c Mem)) {
		MOVQ(c, at)
		for i := range acc {
			for g := range 2 {
				do(i, g, Mem{Base: at, Disp: 32 * g})
			}
			if i < pairRows-1 {
				ADDQ(ldc, at)
			}
		}
	}
	w := func(g, e int) Mem {
		m := t.at(0, e)
		m.Disp += g * pairGroup
		return m
	}
	TESTQ(add, add)
	JZ(LabelRef("anew"))
	rows(func(i, g int, c Mem) { VMOVUPS(c, acc[i][g]) })
	JMP(LabelRef("block"))
	Label("anew")
	for i := range acc {
		for g := range 2 {
			t.clear(acc[i][g])
		}
	}
	Align()
	Label("block")
	parts := 1
	if f == halved {
		parts = 2
	}
	for part := range parts {
		for k := range 16 / parts {
			e := 16/parts*part + k
			v := [2]reg.VecVirtual{YMM(), YMM()}
			for g := range 2 {
				VMOVUPS(w(g, e), v[g])
			}
			for i := range sum {
				x := YMM()
				VPBROADCASTD(in.at(i, 4*e), x)
				if k == 0 {
					VPMADDWD(x, v[0], sum[i][0])
					VPMADDWD(x, v[1], sum[i][1])
					continue
				}
				first := YMM()
				VPMADDWD(x, v[0], first)
				VPMADDWD(x, v[1], x)
				VPADDD(first, sum[i][0], sum[i][0])
				VPADDD(x, sum[i][1], sum[i][1])
			}
		}
		for g := range 2 {
			scale := YMM()
			VMOVUPS(w(g, 16+part), scale)
			for i := range sum {
				d := YMM()
				VCVTDQ2PS(sum[i][g], sum[i][g])
				VBROADCASTSS(in.end(i, atScale), d)
				VMULPS(scale, d, d)
				VFMADD231PS(sum[i][g], d, acc[i][g])
			}
		}
	}
	if f == least {
		for g := range 2 {
			least := YMM()
			VMOVUPS(w(g, 17), least)
			for i := range acc {
				d := YMM()
				VBROADCASTSS(in.end(i, atSum), d)
				VFMADD231PS(d, least, acc[i][g])
			}
		}
	}
	in.step()
	ADDQ(U32(uint64(turnedVectors*32)), t.dst)
	DECQ(n)
	JNZ(LabelRef("block"))
	rows(func(i, g int, c Mem) { VMOVUPS(acc[i][g], c) })
	Ret()
}
