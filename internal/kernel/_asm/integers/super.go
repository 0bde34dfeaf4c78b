package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/getstroke/stroke/internal/kernel/_asm/avx"
)

// super is how a type of which weights are put together anew lies interleaved: behind
// what is one for a super-block, parts of some blocks of 32 weights each. Sizes are in
// bytes of a row.
type super struct {
	name                string
	head, part          int
	parts, blocks       int  // parts of a super-block, blocks of a part
	halves, least, tops bool // scales for every 16 weights; a least weight; bits above the fourth
	bits                int  // of a weight
}

var supers = []super{
	// Scale and least weight; for each block what they are multiplied with, a byte
	// each; weights of both blocks in halves of bytes, as in the file.
	{name: "Q4_K", head: 4, part: 36, parts: 4, blocks: 2, least: true, bits: 4},
	// Scale; what it is multiplied with for each 16 weights; upper bits, those of the
	// weights 4g to 4g+3 at 2g of the four bytes of a double word, of 16 weights each;
	// lower halves as in Q4_0. The topmost bit is turned round, so that weights have a
	// sign.
	{name: "Q6_K", head: 2, part: 26, parts: 8, blocks: 1, halves: true, tops: true, bits: 6},
	// Scale; fifth bits, those of the weights 4g to 4g+3 at g of the four bytes of a
	// double word, turned round; lower halves as in Q4_0.
	{name: "Q5_0", head: 2, part: 20, parts: 1, blocks: 1, tops: true, bits: 5},
}

// interleavedSuper writes the product of m rows of x with groups of rows of a type of
// supers, interleaved.
func interleavedSuper(kind string, f super, m, lanes int, vnni bool) {
	s := &superLoop{turner: turner{lanes: lanes}, super: f, m: m, vnni: vnni}
	name := fmt.Sprintf("%sInterleaved%sx%d", kind, f.name, m)
	Func(name, "func(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)",
		fmt.Sprintf("%s multiplies %d packed rows of x, ldx bytes apart, with groups > 0 times %d", name, m, lanes),
		"rows of w, interleaved, of blocks > 0 blocks of 32 weights each, as Integers.Mul does, and",
		"overwrites c. Meanwhile it asks for what lies behind them, and in place of what is",
		"rest bytes and more behind w, for what is then bytes farther.")
	s.p = Int("w")
	s.in = newInputs(int16s, m)
	end := GP64()
	MOVQ(s.p, end)
	ADDQ(NewParamAddr("rest", 64), end)
	Store(end, Param("rest"))
	s.head = s.p
	if f.parts > 1 {
		s.head = GP64()
	}
	far, line, n := GP64(), GP64(), GP64()
	Label("group")
	s.in.begin()
	LEAQ(Mem{Base: s.p, Disp: prefetch}, far)
	Load(Param("blocks"), n)
	for range m {
		s.acc = append(s.acc, s.vec())
		s.clear(s.acc[len(s.acc)-1])
	}
	Align()
	Label("super")
	begin := f.head * lanes
	var parts reg.Register
	if f.parts > 1 {
		begin = 0
		MOVQ(s.p, s.head)
		ADDQ(U32(uint64(f.head*lanes)), s.p)
		parts = GP64()
		MOVQ(U32(uint64(f.parts)), parts)
		Label("part")
	}
	askFrom(line, far)
	bytes := f.part*lanes + f.head*lanes/f.parts
	s.ahead = &ahead{at: line, lines: (bytes + 63) / 64, points: 8 * f.blocks}
	for b := range f.blocks {
		s.block(begin, b)
	}
	ADDQ(U32(uint64(bytes)), far)
	ADDQ(U32(uint64(begin+f.part*lanes)), s.p)
	for range f.blocks {
		s.in.step()
	}
	if f.parts > 1 {
		DECQ(parts)
		JNZ(LabelRef("part"))
	}
	SUBQ(U32(uint64(f.parts*f.blocks)), n)
	JNZ(LabelRef("super"))
	storeGroup(s.acc, lanes)
	nextGroup()
	Ret()
}

// superLoop is what the parts of such a loop share.
type superLoop struct {
	turner
	super
	m       int
	vnni    bool
	p, head reg.Register
	in      *inputs
	acc     []vec
	sums    [][]vec
	count   int // products since the sums began
	ahead   *ahead
}

// at is so many bytes of a row behind where a part begins.
func (s *superLoop) at(begin, disp int) Mem { return Mem{Base: s.p, Disp: begin + s.lanes*disp} }

