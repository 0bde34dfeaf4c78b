//go:build !purego

package kernel

// Products of integers with SDOT, which CPUs have since Armv8.2 as an option and
// since 8.4 all of them (FEAT_DotProd).
var neonIntegers = integerLoops{
	group: 4, counts: []int{1, 4}, turned: &neonTurned,
	rows: [numIntegers][numDTypes][]integerLoop{
		Int8: {
			Q4_0: {neonInt8Q4_0x1, neonInt8Q4_0x4},
			Q4_1: {neonInt8Q4_1x1, neonInt8Q4_1x4},
			Q8_0: {neonInt8Q8_0x1, neonInt8Q8_0x4},
		},
		Int16: {
			Q4_0: {neonInt16Q4_0x1, neonInt16Q4_0x4},
			Q4_1: {neonInt16Q4_1x1, neonInt16Q4_1x4},
			Q8_0: {neonInt16Q8_0x1, neonInt16Q8_0x4},
		},
	},
}

// neonInt8Q4_0x1 multiplies a packed row of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt8Q4_0x1(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt8Q4_0x4 multiplies four packed rows of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt8Q4_0x4(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt8Q4_1x1 multiplies a packed row of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt8Q4_1x1(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt8Q4_1x4 multiplies four packed rows of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt8Q4_1x4(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt8Q8_0x1 multiplies a packed row of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt8Q8_0x1(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt8Q8_0x4 multiplies four packed rows of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt8Q8_0x4(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonPackInt8 packs blocks > 0 blocks of 32 numbers, as Integers.Pack does.
//
//go:noescape
func neonPackInt8(dst *byte, x *float32, blocks int)

// neonInt16Q4_0x1 multiplies a packed row of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt16Q4_0x1(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt16Q4_0x4 multiplies four packed rows of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt16Q4_0x4(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt16Q4_1x1 multiplies a packed row of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt16Q4_1x1(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt16Q4_1x4 multiplies four packed rows of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt16Q4_1x4(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt16Q8_0x1 multiplies a packed row of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt16Q8_0x1(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonInt16Q8_0x4 multiplies four packed rows of x with groups > 0 times four rows of w, as
// integerLoop does.
//
//go:noescape
func neonInt16Q8_0x4(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// neonPackInt16 packs blocks > 0 blocks of 32 numbers, as Integers.Pack does.
//
//go:noescape
func neonPackInt16(dst *byte, x *float32, blocks int)
