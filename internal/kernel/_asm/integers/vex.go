package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// Go's assembler knows VPDPBUSD and VPDPWSSD with the prefix of AVX-512 alone. CPUs
// without it have the one of AVX (AVX-VNNI), which is written in bytes once
// registers have been given out.
const vex = "_VEX"

// dotVEX adds to each double word of sum the products of the four bytes of w,
// without a sign, with the four of x, with one; or of their two words, with signs.
func dotVEX(s integers, x, w, sum reg.VecVirtual) {
	Instruction(&ir.Instruction{Opcode: dots[s].name + vex, Operands: []Op{x, w, sum}, Inputs: []Op{x, w, sum}, Outputs: []Op{sum}})
}

// chainsOf is in how many sums the products of a row of x with a block go where an
// instruction adds to what it is given: so many that it seldom waits for the one
// before, and all rows together no more than there is room for.
func chainsOf(s integers, m, room int) int {
	if s == int8s && m > 2 {
		return 1
	}
	if s == int8s {
		return 2
	}
	return max(1, min(4, room/m))
}

// addChains leaves the sum of all in the first.
func addChains(sums []reg.VecVirtual) {
	for len(sums) > 1 {
		half := len(sums) / 2
		for i := range half {
			VPADDD(sums[len(sums)-1-i], sums[i], sums[i])
		}
		sums = sums[:len(sums)-half]
	}
}

// number is that of a vector register.
func number(o Op) int { return int(o.(reg.Physical).PhysicalIndex()) }

// dots are the instructions for the sizes of x.
var dots = map[integers]struct {
	name string
	code int
}{int8s: {"VPDPBUSD", 0x50}, int16s: {"VPDPWSSD", 0x52}}

// encode replaces the instructions dotVEX wrote: VEX.256.66.0F38.W0 50 /r and 52 /r.
func encode(fn *ir.Function) error {
	var nodes []ir.Node
	for _, n := range fn.Nodes {
		i, ok := n.(*ir.Instruction)
		var name string
		if ok {
			name, ok = strings.CutSuffix(i.Opcode, vex)
		}
		if !ok {
			nodes = append(nodes, n)
			continue
		}
		code := dots[int8s].code
		if name == dots[int16s].name {
			code = dots[int16s].code
		}
		x, w, sum := number(i.Operands[0]), number(i.Operands[1]), number(i.Operands[2])
		nodes = append(nodes, ir.NewComment(fmt.Sprintf("%s Y%d, Y%d, Y%d", name, x, w, sum)))
		for _, b := range []int{0xc4, 0x42 | (1^sum>>3)<<7 | (1^x>>3)<<5, 5 | (15^w)<<3, code, 0xc0 | sum&7<<3 | x&7} {
			nodes = append(nodes, &ir.Instruction{Opcode: "BYTE", Operands: []Op{Imm(uint64(b))}})
		}
	}
	fn.Nodes = nodes
	return nil
}

// generate writes the file, with the pass that encodes behind avo's own.
func generate() {
	pass.Compile = pass.Concat(pass.Compile, pass.FunctionPass(encode))
	Generate()
}
