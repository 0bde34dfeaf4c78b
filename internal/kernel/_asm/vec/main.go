// Command vec writes the AVX2 loops over vectors.
package main

import (
	"fmt"
	"math"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

type vec = reg.VecVirtual

// loop is one pass over vectors of n > 0 floats, element by element.
type loop struct {
	name    string
	doc     string
	in, out []string // vectors; one may be both
	scalars []string
	body    func(x, s []vec) []vec
}

// signature has the vectors in order of appearance, n, and the scalars.
func (l loop) signature(result string) string {
	var args []string
	for _, v := range append(append([]string(nil), l.out...), l.in...) {
		if a := v + " *float32"; !contains(args, a) {
			args = append(args, a)
		}
	}
	args = append(args, "n int")
	for _, s := range l.scalars {
		args = append(args, s+" float32")
	}
	return "func(" + strings.Join(args, ", ") + ")" + result
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// spread loads a scalar argument into every lane.
func spread(name string) vec {
	m, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := YMM()
	VBROADCASTSS(m.Addr, v)
	return v
}

// konst loads a constant into every lane of a register.
func konst(name string, v float32) vec {
	y := YMM()
	VMOVUPS(F32s(name, v), y)
	return y
}

func (l loop) write() {
	Func("avx2"+l.name, l.signature(""), fmt.Sprintf("avx2%s: %s", l.name, l.doc))
	at := map[string]reg.Register{}
	for _, v := range append(append([]string(nil), l.out...), l.in...) {
		if at[v] == nil {
			at[v] = Int(v)
		}
	}
	var s []vec
	for _, name := range l.scalars {
		s = append(s, spread(name))
	}
	n, i := Int("n"), GP64()
	XORQ(i, i)
	mem := func(v string) Mem { return Mem{Base: at[v], Index: i, Scale: 1} }
	SUBQ(Imm(8), n)
	JLT(LabelRef("tail"))
	Align()
	Label("loop")
	x := make([]vec, len(l.in))
	for j, v := range l.in {
		x[j] = YMM()
		VMOVUPS(mem(v), x[j])
	}
	for j, y := range l.body(x, s) {
		VMOVUPS(y, mem(l.out[j]))
	}
	ADDQ(Imm(32), i)
	SUBQ(Imm(8), n)
	JGE(LabelRef("loop"))
	Label("tail")
	ADDQ(Imm(8), n)
	JZ(LabelRef("end"))
	mask := YMM()
	TailMask(n, mask)
	for j, v := range l.in {
		x[j] = YMM()
		VMASKMOVPS(mem(v), mask, x[j])
	}
	for j, y := range l.body(x, s) {
		VMASKMOVPS(y, mask, mem(l.out[j]))
	}
	Label("end")
	Ret()
}

func fresh(op func(a, b, c Op), a, b Op) vec {
	y := YMM()
	op(a, b, y)
	return y
}

func wrap(op func(...Op)) func(a, b, c Op) { return func(a, b, c Op) { op(a, b, c) } }

// The arithmetic below is that of the reference, in ref_vec.go; y = op(a, b)
// leaves a and b as they were.
func mul(a, b Op) vec { return fresh(wrap(VMULPS), b, a) }
func add(a, b Op) vec { return fresh(wrap(VADDPS), b, a) }
func sub(a, b Op) vec { return fresh(wrap(VSUBPS), b, a) } // a - b
func div(a, b Op) vec { return fresh(wrap(VDIVPS), b, a) } // a / b

// exp is e^x; x is lost.
func exp(x vec) vec {
	lo, n, r, y := konst("expMax", ExpMax), YMM(), YMM(), YMM()
	VMINPS(x, lo, lo) // a NaN in x wins
	VMOVUPS(F32s("expMin", ExpMin), r)
	VMAXPS(lo, r, r)
	VMULPS(F32s("expLog2e", ExpLog2e), r, n)
	VROUNDPS(Imm(0), n, n)
	VFNMADD231PS(F32s("expLn2Hi", ExpLn2Hi), n, r)
	VFNMADD231PS(F32s("expLn2Lo", ExpLn2Lo), n, r)
	VMOVUPS(F32s("expP0", ExpPoly[0]), y)
	for i, p := range ExpPoly[1:] {
		VFMADD213PS(F32s(fmt.Sprintf("expP%d", i+1), p), r, y)
	}
	VFMADD213PS(r, mul(r, r), y)
	VADDPS(F32s("one", 1), y, y)
	whole, half := YMM(), YMM()
	VCVTPS2DQ(n, whole)
	VPSRAD(Imm(1), whole, half)
	VPSUBD(half, whole, whole)
	for _, p := range []vec{half, whole} {
		VPADDD(U32s("expBias", 127), p, p)
		VPSLLD(Imm(23), p, p)
		VMULPS(p, y, y)
	}
	return y
}

// sigmoid is 1 / (1 + e^-x).
func sigmoid(x vec) vec {
	t := YMM()
	VXORPS(U32s("sign", 1<<31), x, t)
	e := exp(t)
	VADDPS(F32s("one", 1), e, e)
	return div(konst("one", 1), e)
}

// geluInner is 2*sqrt(2/pi) * (g + 0.044715*g^3).
func geluInner(g vec) vec {
	t := mul(g, F32s("geluCube", 0.044715))
	VMULPS(g, t, t)
	VFMADD213PS(g, g, t)
	VMULPS(F32s("geluScale", 1.5957691216057308), t, t)
	return t
}

// gateGrad has what SiluMulGrad and GeluTanhMulGrad share: s the sigmoid, slope
// what it is multiplied by inside, nil for 1.
func gateGrad(d, g, u, s vec, slope func() vec) []vec {
	gs := mul(g, s)
	dup := mul(d, gs)
	t := sub(konst("one", 1), s)
	VMULPS(gs, t, t)
	if slope != nil {
		VMULPS(slope(), t, t)
	}
	VADDPS(s, t, t)
	VMULPS(mul(d, u), t, t)
	return []vec{t, dup}
}

func rotate(lo, hi, cos, sin vec, back bool) []vec {
	a, b := mul(hi, sin), mul(lo, sin)
	if back {
		VFMADD231PS(lo, cos, a)
		VFMSUB231PS(hi, cos, b)
	} else {
		VFMSUB231PS(lo, cos, a)
		VFMADD231PS(hi, cos, b)
	}
	return []vec{a, b}
}

var loops = []loop{
	{"Exp", "dst = e^x", []string{"x"}, []string{"dst"}, nil, func(x, s []vec) []vec {
		return []vec{exp(x[0])}
	}},
	{"SiluMul", "dst = gate*sigmoid(gate)*up", []string{"gate", "up"}, []string{"dst"}, nil, func(x, _ []vec) []vec {
		y := mul(x[0], sigmoid(x[0]))
		VMULPS(x[1], y, y)
		return []vec{y}
	}},
	{"SiluMulGrad", "the gradients of avx2SiluMul", []string{"dact", "gate", "up"}, []string{"dgate", "dup"}, nil, func(x, _ []vec) []vec {
		return gateGrad(x[0], x[1], x[2], sigmoid(x[1]), nil)
	}},
	{"GeluMul", "dst = gelu(gate)*up, the tanh form", []string{"gate", "up"}, []string{"dst"}, nil, func(x, _ []vec) []vec {
		y := mul(x[0], sigmoid(geluInner(x[0])))
		VMULPS(x[1], y, y)
		return []vec{y}
	}},
	{"GeluMulGrad", "the gradients of avx2GeluMul", []string{"dact", "gate", "up"}, []string{"dgate", "dup"}, nil, func(x, _ []vec) []vec {
		g := x[1]
		return gateGrad(x[0], g, x[2], sigmoid(geluInner(g)), func() vec {
			t := mul(g, F32s("geluSlope", 3*0.044715))
			VFMADD213PS(F32s("one", 1), g, t)
			VMULPS(F32s("geluScale", 1.5957691216057308), t, t)
			return t
		})
	}},
	{"NormScale", "dst = x*rinv*w", []string{"x", "w"}, []string{"dst"}, []string{"rinv"}, func(x, s []vec) []vec {
		y := mul(x[0], s[0])
		VMULPS(x[1], y, y)
		return []vec{y}
	}},
	{"NormGrad", "dx += rinv*(dy*w - c*x)", []string{"dx", "dy", "x", "w"}, []string{"dx"}, []string{"rinv", "c"}, func(x, s []vec) []vec {
		t := mul(x[1], x[3])
		VFNMADD231PS(x[2], s[1], t)
		VFMADD213PS(x[0], s[0], t)
		return []vec{t}
	}},
	{"Rope", "lo, hi = lo*cos-hi*sin, hi*cos+lo*sin", []string{"lo", "hi", "cos", "sin"}, []string{"lo", "hi"}, nil, func(x, _ []vec) []vec {
		return rotate(x[0], x[1], x[2], x[3], false)
	}},
	{"RopeGrad", "lo, hi = lo*cos+hi*sin, hi*cos-lo*sin", []string{"lo", "hi", "cos", "sin"}, []string{"lo", "hi"}, nil, func(x, _ []vec) []vec {
		return rotate(x[0], x[1], x[2], x[3], true)
	}},
	{"SoftmaxGrad", "ds = p*(dp-d)*scale", []string{"p", "dp"}, []string{"ds"}, []string{"d", "scale"}, func(x, s []vec) []vec {
		y := mul(x[0], sub(x[1], s[0]))
		VMULPS(s[1], y, y)
		return []vec{y}
	}},
	{"Add", "dst += a", []string{"dst", "a"}, []string{"dst"}, nil, func(x, _ []vec) []vec {
		return []vec{add(x[0], x[1])}
	}},
	{"AddScaled", "dst += s*a", []string{"dst", "a"}, []string{"dst"}, []string{"s"}, func(x, s []vec) []vec {
		VFMADD231PS(x[1], s[0], x[0])
		return x[:1]
	}},
	{"Scale", "dst *= s", []string{"dst"}, []string{"dst"}, []string{"s"}, func(x, s []vec) []vec {
		return []vec{mul(x[0], s[0])}
	}},
	{"Mul", "dst = a*b", []string{"a", "b"}, []string{"dst"}, nil, func(x, _ []vec) []vec {
		return []vec{mul(x[0], x[1])}
	}},
	{"AddProduct", "dst += a*b", []string{"dst", "a", "b"}, []string{"dst"}, nil, func(x, _ []vec) []vec {
		VFMADD231PS(x[1], x[2], x[0])
		return x[:1]
	}},
	{"AdamW", "one step, its constants as in adamScalars", []string{"p", "m", "v", "grad"}, []string{"p", "m", "v"},
		[]string{"keep", "mCoef", "beta2", "vCoef", "c2Root", "eps", "negStep"}, func(x, s []vec) []vec {
			p, m, v, g := x[0], x[1], x[2], x[3]
			VFMADD231PS(sub(g, m), s[1], m)
			t := mul(s[3], g)
			VMULPS(g, t, t)
			VMULPS(s[2], v, v)
			VADDPS(t, v, v)
			VSQRTPS(v, t)
			VDIVPS(s[4], t, t)
			VADDPS(s[5], t, t)
			y := div(mul(s[6], m), t)
			VMULPS(s[0], p, p)
			VADDPS(y, p, p)
			return []vec{p, m, v}
		}},
}

// reduction is a pass over vectors of n > 0 floats into 32 lanes: index i belongs
// to lane i mod 32, lanes l, l+8, l+16 and l+24 are put together first.
type reduction struct {
	loop
	start func() vec
	step  func(acc vec, x []vec) // adds x to acc
	mask  func(mask vec, x []vec)
	join  func(a, b vec) // adds b to a
	last  func(v vec) reg.VecVirtual
}

func (l reduction) write() {
	Func("avx2"+l.name, l.signature(" float32"), fmt.Sprintf("avx2%s: %s", l.name, l.doc))
	at := make([]reg.Register, len(l.in))
	for j, v := range l.in {
		at[j] = Int(v)
	}
	n, i := Int("n"), GP64()
	XORQ(i, i)
	acc := make([]vec, 4)
	for j := range acc {
		acc[j] = l.start()
	}
	step := func(j int) {
		x := make([]vec, len(l.in))
		for k := range x {
			x[k] = YMM()
			VMOVUPS(Mem{Base: at[k], Index: i, Scale: 1, Disp: 32 * j}, x[k])
		}
		l.step(acc[j], x)
	}
	SUBQ(Imm(32), n)
	JLT(LabelRef("rest"))
	Align()
	Label("loop")
	for j := range acc {
		step(j)
	}
	ADDQ(U32(128), i)
	SUBQ(Imm(32), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(32), n)
	for j := range 3 {
		CMPQ(n, Imm(8))
		JLT(LabelRef(fmt.Sprintf("tail%d", j)))
		step(j)
		SUBQ(Imm(8), n)
	}
	JMP(LabelRef("tail3"))
	for j := range acc {
		Label(fmt.Sprintf("tail%d", j))
		TESTQ(n, n)
		JZ(LabelRef("join"))
		mask, m := YMM(), GP64()
		MOVQ(n, m)
		TailMask(m, mask)
		x := make([]vec, len(l.in))
		for k := range x {
			x[k] = YMM()
			VMASKMOVPS(Mem{Base: at[k], Index: i, Scale: 1, Disp: 32 * j}, mask, x[k])
		}
		if l.mask != nil {
			l.mask(mask, x)
		}
		l.step(acc[j], x)
		if j < 3 {
			JMP(LabelRef("join"))
		}
	}
	Label("join")
	l.join(acc[0], acc[1])
	l.join(acc[2], acc[3])
	l.join(acc[0], acc[2])
	Result(l.last(acc[0]))
	Ret()
}

func zero() vec {
	v := YMM()
	Zero(v)
	return v
}

func negInf() vec { return konst("negInf", float32(math.Inf(-1))) }

var reductions = []reduction{
	{loop{"SumSquares32", "the sum of x*x, in the lanes of RMSNorm", []string{"x"}, nil, nil, nil}, zero,
		func(acc vec, x []vec) { VFMADD231PS(x[0], x[0], acc) }, nil,
		func(a, b vec) { VADDPS(b, a, a) }, SumLanes},
	{loop{"SumProducts32", "the sum of (a*b)*c, in the lanes of RMSNorm", []string{"a", "b", "c"}, nil, nil, nil}, zero,
		func(acc vec, x []vec) { VFMADD231PS(mul(x[0], x[1]), x[2], acc) }, nil,
		func(a, b vec) { VADDPS(b, a, a) }, SumLanes},
	{loop{"MaxOf", "the largest of x, NaNs passed over", []string{"x"}, nil, nil, nil}, negInf,
		func(acc vec, x []vec) { VMAXPS(acc, x[0], acc) },
		func(mask vec, x []vec) { VBLENDVPS(mask, x[0], negInf(), x[0]) },
		func(a, b vec) { VMAXPS(b, a, a) },
		func(v vec) reg.VecVirtual {
			hi := XMM()
			VEXTRACTF128(Imm(1), v, hi)
			VMAXPS(hi, v.AsX(), hi)
			t := XMM()
			VMOVHLPS(hi, hi, t)
			VMAXPS(t, hi, hi)
			VMOVSHDUP(hi, t)
			VMAXSS(t, hi, hi)
			return hi
		}},
}

// expSum writes e^(x-max) in place with its sum in eight lanes.
func expSum() {
	Func("avx2ExpSum", "func(x *float32, n int, max float32) float32",
		"avx2ExpSum: x = e^(x-max), and the sum, index i in lane i mod 8")
	at, max := Int("x"), spread("max")
	n, acc := Int("n"), zero()
	SUBQ(Imm(8), n)
	JLT(LabelRef("tail"))
	Align()
	Label("loop")
	x := YMM()
	VMOVUPS(Mem{Base: at}, x)
	y := exp(sub(x, max))
	VMOVUPS(y, Mem{Base: at})
	VADDPS(y, acc, acc)
	ADDQ(Imm(32), at)
	SUBQ(Imm(8), n)
	JGE(LabelRef("loop"))
	Label("tail")
	ADDQ(Imm(8), n)
	JZ(LabelRef("end"))
	mask := YMM()
	TailMask(n, mask)
	VMASKMOVPS(Mem{Base: at}, mask, x)
	y = exp(sub(x, max))
	VMASKMOVPS(y, mask, Mem{Base: at})
	VANDPS(mask, y, y)
	VADDPS(y, acc, acc)
	Label("end")
	Result(SumLanes(acc))
	Ret()
}

// sumSquares writes the sum of squares in eight lanes of float64.
func sumSquares() {
	Func("avx2SumSquares", "func(x *float32, n int) float64",
		"avx2SumSquares: the sum of x*x in float64, index i in lane i mod 8")
	at, n := Int("x"), Int("n")
	lo, hi := zero(), zero()
	square := func(x vec) {
		a, b, top := YMM(), YMM(), XMM()
		VEXTRACTF128(Imm(1), x, top)
		VCVTPS2PD(x.AsX(), a)
		VCVTPS2PD(top, b)
		VFMADD231PD(a, a, lo)
		VFMADD231PD(b, b, hi)
	}
	SUBQ(Imm(8), n)
	JLT(LabelRef("tail"))
	Align()
	Label("loop")
	x := YMM()
	VMOVUPS(Mem{Base: at}, x)
	square(x)
	ADDQ(Imm(32), at)
	SUBQ(Imm(8), n)
	JGE(LabelRef("loop"))
	Label("tail")
	ADDQ(Imm(8), n)
	JZ(LabelRef("end"))
	mask := YMM()
	TailMask(n, mask)
	x = YMM()
	VMASKMOVPS(Mem{Base: at}, mask, x)
	square(x)
	Label("end")
	// l0+l1, l4+l5, l2+l3, l6+l7
	VHADDPD(hi, lo, lo)
	top := XMM()
	VEXTRACTF128(Imm(1), lo, top)
	VADDPD(top, lo.AsX(), top) // (l0+l1)+(l2+l3), (l4+l5)+(l6+l7)
	VHADDPD(top, top, top)
	Result(top)
	Ret()
}

// transpose writes the transposition of eight rows.
func transpose(name string, adding bool) {
	verb := "writes"
	if adding {
		verb = "adds"
	}
	Func(name, "func(dst *float32, ldd int, src *float32, lds, cols int)",
		fmt.Sprintf("%s %s eight rows of src transposed: cols rows of eight floats of dst, cols a", name, verb), "positive multiple of eight.")
	dst, ldd, src, lds, n := Int("dst"), Bytes("ldd"), Int("src"), Bytes("lds"), Int("cols")
	lds3, src4 := GP64(), GP64()
	LEAQ(Mem{Base: lds, Index: lds, Scale: 2}, lds3)
	LEAQ(Mem{Base: src, Index: lds, Scale: 4}, src4)
	row := func(p reg.Register, i, disp int) Mem {
		return [4]Mem{{Base: p, Disp: disp}, {Base: p, Index: lds, Scale: 1, Disp: disp}, {Base: p, Index: lds, Scale: 2, Disp: disp}, {Base: p, Index: lds3, Scale: 1, Disp: disp}}[i]
	}
	Align()
	Label("loop")
	for half := range 2 {
		var a [4]vec
		for i := range a {
			a[i] = YMM()
			VMOVUPS(row(src, i, 16*half), a[i].AsX())
			VINSERTF128(Imm(1), row(src4, i, 16*half), a[i], a[i])
		}
		t := [4]vec{YMM(), YMM(), YMM(), YMM()}
		VUNPCKLPS(a[1], a[0], t[0])
		VUNPCKHPS(a[1], a[0], t[1])
		VUNPCKLPS(a[3], a[2], t[2])
		VUNPCKHPS(a[3], a[2], t[3])
		for c := range 4 {
			y := YMM()
			if c%2 == 0 {
				VUNPCKLPD(t[c/2+2], t[c/2], y)
			} else {
				VUNPCKHPD(t[c/2+2], t[c/2], y)
			}
			if adding {
				VADDPS(Mem{Base: dst}, y, y)
			}
			VMOVUPS(y, Mem{Base: dst})
			ADDQ(ldd, dst)
		}
	}
	ADDQ(Imm(32), src)
	ADDQ(Imm(32), src4)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("loop"))
	Ret()
}

// narrow writes the conversion to binary16.
func narrow() {
	Func("avx2NarrowF16", "func(dst *byte, src *float32, n int)",
		"avx2NarrowF16 rounds n floats to binary16, n a positive multiple of eight.")
	dst, src, n := Int("dst"), Int("src"), Int("n")
	Align()
	Label("loop")
	x := YMM()
	VMOVUPS(Mem{Base: src}, x)
	VCVTPS2PH(Imm(0), x, Mem{Base: dst})
	ADDQ(Imm(32), src)
	ADDQ(Imm(16), dst)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("loop"))
	Ret()
}

func main() {
	File()
	for _, l := range loops {
		l.write()
	}
	for _, r := range reductions {
		r.write()
	}
	expSum()
	sumSquares()
	transpose("avx2Transpose8", false)
	transpose("avx2AddTransposed8", true)
	narrow()
	Generate()
}
