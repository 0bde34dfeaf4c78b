//go:build !purego

package kernel

//go:noescape
func bf16PackRows(dst *uint16, src *float32, lds, rows, kt int)

//go:noescape
func bf16PackHalf(dst *uint16, src *float32, lds, rows int)

//go:noescape
func bf16PackTurned(dst *uint16, src *float32, lds, rows, kt int)

//go:noescape
func bf16PackPairs(dst *uint16, tile int, even, odd *float32, cols int, order *uint16)

//go:noescape
func bf16PairsQ4_1(dst *uint16, tile int, rows **byte, pairs, blocks int, order *uint16)

//go:noescape
func bf16PairsQ4_0(dst *uint16, tile int, rows **byte, pairs, blocks int, order *uint16)

//go:noescape
func bf16PairsQ8_0(dst *uint16, tile int, rows **byte, pairs, blocks int, order *uint16)

//go:noescape
func bf16TurnedQ4_1(dst *uint16, rows **byte, blocks int)

//go:noescape
func bf16TurnedQ4_0(dst *uint16, rows **byte, blocks int)

//go:noescape
func bf16TurnedQ8_0(dst *uint16, rows **byte, blocks int)

// pairOrder weaves the halves of a vector of 32 words.
var pairOrder = func() (o [32]uint16) {
	for i := range 16 {
		o[2*i], o[2*i+1] = uint16(i), uint16(16+i)
	}
	return o
}()

func bf16PackLeft(dst []uint16, a []float32, lda, m, k int) {
	kt, whole := (k+31)/32, k/32
	for i := 0; i < m; i += 16 {
		rows := min(16, m-i)
		tiles := dst[i/16*kt*512:][:kt*512]
		if rows < 16 {
			clear(tiles)
		}
		if whole > 0 {
			bf16PackRows(&tiles[0], &a[i*lda], 4*lda, rows, whole)
		}
		switch k % 32 {
		case 0:
		case 16:
			bf16PackHalf(&tiles[whole*512], &a[i*lda+32*whole], 4*lda, rows)
		default:
			packLeft(tiles[whole*512:], a[i*lda+32*whole:], lda, rows, k%32)
		}
	}
}

func bf16PackLeftQ(dst []uint16, w []byte, t DType, order []int32, n, k int) {
	rb, step := t.RowBytes(k), TilesLen(16, k)
	s := claimScratch(16 * k)
	defer s.release()
	for i := 0; i < n; i += 16 {
		c := min(16, n-i)
		for r := range c {
			avx2Widen[t](s.buf[r*k:(r+1)*k], storedRow(w, order, rb, i+r))
		}
		bf16PackLeft(dst[i/16*step:], s.buf, k, c, k)
	}
}

func bf16PackRight(dst []uint16, b []float32, ldb, k, n int) {
	kt := (k + 31) / 32
	for p := 0; p < k; p += 32 {
		bf16PackRightAt(dst, kt, p/32, b[p*ldb:], ldb, min(32, k-p), n)
	}
}

func bf16PackRightAt(dst []uint16, kt, tp int, b []float32, ldb, rows, n int) {
	cols := n / 16
	if rows%2 != 0 {
		packRightAt(dst, kt, tp, b, ldb, rows, n)
		return
	}
	if cols > 0 {
		for r := 0; r < rows; r += 2 {
			bf16PackPairs(&dst[tp*512+r*16], kt*1024, &b[r*ldb], &b[(r+1)*ldb], cols, &pairOrder[0])
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

// bf16PackPairsQ takes the weights of common types from memory to the tiles in one loop.
func bf16PackPairsQ(dst []uint16, w []byte, t DType, order []int32, rb, b0, n, k int) bool {
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
			bf16PairsQ4_1(&dst[p*512], kt*1024, &rows[0], 16, n/32, &pairOrder[0])
		case Q4_0:
			bf16PairsQ4_0(&dst[p*512], kt*1024, &rows[0], 16, n/32, &pairOrder[0])
		case Q8_0:
			bf16PairsQ8_0(&dst[p*512], kt*1024, &rows[0], 16, n/32, &pairOrder[0])
		}
	}
	return true
}

// bf16PackTurnedQ is bf16PackPairsQ for rows of W that become columns.
func bf16PackTurnedQ(dst []uint16, w []byte, t DType, order []int32, rb, n, k int) bool {
	if n%16 != 0 || k%32 != 0 || t != Q4_1 && t != Q4_0 && t != Q8_0 {
		return false
	}
	var rows [16]*byte
	for j := 0; j < n; j += 16 {
		for r := range rows {
			rows[r] = &storedRow(w, order, rb, j+r)[0]
		}
		tiles := &dst[j*k]
		switch t {
		case Q4_1:
			bf16TurnedQ4_1(tiles, &rows[0], k/32)
		case Q4_0:
			bf16TurnedQ4_0(tiles, &rows[0], k/32)
		case Q8_0:
			bf16TurnedQ8_0(tiles, &rows[0], k/32)
		}
	}
	return true
}

func bf16PackRightT(dst []uint16, b []float32, ldb, n, k int) {
	kt := (k + 31) / 32
	for j := 0; j < n; j += 16 {
		rows := min(16, n-j)
		tiles := dst[j/16*kt*512:][:kt*512]
		if k%32 != 0 {
			packRightT(tiles, b[j*ldb:], ldb, rows, k)
			continue
		}
		bf16PackTurned(&tiles[0], &b[j*ldb], 4*ldb, rows, kt)
	}
}
