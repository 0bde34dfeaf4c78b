package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// narrow writes the product of m rows of x with eight rows of W at a time. Without
// VNNI sums of two products are 16 bits wide: eight of them fit where weights have
// four bits, and one where they have eight.
func narrow(kind string, f format, m int, vnni bool) {
	var acc []reg.VecVirtual
	for range m {
		acc = append(acc, YMM())
	}
	product(kind, f, m, 8, acc, func(v reg.VecVirtual) { Zero(v) }, func(r *rows, in *inputs) {
		sum := make([]reg.VecVirtual, m)
		first := make([]bool, m)
		for i := range sum {
			sum[i], first[i] = YMM(), true
			if f.bias > 0 && (vnni || !f.whole) {
				if vnni {
					VPBROADCASTD(in.at(i, f.bias), sum[i])
					first[i] = false
				}
			} else if vnni {
				Zero(sum[i])
				first[i] = false
			}
		}
		dot := func(w reg.VecVirtual, at int) {
			var size reg.VecVirtual
			if f.whole && !vnni {
				size = YMM()
				VPABSB(w, size)
			}
			for i := range sum {
				x := YMM()
				VPBROADCASTD(in.at(i, at), x)
				switch {
				case vnni:
					dotVEX(x, w, sum[i])
					continue
				case f.whole:
					VPSIGNB(w, x, x)
					VPMADDUBSW(x, size, x)
					VPMADDWD(ones("ones16", 0x00010001), x, x)
				default:
					VPMADDUBSW(x, w, x)
				}
				switch {
				case first[i]:
					VMOVDQA(x, sum[i])
					first[i] = false
				case f.whole:
					VPADDD(x, sum[i], sum[i])
				default:
					VPADDW(x, sum[i], sum[i])
				}
			}
		}
		for from := f.at; from < f.bytes; from += 16 {
			var a [4]reg.VecVirtual
			for i := range a {
				a[i] = YMM()
				begin("VMOVDQU", r.at(i, from), a[i])
				VINSERTI128(Imm(1), r.at(i+4, from), a[i], a[i])
			}
			for g, w := range turn(a, func() reg.VecVirtual { return YMM() }) {
				if f.whole {
					if vnni {
						VPXOR(ones("signs8", 0x80808080), w, w)
					}
					dot(w, from-f.at+4*g)
					continue
				}
				low := YMM()
				VPAND(ones("halves", 0x0f0f0f0f), w, low)
				dot(low, part(g, false))
				VPSRLW(Imm(4), w, w)
				VPAND(ones("halves", 0x0f0f0f0f), w, w)
				dot(w, part(g, true))
			}
		}
		scale, least := YMM(), YMM()
		if f.least {
			a, b := YMM(), YMM()
			VCVTPH2PS(doubles(r, [4]int{0, 1, 4, 5}).AsX(), a)
			VCVTPH2PS(doubles(r, [4]int{2, 3, 6, 7}).AsX(), b)
			VSHUFPS(Imm(0x88), b, a, scale)
			VSHUFPS(Imm(0xdd), b, a, least)
		} else {
			VCVTPH2PS(halves(r, 8, 0)[0].AsX(), scale)
		}
		for i := range sum {
			if !vnni && !f.whole {
				VPMADDWD(ones("ones16", 0x00010001), sum[i], sum[i])
				if f.bias > 0 {
					x := YMM()
					VPBROADCASTD(in.at(i, f.bias), x)
					VPADDD(x, sum[i], sum[i])
				}
			}
			VCVTDQ2PS(sum[i], sum[i])
			d := YMM()
			VBROADCASTSS(in.at(i, atScale), d)
			VMULPS(scale, d, d)
			VFMADD231PS(sum[i], d, acc[i])
			if f.least {
				VBROADCASTSS(in.at(i, atSum), d)
				VFMADD231PS(least, d, acc[i])
			}
		}
	})
}
