package kernel

import (
	"fmt"
	"testing"
)

// eachKindBench runs the benchmark on every kind this machine has.
func eachKindBench(b *testing.B, bench func(b *testing.B)) {
	before := Name()
	defer Use(before)
	for _, name := range Kinds() {
		b.Run("kernel="+name, func(b *testing.B) {
			if err := Use(name); err != nil {
				b.Fatal(err)
			}
			bench(b)
		})
	}
}

// perSecond reports how many billion units a second b made, at so many a loop.
func perSecond(b *testing.B, each int, unit string) {
	b.ReportMetric(float64(each)*float64(b.N)/b.Elapsed().Seconds()/1e9, unit)
}

func BenchmarkGemm(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		for _, s := range []shape{{512, 576, 1536}, {512, 1536, 576}, {512, 576, 576}, {512, 512, 64}, {512, 64, 512}, {512, 16, 576}, {3, 512, 64}, {3, 64, 512}} {
			x, y, c := alignedF32(s.m*s.k), alignedF32(s.n*s.k), alignedF32(s.m*s.n)
			r := newRand(1)
			fill(r, x)
			fill(r, y)
			run := func(name string, f func()) {
				b.Run(fmt.Sprintf("%s/m=%d/n=%d/k=%d", name, s.m, s.n, s.k), func(b *testing.B) {
					for b.Loop() {
						f()
					}
					perSecond(b, 2*s.m*s.n*s.k, "GFLOP/s")
				})
			}
			run("MulNT", func() { MulNT(c, s.n, x, s.k, y, s.k, s.m, s.n, s.k) })
			run("AddNN", func() { AddNN(c, s.n, x, s.k, y, s.n, s.m, s.n, s.k) })
			run("AddTN", func() { AddTN(c, s.n, x, s.m, y, s.n, s.m, s.n, s.k) })
		}
	})
}

func BenchmarkPeakFMA(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		flops := 0
		for b.Loop() {
			flops = cur.peakFMA(1 << 12)
		}
		perSecond(b, flops, "GFLOP/s")
	})
}

// BenchmarkMulQ decodes: few rows against a matrix too large for the caches.
func BenchmarkMulQ(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		for _, t := range []DType{Q4_1, Q4_0, Q8_0, F16, BF16, Q4_K, Q6_K} {
			for _, m := range []int{1, 2, 3, 4, 5, 6, 8, 12} {
				n, k := 49152, 576
				if e, _ := t.Block(); e > 32 {
					n, k = 32768, 768
				}
				if m > 1 {
					n /= 16
				}
				w, a, c := randQuant(newRand(1), t, n*k), alignedF32(m*k), alignedF32(m*n)
				fill(newRand(2), a)
				b.Run(fmt.Sprintf("%v/m=%d/n=%d/k=%d", t, m, n, k), func(b *testing.B) {
					for b.Loop() {
						MulQ(c, n, a, k, w, t, nil, m, n, k)
					}
					perSecond(b, n*k, "Gweights/s")
				})
			}
		}
	})
}

func BenchmarkWiden(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		for _, t := range allTypes() {
			const n = 1536
			src, dst := randQuant(newRand(1), t, n), alignedF32(n)
			b.Run(t.String(), func(b *testing.B) {
				for b.Loop() {
					Widen(dst, src, t)
				}
				perSecond(b, n, "Gweights/s")
			})
		}
	})
}
