package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// Go's assembler knows VPDPBUSD with the prefix of AVX-512 alone. CPUs without it
// have the one of AVX (AVX-VNNI), which is written in bytes once registers have
// been given out.
const vex = "VPDPBUSD_VEX"

// dotVEX adds to each word of sum the products of the four bytes of w, without a
// sign, with the four of x, with one.
func dotVEX(x, w, sum reg.VecVirtual) {
	Instruction(&ir.Instruction{Opcode: vex, Operands: []Op{x, w, sum}, Inputs: []Op{x, w, sum}, Outputs: []Op{sum}})
}

// number is that of a vector register.
func number(o Op) int { return int(o.(reg.Physical).PhysicalIndex()) }

// encode replaces the instructions dotVEX wrote: VEX.256.66.0F38.W0 50 /r.
func encode(fn *ir.Function) error {
	var nodes []ir.Node
	for _, n := range fn.Nodes {
		i, ok := n.(*ir.Instruction)
		if !ok || i.Opcode != vex {
			nodes = append(nodes, n)
			continue
		}
		x, w, sum := number(i.Operands[0]), number(i.Operands[1]), number(i.Operands[2])
		nodes = append(nodes, ir.NewComment(fmt.Sprintf("VPDPBUSD Y%d, Y%d, Y%d", x, w, sum)))
		for _, b := range []int{0xc4, 0x42 | (1^sum>>3)<<7 | (1^x>>3)<<5, 5 | (15^w)<<3, 0x50, 0xc0 | sum&7<<3 | x&7} {
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
