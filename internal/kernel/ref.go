package kernel

// goKind is the plain Go reference: what every other kind is tested against and
// what a CPU without its own kind runs. Where the compiler fuses x*y+z into one
// instruction (arm64) it may; it does so alike for every element.
var goKind = kind{
	name: "go", lanes: 8,

	widen:     widenRef,
	narrowF16: narrowF16,

	mulNT: mulNT, addOuter: addOuter, dot: dot,

	packLeft: packLeft, packLeftQ: packLeftQ, mulFew: mulFew, packRight: packRight, packRightAt: packRightAt, packRightT: packRightT, mulTiles: mulTiles,

	packIntegers: [numIntegers]func([]byte, []float32){packInt8, packInt16}, mulIntegers: mulIntegers,

	exp: expSlice, expSum: expSum, maxOf: maxOf, sumSquares: sumSquares,
	siluMul: siluMul, siluMulGrad: siluMulGrad, geluMul: geluMul, geluMulGrad: geluMulGrad,
	rmsNorm: rmsNorm, rmsNormGrad: rmsNormGrad, rope: rope, ropeGrad: ropeGrad,
	softmaxGrad: softmaxGrad, add: add, addScaled: addScaled, scale: scale, mul: mul,
	addProduct: addProduct, adamW: adamW, transpose: transpose, addTransposed: addTransposed,

	peakFMA: peakFMA, readSum: readSum,
}

// The quantized products look widen up in goKind, so they cannot stand in its
// initializer.
func init() {
	goKind.mulNTQ, goKind.addNNQ, goKind.mulQ = mulNTQ, addNNQ, mulNTQ
	for _, k := range kinds {
		if k.addHalf == nil {
			k.addHalf = addHalf
		}
	}
}

var widenRef = [numDTypes]func([]float32, []byte){
	F32: widenF32, F16: widenF16, BF16: widenBF16,
	Q4_0: widenQ4_0, Q4_1: widenQ4_1, Q5_0: widenQ5_0, Q5_1: widenQ5_1, Q8_0: widenQ8_0,
	Q4_K: widenQ4_K, Q5_K: widenQ5_K, Q6_K: widenQ6_K,
}
