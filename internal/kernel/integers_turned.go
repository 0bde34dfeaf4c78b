//go:build (amd64 || arm64) && !purego

package kernel

// turnedLoop multiplies a fixed number of packed rows of x with turned blocks of a
// group of rows of W, and adds to what c has where add is not 0.
type turnedLoop func(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)

// turnedLoops are the loops of a kind for types with super-blocks of 256 weights.
// Weights of a group of rows are turned, some super-blocks at a time, so that each
// lane of a vector has its own row, and are then multiplied with all rows of x: they
// are unpacked once for all of them. A turned block has 32 weights of each row and
// behind them two float32 of each: scales and least weights, or the scales of the
// first and of the last 16.
type turnedLoops struct {
	group int // rows of W
	turn  [numDTypes]func(dst, w *byte, stride, blocks int)
	// counts are the numbers of rows of x that there are loops for, the first 1 and
	// the largest last.
	counts []int
	least  []turnedLoop // least[i] is for counts[i] rows of x
	halves []turnedLoop // the same, with two scales
}

const (
	superBlock    = 256             // weights
	turnedSupers  = 2               // super-blocks that are turned at a time: what they become stays in the first-level cache
	turnedLargest = 18 * 64         // bytes of a turned block, at the most
	perSuper      = superBlock / 32 // blocks
)

// mul is Integers.Mul with these loops.
func (l *turnedLoops) mul(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int) {
	rb := t.RowBytes(k)
	room := claimScratch(turnedSupers*perSuper*turnedLargest/4 + m*l.group + (l.group*rb+3)/4)
	defer room.release() // also where the weights cannot be read any more
	turned, rest := bytesOf(room.buf[:turnedSupers*perSuper*turnedLargest/4]), room.buf[turnedSupers*perSuper*turnedLargest/4:]
	for j := 0; j < n; {
		if rows, stride := evenRun(order, rb, j, n, l.group); rows > 0 {
			at := j
			if order != nil {
				at = int(order[j])
			}
			for g := 0; g < rows; g += l.group {
				l.one(s, c[j+g:], ldc, x, w[at*rb+g*stride:], t, stride, m, k, turned)
			}
			j += rows
			continue
		}
		// Rows that make no whole group, or lie anywhere, are copied together, and
		// rows of zeros fill up the group.
		rows := min(l.group, n-j)
		sum, b := rest[:m*l.group], bytesOf(rest[m*l.group:])[:l.group*rb]
		for r := range rows {
			copy(b[r*rb:(r+1)*rb], storedRow(w, order, rb, j+r))
		}
		clear(b[rows*rb:])
		l.one(s, sum, l.group, x, b, t, rb, m, k, turned)
		for i := range m {
			copy(c[i*ldc+j:i*ldc+j+rows], sum[i*l.group:])
		}
		j += rows
	}
}

// one multiplies m rows of x with a group of rows of w that lie stride bytes apart.
func (l *turnedLoops) one(s Integers, c []float32, ldc int, x, w []byte, t DType, stride, m, k int, turned []byte) {
	loops, row := l.least, s.Len(1, k)
	if t == Q6_K {
		loops = l.halves
	}
	supers := k / superBlock
	_, size := t.Block()
	for b := 0; b < supers; b += turnedSupers {
		part := min(turnedSupers, supers-b)
		l.turn[t](&turned[0], &w[b*size], stride, part)
		at := s.Len(1, b*superBlock)
		add := min(b, 1)
		for i := 0; i < m; {
			a := len(loops) - 1
			for l.counts[a] > m-i {
				a--
			}
			loops[a](&c[i*ldc], ldc, &x[i*row+at], row, &turned[0], part*perSuper, add)
			i += l.counts[a]
		}
	}
}
