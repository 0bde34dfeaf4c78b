//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// The AVX-512 BF16 kind multiplies packed operands of bfloat16 with VDPBF16PS, two
// products a lane, and takes all else from the AVX-512 kind. The tiles of AMX are
// packed by the same loops.

//go:noescape
func bf16Dots2(c *float32, ldc int, a *uint16, aRow int, b *uint16, bCol, kt, blocks int, add bool)

//go:noescape
func bf16Dots1(c *float32, ldc int, a *uint16, aRow int, b *uint16, bCol, kt, blocks int, add bool)

//go:noescape
func bf16Peak(iterations int)

func vendor() uint32

// pairChunk is the most tiles of k that pass over all rows of A in one go: two columns
// of them on the right stay in the first-level cache.
const pairChunk = 10

func hasBF16() bool { return cpu.X86.HasAVX512BF16 && cpu.X86.HasAVX512VBMI }

// fastBF16 says whether VDPBF16PS makes more products than the float32 of the same
// machine: those of AMD since Zen 4 make twice as many, those of Intel fewer.
func fastBF16() bool {
	const authenticAMD, hygonGenuine = 0x68747541, 0x6f677948
	v := vendor()
	return v == authenticAMD || v == hygonGenuine
}

func bf16Kind() *kind {
	k := *avx512Kind()
	k.name, k.fastTiles = "avx512bf16", true
	k.mulFew, k.mulTiles = bf16MulFew, bf16MulTiles
	k.packLeft, k.packLeftQ = bf16PackLeft, bf16PackLeftQ
	k.packRight, k.packRightAt, k.packRightT = bf16PackRight, bf16PackRightAt, bf16PackRightT
	k.packPairsQ, k.packTurnedQ = bf16PackPairsQ, bf16PackTurnedQ
	k.peakTiles = func(iterations int) (flops int) {
		bf16Peak(iterations)
		return iterations * 12 * 4 * 16
	}
	return &k
}

func bf16MulTiles(c []float32, ldc int, a []uint16, ka int, b []uint16, m, n, kt int, add bool) {
	parts := (kt + pairChunk - 1) / pairChunk
	chunk := (kt + parts - 1) / parts
	stepA, stepB := ka*512, kt*512
	for p := 0; p < kt; p += chunk {
		kc := min(chunk, kt-p)
		add := add || p > 0
		a, b := a[p*512:], b[p*512:]
		for j := 0; j < n; {
			i := m &^ 15
			cols := min(32, n-j)
			switch b := b[j/16*stepB:]; {
			case cols == 32 && i > 0:
				bf16Dots2(&c[j], 4*ldc, &a[0], 2*stepA, &b[0], 2*stepB, kc, i/16, add)
			case cols >= 16 && i > 0:
				cols = 16
				bf16Dots1(&c[j], 4*ldc, &a[0], 2*stepA, &b[0], 0, kc, i/16, add)
			default:
				cols = min(16, n-j)
				if cols < 16 {
					i = 0
				}
			}
			for ; i < m; i += 16 {
				for jj := j; jj < j+cols; jj += 16 {
					bf16MulTile(c[i*ldc+jj:], ldc, a[i/16*stepA:], b[jj/16*stepB:], min(16, m-i), min(16, n-jj), kc, add)
				}
			}
			j += cols
		}
	}
}

// bf16MulTile does one tile of C, of which only rows by cols are there.
func bf16MulTile(c []float32, ldc int, a, b []uint16, rows, cols, kt int, add bool) {
	if rows == 16 && cols == 16 {
		bf16Dots1(&c[0], 4*ldc, &a[0], 1024, &b[0], 0, kt, 1, add)
		return
	}
	var part [256]float32
	if add {
		for r := range rows {
			copy(part[16*r:], c[r*ldc:r*ldc+cols])
		}
	}
	bf16Dots1(&part[0], 64, &a[0], 1024, &b[0], 0, kt, 1, add)
	for r := range rows {
		copy(c[r*ldc:r*ldc+cols], part[16*r:])
	}
}

// bf16MulFew packs the weights first.
func bf16MulFew(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int) {
	mulFewPacked(c, ldc, w, t, order, b, n, k, bf16MulTiles)
}

// mulFewPacked is MulFew over weights that are packed 64 rows at a time.
func mulFewPacked(c []float32, ldc int, w []byte, t DType, order []int32, b []uint16, n, k int, mul func(c []float32, ldc int, a []uint16, ka int, b []uint16, m, n, kt int, add bool)) {
	for i := 0; i < n; i += 64 {
		part, at, c := w, order, c[i*ldc:]
		if order != nil {
			at = order[i:]
		} else {
			part = w[i*t.RowBytes(k):]
		}
		rows := min(64, n-i)
		func() {
			s := claimScratch(TilesLen(rows, k)/2 + 1)
			defer s.release() // also where the file of the weights is gone
			left := unsafe.Slice((*uint16)(unsafe.Pointer(&s.buf[0])), TilesLen(rows, k))
			bf16PackLeftQ(left, part, t, at, rows, k)
			mul(c, ldc, left, (k+31)/32, b, rows, 16, (k+31)/32, false)
		}()
	}
}
