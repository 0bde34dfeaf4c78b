//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// The AMX kind computes bfloat16 products in tiles and takes all else from the
// AVX-512 BF16 kind. A tile's state lives within one call only: the runtime may move a
// goroutine to another core between calls, never inside one.

//go:noescape
func amxTiles(cfg *byte, c *float32, ldc int, a *uint16, aRow int, b *uint16, bCol, kt, blocks int, add bool)

//go:noescape
func amxTile(cfg *byte, c *float32, ldc int, a, b *uint16, kt int, add bool)

//go:noescape
func amxTall(cfg *byte, c *float32, ldc int, a *uint16, aRow int, b *uint16, kt int, add bool)

//go:noescape
func amxFewQ4_1(cfg *byte, c *float32, ldc int, rows **byte, b *uint16, kt, groups int, part *uint16, ahead int)

//go:noescape
func amxFewQ4_0(cfg *byte, c *float32, ldc int, rows **byte, b *uint16, kt, groups int, part *uint16, ahead int)

//go:noescape
func amxFewQ8_0(cfg *byte, c *float32, ldc int, rows **byte, b *uint16, kt, groups int, part *uint16, ahead int)

//go:noescape
func amxPeak(cfg *byte, a *uint16, iterations int)

// tileConfig is palette 1 with eight tiles of 16 rows of 64 bytes.
var tileConfig = func() (c [64]byte) {
	c[0] = 1
	for i := range 8 {
		c[16+2*i], c[48+i] = 64, 16
	}
	return c
}()

// tileChunk is the most tiles of k that go through the tiles in one go: C is loaded
// and stored for each, and two columns of them, 48 KiB, are a first-level cache.
const tileChunk = 24

func hasAMX() bool {
	x := &cpu.X86
	return x.HasAMXTile && x.HasAMXBF16 && hasBF16() && allowTiles()
}

func amxKind() *kind {
	k := *bf16Kind()
	k.name, k.matrixTiles = "amx", true
	k.mulFew, k.mulTiles = amxMulFew, amxMulTiles
	k.peakTiles = amxPeakTiles
	if cpu.X86.HasAMXInt8 {
		k.mulIntegers, k.mulLaid, k.layIntegers = amxMulIntegers, amxMulLaid, amxLayIntegers
		k.laidBlock[Int16] = amxInt16Block
		for t, loop := range amxInt16 {
			if loop != nil {
				k.interleavedRows[t] = amxInt16Least
			}
		}
	}
	return &k
}

// amxMulFew takes the weights of common types from memory to the tiles in one
// loop, and packs all others first.
func amxMulFew(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int) {
	i := 0
	if k%32 == 0 && (t == Q4_1 || t == Q4_0 || t == Q8_0) {
		i = amxMulFewStored(c, ldc, w, t, order, b, n, k)
	}
	if i == n {
		return
	}
	if order != nil {
		order = order[i:]
	} else {
		w = w[i*t.RowBytes(k):]
	}
	mulFewPacked(c[i*ldc:], ldc, w, t, order, b, n-i, k, amxMulTiles)
}

// amxMulFewStored takes groups of 16 rows, and says how many rows that were.
func amxMulFewStored(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int) (i int) {
	var rows [64]*byte
	s := claimScratch(1024)
	defer s.release() // also where the file of the weights is gone
	part := (*uint16)(unsafe.Pointer(&s.buf[512-uintptr(unsafe.Pointer(&s.buf[0]))/4%512]))
	rb := t.RowBytes(k)
	for n-i >= 16 {
		groups := min(4, (n-i)/16)
		for r := range 16 * groups {
			rows[r] = &storedRow(w, order, rb, i+r)[0]
		}
		switch t {
		case Q4_1:
			amxFewQ4_1(&tileConfig[0], &c[i*ldc], 4*ldc, &rows[0], &b[0], k/32, groups, part, 16*groups*rb)
		case Q4_0:
			amxFewQ4_0(&tileConfig[0], &c[i*ldc], 4*ldc, &rows[0], &b[0], k/32, groups, part, 16*groups*rb)
		case Q8_0:
			amxFewQ8_0(&tileConfig[0], &c[i*ldc], 4*ldc, &rows[0], &b[0], k/32, groups, part, 16*groups*rb)
		}
		i += 16 * groups
	}
	return i
}

func amxMulTiles(c []float32, ldc int, a []uint16, ka int, b []uint16, m, n, kt int, add bool) {
	parts := (kt + tileChunk - 1) / tileChunk
	if n <= 16 {
		parts = 1 // nothing on the right to keep in the cache
	}
	chunk := (kt + parts - 1) / parts
	stepA, step := ka*512, kt*512
	for p := 0; p < kt; p += chunk {
		kc := min(chunk, kt-p)
		add := add || p > 0
		a, b := a[p*512:], b[p*512:]
		for j := 0; j < n; j += 32 {
			i := 0
			switch {
			case n-j >= 32 && m >= 32:
				amxTiles(&tileConfig[0], &c[j], 4*ldc, &a[0], 2*stepA, &b[j/16*step], 2*step, kc, m/32, add)
				i = m &^ 31
			case n-j == 16:
				for ; m-i >= 64; i += 64 {
					amxTall(&tileConfig[0], &c[i*ldc+j], 4*ldc, &a[i/16*stepA], 2*stepA, &b[j/16*step], kc, add)
				}
			}
			for ; i < m; i += 16 {
				for jj := j; jj < min(j+32, n); jj += 16 {
					amxMulTile(c[i*ldc+jj:], ldc, a[i/16*stepA:], b[jj/16*step:], min(16, m-i), min(16, n-jj), kc, add)
				}
			}
		}
	}
}

// amxMulTile does one tile of C, of which only rows by cols are there.
func amxMulTile(c []float32, ldc int, a, b []uint16, rows, cols, kt int, add bool) {
	if rows == 16 && cols == 16 {
		amxTile(&tileConfig[0], &c[0], 4*ldc, &a[0], &b[0], kt, add)
		return
	}
	var part [256]float32
	if add {
		for r := range rows {
			copy(part[16*r:], c[r*ldc:r*ldc+cols])
		}
	}
	amxTile(&tileConfig[0], &part[0], 64, &a[0], &b[0], kt, add)
	for r := range rows {
		copy(c[r*ldc:r*ldc+cols], part[16*r:])
	}
}

func amxPeakTiles(iterations int) (flops int) {
	var tile [512]uint16
	amxPeak(&tileConfig[0], &tile[0], iterations)
	return iterations * 4 * 2 * 16 * 16 * 32
}
