//go:build (amd64 || arm64) && !purego

package kernel

// integerLoop multiplies a fixed number of packed rows with groups of rows of W. While
// it does it may ask for the memory behind them, and for what is then bytes farther
// in place of what is rest bytes and more behind w.
type integerLoop func(c *float32, ldc int, x *byte, ldx int, w *byte, stride, blocks, groups int, rest, then uintptr)

// integerLoops are the loops of a kind: how many rows of W make a group, the
// numbers of rows of x that there are loops for, the first 1 and the largest last,
// and the loops.
type integerLoops struct {
	group  int
	counts []int
	rows   [numIntegers][numDTypes][]integerLoop // rows[s][t][i] is for counts[i] rows of x
	turned *turnedLoops                          // of Int16, for other types and for many rows
	// interleaved are those of Int16 for weights that lie as Interleaved has them; nil
	// where there are none.
	interleaved [numDTypes][]integerLoop
}

// integersMost is the largest number of rows of x, and integersGroup that of W.
const (
	integersMost  = 8
	integersGroup = 16
)

// packer wraps a loop that packs blocks.
func packer(loop func(dst *byte, x *float32, blocks int)) func([]byte, []float32) {
	return func(dst []byte, x []float32) {
		if len(x) >= 32 {
			loop(&dst[0], &x[0], len(x)/32)
		}
	}
}

// mul is Integers.Mul with these loops.
func (l *integerLoops) mul(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int) {
	l.mulAhead(s, c, ldc, x, w, t, order, m, n, k, allBehind, 0)
}

// mulAhead is mul with the rest of w and what comes then, as integerLoop has them.
func (l *integerLoops) mulAhead(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int, rest, then uintptr) {
	if loops := l.rows[s][t]; loops == nil || s == Int16 && m >= l.turned.many && l.turned.turn[t] != nil {
		l.turned.mul(s, c, ldc, x, w, t, order, m, n, k)
		return
	}
	rb := t.RowBytes(k)
	for j := 0; j < n; {
		if rows, stride := evenRun(order, rb, j, n, l.group); rows > 0 {
			at := j
			if order != nil {
				at = int(order[j])
			}
			l.groups(l.rows[s][t], s, c[j:], ldc, x, w[at*rb:], stride, m, rows/l.group, k, rest-uintptr(at*rb), then)
			j += rows
			continue
		}
		rows := min(l.group, n-j)
		l.copied(s, c[j:], ldc, x, w, t, order, j, m, rows, k)
		j += rows
	}
}

// mulInterleaved is MulInterleaved with these loops.
func (l *integerLoops) mulInterleaved(c []float32, ldc int, x, w []byte, t DType, m, n, k int, rest, then uintptr) {
	if m >= l.turned.many && l.turned.turnInterleaved[t] != nil {
		l.turned.mulInterleaved(c, ldc, x, w, t, m, n, k)
		return
	}
	l.groups(l.interleaved[t], Int16, c, ldc, x, w, interleavedRow(t, k), m, n/l.group, k, rest, then)
}

// copied multiplies with rows from row j on that make no whole group, or lie
// anywhere: they are copied together, and rows of zeros fill up the group.
func (l *integerLoops) copied(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, j, m, rows, k int) {
	rb, row := t.RowBytes(k), s.Len(1, k)
	room := claimScratch(integersMost*integersGroup + (l.group*rb+3)/4)
	defer room.release() // also where the weights cannot be read any more
	sum, b := room.buf[:integersMost*integersGroup], bytesOf(room.buf[integersMost*integersGroup:])[:l.group*rb]
	for r := range rows {
		copy(b[r*rb:(r+1)*rb], storedRow(w, order, rb, j+r))
	}
	clear(b[rows*rb:])
	for i := 0; i < m; i += integersMost {
		mr := min(integersMost, m-i)
		l.groups(l.rows[s][t], s, sum, l.group, x[i*row:], b, rb, mr, 1, k, allBehind, 0)
		for r := range mr {
			copy(c[(i+r)*ldc:(i+r)*ldc+rows], sum[r*l.group:])
		}
	}
}

// groups multiplies m rows of x with groups of rows of w, of stride bytes a row, as
// the loops have them: some rows of x with some groups at a time, so that what is read
// again is in the first-level cache.
func (l *integerLoops) groups(loops []integerLoop, s Integers, c []float32, ldc int, x []byte, w []byte, stride, m, groups, k int, rest, then uintptr) {
	row := s.Len(1, k)
	step := groups
	if m > l.counts[len(loops)-1] {
		step = 1
	}
	for g := 0; g < groups; g += step {
		part := w[g*l.group*stride:]
		for i := 0; i < m; {
			a := len(loops) - 1
			for l.counts[a] > m-i {
				a--
			}
			loops[a](&c[i*ldc+g*l.group], ldc, &x[i*row], row, &part[0], stride, k/32, step, rest-uintptr(g*l.group*stride), then)
			i += l.counts[a]
		}
	}
}
