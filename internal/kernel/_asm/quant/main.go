// Command quant writes the AVX2 loops over quantized weights: a few rows times a
// matrix widened in registers, and the widening itself.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// format says how 32 weights lie in a block and become floats.
type format struct {
	name  string
	bytes int
	// open loads what the vectors of a block share and returns a function that
	// yields the floats 8*v to 8*v+7, called for v = 0 to 3 in order.
	open func(at func(disp int) Mem) func(v int) reg.VecVirtual
	// mul says that products widen it in registers.
	mul bool
}

var formats = []format{
	{"Q4_1", 20, func(at func(int) Mem) func(int) reg.VecVirtual {
		d, m := scaleMin(at)
		nibble := nibbles(at, 4)
		return func(v int) reg.VecVirtual {
			w := nibble(v)
			VCVTDQ2PS(w, w)
			VFMADD213PS(m, d, w)
			return w
		}
	}, true},
	{"Q4_0", 18, func(at func(int) Mem) func(int) reg.VecVirtual {
		d := scale(at)
		nibble := nibbles(at, 2)
		return func(v int) reg.VecVirtual {
			w := nibble(v)
			VPSUBD(U32s("eight", 8), w, w)
			VCVTDQ2PS(w, w)
			VMULPS(d, w, w)
			return w
		}
	}, true},
	{"Q8_0", 34, func(at func(int) Mem) func(int) reg.VecVirtual {
		d := scale(at)
		return func(v int) reg.VecVirtual {
			w := YMM()
			VPMOVSXBD(at(2+8*v), w)
			VCVTDQ2PS(w, w)
			VMULPS(d, w, w)
			return w
		}
	}, true},
	{"F16", 64, func(at func(int) Mem) func(int) reg.VecVirtual {
		return func(v int) reg.VecVirtual {
			w := YMM()
			VCVTPH2PS(at(16*v), w)
			return w
		}
	}, true},
	{"BF16", 64, func(at func(int) Mem) func(int) reg.VecVirtual {
		return func(v int) reg.VecVirtual {
			w := YMM()
			VPMOVZXWD(at(16*v), w)
			VPSLLD(Imm(16), w, w)
			return w
		}
	}, true},
	{"Q5_0", 22, func(at func(int) Mem) func(int) reg.VecVirtual {
		d := scale(at)
		nibble, fifth := nibbles(at, 6), fifths(at, 2)
		return func(v int) reg.VecVirtual {
			w := nibble(v)
			VPOR(fifth(v), w, w)
			VPSUBD(U32s("sixteen", 16), w, w)
			VCVTDQ2PS(w, w)
			VMULPS(d, w, w)
			return w
		}
	}, false},
	{"Q5_1", 24, func(at func(int) Mem) func(int) reg.VecVirtual {
		d, m := scaleMin(at)
		nibble, fifth := nibbles(at, 8), fifths(at, 4)
		return func(v int) reg.VecVirtual {
			w := nibble(v)
			VPOR(fifth(v), w, w)
			VCVTDQ2PS(w, w)
			VFMADD213PS(m, d, w)
			return w
		}
	}, false},
}

// scale spreads the binary16 that a block begins with.
func scale(at func(int) Mem) reg.VecVirtual {
	x, d := XMM(), YMM()
	VPBROADCASTW(at(0), x)
	VCVTPH2PS(x, d)
	return d
}

// scaleMin spreads the two binary16 that a block begins with. What follows them
// in the block is converted along and not used.
func scaleMin(at func(int) Mem) (d, m reg.VecVirtual) {
	x, d, m := XMM(), YMM(), YMM()
	VCVTPH2PS(at(0), x)
	VBROADCASTSS(x, d)
	VMOVSHDUP(x, x)
	VBROADCASTSS(x, m)
	return d, m
}

// nibbles yields four vectors of integers 0 to 15 from the 16 bytes at disp:
// weights 0 to 15 are the low halves, 16 to 31 the high ones.
func nibbles(at func(int) Mem, disp int) func(v int) reg.VecVirtual {
	b := [2]reg.VecVirtual{YMM(), YMM()}
	for i := range b {
		VPMOVZXBD(at(disp+8*i), b[i])
	}
	return func(v int) reg.VecVirtual {
		if v < 2 {
			w := YMM()
			VPAND(U32s("low", 15), b[v], w)
			return w
		}
		VPSRLD(Imm(4), b[v-2], b[v-2])
		return b[v-2]
	}
}

