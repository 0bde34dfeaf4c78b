package bench

import (
	"github.com/getstroke/stroke/internal/kernel"
)

type peakTask struct {
	seconds float64
	read    bool
	tiles   bool
	buf     [][]float32
	rate    []float64
}

// Do measures one worker's limit, all workers at the same time.
func (t *peakTask) Do(i, worker int) {
	switch {
	case t.read:
		t.rate[i] = kernel.ReadBandwidth(t.buf[i], t.seconds)
	case t.tiles:
		t.rate[i] = kernel.PeakTiles(t.seconds)
	default:
		t.rate[i] = kernel.PeakFMA(t.seconds)
	}
}

func (t *peakTask) sum() float64 {
	kernel.Run(len(t.rate), t)
	var s float64
	for _, r := range t.rate {
		s += r
	}
	return s
}

// FlopsPeak is the float32 arithmetic that all workers together reach in a loop
// of independent multiply-adds, in GFLOP/s.
func FlopsPeak(seconds float64) float64 {
	return (&peakTask{seconds: seconds, rate: make([]float64, kernel.Workers())}).sum()
}

// TilesPeak is the bfloat16 arithmetic that all workers together reach, in GFLOP/s; 0
// where the kernel does not multiply it in hardware.
func TilesPeak(seconds float64) float64 {
	return (&peakTask{seconds: seconds, tiles: true, rate: make([]float64, kernel.Workers())}).sum()
}

const (
	readAll   = 1 << 28 // numbers of float32 that all workers read, 1 GiB, so that many take no more memory
	readMost  = 1 << 26 // of each, where there are few
	readLeast = 1 << 22 // beyond a worker's own caches
)

// ReadPeak is the rate in GB/s at which all workers together read memory beyond
// the caches.
func ReadPeak(seconds float64) float64 {
	t := &peakTask{seconds: seconds, read: true, rate: make([]float64, kernel.Workers())}
	for range t.rate {
		b := make([]float32, min(readMost, max(readLeast, readAll/len(t.rate))))
		for i := range b {
			b[i] = 1
		}
		t.buf = append(t.buf, b)
	}
	return t.sum()
}
