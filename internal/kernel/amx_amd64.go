//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// The AMX kind computes bfloat16 products in tiles and takes all else from the
// AVX-512 kind. A tile's state lives within one call only: the runtime may move a
// goroutine to another core between calls, never inside one.

//go:noescape
func amxTiles(cfg *byte, c *float32, ldc int, a *uint16, aRow int, b *uint16, bCol, kt, blocks int, add bool)

//go:noescape
func amxTile(cfg *byte, c *float32, ldc int, a, b *uint16, kt int, add bool)

//go:noescape
func amxTall(cfg *byte, c *float32, ldc int, a *uint16, aRow int, b *uint16, kt int, add bool)

//go:noescape
func amxPackRows(dst *uint16, src *float32, lds, rows, kt int)

//go:noescape
func amxPackHalf(dst *uint16, src *float32, lds, rows int)

//go:noescape
func amxPackTurned(dst *uint16, src *float32, lds, rows, kt int)

//go:noescape
func amxPackPairs(dst *uint16, tile int, even, odd *float32, cols int, order *uint16)

//go:noescape
func amxPairsQ4_1(dst *uint16, tile int, rows **byte, pairs, blocks int, order *uint16)

//go:noescape
func amxPairsQ4_0(dst *uint16, tile int, rows **byte, pairs, blocks int, order *uint16)

//go:noescape
func amxPairsQ8_0(dst *uint16, tile int, rows **byte, pairs, blocks int, order *uint16)

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

// pairOrder weaves the halves of a vector of 32 words.
var pairOrder = func() (o [32]uint16) {
	for i := range 16 {
		o[2*i], o[2*i+1] = uint16(i), uint16(16+i)
	}
	return o
}()

// tileChunk is the most tiles of k that go through the tiles in one go: C is loaded
// and stored for each, and two columns of them, 48 KiB, are a first-level cache.
const tileChunk = 24

func hasAMX() bool {
	x := &cpu.X86
	return x.HasAMXTile && x.HasAMXBF16 && x.HasAVX512BF16 && x.HasAVX512VBMI && allowTiles()
}

func amxKind() *kind {
	k := *avx512Kind()
	k.name, k.fastTiles = "amx", true
	k.mulFew = amxMulFew
	k.packLeft, k.packLeftQ, k.mulTiles = amxPackLeft, amxPackLeftQ, amxMulTiles
	k.packRight, k.packRightAt, k.packRightT = amxPackRight, amxPackRightAt, amxPackRightT
	k.packPairsQ = amxPackPairsQ
	k.peakTiles = amxPeakTiles
	if cpu.X86.HasAMXInt8 {
		k.mulIntegers, k.mulLaid, k.layIntegers = amxMulIntegers, amxMulLaid, amxLayIntegers
		k.laidBlock[Int16] = amxInt16Block
	}
	return &k
}

func amxPackLeft(dst []uint16, a []float32, lda, m, k int) {
	kt, whole := (k+31)/32, k/32
	for i := 0; i < m; i += 16 {
		rows := min(16, m-i)
		tiles := dst[i/16*kt*512:][:kt*512]
		if rows < 16 {
			clear(tiles)
		}
		if whole > 0 {
			amxPackRows(&tiles[0], &a[i*lda], 4*lda, rows, whole)
		}
		switch k % 32 {
		case 0:
		case 16:
			amxPackHalf(&tiles[whole*512], &a[i*lda+32*whole], 4*lda, rows)
		default:
			packLeft(tiles[whole*512:], a[i*lda+32*whole:], lda, rows, k%32)
		}
	}
}

func amxPackLeftQ(dst []uint16, w []byte, t DType, order []int32, n, k int) {
	rb, step := t.RowBytes(k), TilesLen(16, k)
	s := claimScratch(16 * k)
	defer s.release()
	for i := 0; i < n; i += 16 {
		c := min(16, n-i)
		for r := range c {
			avx2Widen[t](s.buf[r*k:(r+1)*k], storedRow(w, order, rb, i+r))
		}
		amxPackLeft(dst[i/16*step:], s.buf, k, c, k)
	}
}

// amxMulFew takes the weights of common types from memory to the tiles in one
// loop, and packs all others first.
func amxMulFew(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int) {
	i := 0
	if k%32 == 0 && (t == Q4_1 || t == Q4_0 || t == Q8_0) {
		var rows [64]*byte
		s := claimScratch(1024)
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
		s.release()
	}
	for ; i < n; i += 64 {
		part, at, c := w, order, c[i*ldc:]
		if order != nil {
			at = order[i:]
		} else {
			part = w[i*t.RowBytes(k):]
		}
		rows := min(64, n-i)
		s := claimScratch(TilesLen(rows, k)/2 + 1)
		left := unsafe.Slice((*uint16)(unsafe.Pointer(&s.buf[0])), TilesLen(rows, k))
		amxPackLeftQ(left, part, t, at, rows, k)
		amxMulTiles(c, ldc, left, (k+31)/32, b, rows, 16, (k+31)/32, false)
		s.release()
	}
}

func amxPackRight(dst []uint16, b []float32, ldb, k, n int) {
	kt := (k + 31) / 32
	for p := 0; p < k; p += 32 {
		amxPackRightAt(dst, kt, p/32, b[p*ldb:], ldb, min(32, k-p), n)
	}
}

func amxPackRightAt(dst []uint16, kt, tp int, b []float32, ldb, rows, n int) {
	cols := n / 16
	if rows%2 != 0 {
		packRightAt(dst, kt, tp, b, ldb, rows, n)
		return
	}
	if cols > 0 {
		for r := 0; r < rows; r += 2 {
			amxPackPairs(&dst[tp*512+r*16], kt*1024, &b[r*ldb], &b[(r+1)*ldb], cols, &pairOrder[0])
		}
	}
	if rows < 32 {
		for j := range cols {
			clear(dst[(j*kt+tp)*512+rows*16 : (j*kt+tp+1)*512])
		}
	}
	if n > 16*cols {
		packRightAt(dst[cols*kt*512:], kt, tp, b[16*cols:], ldb, rows, n-16*cols)
	}
}

// amxPackPairsQ takes the weights of common types from memory to the tiles in one loop.
func amxPackPairsQ(dst []uint16, w []byte, t DType, order []int32, rb, b0, n, k int) bool {
	if k%32 != 0 || t != Q4_1 && t != Q4_0 && t != Q8_0 {
		return false
	}
	kt := k / 32
	var rows [32]*byte
	for p := range kt {
		for r := range rows {
			rows[r] = &storedRow(w, order, rb, 32*p+r)[b0]
		}
		switch t {
		case Q4_1:
			amxPairsQ4_1(&dst[p*512], kt*1024, &rows[0], 16, n/32, &pairOrder[0])
		case Q4_0:
			amxPairsQ4_0(&dst[p*512], kt*1024, &rows[0], 16, n/32, &pairOrder[0])
		case Q8_0:
			amxPairsQ8_0(&dst[p*512], kt*1024, &rows[0], 16, n/32, &pairOrder[0])
		}
	}
	return true
}

func amxPackRightT(dst []uint16, b []float32, ldb, n, k int) {
	kt := (k + 31) / 32
	for j := 0; j < n; j += 16 {
		rows := min(16, n-j)
		tiles := dst[j/16*kt*512:][:kt*512]
		if k%32 != 0 {
			packRightT(tiles, b[j*ldb:], ldb, rows, k)
			continue
		}
		amxPackTurned(&tiles[0], &b[j*ldb], 4*ldb, rows, kt)
	}
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
