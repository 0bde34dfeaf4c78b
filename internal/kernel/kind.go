package kernel

import (
	"fmt"
	"os"
	"strings"
)

// kind is one implementation of every operation. A new register variant is a
// copy of goKind with the entries it has its own code for, listed in kinds.
// Arguments have been checked before they come here; sizes may be zero only
// where the public function says so.
type kind struct {
	name  string
	lanes int // of a chain in MulNT

	widen     [numDTypes]func(dst []float32, src []byte)
	narrowF16 func(dst []byte, src []float32)

	mulNT func(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int)
	// addOuter has element (i,p) of A at a[i*rs+p*cs]: AddNN and AddTN in one.
	addOuter func(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, k int)
	mulNTQ   func(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int)
	addNNQ   func(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int)
	addHalf  func(c []float32, ldc int, h []float32, ldh int, b []byte, m, n, k int)
	// For at most halfRows rows of A; nil where B is widened. They do some of the
	// columns, and say how many.
	mulNTHalf func(c []float32, ldc int, a []float32, lda int, b []byte, ahead uintptr, m, n, k int) int
	addNNHalf func(c []float32, ldc int, a []float32, lda int, b []byte, ldb int, ahead uintptr, m, n, k int) int
	mulQ      func(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int)
	dot       func(a, b []float32) float32

	fastTiles   bool
	matrixTiles bool
	packLeft    func(dst []uint16, a []float32, lda, m, k int)
	packLeftQ   func(dst []uint16, w []byte, t DType, order []int32, n, k int)
	mulFew      func(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int)
	packRight   func(dst []uint16, b []float32, ldb, k, n int)
	packRightAt func(dst []uint16, kt, tp int, b []float32, ldb, rows, n int)
	packRightT  func(dst []uint16, b []float32, ldb, n, k int)
	packPairsQ  func(dst []uint16, w []byte, t DType, order []int32, rb, b0, n, k int) bool // of the rows b0 bytes from their begin; false where they have to be widened first
	packTurnedQ func(dst []uint16, w []byte, t DType, order []int32, rb, n, k int) bool     // of whole rows, to be columns; the same
	// mulTiles has left rows of ka tiles, of which kt are used.
	mulTiles func(c []float32, ldc int, a []uint16, ka int, b []uint16, m, n, kt int, add bool)

	fastIntegers bool
	packIntegers [numIntegers]func(dst []byte, x []float32) // one row
	mulIntegers  func(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int)
	// mulAhead is mulIntegers that asks for other memory where that behind w is not
	// what is read next, as integerLoop has it; nil where there is no such loop.
	mulAhead func(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int, rest, then uintptr)
	// mulInterleaved multiplies with weights that were interleaved, in groups of so many
	// lanes. It is the fastest for fewer than so many rows of x; 0 for types that it does
	// not know. interleave has the loops that lay types out which fillSuper does not.
	mulInterleaved   func(c []float32, ldc int, x, w []byte, t DType, m, n, k int, rest, then uintptr)
	interleave       [numDTypes]turnLoop
	interleavedLanes int
	interleavedRows  [numDTypes]int
	// A kind that lays packed rows out has the size of a block of 16 rows, else 0.
	laidBlock   [numIntegers]int
	layIntegers func(dst, x []byte, m, k, b0, b1 int)
	mulLaid     func(s Integers, c []float32, ldc int, x, laid []byte, w []byte, t DType, order []int32, m, n, k int)

	exp           func(dst, src []float32)
	expSum        func(x []float32, max float32) float32
	maxOf         func(x []float32) float32
	sumSquares    func(x []float32) float64
	siluMul       func(dst, gate, up []float32)
	siluMulGrad   func(dgate, dup, dact, gate, up []float32)
	geluMul       func(dst, gate, up []float32)
	geluMulGrad   func(dgate, dup, dact, gate, up []float32)
	rmsNorm       func(dst, x, w []float32, eps float32) float32
	rmsNormGrad   func(dx, dy, x, w []float32, rinv float32)
	rope          func(x, cos, sin []float32)
	ropeGrad      func(x, cos, sin []float32)
	softmaxGrad   func(ds, p, dp []float32, d, scale float32)
	add           func(dst, a []float32)
	addScaled     func(dst, a []float32, s float32)
	scale         func(dst []float32, s float32)
	mul           func(dst, a, b []float32)
	addProduct    func(dst, a, b []float32)
	adamW         func(p, m, v, g []float32, s adamScalars)
	transpose     func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	addTransposed func(dst []float32, ldd int, src []float32, lds, rows, cols int)

	peakFMA   func(iterations int) (flops int)
	peakTiles func(iterations int) (flops int)
	readSum   func(x []float32) float32
	fetch     func(b *byte, lines int) // nil where there is no such instruction
}

var (
	kinds   = append([]*kind{&goKind}, archKinds()...) // best last
	cur     = kinds[len(kinds)-1]
	initErr = useEnv()
)

func useEnv() error {
	name := os.Getenv("STROKE_KERNEL")
	if name == "" {
		return nil
	}
	if err := Use(name); err != nil {
		return fmt.Errorf("read STROKE_KERNEL: %w", err)
	}
	return nil
}

// Init reports what went wrong when STROKE_KERNEL was read at start: an unknown
// kind or one this machine cannot run. The best kind is in use then.
func Init() error { return initErr }

// Name is the kind in use.
func Name() string { return cur.name }

// Kinds lists the kinds this machine can run, the best last.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Use makes name the kind in use. It is for start-up and tests: no other
// function of this package may be running.
func Use(name string) error {
	for _, k := range kinds {
		if k.name == name {
			cur = k
			return nil
		}
	}
	return fmt.Errorf("kernel %q is not available; this machine has %s", name, strings.Join(Kinds(), ", "))
}