// fifths yields four vectors of the fifth bits, worth 16, from the word at disp.
func fifths(at func(int) Mem, disp int) func(v int) reg.VecVirtual {
	h := YMM()
	VPBROADCASTD(at(disp), h)
	return func(v int) reg.VecVirtual {
		var shifts [8]uint32
		for i := range shifts {
			shifts[i] = uint32(8*v + i)
		}
		b := YMM()
		VPSRLVD(Words(fmt.Sprintf("shifts%d", v), shifts), h, b)
		VPAND(U32s("bit", 1), b, b)
		VPSLLD(Imm(4), b, b)
		return b
	}
}

func main() {
	File()
	for _, f := range formats {
		f.widen()
		if f.mul {
			f.product(1, 4)
			f.product(2, 2)
			f.product(3, 2)
			f.product(4, 2)
		}
	}
	widenQ4K("avx2WidenQ4_K", false)
	widenQ4K("avx2WidenQ5_K", true)
	widenQ6K()
	addHalf()
	Generate()
}

// widen writes the loop that widens whole blocks.
func (f format) widen() {
	Func("avx2Widen"+f.name, "func(dst *float32, src *byte, blocks int)",
		fmt.Sprintf("avx2Widen%s writes the 32*blocks > 0 floats of src to dst.", f.name))
	dst, src, n := Int("dst"), Int("src"), Int("blocks")
	Align()
	Label("loop")
	vec := f.open(func(disp int) Mem { return Mem{Base: src, Disp: disp} })
	for v := range 4 {
		VMOVUPS(vec(v), Mem{Base: dst, Disp: 32 * v})
	}
	ADDQ(Imm(uint64(f.bytes)), src)
	ADDQ(U32(128), dst)
	DECQ(n)
	JNZ(LabelRef("loop"))
	Ret()
}

// prefetch is how many bytes ahead of the weights at hand others are asked for.
const prefetch = 8192

