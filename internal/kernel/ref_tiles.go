package kernel

import (
	"math"
	"unsafe"
)

// bf16Of narrows to nearest, ties to even; subnormals become zero.
func bf16Of(x float32) uint16 {
	b := math.Float32bits(x)
	switch e := b >> 23 & 0xff; {
	case e == 0:
		return uint16(b>>16) & 0x8000
	case e == 0xff && b<<9 != 0:
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func packLeft(dst []uint16, a []float32, lda, m, k int) {
	clear(dst[:TilesLen(m, k)])
	kt := (k + 31) / 32
	for i := range m {
		row := a[i*lda : i*lda+k]
		for p, x := range row {
			dst[(i/16*kt+p/32)*512+i%16*32+p%32] = bf16Of(x)
		}
	}
}

func packLeftQ(dst []uint16, w []byte, t DType, order []int32, n, k int) {
	s := claimScratch(16 * k)
	defer s.release()
	step, rb := TilesLen(16, k), t.RowBytes(k)
	for i := 0; i < n; i += 16 {
		c := min(16, n-i)
		for r := range c {
			widenRef[t](s.buf[r*k:(r+1)*k], storedRow(w, order, rb, i+r))
		}
		packLeft(dst[i/16*step:], s.buf, k, c, k)
	}
}

func mulFew(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int) {
	s := claimScratch(TilesLen(n, k) / 2)
	defer s.release() // also where the file of the weights is gone
	left := unsafe.Slice((*uint16)(unsafe.Pointer(&s.buf[0])), TilesLen(n, k))
	packLeftQ(left, w, t, order, n, k)
	mulTiles(c, ldc, left, (k+31)/32, b, n, 16, (k+31)/32, false)
}

func packRight(dst []uint16, b []float32, ldb, k, n int) {
	kt := (k + 31) / 32
	for p := 0; p < k; p += 32 {
		packRightAt(dst, kt, p/32, b[p*ldb:], ldb, min(32, k-p), n)
	}
}

// packRightAt writes the tiles of up to 32 rows of B, tile tp of each column of
// kt tiles.
func packRightAt(dst []uint16, kt, tp int, b []float32, ldb, rows, n int) {
	for j := 0; j < n; j += 16 {
		tile := dst[(j/16*kt+tp)*512:][:512]
		clear(tile)
		for r := range rows {
			for c := range min(16, n-j) {
				tile[r/2*32+c*2+r%2] = bf16Of(b[r*ldb+j+c])
			}
		}
	}
}

func packRightT(dst []uint16, b []float32, ldb, n, k int) {
	clear(dst[:TilesLen(n, k)])
	kt := (k + 31) / 32
	for j := range n {
		row := b[j*ldb : j*ldb+k]
		for p, x := range row {
			dst[(j/16*kt+p/32)*512+p%32/2*32+j%16*2+p%2] = bf16Of(x)
		}
	}
}

// flush is what the tiles do with a result below the least normal number.
func flush(x float32) float32 {
	if b := math.Float32bits(x); b&0x7f800000 == 0 {
		return math.Float32frombits(b & 0x80000000)
	}
	return x
}

// fusedTiny is x·y+z with one rounding, for x and y of 8 bits: their product is
// exact in float64, and so close to z that the sum is too, or so far from it that
// a second rounding does not show.
func fusedTiny(x, y, z float32) float32 {
	return flush(float32(float64(x)*float64(y) + float64(z)))
}

func mulTiles(c []float32, ldc int, a []uint16, ka int, b []uint16, m, n, kt int, add bool) {
	wide := func(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }
	var row [32]float32
	for i := range m {
		if !add {
			clear(c[i*ldc : i*ldc+n])
		}
		for p := range kt {
			for e, x := range a[(i/16*ka+p)*512+i%16*32:][:32] {
				row[e] = wide(x)
			}
			for j := range n {
				tile := b[(j/16*kt+p)*512+j%16*2:]
				var even, odd float32
				for r := range 16 {
					even = fusedTiny(row[2*r], wide(tile[r*32]), even)
					odd = fusedTiny(row[2*r+1], wide(tile[r*32+1]), odd)
				}
				c[i*ldc+j] = flush(flush(c[i*ldc+j]) + flush(even+odd))
			}
		}
	}
}