// block writes the products with block b of a part, whose bytes begin so far behind p.
func (s *superLoop) block(begin, b int) {
	at := b * s.in.block() // in x
	s.start()
	weights := s.part - 16
	if s.name == "Q4_K" {
		weights = s.part - 32
	}
	for g := range 8 {
		s.ahead.next()
		v := s.vec()
		switch {
		case s.tops:
			s.joined(v, begin, weights, g)
			even := s.vec()
			VPSLLW(Imm(8), v, even)
			VPSRAW(Imm(uint64(16-s.bits)), even, even)
			s.dot(even, at+8*g)
			VPSRAW(Imm(uint64(16-s.bits)), v, v)
			s.dot(v, at+8*g+4)
		default:
			VMOVUPS(s.at(begin, weights+4*g), v)
			quarters := ones("quarters", 0x000f000f)
			for n := b; n < 4; n += 2 {
				w := v
				if n < 2 {
					w = s.vec()
				}
				switch n {
				case 0:
					s.masked(quarters, v, w)
				case 3:
					VPSRLW(Imm(12), v, w)
				default:
					VPSRLW(Imm(uint64(4*n)), v, w)
					s.masked(quarters, w, w)
				}
				s.dot(w, at+8*g+4*(n/2))
			}
		}
		if s.halves && g%4 == 3 {
			s.scaled(begin, g/4, at)
			if g < 7 {
				s.start()
			}
		}
	}
	if !s.halves {
		s.scaled(begin, b, at)
	}
}

// joined overwrites v with the weights 4g to 4g+3 of each row, a byte each, at its upper
// end; what is below is of no matter.
func (s *superLoop) joined(v vec, begin, weights, g int) {
	up := 8 - s.bits // of a lower half in a byte
	half := uint32(0x0f0f0f0f) << up
	VMOVUPS(s.at(begin, weights+4*(g%4)), v)
	if g < 4 {
		VPSLLD(Imm(uint64(up)), v, v)
	} else {
		VPSRLD(Imm(uint64(4-up)), v, v)
	}
	disp, by := weights-4, 7-g
	mask := uint32(0x80808080)
	if s.bits == 6 {
		disp, by, mask = weights-8+4*(g/4), 6-2*(g%4), 0xc0c0c0c0
	}
	h := s.vec()
	VMOVUPS(s.at(begin, disp), h)
	if by > 0 {
		VPSLLD(Imm(uint64(by)), h, h)
	}
	if s.wide() {
		t := s.vec()
		VPBROADCASTD(ones(fmt.Sprintf("tops%d", s.bits), mask), t)
		VPTERNLOGD(Imm(0xd8), t, h, v) // where t has ones h, else v
		return
	}
	s.masked(ones(fmt.Sprintf("tops%d", s.bits), mask), h, h)
	s.masked(ones(fmt.Sprintf("halves%d", s.bits), half), v, v)
	s.or(h, v, v)
}

// masked overwrites to with those bits of v that a constant in memory has.
func (s *superLoop) masked(mask Mem, v, to vec) {
	if s.wide() {
		VPANDD_BCST(mask, v, to)
	} else {
		VPAND(mask, v, to)
	}
}

// start begins sums.
func (s *superLoop) start() {
	chains := 1
	switch {
	case s.wide():
		chains = chainsOf(int16s, s.m, 12)
	case s.vnni:
		chains = chainsOf(int16s, s.m, 4)
	}
	s.sums, s.count = make([][]vec, s.m), 0
	for i := range s.sums {
		for range chains {
			s.sums[i] = append(s.sums[i], s.vec())
			if s.vnni {
				s.clear(s.sums[i][len(s.sums[i])-1])
			}
		}
	}
}

// dot adds to the sums the products of w with the words at disp of x.
func (s *superLoop) dot(w vec, disp int) {
	for i := range s.m {
		s.add(s.in.at(i, disp), w, s.sums[i][s.count%len(s.sums[i])], s.vnni, s.count == 0)
	}
	s.count++
}

// scaled ends sums: it adds them to what is accumulated, with scale number i of a part.
func (s *superLoop) scaled(begin, i, at int) {
	number := func(disp, at int, signed bool) vec { // a number of the head times one of the part
		d, v := s.vec(), s.vec()
		VCVTPH2PS(Mem{Base: s.head, Disp: s.lanes * disp}, d)
		if s.parts == 1 {
			return d
		}
		if signed {
			VPMOVSXBD(s.at(begin, at), v)
		} else {
			VPMOVZXBD(s.at(begin, at), v)
		}
		VCVTDQ2PS(v, v)
		VMULPS(v, d, d)
		return d
	}
	var scale, least vec
	if s.least {
		scale, least = number(0, 2*i, false), number(2, 2*i+1, false)
	} else {
		scale = number(0, i, true)
	}
	for i := range s.m {
		addChains(s.sums[i])
		sum, d := s.sums[i][0], s.vec()
		VCVTDQ2PS(sum, sum)
		if s.wide() {
			VMULPS_BCST(s.in.at(i, at+s.in.tail+atScale), scale, d)
		} else {
			VBROADCASTSS(s.in.at(i, at+s.in.tail+atScale), d)
			VMULPS(scale, d, d)
		}
		VFMADD231PS(sum, d, s.acc[i])
		switch {
		case !s.least:
		case s.wide():
			VFMADD231PS_BCST(s.in.at(i, at+s.in.tail+atSum), least, s.acc[i])
		default:
			VBROADCASTSS(s.in.at(i, at+s.in.tail+atSum), d)
			VFMADD231PS(d, least, s.acc[i])
		}
	}
}
