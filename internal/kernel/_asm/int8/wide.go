package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dotBroadcast adds to each word of sum the products of the four bytes of w,
// without a sign, with the four at x in memory, with one.
func dotBroadcast(x Mem, w, sum reg.VecVirtual) {
	Instruction(&ir.Instruction{Opcode: "VPDPBUSD", Suffixes: []string{"BCST"}, Operands: []Op{x, w, sum}, Inputs: []Op{x, w, sum}, Outputs: []Op{sum}})
}

func clearWide(v reg.VecVirtual) { VPXORD(v, v, v) }

// wide writes the product of m rows of x with sixteen rows of W at a time.
func wide(f format, m int) {
	var acc []reg.VecVirtual
	for range m {
		acc = append(acc, ZMM())
	}
	product("avx512", f, m, 16, acc, clearWide, func(r *rows, in *inputs) {
		scale, least := ZMM(), ZMM()
		if f.least {
			var v [2]reg.VecVirtual
			for i := range v {
				v[i] = ZMM()
				x, y := doubles(r, [4]int{2 * i, 2*i + 1, 2*i + 4, 2*i + 5}), doubles(r, [4]int{2*i + 8, 2*i + 9, 2*i + 12, 2*i + 13})
				VINSERTI32X4(Imm(1), y.AsX(), x, x)
				VCVTPH2PS(x, v[i])
			}
			VSHUFPS(Imm(0x88), v[1], v[0], scale)
			VSHUFPS(Imm(0xdd), v[1], v[0], least)
		} else {
			v := halves(r, 16, 0)
			VINSERTI32X4(Imm(1), v[1].AsX(), v[0], v[0])
			VCVTPH2PS(v[0], scale)
		}
		var w []reg.VecVirtual
		var at []int
		for from := f.at; from < f.bytes; from += 16 {
			var a [4]reg.VecVirtual
			for i := range a {
				a[i] = ZMM()
				begin("VMOVUPS", r.at(i, from), a[i])
				for q := 1; q < 4; q++ {
					VINSERTI32X4(Imm(uint64(q)), r.at(i+4*q, from), a[i], a[i])
				}
			}
			for g, v := range turn(a, func() reg.VecVirtual { return ZMM() }) {
				if f.whole {
					VPXORD_BCST(ones("signs8", 0x80808080), v, v)
					w, at = append(w, v), append(at, from-f.at+4*g)
					continue
				}
				low := ZMM()
				VPANDD_BCST(ones("halves", 0x0f0f0f0f), v, low)
				VPSRLD(Imm(4), v, v)
				VPANDD_BCST(ones("halves", 0x0f0f0f0f), v, v)
				w, at = append(w, low, v), append(at, part(g, false), part(g, true))
			}
		}
		chains := 1
		if m < 3 {
			chains = 2 // one would wait for itself
		}
		for i := range m {
			sum := make([]reg.VecVirtual, chains)
			for k := range sum {
				sum[k] = ZMM()
				if k == 0 && f.bias > 0 {
					VPBROADCASTD(in.at(i, f.bias), sum[k])
				} else {
					clearWide(sum[k])
				}
			}
			for k := range w {
				dotBroadcast(in.at(i, at[k]), w[k], sum[k%chains])
			}
			if chains > 1 {
				VPADDD(sum[1], sum[0], sum[0])
			}
			VCVTDQ2PS(sum[0], sum[0])
			d := ZMM()
			VMULPS_BCST(in.at(i, atScale), scale, d)
			VFMADD231PS(sum[0], d, acc[i])
			if f.least {
				VFMADD231PS_BCST(in.at(i, atSum), least, acc[i])
			}
		}
	})
}
