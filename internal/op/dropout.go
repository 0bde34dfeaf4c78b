package op

import "github.com/getstroke/stroke/internal/kernel"

// Dropout drops features of a linear's input before its low-rank pair, as
// PEFT's lora_dropout does: each is zeroed with probability P, the others are
// divided by 1-P. The mask is a hash of Key, row and feature, so the backward
// pass and a resumed run see the same one.
type Dropout struct {
	P   float32
	Key uint64
	X   []float32 // [n, in] of the batch: the dropped input, written by Linear and again by LinearGrad
	DX  []float32 // [n, in]: scratch of LinearGrad
}

// apply writes rows [lo, hi) of X from x, whose first row is row lo.
func (d *Dropout) apply(x []float32, lo, hi, in int) {
	keep := 1 / (1 - d.P)
	for r := lo; r < hi; r++ {
		dst, src := d.X[r*in:(r+1)*in], x[(r-lo)*in:(r-lo+1)*in]
		for j := range dst {
			dst[j] = 0
			if d.kept(r, j) {
				dst[j] = src[j] * keep
			}
		}
	}
}

// addGrad adds mask/(1-P) · (dh A) to rows [lo, hi) of dx.
func (d *Dropout) addGrad(dx, dh []float32, p *Pair, lo, hi int) {
	t := d.DX[lo*p.In : hi*p.In]
	clear(t)
	kernel.AddNN(t, p.In, dh, p.Pad, p.A, p.In, hi-lo, p.In, p.Rank)
	keep := 1 / (1 - d.P)
	for r := lo; r < hi; r++ {
		dst, src := dx[r*p.In:(r+1)*p.In], t[(r-lo)*p.In:(r-lo+1)*p.In]
		for j := range dst {
			if d.kept(r, j) {
				dst[j] += src[j] * keep
			}
		}
	}
}

// kept says whether a feature survives: SplitMix64 of the key and the place.
func (d *Dropout) kept(row, feature int) bool {
	z := d.Key + 0x9e3779b97f4a7c15*(uint64(row)<<32|uint64(feature)+1)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float32(z>>40)*(1.0/(1<<24)) >= d.P
}
