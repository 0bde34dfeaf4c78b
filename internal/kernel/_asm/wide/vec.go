package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

type vec = reg.VecVirtual

// numbers are constants in registers, spread over all lanes, by their values.
type numbers map[uint32]vec

// float and word take a constant, which must be there when the loop begins.
func (c numbers) float(name string, x float32) vec { return c.of(F32s(name, x), math.Float32bits(x)) }
func (c numbers) word(name string, x uint32) vec   { return c.of(U32s(name, x), x) }

func (c numbers) of(m Mem, bits uint32) vec {
	v, ok := c[bits]
	if !ok {
		v = ZMM()
		VBROADCASTSS(m, v)
		c[bits] = v
	}
	return v
}

// expNumbers are those of exp, which takes them from here.
func expNumbers() (c numbers) {
	c = numbers{}
	c.float("expMax", ExpMax)
	c.float("expMin", ExpMin)
	c.float("expLog2e", ExpLog2e)
	c.float("expLn2Hi", ExpLn2Hi)
	c.float("expLn2Lo", ExpLn2Lo)
	for i, p := range ExpPoly {
		c.float(fmt.Sprintf("expP%d", i), p)
	}
	c.float("one", 1)
	c.word("expBias", 127)
	c.word("sign", 1<<31)
	return c
}

// exp is e^x by the arithmetic of the reference; x is lost.
func exp(c numbers, x vec) vec {
	r, n, y, t := ZMM(), ZMM(), ZMM(), ZMM()
	VMINPS(x, c.float("expMax", ExpMax), r) // a NaN in x wins
	VMAXPS(r, c.float("expMin", ExpMin), r)
	VMULPS(c.float("expLog2e", ExpLog2e), r, n)
	VRNDSCALEPS(Imm(0), n, n)
	VFNMADD231PS(c.float("expLn2Hi", ExpLn2Hi), n, r)
	VFNMADD231PS(c.float("expLn2Lo", ExpLn2Lo), n, r)
	VMOVAPS(c.float("expP0", ExpPoly[0]), y)
	for i, p := range ExpPoly[1:] {
		VFMADD213PS(c.float(fmt.Sprintf("expP%d", i+1), p), r, y)
	}
	VMULPS(r, r, t)
	VFMADD213PS(r, t, y)
	one := c.float("one", 1)
	VADDPS(one, y, y)
	whole, half := ZMM(), ZMM()
	VCVTPS2DQ(n, whole)
	VPSRAD(Imm(1), whole, half)
	VPSUBD(half, whole, whole)
	for _, p := range []vec{half, whole} {
		VPADDD(c.word("expBias", 127), p, p)
		VPSLLD(Imm(23), p, p)
		VMULPS(p, y, y)
	}
	return y
}

// sigmoid is 1 / (1 + e^-x).
func sigmoid(c numbers, x vec) vec {
	t := ZMM()
	VPXORD(c.word("sign", 1<<31), x, t)
	e, one := exp(c, t), c.float("one", 1)
	VADDPS(one, e, e)
	VDIVPS(e, one, e)
	return e
}

// elements writes a loop over vectors of n > 0 floats, 16 at a time.
func elements(name, doc, signature string, in, out []string, body func(c numbers, x []vec) []vec) {
	Func(name, signature, fmt.Sprintf("%s: %s", name, doc))
	at := map[string]reg.Register{}
	for _, v := range append(append([]string(nil), out...), in...) {
		if at[v] == nil {
			at[v] = Int(v)
		}
	}
	n, i := Int("n"), GP64()
	XORQ(i, i)
	c := expNumbers()
	mem := func(v string) Mem { return Mem{Base: at[v], Index: i, Scale: 1} }
	x := make([]vec, len(in))
	SUBQ(Imm(16), n)
	JLT(LabelRef("tail"))
	Align()
	Label("loop")
	for j, v := range in {
		x[j] = ZMM()
		VMOVUPS(mem(v), x[j])
	}
	for j, y := range body(c, x) {
		VMOVUPS(y, mem(out[j]))
	}
	ADDQ(Imm(64), i)
	SUBQ(Imm(16), n)
	JGE(LabelRef("loop"))
	Label("tail")
	ADDQ(Imm(16), n)
	JZ(LabelRef("end"))
	mask := K()
	tailK(n, mask)
	for j, v := range in {
		x[j] = ZMM()
		VMOVUPS_Z(mem(v), mask, x[j])
	}
	for j, y := range body(c, x) {
		VMOVUPS(y, mask, mem(out[j]))
	}
	Label("end")
	Ret()
}

