//go:build !purego

package kernel

var neonTurned = turnedLoops{
	group:  4,
	turn:   [numDTypes]turnLoop{Q5_0: neonTurnQ5_0, Q5_1: neonTurnQ5_1, Q4_K: neonTurnQ4_K, Q5_K: neonTurnQ5_K, Q6_K: neonTurnQ6_K},
	counts: []int{1, 4},
	loops: [3][]turnedLoop{
		plainScale:  {neonTurnedPlainx1, neonTurnedPlainx4},
		leastWeight: {neonTurnedLeastx1, neonTurnedLeastx4},
		halfScales:  {neonTurnedHalvesx1, neonTurnedHalvesx4},
	},
}

// neonTurnQ5_0 is neonTurnQ4_K for Q5_0.
//
//go:noescape
func neonTurnQ5_0(dst, w *byte, stride, blocks int)

// neonTurnQ5_1 is neonTurnQ4_K for Q5_1.
//
//go:noescape
func neonTurnQ5_1(dst, w *byte, stride, blocks int)

// neonTurnQ4_K turns blocks > 0 blocks of each of four rows of w, stride bytes
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

// neonTurnedPlainx1 is neonTurnedLeastx1 without least weights.
//
//go:noescape
func neonTurnedPlainx1(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)

// neonTurnedPlainx4 is neonTurnedPlainx1 for four rows of x.
//
//go:noescape
func neonTurnedPlainx4(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
