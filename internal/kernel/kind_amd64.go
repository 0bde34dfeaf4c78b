//go:build !purego

package kernel

import (
	"math"

	"golang.org/x/sys/cpu"
)

func archKinds() []*kind {
	var ks []*kind
	// Every CPU with AVX2 and FMA converts binary16 as well (F16C).
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append(ks, avx2Kind())
		if cpu.X86.HasAVXVNNI {
			k := avx2Kind()
			k.name = "avxvnni"
			k.useIntegers(&avxvnniIntegers)
			ks = append(ks, k)
		}
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasBMI2 {
			ks = append(ks, avx512Kind())
			if hasBF16() {
				ks = append(ks, bf16Kind())
				if last := len(ks) - 1; !fastBF16() {
					ks[last-1], ks[last] = ks[last], ks[last-1]
				}
			}
			if hasAMX() {
				ks = append(ks, amxKind())
			}
		}
	}
	return ks
}

func avx2Kind() *kind {
	k := goKind
	k.name = "avx2"
	k.mulNT, k.addOuter, k.mulNTQ, k.addNNQ, k.dot = avx2MulNT, avx2AddOuter, avx2MulNTQ, avx2Panels.addNNQ, avx2Dot
	k.widen, k.mulQ = avx2Widen, avx2MulQ
	k.narrowF16 = avx2Narrow
	k.addHalf = avx2AddHalfRows
	k.mulNTHalf, k.addNNHalf = avx2MulNTHalf, avx2AddNNHalf
	k.fastIntegers = true
	k.useIntegers(&avx2Integers)
	k.packIntegers = [numIntegers]func([]byte, []float32){packer(avx2PackInt8), packer(avx2PackInt16)}
	k.exp, k.expSum, k.maxOf, k.sumSquares = avx2ExpSlice, avx2ExpSumSlice, avx2MaxOfSlice, avx2SumSquaresSlice
	k.siluMul, k.siluMulGrad, k.geluMul, k.geluMulGrad = avx2Gate(avx2SiluMul), avx2GateGrad(avx2SiluMulGrad), avx2Gate(avx2GeluMul), avx2GateGrad(avx2GeluMulGrad)
	k.rmsNorm, k.rmsNormGrad = avx2RMSNorm, avx2RMSNormGrad
	k.rope, k.ropeGrad = avx2Rotate(avx2Rope), avx2Rotate(avx2RopeGrad)
	k.softmaxGrad, k.adamW = avx2SoftmaxGradSlice, avx2AdamWSlice
	k.add, k.addScaled, k.scale, k.mul, k.addProduct = avx2AddSlice, avx2AddScaledSlice, avx2ScaleSlice, avx2Gate(avx2Mul), avx2Gate(avx2AddProduct)
	k.transpose, k.addTransposed = avx2Transpose, avx2AddTransposed
	k.peakFMA, k.readSum, k.fetch = avx2PeakFMA, avx2ReadAll, fetch
	return &k
}

// useIntegers makes the loops those of a kind.
func (k *kind) useIntegers(l *integerLoops) {
	k.mulIntegers, k.mulAhead = l.mul, l.mulAhead
	k.mulInterleaved, k.interleave = l.mulInterleaved, l.turned.interleave
	k.interleavedLanes = l.group
	for t, loops := range l.interleaved {
		switch {
		case l.turned.turnInterleaved[t] != nil:
			k.interleavedRows[t] = math.MaxInt
		case loops != nil:
			k.interleavedRows[t] = l.turned.many
		}
	}
}
