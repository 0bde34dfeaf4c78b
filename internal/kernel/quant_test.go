package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func allTypes() []DType {
	var ts []DType
	for t := range numDTypes {
		ts = append(ts, t)
	}
	return ts
}

// scaleAt is where in a block the binary16 scales stand.
var scaleAt = map[DType][]int{
	Q4_0: {0}, Q4_1: {0, 2}, Q5_0: {0}, Q5_1: {0, 2}, Q8_0: {0}, Q4_K: {0, 2}, Q5_K: {0, 2}, Q6_K: {208},
}

// randQuant is n elements of type t: random bits with scales of either sign and
// ordinary size, some of them subnormal or zero.
func randQuant(r *rand.Rand, t DType, n int) []byte {
	_, size := t.Block()
	w := make([]byte, t.RowBytes(n))
	for i := range w {
		w[i] = byte(r.Uint32())
	}
	for i := range n {
		switch t {
		case F32:
			binary.LittleEndian.PutUint32(w[4*i:], math.Float32bits(float32(r.NormFloat64())))
		case F16:
			binary.LittleEndian.PutUint16(w[2*i:], uint16(r.IntN(0x4800))|uint16(r.IntN(2))<<15)
		case BF16:
			binary.LittleEndian.PutUint16(w[2*i:], uint16(math.Float32bits(float32(r.NormFloat64()))>>16))
		}
	}
	for at := 0; at < len(w); at += size {
		for _, s := range scaleAt[t] {
			binary.LittleEndian.PutUint16(w[at+s:], uint16(r.IntN(0x3c00))|uint16(r.IntN(2))<<15)
		}
	}
	return w
}

// half reads a binary16 by its definition.
func half(b []byte) float64 {
	h := binary.LittleEndian.Uint16(b)
	sign := 1.0
	if h>>15 == 1 {
		sign = -1
	}
	exp, frac := int(h>>10&31), float64(h&1023)
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// slowWiden is element i of w, element by element and in float64, where every
// type's arithmetic is exact, rounded once.
func slowWiden(t DType, w []byte, i int) float32 {
	elems, size := t.Block()
	b, e := w[i/elems*size:], i%elems
	nibble := func(q []byte, e int) int { // of 32 in 16 bytes
		return int(q[e%16] >> (e / 16 * 4) & 15)
	}
	bit := func(q []byte, e int) int { return int(q[e/8]>>(e%8)) & 1 }
	// The K types: sub-block e/32 of eight has six bits each of scale and minimum.
	sixBits := func(s []byte, j int) (float64, float64) {
		var scales, mins [8]int
		for k := range 4 {
			scales[k], mins[k] = int(s[k]&63), int(s[k+4]&63)
			scales[k+4] = int(s[k+8]&15) + int(s[k]>>6)*16
			mins[k+4] = int(s[k+8]>>4) + int(s[k+4]>>6)*16
		}
		return float64(scales[j]), float64(mins[j])
	}
	nibble64 := func(q []byte, e int) int { // 64 in 32 bytes, low halves first
		return int(q[e/64*32+e%32] >> (e % 64 / 32 * 4) & 15)
	}
	switch t {
	case F32:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case F16:
		return float32(half(b))
	case BF16:
		return math.Float32frombits(uint32(b[1])<<24 | uint32(b[0])<<16)
	case Q4_0:
		return float32(half(b) * float64(nibble(b[2:], e)-8))
	case Q4_1:
		return float32(half(b)*float64(nibble(b[4:], e)) + half(b[2:]))
	case Q5_0:
		return float32(half(b) * float64(nibble(b[6:], e)+16*bit(b[2:], e)-16))
	case Q5_1:
		return float32(half(b)*float64(nibble(b[8:], e)+16*bit(b[4:], e)) + half(b[2:]))
	case Q8_0:
		return float32(half(b) * float64(int8(b[2+e])))
	case Q4_K:
		s, m := sixBits(b[4:], e/32)
		return float32(half(b)*s*float64(nibble64(b[16:], e)) - half(b[2:])*m)
	case Q5_K:
		s, m := sixBits(b[4:], e/32)
		q := nibble64(b[48:], e) + int(b[16+e%32]>>(e/32)&1)*16
		return float32(half(b)*s*float64(q) - half(b[2:])*m)
	case Q6_K:
		in := e % 128
		lo := int(b[e/128*64+in%64] >> (in / 64 * 4) & 15)
		hi := int(b[128+e/128*32+in%32] >> (in / 32 * 2) & 3)
		return float32(half(b[208:]) * float64(int8(b[192+e/16])) * float64(lo+16*hi-32))
	}
	panic(t)
}

func TestWiden(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(11)
		for _, typ := range allTypes() {
			elems, _ := typ.Block()
			for _, blocks := range []int{0, 1, 2, 3, 7, 31, 33, 40} {
				n := blocks * elems
				src := append(make([]byte, 1), randQuant(r, typ, n)...)[1:] // odd address
				dst := randVec(r, n)
				Widen(dst.x, src, typ)
				dst.check(t, typ.String())
				for i, got := range dst.x {
					if want := slowWiden(typ, src, i); !sameBits(got, want) && !(got == 0 && want == 0) {
						t.Fatalf("%v of %d: element %d = %v, want %v", typ, n, i, got, want)
					}
				}
			}
		}
	})
}

