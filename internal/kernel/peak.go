package kernel

import (
	"runtime"
	"time"
)

// PeakFMA measures how many multiply-adds one core makes when nothing else is
// in its way, for about the given time, and returns GFLOP/s (two operations
// each). It is the ceiling that products are compared with.
func PeakFMA(seconds float64) float64 { return fastest(cur.peakFMA, seconds) }

// PeakTiles is PeakFMA for products of bfloat16, with operands that stay in tiles or
// registers; 0 where the kind in use has none in hardware.
func PeakTiles(seconds float64) float64 {
	if !cur.fastTiles {
		return 0
	}
	return fastest(cur.peakTiles, seconds)
}

// fastest is the best rate of a loop that returns how many operations it made.
func fastest(loop func(iterations int) (flops int), seconds float64) float64 {
	const batch = 1 << 16
	loop(batch) // the core speeds up
	best := 0.0
	for begin := time.Now(); ; {
		t := time.Now()
		flops := loop(batch)
		best = max(best, float64(flops)/time.Since(t).Seconds()/1e9)
		if time.Since(begin).Seconds() >= seconds {
			return best
		}
	}
}

// ReadBandwidth reads buf again and again for about the given time with one core
// and returns GB/s of the fastest pass. A buf beyond the caches measures memory.
func ReadBandwidth(buf []float32, seconds float64) float64 {
	if len(buf) == 0 {
		return 0
	}
	sink := cur.readSum(buf)
	best := 0.0
	for begin := time.Now(); ; {
		t := time.Now()
		sink += cur.readSum(buf)
		best = max(best, 4*float64(len(buf))/time.Since(t).Seconds()/1e9)
		if time.Since(begin).Seconds() >= seconds {
			runtime.KeepAlive(sink) // else the compiler could drop the loop
			return best
		}
	}
}

// peakFMA begins every chain elsewhere: equal ones the compiler makes one of.
func peakFMA(iterations int) (flops int) {
	s0, s1, s2, s3, s4, s5, s6, s7 := float32(0), float32(1), float32(2), float32(3), float32(4), float32(5), float32(6), float32(7)
	x, y := float32(0.5), float32(0.25)
	for range iterations {
		s0 = s0*x + y
		s1 = s1*x + y
		s2 = s2*x + y
		s3 = s3*x + y
		s4 = s4*x + y
		s5 = s5*x + y
		s6 = s6*x + y
		s7 = s7*x + y
	}
	runtime.KeepAlive(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7)
	return iterations * 8 * 2
}

func readSum(x []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(x) >= 4 {
		s0 += x[0]
		s1 += x[1]
		s2 += x[2]
		s3 += x[3]
		x = x[4:]
	}
	for _, v := range x {
		s0 += v
	}
	return s0 + s1 + s2 + s3
}
