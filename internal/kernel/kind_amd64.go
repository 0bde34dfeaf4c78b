//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

func archKinds() []*kind {
	var ks []*kind
	// Every CPU with AVX2 and FMA converts binary16 as well (F16C).
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append(ks, avx2Kind())
	}
	return ks
}

func avx2Kind() *kind {
	k := goKind
	k.name = "avx2"
	k.mulNT, k.addOuter, k.mulNTQ, k.addNNQ, k.dot = avx2MulNT, avx2AddOuter, avx2MulNTQ, avx2AddNNQ, avx2Dot
	k.widen, k.mulQ = avx2Widen, avx2MulQ
	k.peakFMA, k.readSum = avx2PeakFMA, avx2ReadAll
	return &k
}
