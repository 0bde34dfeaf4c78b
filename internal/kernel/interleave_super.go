package kernel

import "encoding/binary"

// fillSuper is Fill for types whose weights are put together anew. Of a group, each
// super-block has
//
//	Q4_K  scale, minus the least scale; four times: of each of two blocks the six bits
//	      that multiply both, a byte each, then both blocks' weights as in the file
//	Q6_K  scale; for each block what multiplies it for the first and the last 16
//	      weights, a byte each, two words of upper bits, four of lower halves
//	Q5_0  scale, a word of fifth bits, four of lower halves
//
// each number of all rows of the group side by side. Words have four bytes. Lower halves
// of the weights 4g to 4g+3 of a block are the lower ones of word g, or from g = 4 on the
// upper ones of word g-4. Upper bits of the weights 4g to 4g+3 are those at 2g of the
// bytes of the first word, or at 2g-8 of the second, and fifth bits those at g. The
// topmost bit of a weight is turned round: with it a weight has a sign.
func (m *Interleaved) fillSuper(w []byte, order []int32, j0, n int) {
	rb := m.Type.RowBytes(m.K)
	elems, size := m.Type.Block()
	step := m.lanes * interleavedRow(m.Type, elems)
	for g := 0; g < n; g += m.lanes {
		dst := m.data[(j0+g)*m.row : (j0+g+m.lanes)*m.row]
		for r := range m.lanes {
			row := storedRow(w, order, rb, g+r)
			to := laneOf{dst, r, m.lanes}
			for at := 0; at < len(row); at += size {
				block := row[at : at+size]
				switch m.Type {
				case Q4_K:
					to.fillQ4K(block)
				case Q6_K:
					to.fillQ6K(block)
				case Q5_0:
					to.fillQ5_0(block)
				}
				to.dst = to.dst[step:]
			}
		}
	}
}

// laneOf is where the numbers of row r of a group of so many go.
type laneOf struct {
	dst      []byte
	r, lanes int
}

// byte, half and word put a number of that size that stands so many bytes of a row
// behind the begin.
func (l *laneOf) byte(at int, v byte) { l.dst[at*l.lanes+l.r] = v }

func (l *laneOf) half(at int, v uint16) {
	binary.LittleEndian.PutUint16(l.dst[at*l.lanes+2*l.r:], v)
}

func (l *laneOf) word(at int, v uint32) {
	binary.LittleEndian.PutUint32(l.dst[at*l.lanes+4*l.r:], v)
}

const lowHalves = 0x0f0f0f0f

func (l *laneOf) fillQ4K(src []byte) {
	l.half(0, binary.LittleEndian.Uint16(src))
	l.half(2, binary.LittleEndian.Uint16(src[2:])^0x8000)
	for j := range 4 {
		at := 4 + 36*j
		for b := range 2 {
			scale, least := scaleMin(src[4:16], 2*j+b)
			l.byte(at+2*b, byte(scale))
			l.byte(at+2*b+1, byte(least))
		}
		for g := range 8 {
			l.word(at+4+4*g, binary.LittleEndian.Uint32(src[16+32*j+4*g:]))
		}
	}
}

func (l *laneOf) fillQ6K(src []byte) {
	l.half(0, binary.LittleEndian.Uint16(src[208:]))
	for b := range 8 {
		at, half, n := 2+26*b, b/4, b%4
		l.byte(at, src[192+2*b])
		l.byte(at+1, src[193+2*b])
		low, high := src[64*half+n%2*32:], src[128+32*half:]
		for h := range 2 {
			upper := uint32(0)
			for g := range 4 {
				upper |= binary.LittleEndian.Uint32(high[16*h+4*g:]) >> (2 * n) & 0x03030303 << (2 * g)
			}
			l.word(at+2+4*h, upper^0xaaaaaaaa)
		}
		for g := range 4 {
			first, last := binary.LittleEndian.Uint32(low[4*g:])>>(n/2*4), binary.LittleEndian.Uint32(low[16+4*g:])>>(n/2*4)
			l.word(at+10+4*g, first&lowHalves|last&lowHalves<<4)
		}
	}
}

// spread are four bits, each the lowest of a byte.
var spread = func() (t [16]uint32) {
	for i := range t {
		for b := range 4 {
			t[i] |= uint32(i>>b&1) << (8 * b)
		}
	}
	return t
}()

func (l *laneOf) fillQ5_0(src []byte) {
	l.half(0, binary.LittleEndian.Uint16(src))
	bits, fifths := binary.LittleEndian.Uint32(src[2:]), uint32(0)
	for g := range 8 {
		fifths |= spread[bits>>(4*g)&15] << g
	}
	l.word(2, ^fifths)
	for g := range 4 {
		l.word(6+4*g, binary.LittleEndian.Uint32(src[6+4*g:]))
	}
}
