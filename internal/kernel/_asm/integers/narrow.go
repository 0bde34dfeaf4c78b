package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// narrow writes the product of m rows of x with eight rows of W at a time. Without
// VNNI sums of two products with 8-bit x are 16 bits wide: eight of them fit where
// weights have four bits, and one where they have eight.
func narrow(kind string, s integers, f format, m int, w source, vnni bool) {
	var acc []reg.VecVirtual
	for range m {
		acc = append(acc, YMM())
	}
	short := s == int8s && !vnni && !f.whole // sums are 16 bits wide
	bias := f.bias > 0 && !(f.whole && (s == int16s || !vnni))
	product(kind, s, f, m, w, acc, func(v reg.VecVirtual) { Zero(v) }, func(f format, in *inputs) {
		chains := 1
		// Halves of a byte that are not shifted down make 16 and 256 times their products:
		// in sums of their own, which are shifted once. There are registers for two rows.
		apart := s == int16s && !vnni && !f.whole && m <= 2
		switch {
		case apart:
			chains = 3
		case s == int16s && vnni:
			chains = chainsOf(s, m, 5)
		}
		sums, sum := make([][]reg.VecVirtual, m), make([]reg.VecVirtual, m)
		first := make([][]bool, m) // of each sum: nothing was added yet
		for i := range sum {
			for range chains {
				sums[i], first[i] = append(sums[i], YMM()), append(first[i], !vnni)
			}
			sum[i] = sums[i][0]
			switch {
			case bias && !short:
				VPBROADCASTD(in.end(i, f.bias), sum[i])
				first[i][0] = false
			case vnni:
				Zero(sum[i])
			}
			if vnni {
				Zero(sums[i][1:]...)
			}
		}
		count := 0
		dot := func(w reg.VecVirtual, at int) {
			var size reg.VecVirtual
			if s == int8s && f.whole && !vnni {
				size = YMM()
				VPABSB(w, size)
			}
			for i := range sum {
				x := YMM()
				VPBROADCASTD(in.at(i, at), x)
				c := count % chains
				to := sums[i][c]
				switch {
				case vnni:
					dotVEX(s, x, w, to)
					continue
				case s == int16s:
					VPMADDWD(x, w, x)
				case f.whole:
					VPSIGNB(w, x, x)
					VPMADDUBSW(x, size, x)
					VPMADDWD(ones("ones16", 0x00010001), x, x)
				default:
					VPMADDUBSW(x, w, x)
				}
				switch {
				case first[i][c]:
					VMOVDQA(x, to)
					first[i][c] = false
				case short:
					VPADDW(x, to, to)
				default:
					VPADDD(x, to, to)
				}
			}
			count++
		}
		for from := f.at; from < f.bytes; from += 16 {
			for g := range 4 {
				v := w.word(f, from, g)
				f.ahead.next()
				switch {
				case f.whole && s == int16s:
					even := YMM()
					VPSLLW(Imm(8), v, even)
					VPSRAW(Imm(8), even, even)
					dot(even, words(from-f.at+4*g, false))
					VPSRAW(Imm(8), v, v)
					dot(v, words(from-f.at+4*g, true))
				case f.whole:
					if vnni {
						VPXOR(ones("signs8", 0x80808080), v, v)
					}
					dot(v, from-f.at+4*g)
				case apart:
					for n, mask := range []uint32{0x000f000f, 0x00f000f0, 0x0f000f00, 0} {
						w := YMM()
						if n < 3 {
							VPAND(ones(fmt.Sprintf("quarters%d", n), mask), v, w)
						} else {
							VPSRLW(Imm(12), v, w)
						}
						count = n % 3
						dot(w, words(part(g, n%2 > 0), n > 1))
					}
				case s == int16s:
					for n := range 4 {
						w := v
						if n < 3 {
							w = YMM()
						}
						switch n {
						case 0:
							VPAND(ones("quarters", 0x000f000f), v, w)
						case 3:
							VPSRLW(Imm(12), v, w)
						default:
							VPSRLW(Imm(uint64(4*n)), v, w)
							VPAND(ones("quarters", 0x000f000f), w, w)
						}
						dot(w, words(part(g, n%2 > 0), n > 1))
					}
				default:
					low := YMM()
					VPAND(ones("halves", 0x0f0f0f0f), v, low)
					dot(low, part(g, false))
					VPSRLW(Imm(4), v, v)
					VPAND(ones("halves", 0x0f0f0f0f), v, v)
					dot(v, part(g, true))
				}
			}
		}
		scales := w.scales(f)
		for i := range sum {
			if apart {
				VPSRAD(Imm(4), sums[i][1], sums[i][1])
				VPSRAD(Imm(8), sums[i][2], sums[i][2])
			}
			addChains(sums[i])
			if short {
				VPMADDWD(ones("ones16", 0x00010001), sum[i], sum[i])
				if bias {
					x := YMM()
					VPBROADCASTD(in.end(i, f.bias), x)
					VPADDD(x, sum[i], sum[i])
				}
			}
			VCVTDQ2PS(sum[i], sum[i])
			d := YMM()
			VBROADCASTSS(in.end(i, atScale), d)
			VMULPS(scales[0], d, d)
			VFMADD231PS(sum[i], d, acc[i])
			if f.least {
				VBROADCASTSS(in.end(i, atSum), d)
				VFMADD231PS(scales[1], d, acc[i])
			}
		}
	})
}

// words is the offset in a packed block of 16-bit x of the two words that belong
// to the first and third of four weights, or with odd to the others; at is the
// number of the first of the four.
func words(at int, odd bool) int {
	if odd {
		return 2*at + 4
	}
	return 2 * at
}
