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

// BenchmarkTiles multiplies packed operands, a panel of the right one after the other.
func BenchmarkTiles(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		if !FastTiles() {
			b.Skip("no products of bfloat16 in hardware")
		}
		for _, s := range []shape{{512, 32, 576}, {512, 32, 1536}, {512, 1536, 576}, {512, 64, 512}, {512, 512, 64}, {512, 16, 576}, {512, 576, 16}} {
			left, right, c := make([]uint16, TilesLen(s.m, s.k)), make([]uint16, TilesLen(s.n, s.k)), alignedF32(s.m*s.n)
			x := alignedF32(max(s.m, s.n) * s.k)
			fill(newRand(1), x)
			PackLeft(left, x, s.k, s.m, s.k)
			PackRightT(right, x, s.k, s.n, s.k)
			panel := min(s.n, 32)
			b.Run(fmt.Sprintf("m=%d/n=%d/k=%d", s.m, s.n, s.k), func(b *testing.B) {
				for b.Loop() {
					for j := 0; j < s.n; j += panel {
						MulTiles(c[j:], s.n, left, right[TilesLen(j, s.k):], s.m, panel, s.k, false)
					}
				}
				perSecond(b, 2*s.m*s.n*s.k, "GFLOP/s")
			})
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

func BenchmarkVector(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		const n = 1536
		r := newRand(3)
		var x [6][]float32
		for i := range x {
			x[i] = alignedF32(n)
			fill(r, x[i])
		}
		sin, cos := alignedF32(n/2), alignedF32(n/2)
		for i := range cos {
			cos[i] = 1
		}
		half := make([]byte, 2*n)
		for name, f := range map[string]func(){
			"Exp":         func() { Exp(x[0], x[1]) },
			"ExpSum":      func() { clear(x[0]); ExpSum(x[0], 1) },
			"MaxOf":       func() { MaxOf(x[0]) },
			"SumSquares":  func() { SumSquares(x[0]) },
			"SiluMul":     func() { SiluMul(x[0], x[1], x[2]) },
			"SiluMulGrad": func() { SiluMulGrad(x[0], x[1], x[2], x[3], x[4]) },
			"RMSNorm":     func() { RMSNorm(x[0], x[1], x[2], 1e-5) },
			"RMSNormGrad": func() { clear(x[0]); RMSNormGrad(x[0], x[1], x[2], x[3], 1) },
			"Rope":        func() { Rope(x[5], cos, sin) },
			"SoftmaxGrad": func() { SoftmaxGrad(x[0], x[1], x[2], 1, 0.125) },
			"Add":         func() { clear(x[0]); Add(x[0], x[1]) },
			"AdamW": func() {
				clear(x[4])
				AdamW(x[0], x[3], x[4], x[2], 1e-3, 0.9, 0.999, 1e-8, 0, 0.1, 0.001)
			},
			"Transpose": func() { Transpose(x[0], 32, x[1], 48, 32, 48) },
			"NarrowF16": func() { NarrowF16(half, x[1]) },
		} {
			b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				perSecond(b, n, "Gelements/s")
			})
		}
	})
}

// BenchmarkIntegers multiplies packed rows with weights that stay in the second-level
// cache.
func BenchmarkIntegers(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		for _, s := range sizesOfIntegers {
			for _, t := range s.types() {
				for _, m := range []int{1, 2, 4, 8, 16, 256} {
					const n, k = 512, 768
					w, x, c, packed := randQuant(newRand(1), t, n*k), alignedF32(m*k), alignedF32(m*n), make([]byte, s.Len(m, k))
					fill(newRand(2), x)
					s.Pack(packed, x, k, m, k)
					b.Run(fmt.Sprintf("%v/%v/m=%d/n=%d/k=%d", s, t, m, n, k), func(b *testing.B) {
						for b.Loop() {
							s.Mul(c, n, packed, w, t, nil, m, n, k)
						}
						perSecond(b, m*n*k, "Gproducts/s")
					})
				}
			}
		}
	})
}

// BenchmarkInterleaved multiplies packed rows with interleaved weights that stay in the
// second-level cache, and with so many that they come from memory.
func BenchmarkInterleaved(b *testing.B) {
	eachKindBench(b, func(b *testing.B) {
		for _, t := range []DType{Q4_0, Q4_1, Q5_0, Q8_0, Q4_K, Q6_K} {
			for _, m := range []int{1, 2, 4, 7, 16, 256} {
				for _, n := range []int{512, 512 << 9} {
					const k = 768
					size := InterleavedLen(t, n, k)
					if size == 0 || n > 512 && m > 1 {
						continue
					}
					in := Interleaving(make([]byte, size), t, n, k)
					in.Fill(randQuant(newRand(1), t, n*k), nil, 0, n)
					x, c, packed := alignedF32(m*k), alignedF32(m*n), make([]byte, Int16.Len(m, k))
					fill(newRand(2), x)
					Int16.Pack(packed, x, k, m, k)
					b.Run(fmt.Sprintf("%v/m=%d/n=%d/k=%d", t, m, n, k), func(b *testing.B) {
						b.SetBytes(int64(size))
						for b.Loop() {
							MulInterleaved(c, n, packed, in, 0, m, n, nil, nil)
						}
						perSecond(b, m*n*k, "Gproducts/s")
					})
				}
			}
		}
	})
}
