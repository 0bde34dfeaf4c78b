//go:build (amd64 || arm64) && !purego

package kernel

// turnedLoop multiplies a fixed number of packed rows of x with turned blocks of a
// group of rows of W, and adds to what c has where add is not 0.
type turnedLoop func(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)

// turnedLoops are the loops of a kind that turn weights and multiply with them.
// Weights of a group of rows are turned, some hundred at a time, so that each lane of
// a vector has its own row, and are then multiplied with all rows of x: they are
// unpacked once for all of them. A turned block has 32 weights of each row and behind
// them two float32 of each: scales, and least weights or nothing, or the scales of
// the first and of the last 16.
type turnedLoops struct {
	group int // rows of W
	many  int // rows of x for which types with other loops are turned all the same
	// turn has for each type the loop that turns.
	turn [numDTypes]turnLoop
	// interleave are the loops that lay a group of rows out as Interleaved has it, and
	// turnInterleaved those that turn what they have laid out.
	interleave      [numDTypes]turnLoop
	turnInterleaved [numDTypes]turnLoop
	// counts are the numbers of rows of x that there are loops for, the first 1 and
	// the largest last, and loops those: loops[form][i] is for counts[i].
	counts []int
	loops  [3][]turnedLoop
	// pair are loops of pairRows rows of x and two groups of W, of which the second is
	// turned half of turnedBytes behind the first; nil where there are none.
	pair     [3]turnedLoop
	pairRows int
}

// What stands behind the weights of a turned block.
const (
	plainScale = iota
	leastWeight
	halfScales
)

// formOf is that of a type.
func formOf(t DType) int {
	switch t {
	case Q4_1, Q5_1, Q4_K, Q5_K:
		return leastWeight
	case Q6_K:
		return halfScales
	}
	return plainScale
}

// turnedBytes is the size of the blocks that are turned at a time, two super-blocks,
// which stay in the first-level cache, of most lanes.
const turnedBytes = 512 / 32 * 18 * 64

// mul is Integers.Mul with these loops.
func (l *turnedLoops) mul(s Integers, c []float32, ldc int, x []byte, w []byte, t DType, order []int32, m, n, k int) {
	rb := t.RowBytes(k)
	elems, size := t.Block()
	from := turnedFrom{turn: l.turn[t], form: formOf(t), elems: elems, block: size}
	room := claimScratch(turnedBytes/4 + m*l.group + (l.group*rb+3)/4)
	defer room.release() // also where the weights cannot be read any more
	turned, rest := bytesOf(room.buf[:turnedBytes/4]), room.buf[turnedBytes/4:]
	for j := 0; j < n; {
		if rows, stride := evenRun(order, rb, j, n, l.group); rows > 0 {
			at := j
			if order != nil {
				at = int(order[j])
			}
			from.w, from.stride = w[at*rb:], stride
			l.groups(&from, s, c[j:], ldc, x, m, rows, k, turned)
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
		from.w, from.stride = b, rb
		l.groups(&from, s, sum, l.group, x, m, l.group, k, turned)
		for i := range m {
			copy(c[i*ldc+j:i*ldc+j+rows], sum[i*l.group:])
		}
		j += rows
	}
}

// mulInterleaved is MulInterleaved with these loops.
func (l *turnedLoops) mulInterleaved(c []float32, ldc int, x, w []byte, t DType, m, n, k int) {
	room := claimScratch(turnedBytes / 4)
	defer room.release()
	_, size := t.Block()
	l.groups(&turnedFrom{w: w, turn: l.turnInterleaved[t], form: formOf(t), stride: t.RowBytes(k), elems: 32, block: size * l.group},
		Int16, c, ldc, x, m, n, k, bytesOf(room.buf))
}

// turnedFrom are groups of rows of W that are turned.
type turnedFrom struct {
	w      []byte
	turn   turnLoop
	form   int
	stride int // bytes from a row to the next, where rows lie by themselves
	elems  int // of a row in a block
	block  int // bytes from a block of a group to the next
}

// groups multiplies m rows of x with some groups of rows of W: group by group where
// rows of x are few, so that weights are read one after the other, and else for all
// groups a part of x, which stays in the second-level cache.
func (l *turnedLoops) groups(from *turnedFrom, s Integers, c []float32, ldc int, x []byte, m, rows, k int, turned []byte) {
	loops, pair, row := l.loops[from.form], l.pair[from.form], s.Len(1, k)
	span := l.group
	if m > l.counts[len(loops)-1] {
		span = rows
	}
	turn := func(dst []byte, g, p, part int) {
		from.turn(&dst[0], &from.w[g*from.stride+p/from.elems*from.block], from.stride, part/from.elems)
	}
	for j := 0; j < rows; j += span {
		for p := 0; p < k; p += 512 {
			part := min(512, k-p)
			at, add := s.Len(1, p), min(p, 1)
			for g := j; g < j+span; {
				i, groups := 0, 1
				turn(turned, g, p, part)
				if pair != nil && g+2*l.group <= j+span {
					groups = 2
					turn(turned[turnedBytes/2:], g+l.group, p, part)
					for ; m-i >= l.pairRows; i += l.pairRows {
						pair(&c[i*ldc+g], ldc, &x[i*row+at], row, &turned[0], part/32, add)
					}
				}
				for i < m {
					a := len(loops) - 1
					for l.counts[a] > m-i {
						a--
					}
					for b := range groups {
						loops[a](&c[i*ldc+g+b*l.group], ldc, &x[i*row+at], row, &turned[b*turnedBytes/2], part/32, add)
					}
					i += l.counts[a]
				}
				g += groups * l.group
			}
		}
	}
}