// product writes the product of m rows of A with the rows of W, taken wr at a time so
// that their chains of additions hide each other's latency.
func (f format) product(m, wr int) {
	name := fmt.Sprintf("avx2Mul%s_%d", f.name, m)
	Func(name, "func(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)",
		fmt.Sprintf("%s multiplies %d rows of a with n rows of w, n a positive multiple of %d, each", name, m, wr),
		"of so many blocks, at most chunk of them in one chain:",
		"",
		"\tc[i*ldc+j] = sum_p a[i*lda+p]*w[order[j],p]",
		"",
		"order may be nil.")
	// Sums of the chunks so far: for each row of A, one lane for each row of W. They
	// begin with -0, so that the first chunk is added without a change.
	sums := AllocLocal(16 * m)
	c, order, n := Int("c"), Int("order"), Int("n")
	wNext := Int("w")
	var lda, lda3 reg.Register
	if m > 1 {
		lda = Bytes("lda")
	}
	if m == 4 {
		lda3 = GP64()
		LEAQ(Mem{Base: lda, Index: lda, Scale: 2}, lda3)
	}

	Label("rows")
	rows := make([]reg.Register, wr)
	for r := range rows {
		rows[r] = GP64()
	}
	TESTQ(order, order)
	JZ(LabelRef("inOrder"))
	for r, p := range rows {
		MOVLQSX(Mem{Base: order, Disp: 4 * r}, p)
		rb := GP64()
		Load(Param("rowBytes"), rb)
		IMULQ(rb, p)
		ADDQ(wNext, p)
	}
	ADDQ(Imm(uint64(4*wr)), order)
	JMP(LabelRef("start"))
	Label("inOrder")
	for _, p := range rows {
		MOVQ(wNext, p)
		rb := GP64()
		Load(Param("rowBytes"), rb)
		ADDQ(rb, wNext)
	}
	Label("start")
	a, left := GP64(), GP64()
	Load(Param("a"), a)
	Load(Param("blocks"), left)
	none := XMM()
	VMOVUPS(U32s("minusZero", 1<<31), none)
	for i := range m {
		VMOVUPS(none, sums.Offset(16*i))
	}

	Label("chunk")
	acc := make([][]reg.VecVirtual, m)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, wr)
		for r := range acc[i] {
			acc[i][r] = YMM()
			Zero(acc[i][r])
		}
	}
	todo := GP64()
	Load(Param("chunk"), todo)
	CMPQ(todo, left)
	CMOVQGT(left, todo)
	SUBQ(todo, left)
	Align()
	Label("block")
	for r, p := range rows {
		// The rows lie one after the other, so this asks for weights of the rows
		// that come after them.
		PREFETCHT0(Mem{Base: p, Disp: prefetch})
		vec := f.open(func(disp int) Mem { return Mem{Base: p, Disp: disp} })
		for v := range 4 {
			w := vec(v)
			for i := range m {
				at := [4]Mem{{Base: a}, {Base: a, Index: lda, Scale: 1}, {Base: a, Index: lda, Scale: 2}, {Base: a, Index: lda3, Scale: 1}}[i]
				at.Disp = 32 * v
				VFMADD231PS(at, w, acc[i][r])
			}
		}
		ADDQ(Imm(uint64(f.bytes)), p)
	}
	ADDQ(U32(128), a)
	DECQ(todo)
	JNZ(LabelRef("block"))
	for i := range m {
		var sum reg.VecVirtual
		if wr == 4 {
			sum = SumLanes4(acc[i][0], acc[i][1], acc[i][2], acc[i][3])
		} else {
			sum = SumLanes2(acc[i][0], acc[i][1])
		}
		VADDPS(sums.Offset(16*i), sum, sum)
		VMOVUPS(sum, sums.Offset(16*i))
	}
	TESTQ(left, left)
	JNZ(LabelRef("chunk"))

	ldc := Bytes("ldc")
	out := GP64()
	MOVQ(c, out)
	for i := range m {
		sum := XMM()
		if wr == 4 {
			VMOVUPS(sums.Offset(16*i), sum)
			VMOVUPS(sum, Mem{Base: out})
		} else {
			VMOVSD(sums.Offset(16*i), sum)
			VMOVSD(sum, Mem{Base: out})
		}
		if i < m-1 {
			ADDQ(ldc, out)
		}
	}
	ADDQ(Imm(uint64(4*wr)), c)
	SUBQ(Imm(uint64(wr)), n)
	JNZ(LabelRef("rows"))
	Ret()
}

// addHalf writes the outer product of a row with a matrix in F16.
func addHalf() {
	Func("avx2AddHalf", "func(c, h *float32, b *byte, k, groups int)",
		"avx2AddHalf adds to groups > 0 times 16 floats of c the k > 0 products of h and b,",
		"which lies in panels of k rows of 16:",
		"",
		"\tc[16*g+l] += h[p] * b[g][p][l]")
	c, b, groups := Int("c"), Int("b"), Int("groups")
	Label("group")
	lo, hi := YMM(), YMM()
	VMOVUPS(Mem{Base: c}, lo)
	VMOVUPS(Mem{Base: c, Disp: 32}, hi)
	h, n := GP64(), GP64()
	Load(Param("h"), h)
	Load(Param("k"), n)
	Align()
	Label("loop")
	x, y, z := YMM(), YMM(), YMM()
	VBROADCASTSS(Mem{Base: h}, x)
	VCVTPH2PS(Mem{Base: b}, y)
	VCVTPH2PS(Mem{Base: b, Disp: 16}, z)
	VFMADD231PS(y, x, lo)
	VFMADD231PS(z, x, hi)
	PREFETCHT0(Mem{Base: b, Disp: prefetch})
	ADDQ(Imm(4), h)
	ADDQ(Imm(32), b)
	DECQ(n)
	JNZ(LabelRef("loop"))
	VMOVUPS(lo, Mem{Base: c})
	VMOVUPS(hi, Mem{Base: c, Disp: 32})
	ADDQ(Imm(64), c)
	DECQ(groups)
	JNZ(LabelRef("group"))
	Ret()
}