func gates() {
	elements("avx512SiluMul", "dst = gate*sigmoid(gate)*up", "func(dst, gate, up *float32, n int)",
		[]string{"gate", "up"}, []string{"dst"}, func(c numbers, x []vec) []vec {
			y := sigmoid(c, x[0])
			VMULPS(y, x[0], y)
			VMULPS(x[1], y, y)
			return []vec{y}
		})
	elements("avx512SiluMulGrad", "the gradients of avx512SiluMul", "func(dgate, dup, dact, gate, up *float32, n int)",
		[]string{"dact", "gate", "up"}, []string{"dgate", "dup"}, func(c numbers, x []vec) []vec {
			d, g, u := x[0], x[1], x[2]
			s := sigmoid(c, g)
			gs, dup, t := ZMM(), ZMM(), ZMM()
			VMULPS(s, g, gs)
			VMULPS(gs, d, dup)
			VSUBPS(s, c.float("one", 1), t)
			VMULPS(gs, t, t)
			VADDPS(s, t, t)
			VMULPS(u, d, d)
			VMULPS(d, t, t)
			return []vec{t, dup}
		})
}

// expSum writes e^(x-max) in place with its sum in eight lanes.
func expSum() {
	Func("avx512ExpSum", "func(x *float32, n int, max float32) float32",
		"avx512ExpSum: x = e^(x-max), and the sum, index i in lane i mod 8")
	at, n, max, acc := Int("x"), Int("n"), ZMM(), YMM()
	m, err := Param("max").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(m.Addr, max)
	c := expNumbers()
	Zero(acc)
	add := func(y vec) {
		hi := YMM()
		VEXTRACTF32X8(Imm(1), y, hi)
		VADDPS(y.AsY(), acc, acc)
		VADDPS(hi, acc, acc)
	}
	x := ZMM()
	SUBQ(Imm(16), n)
	JLT(LabelRef("tail"))
	Align()
	Label("loop")
	VSUBPS(max, loaded(Mem{Base: at}, x), x)
	y := exp(c, x)
	VMOVUPS(y, Mem{Base: at})
	add(y)
	ADDQ(Imm(64), at)
	SUBQ(Imm(16), n)
	JGE(LabelRef("loop"))
	Label("tail")
	ADDQ(Imm(16), n)
	JZ(LabelRef("end"))
	mask := K()
	tailK(n, mask)
	VMOVUPS_Z(Mem{Base: at}, mask, x)
	VSUBPS(max, x, x)
	y = exp(c, x)
	VMOVUPS(y, mask, Mem{Base: at})
	VMOVAPS_Z(y, mask, y)
	add(y)
	Label("end")
	Result(sumLanes(acc))
	Ret()
}

// sumLanes is the sum of eight lanes in the order of SumLanes, which knows the first 16
// registers alone.
func sumLanes(s vec) vec {
	s = pairs(s, s)
	s = pairs(s, s)
	hi := XMM()
	VEXTRACTF32X4(Imm(1), s, hi)
	VADDSS(hi, s.AsX(), hi)
	return hi
}

// loaded is what lies at m, in x.
func loaded(m Mem, x vec) vec {
	VMOVUPS(m, x)
	return x
}
