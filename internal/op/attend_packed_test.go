package op

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
)

// TestPackBounds packs what binary16 cannot hold: its sign and its size as far as they
// go, and no more than that.
func TestPackBounds(t *testing.T) {
	inf := float32(math.Inf(1))
	src := []float32{65504, 65519, 65520, 70000, -65504, -65519.996, -65520, -1e30, inf, -inf, 0, float32(math.NaN()), 1, math.MaxFloat32, -1e-9, 1e-7, 65520, -3, inf}
	want := []uint16{0x7bff, 0x7bff, 0x7bff, 0x7bff, 0xfbff, 0xfbff, 0xfbff, 0xfbff, 0x7bff, 0xfbff, 0, 0x7e00, 0x3c00, 0x7bff, 0x8000, 2, 0x7bff, 0xc200, 0x7bff}
	eachFloatKernel(t, func(t *testing.T) {
		for n := range len(src) + 1 {
			dst := make([]byte, 2*n)
			packRow(dst, src[:n], kernel.F16)
			for i := range n {
				got := binary.LittleEndian.Uint16(dst[2*i:])
				if got != want[i] && !(want[i] == 0x7e00 && got&0x7c00 == 0x7c00 && got&0x3ff != 0) {
					t.Errorf("%g of %d is %#04x, not %#04x", src[i], n, got, want[i])
				}
			}
		}
		// In Q8_0 the scale is bounded.
		row, dst, back := heap(32), make([]byte, 34), heap(32)
		row[3], row[5] = -1e9, 1e30
		packRow(dst, row, kernel.Q8_0)
		kernel.Widen(back, dst, kernel.Q8_0)
		if back[5] != 127*65504 || back[0] != 0 {
			t.Errorf("1e30 came back as %g, and 0 as %g", back[5], back[0])
		}
		row[7] = float32(math.NaN())
		packRow(dst, row, kernel.Q8_0)
		kernel.Widen(back, dst, kernel.Q8_0)
		if back[7] == back[7] {
			t.Errorf("a number came back for none: %g", back[7])
		}
	})
}

// TestAttendLarge holds that keys and values of a size that their type cannot hold
// leave the tokens before them alone, which have the same bits one at a time and all
// together.
func TestAttendLarge(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, typ := range []kernel.DType{kernel.F32, kernel.F16, kernel.Q8_0} {
			for _, tiled := range []bool{false, true} {
				h := Heads{Q: 2, KV: 1, Size: 64, Scale: DefaultScale(64)}
				const n, length = 8, 64
				rng := rand.New(rand.NewPCG(14, 1))
				_, q := random(rng, n*h.Q*h.Size)
				_, k := random(rng, n*h.Size)
				_, v := random(rng, n*h.Size)
				for i := range h.Size {
					v[(n-1)*h.Size+i] = 70000
				}
				k[(n-1)*h.Size], v[(n-1)*h.Size+1] = -1e30, 1e35
				row := typ.RowBytes(h.Size)
				page := make([]float32, 2*length*row/4)
				keys := Keys{Pages: [][]float32{page}, Len: length, VOff: length * row, DType: typ, Far: true}
				if typ == kernel.F32 {
					keys.VOff /= 4
				}
				exec := func() *Exec {
					if tiled {
						return bf16(n, length, 2*h.Size, 2*h.Size, 16, h, 16)
					}
					return NewExec(length, 16, heap)
				}
				dim := h.Q * h.Size
				all, each := heap(n*dim), heap(n*dim)
				e := exec()
				e.Place(k, v, []Sequence{{N: n, Keys: keys}}, h)
				e.Attend(all, q, nil, []Sequence{{N: n, Keys: keys}}, h)
				for i := range n {
					e.Attend(each[i*dim:], q[i*dim:], nil, []Sequence{{N: 1, Start: i, Keys: keys}}, h)
				}
				what := fmt.Sprintf("%s, tiled %v", typ, tiled)
				if slices.ContainsFunc(all, func(x float32) bool { return x != x }) {
					t.Errorf("%s: there are outputs that are no numbers", what)
				}
				if !slices.Equal(all, each) {
					t.Errorf("%s: tokens one at a time have other bits than together", what)
				}
			}
		}
	})
}