// widenQ4K writes the widening of one block of Q4_K, or with fifth bits Q5_K.
func widenQ4K(name string, fifth bool) {
	signature, args := "func(dst *float32, q *byte, scales *[16]float32)", "q"
	if fifth {
		signature, args = "func(dst *float32, q, h *byte, scales *[16]float32)", "q, and the fifth bits in h,"
	}
	Func(name, signature,
		fmt.Sprintf("%s writes the 256 floats of the nibbles in %s to dst, each times one of", name, args),
		"the first eight scales, less one of the other eight.")
	dst, q, scales := Int("dst"), Int("q"), Int("scales")
	var h reg.Register
	if fifth {
		h = Int("h")
	}
	for j := range 4 {
		var s, m [2]reg.VecVirtual
		for i := range s {
			s[i], m[i] = YMM(), YMM()
			VBROADCASTSS(Mem{Base: scales, Disp: 4 * (2*j + i)}, s[i])
			VBROADCASTSS(Mem{Base: scales, Disp: 4 * (8 + 2*j + i)}, m[i])
		}
		for i := range 4 {
			lo, hi := YMM(), YMM()
			VPMOVZXBD(Mem{Base: q, Disp: 32*j + 8*i}, hi)
			VPAND(U32s("low", 15), hi, lo)
			VPSRLD(Imm(4), hi, hi)
			if fifth {
				bits := YMM()
				VPMOVZXBD(Mem{Base: h, Disp: 8 * i}, bits)
				for k, w := range []reg.VecVirtual{lo, hi} {
					at := 2*j + k
					b := YMM()
					VPAND(U32s(fmt.Sprintf("bit%d", at), 1<<at), bits, b)
					if at < 4 {
						VPSLLD(Imm(uint64(4-at)), b, b)
					} else if at > 4 {
						VPSRLD(Imm(uint64(at-4)), b, b)
					}
					VPOR(b, w, w)
				}
			}
			for k, w := range []reg.VecVirtual{lo, hi} {
				VCVTDQ2PS(w, w)
				VFMSUB213PS(m[k], s[k], w)
				VMOVUPS(w, Mem{Base: dst, Disp: 4 * (64*j + 32*k + 8*i)})
			}
		}
	}
	Ret()
}

// widenQ6K writes the widening of one block of Q6_K.
func widenQ6K() {
	Func("avx2WidenQ6_K", "func(dst *float32, q *byte, scales *[16]float32)",
		"avx2WidenQ6_K writes the 256 floats of the block at q to dst, 16 to each of the scales.")
	dst, q, scales := Int("dst"), Int("q"), Int("scales")
	for half := range 2 {
		for i := range 4 {
			var w [4]reg.VecVirtual // of quarter k of the half
			bits := YMM()
			VPMOVZXBD(Mem{Base: q, Disp: 128 + 32*half + 8*i}, bits)
			for k := range 2 {
				lo, hi := YMM(), YMM()
				VPMOVZXBD(Mem{Base: q, Disp: 64*half + 32*k + 8*i}, hi)
				VPAND(U32s("low", 15), hi, lo)
				VPSRLD(Imm(4), hi, hi)
				w[k], w[k+2] = lo, hi
			}
			for k, w := range w {
				b := YMM()
				VPAND(U32s(fmt.Sprintf("bits%d", 2*k), 3<<(2*k)), bits, b)
				if k < 2 {
					VPSLLD(Imm(uint64(4-2*k)), b, b)
				} else if k > 2 {
					VPSRLD(Imm(2), b, b)
				}
				VPOR(b, w, w)
				VPSUBD(U32s("thirtyTwo", 32), w, w)
				VCVTDQ2PS(w, w)
				s := YMM()
				VBROADCASTSS(Mem{Base: scales, Disp: 4 * (8*half + 2*k + i/2)}, s)
				VMULPS(s, w, w)
				VMOVUPS(w, Mem{Base: dst, Disp: 4 * (128*half + 32*k + 8*i)})
			}
		}
	}
	Ret()
}
