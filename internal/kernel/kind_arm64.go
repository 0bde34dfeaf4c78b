//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// Every arm64 CPU that Go runs on has NEON with fused multiply-adds.
func archKinds() []*kind { return []*kind{neonKind()} }

func neonKind() *kind {
	k := goKind
	k.name = "neon"
	k.mulNT, k.addOuter, k.mulNTQ, k.addNNQ, k.dot = neonMulNT, neonAddOuter, neonMulNTQ, neonAddNNQ, neonDot
	k.widen, k.mulQ = neonWiden, neonMulQ
	k.narrowF16 = neonNarrow
	if cpu.ARM64.HasASIMDDP {
		k.fastIntegers, k.mulIntegers = true, neonIntegers.mul
		k.packIntegers = [numIntegers]func([]byte, []float32){packer(neonPackInt8), packer(neonPackInt16)}
	}
	k.exp, k.expSum, k.maxOf, k.sumSquares = neonExpSlice, neonExpSumSlice, neonMaxOfSlice, neonSumSquaresSlice
	k.siluMul, k.siluMulGrad, k.geluMul, k.geluMulGrad = neonGate(neonSiluMul), neonGateGrad(neonSiluMulGrad), neonGate(neonGeluMul), neonGateGrad(neonGeluMulGrad)
	k.rmsNorm, k.rmsNormGrad = neonRMSNorm, neonRMSNormGrad
	k.rope, k.ropeGrad = neonRotate(neonRope), neonRotate(neonRopeGrad)
	k.softmaxGrad, k.adamW = neonSoftmaxGradSlice, neonAdamWSlice
	k.add, k.addScaled, k.scale, k.mul, k.addProduct = neonAddSlice, neonAddScaledSlice, neonScaleSlice, neonGate(neonMul), neonGate(neonAddProduct)
	k.transpose, k.addTransposed = neonTranspose, neonAddTransposed
	k.peakFMA, k.readSum = neonPeakFMA, neonReadAll
	return &k
}
