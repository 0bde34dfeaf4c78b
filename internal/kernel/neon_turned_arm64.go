//go:build !purego

package kernel

var neonTurned = turnedLoops{
	group:  4,
	turn:   [numDTypes]func(dst, w *byte, stride, blocks int){Q4_K: neonTurnQ4_K, Q5_K: neonTurnQ5_K, Q6_K: neonTurnQ6_K},
	counts: []int{1, 4},
	least:  []turnedLoop{neonTurnedLeastx1, neonTurnedLeastx4},
	halves: []turnedLoop{neonTurnedHalvesx1, neonTurnedHalvesx4},
}

// neonTurnQ4_K turns blocks > 0 super-blocks of each of four rows of w, stride bytes
// apart, as turnedLoops says.
//
//go:noescape
func neonTurnQ4_K(dst, w *byte, stride, blocks int)

// neonTurnQ5_K is neonTurnQ4_K for Q5_K.
//
//go:noescape
func neonTurnQ5_K(dst, w *byte, stride, blocks int)

// neonTurnQ6_K is neonTurnQ4_K for Q6_K.
//
//go:noescape
func neonTurnQ6_K(dst, w *byte, stride, blocks int)

// neonTurnedLeastx1 multiplies a packed row of x with blocks > 0 turned blocks of four
// rows of W, with a scale and a least weight a block, as turnedLoop does.
//
//go:noescape
func neonTurnedLeastx1(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)

// neonTurnedLeastx4 is neonTurnedLeastx1 for four rows of x.
//
//go:noescape
func neonTurnedLeastx4(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)

// neonTurnedHalvesx1 is neonTurnedLeastx1 with two scales a block.
//
//go:noescape
func neonTurnedHalvesx1(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)

// neonTurnedHalvesx4 is neonTurnedHalvesx1 for four rows of x.
//
//go:noescape
func neonTurnedHalvesx4(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
