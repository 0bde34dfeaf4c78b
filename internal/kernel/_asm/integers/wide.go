package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dotBroadcast adds to each double word of sum the products of the four bytes of w,
// without a sign, with the four at x in memory, with one; or of their two words,
// with signs.
func dotBroadcast(s integers, x Mem, w, sum reg.VecVirtual) {
	Instruction(&ir.Instruction{Opcode: dots[s].name, Suffixes: []string{"BCST"}, Operands: []Op{x, w, sum}, Inputs: []Op{x, w, sum}, Outputs: []Op{sum}})
}

func clearWide(v reg.VecVirtual) { VPXORD(v, v, v) }

// wide writes the product of m rows of x with sixteen rows of W at a time.
func wide(s integers, f format, m int, w source) {
	var acc []reg.VecVirtual
	for range m {
		acc = append(acc, ZMM())
	}
	bias := f.bias > 0 && !(f.whole && s == int16s)
	product("avx512", s, f, m, w, acc, clearWide, func(f format, in *inputs) {
		chains := chainsOf(s, m, 8)
		// Sums of 8-bit x are made row by row, and those of 16-bit x, for which there
		// are twice as many vectors of weights, of all rows at once.
		start := func(i int) (sum []reg.VecVirtual) {
			for k := range chains {
				sum = append(sum, ZMM())
				if k == 0 && bias {
					VPBROADCASTD(in.end(i, f.bias), sum[k])
				} else {
					clearWide(sum[k])
				}
			}
			return sum
		}
		var sums [][]reg.VecVirtual
		if s == int16s {
			for i := range m {
				sums = append(sums, start(i))
			}
		}
		var weights []reg.VecVirtual
		var at []int
		count := 0
		emit := func(v reg.VecVirtual, x int) {
			if s == int8s {
				weights, at = append(weights, v), append(at, x)
				return
			}
			for i := range m {
				dotBroadcast(s, in.at(i, x), v, sums[i][count%chains])
			}
			count++
		}
		for from := f.at; from < f.bytes; from += 16 {
			for g := range 4 {
				v := w.word(f, from, g)
				f.ahead.next()
				switch {
				case f.whole && s == int16s:
					even := ZMM()
					VPSLLW(Imm(8), v, even)
					VPSRAW(Imm(8), even, even)
					emit(even, words(from-f.at+4*g, false))
					VPSRAW(Imm(8), v, v)
					emit(v, words(from-f.at+4*g, true))
				case f.whole:
					VPXORD_BCST(ones("signs8", 0x80808080), v, v)
					emit(v, from-f.at+4*g)
				case s == int16s:
					for n := range 4 {
						w := v
						if n < 3 {
							w = ZMM()
						}
						switch n {
						case 0:
							VPANDD_BCST(ones("quarters", 0x000f000f), v, w)
						case 3:
							VPSRLW(Imm(12), v, w)
						default:
							VPSRLW(Imm(uint64(4*n)), v, w)
							VPANDD_BCST(ones("quarters", 0x000f000f), w, w)
						}
						emit(w, words(part(g, n%2 > 0), n > 1))
					}
				default:
					low := ZMM()
					VPANDD_BCST(ones("halves", 0x0f0f0f0f), v, low)
					VPSRLD(Imm(4), v, v)
					VPANDD_BCST(ones("halves", 0x0f0f0f0f), v, v)
					emit(low, part(g, false))
					emit(v, part(g, true))
				}
			}
		}
		scales := w.scales(f)
		for i := range m {
			var sum []reg.VecVirtual
			if s == int16s {
				sum = sums[i]
			} else {
				sum = start(i)
				for k := range weights {
					dotBroadcast(s, in.at(i, at[k]), weights[k], sum[k%chains])
				}
			}
			addChains(sum)
			VCVTDQ2PS(sum[0], sum[0])
			d := ZMM()
			VMULPS_BCST(in.end(i, atScale), scales[0], d)
			VFMADD231PS(sum[0], d, acc[i])
			if f.least {
				VFMADD231PS_BCST(in.end(i, atSum), scales[1], acc[i])
			}
		}
	})
}

// wideScales are the scales of a block of 16 rows, and their least weights.
func wideScales(f format, r *rows) (scale, least reg.VecVirtual) {
	scale, least = ZMM(), ZMM()
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
		return scale, least
	}
	v := halves(r, 16, 0)
	VINSERTI32X4(Imm(1), v[1].AsX(), v[0], v[0])
	VCVTPH2PS(v[0], scale)
	return scale, least
}
