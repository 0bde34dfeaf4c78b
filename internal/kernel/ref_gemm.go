package kernel

// dot has the tree of MulNT: chunks by len(a), lanes by index mod 8.
func dot(a, b []float32) float32 {
	k := len(a)
	b = b[:k]
	chunk := chunkOf(k)
	var sum float32
	for p := 0; p < k; p += chunk {
		e := min(p+chunk, k)
		sum += dotChunk(a[p:e], b[p:e])
	}
	return sum
}

func dotChunk(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= 8 && len(b) >= 8 {
		x, y := a[:8], b[:8]
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		s4 += x[4] * y[4]
		s5 += x[5] * y[5]
		s6 += x[6] * y[6]
		s7 += x[7] * y[7]
		a, b = a[8:], b[8:]
	}
	if len(a) > 0 {
		lanes := [8]float32{s0, s1, s2, s3, s4, s5, s6, s7}
		for i, x := range a {
			lanes[i] += x * b[i]
		}
		return sumLanes(&lanes)
	}
	return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}

// sumLanes is the last step of every reduction over eight lanes.
func sumLanes(l *[8]float32) float32 {
	return ((l[0] + l[1]) + (l[2] + l[3])) + ((l[4] + l[5]) + (l[6] + l[7]))
}

func mulNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	// A block of B's rows stays in the cache while A passes over it.
	const block = 16
	for j0 := 0; j0 < n; j0 += block {
		j1 := min(j0+block, n)
		for i := range m {
			row := a[i*lda : i*lda+k]
			for j := j0; j < j1; j++ {
				c[i*ldc+j] = dot(row, b[j*ldb:j*ldb+k])
			}
		}
	}
}

func addOuter(c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, m, n, k int) {
	const block = 32 // rows of B that stay in the cache while A passes over them
	for p0 := 0; p0 < k; p0 += block {
		p1 := min(p0+block, k)
		for i := range m {
			row := c[i*ldc : i*ldc+n]
			p := p0
			for ; p+4 <= p1; p += 4 {
				a0, a1 := a[i*rs+p*cs], a[i*rs+(p+1)*cs]
				a2, a3 := a[i*rs+(p+2)*cs], a[i*rs+(p+3)*cs]
				b0, b1 := b[p*ldb:p*ldb+n], b[(p+1)*ldb:(p+1)*ldb+n]
				b2, b3 := b[(p+2)*ldb:(p+2)*ldb+n], b[(p+3)*ldb:(p+3)*ldb+n]
				for j, s := range row {
					s += a0 * b0[j]
					s += a1 * b1[j]
					s += a2 * b2[j]
					s += a3 * b3[j]
					row[j] = s
				}
			}
			for ; p < p1; p++ {
				a0 := a[i*rs+p*cs]
				b0 := b[p*ldb : p*ldb+n]
				for j, s := range row {
					s += a0 * b0[j]
					row[j] = s
				}
			}
		}
	}
}

// mulNTQ widens four rows of W at a time; the reference uses it for MulQ too.
func mulNTQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	const rows = 4
	s := claimScratch(rows * k)
	defer s.release()
	rb := t.RowBytes(k)
	for j := 0; j < n; j += rows {
		nr := min(rows, n-j)
		for r := range nr {
			widenRef[t](s.buf[r*k:(r+1)*k], storedRow(w, order, rb, j+r))
		}
		mulNT(c[j:], ldc, a, lda, s.buf, k, m, nr, k)
	}
}

// addNNQ widens 32 rows of W at a time.
func addNNQ(c []float32, ldc int, a []float32, lda int, w []byte, t DType, order []int32, m, n, k int) {
	const rows = 32
	s := claimScratch(rows * n)
	defer s.release()
	rb := t.RowBytes(n)
	for p := 0; p < k; p += rows {
		nr := min(rows, k-p)
		for r := range nr {
			widenRef[t](s.buf[r*n:(r+1)*n], storedRow(w, order, rb, p+r))
		}
		addOuter(c, ldc, a[p:], lda, 1, s.buf, n, m, n, nr)
	}
}
