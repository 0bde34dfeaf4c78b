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