// TestWidenF16 knows all 65,536 of them, TestNarrowF16 that they come back.
func TestWidenF16(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		src := make([]byte, 2<<16)
		for i := range 1 << 16 {
			binary.LittleEndian.PutUint16(src[2*i:], uint16(i))
		}
		dst := make([]float32, 1<<16)
		Widen(dst, src, F16)
		for i, got := range dst {
			want := float32(half(src[2*i:]))
			if !sameBits(got, want) && !(got != got && want != want) {
				t.Fatalf("binary16 %#04x = %v, want %v", i, got, want)
			}
		}
		back := make([]byte, len(src))
		NarrowF16(back, dst)
		for i := range 1 << 16 {
			got := binary.LittleEndian.Uint16(back[2*i:])
			if isNaN := i&0x7fff > 0x7c00; got != uint16(i) && !(isNaN && got&0x7fff > 0x7c00) {
				t.Fatalf("binary16 %#04x came back as %#04x", i, got)
			}
		}
	})
}

func TestNarrowF16(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(12)
		for _, n := range sizes() {
			src := newGuarded(n, 1)
			for i := range src.x {
				src.x[i] = math.Float32frombits(0x32800000 + r.Uint32N(0x15800000) | r.Uint32()<<31) // 2^-26 to 2^17
				if r.IntN(3) == 0 {                                                                  // ties and their neighbours
					src.x[i] = math.Float32frombits(math.Float32bits(src.x[i])&^0x1fff | 0x1000 + uint32(r.IntN(3)) - 1)
				}
			}
			dst := make([]byte, 2*n+4)
			dst[0], dst[1], dst[2*n+2], dst[2*n+3] = 1, 2, 3, 4
			NarrowF16(dst[2:2*n+2], src.x)
			if dst[0] != 1 || dst[1] != 2 || dst[2*n+2] != 3 || dst[2*n+3] != 4 {
				t.Fatalf("n=%d: wrote outside", n)
			}
			for i, v := range src.x {
				got := half(dst[2+2*i:])
				h := binary.LittleEndian.Uint16(dst[2+2*i:])
				step := func(d int) float64 {
					var b [2]byte
					binary.LittleEndian.PutUint16(b[:], uint16(int(h)+d))
					x := half(b[:])
					if math.IsInf(x, 0) { // counts as the number it would be
						x = math.Copysign(65536, x)
					}
					return x
				}
				if h&0x7fff == 0x7c00 {
					got = step(0)
				}
				d := math.Abs(got - float64(v))
				if h&0x7fff == 0x7c00 && math.Abs(float64(v)) >= 65520 {
					continue
				}
				for _, n := range []int{-1, 1} {
					if h&0x7fff == 0 && n < 0 || h&0x7fff == 0x7c00 && n > 0 {
						continue
					}
					other := math.Abs(step(n) - float64(v))
					if other < d || other == d && h&1 == 1 {
						t.Fatalf("%v became %v (%#04x), %v is nearer", v, got, h, step(n))
					}
				}
			}
		}
	})
}

// shuffled is a random order of rows, some of them twice.
func shuffled(r *rand.Rand, rows, stored int) []int32 {
	order := make([]int32, rows)
	for i := range order {
		order[i] = int32(r.IntN(stored))
	}
	return order
}

// widenRows is w [rows, cols] in float32, its rows by order.
func widenRows(w []byte, t DType, order []int32, rows, cols int) []float32 {
	f := make([]float32, rows*cols)
	for i := range rows {
		Widen(f[i*cols:(i+1)*cols], storedRow(w, order, t.RowBytes(cols), i), t)
	}
	return f
}

// TestMulQ holds MulQ and MulNTQ to the bits of Widen and MulNT, whatever the
// number of rows, and with them everything TestMulNT says.
func TestMulQ(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(13)
		for _, typ := range allTypes() {
			elems, _ := typ.Block()
			for m := 1; m <= 13; m++ {
				n := 1 + r.IntN(70)
				k := elems * (1 + r.IntN(2200)/elems)
				if elems == 1 && r.IntN(2) == 0 {
					k = k/32*32 + 32
				}
				if m == 3 {
					n, k = 4, 32*elems
				}
				if m == 4 { // rows too long for the scratch there is
					n, k = 5, 129*256
				}
				stored := n + 3
				w := append(make([]byte, 1), randQuant(r, typ, stored*k)...)[r.IntN(2):]
				w = w[len(w)-typ.RowBytes(stored*k):]
				for _, order := range [][]int32{nil, shuffled(r, n, stored)} {
					what := fmt.Sprintf("%v m=%d n=%d k=%d order %v", typ, m, n, k, order != nil)
					ldc, lda := ld(r, n), ld(r, k)
					a := randMat(r, m, k, lda)
					want := make([]float32, m*n)
					MulNT(want, n, a.x, lda, widenRows(w, typ, order, n, k), k, m, n, k)
					for name, mul := range map[string]func([]float32, int, []float32, int, []byte, DType, []int32, int, int, int){"MulQ": MulQ, "MulNTQ": MulNTQ} {
						c := randMat(r, m, n, ldc)
						mul(c.x, ldc, a.x, lda, w, typ, order, m, n, k)
						c.checkGaps(t, name+" "+what, m, n, ldc)
						for i := range m {
							for j := range n {
								if got := c.x[i*ldc+j]; !sameBits(got, want[i*n+j]) {
									t.Fatalf("%s %s: c[%d,%d] = %v, Widen and MulNT give %v", name, what, i, j, got, want[i*n+j])
								}
							}
						}
					}
				}
			}
		}
	})
}

// TestMulQZeros has products that vanish from below: the sign of their sums is that of
// Widen and MulNT, whatever the number of rows and of chunks.
func TestMulQZeros(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		for _, typ := range allTypes() {
			w := map[DType][]byte{
				F32: {1, 0, 0, 0}, F16: {1, 0}, BF16: {1, 0},
				Q4_0: append([]byte{1, 0}, bytes.Repeat([]byte{0x99}, 16)...),
				Q4_1: append([]byte{1, 0, 0, 0}, bytes.Repeat([]byte{0x11}, 16)...),
				Q8_0: append([]byte{1, 0}, bytes.Repeat([]byte{1}, 32)...),
			}[typ]
			if w == nil {
				continue // widened for any number of rows
			}
			for _, k := range []int{32, 4096} {
				const n = 7
				a, want, got := slices.Repeat([]float32{-1e-40}, 5*k), make([]float32, 5*n), make([]float32, 5*n)
				w := bytes.Repeat(w, typ.RowBytes(n*k)/len(w))
				MulNT(want, n, a, k, widenRows(w, typ, nil, n, k), k, 5, n, k)
				for m := 1; m <= 5; m++ {
					MulQ(got, n, a, k, w, typ, nil, m, n, k)
					for i, v := range got[:m*n] {
						if !sameBits(v, want[i]) || v != 0 {
							t.Fatalf("%v m=%d k=%d: product %d is %v, and with Widen and MulNT %v", typ, m, k, i, v, want[i])
						}
					}
				}
			}
		}
	})
}

func TestAddNNQ(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(14)
		for _, typ := range allTypes() {
			elems, _ := typ.Block()
			for _, s := range []shape{{1, 1, 5}, {7, 3, 40}, {30, 20, 260}, {9, 600, 30}} {
				m, n, k := s.m, (s.n+elems-1)/elems*elems, s.k
				stored := k + 3
				w := randQuant(r, typ, stored*n)
				for _, order := range [][]int32{nil, shuffled(r, k, stored)} {
					what := fmt.Sprintf("AddNNQ %v m=%d n=%d k=%d order %v", typ, m, n, k, order != nil)
					ldc, lda := ld(r, n), ld(r, k)
					a, c := randMat(r, m, k, lda), randMat(r, m, n, ldc)
					want := append([]float32(nil), c.x...)
					AddNN(want, ldc, a.x, lda, widenRows(w, typ, order, k, n), n, m, n, k)
					AddNNQ(c.x, ldc, a.x, lda, w, typ, order, m, n, k)
					c.checkGaps(t, what, m, n, ldc)
					for i := range c.x {
						if !sameBits(c.x[i], want[i]) {
							t.Fatalf("%s: element %d = %v, Widen and AddNN give %v", what, i, c.x[i], want[i])
						}
					}
				}
			}
		}
	})
}

func TestDType(t *testing.T) {
	for _, typ := range allTypes() {
		elems, size := typ.Block()
		if typ.String() == "" || typ.RowBytes(3*elems) != 3*size {
			t.Errorf("%v: %d elements in %d bytes, three blocks in %d", typ, elems, size, typ.RowBytes(3*elems))
		}
	}
	if s := DType(99).String(); s != "DType(99)" {
		t.Errorf("DType(99) is called %s", s)
	}
}
