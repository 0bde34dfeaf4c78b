package tensor

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/getstroke/stroke/internal/kernel"
)

func panics(f func()) (said any) {
	defer func() { said = recover() }()
	f()
	return nil
}

func TestArena(t *testing.T) {
	a, err := NewArena(1000)
	if err != nil {
		t.Fatal(err)
	}
	if a.Size() != 1024 {
		t.Errorf("1000 bytes are rounded to %d", a.Size())
	}
	fill := func(s []float32) {
		for i := range s {
			s[i] = float32(i + 1)
		}
	}
	x := a.Floats(5)
	mark := a.Mark()
	y := a.Floats(17)
	for _, s := range [][]float32{x, y} {
		if uintptr(unsafe.Pointer(&s[0]))%64 != 0 || cap(s) != len(s) {
			t.Errorf("%d floats at %p with room for %d", len(s), &s[0], cap(s))
		}
		fill(s)
	}
	if used := 4 * (Aligned(5) + Aligned(17)); a.Used() != used || a.Peak() != used {
		t.Errorf("%d bytes used and %d at most, not %d", a.Used(), a.Peak(), used)
	}
	// What was handed out before is zero again, and what was not released stays.
	a.Release(mark)
	z := a.Floats(200)
	for i, v := range z {
		if v != 0 {
			t.Fatalf("float %d is %g", i, v)
		}
	}
	if &z[0] != &y[0] || x[4] != 5 {
		t.Error("released memory is not handed out again, or other memory is")
	}
	fill(z)
	a.Reset()
	if w := a.Floats(256); w[0] != 0 || w[100] != 0 || w[255] != 0 {
		t.Error("memory after a reset is not zero")
	}
	if said, _ := panics(func() { a.Floats(1) }).(string); !strings.Contains(said, "256") {
		t.Errorf("asking for too much says %q", said)
	}
	if said := panics(func() { a.Release(1000) }); said == nil {
		t.Error("a release to what was never handed out goes through")
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	if a.Size() != 0 {
		t.Errorf("a closed arena has %d bytes", a.Size())
	}
	if empty, err := NewArena(0); err != nil || len(empty.Floats(0)) != 0 || empty.Close() != nil {
		t.Errorf("an arena of nothing: %v", err)
	}
}

func TestArenaAllocatesNothing(t *testing.T) {
	a, err := NewArena(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if n := testing.AllocsPerRun(100, func() {
		mark := a.Mark()
		a.Floats(100)
		a.Release(mark)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// TestArenaRefused asks for all of the address space.
func TestArenaRefused(t *testing.T) {
	for n, want := range map[int]string{maxArena: "140737488355328", -1: "-1", math.MaxInt: "range"} {
		if a, err := NewArena(n); err == nil {
			a.Close()
			if n != maxArena {
				t.Errorf("%d bytes are there", n)
			}
			t.Logf("this system grants %d bytes", n)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("refusing %d bytes says: %v", n, err)
		}
	}
}

func TestMatrix(t *testing.T) {
	data := make([]byte, 3*18*2)
	for i := range data {
		data[i] = byte(11 * i)
	}
	for r := range 6 {
		binary.LittleEndian.PutUint16(data[18*r:], 0x3c00+uint16(r)) // scales near 1
	}
	m := NewMatrix("w", Q4_0, 3, 64, data)
	if m.RowBytes() != 36 {
		t.Errorf("a row has %d bytes", m.RowBytes())
	}
	var whole [3 * 64]float32
	kernel.Widen(whole[:], data, Q4_0)
	for _, order := range [][]int32{nil, {2, 0, 1}} {
		m.Order = order
		for i := range 3 {
			stored := i
			if order != nil {
				stored = int(order[i])
			}
			var row [64]float32
			m.WidenRow(row[:], i)
			if m.Stored(i) != stored || row != [64]float32(whole[64*stored:]) || &m.Row(i)[0] != &data[36*stored] {
				t.Errorf("row %d in the order %v is not row %d of the file", i, order, stored)
			}
		}
	}
	for name, f := range map[string]func(){
		"row":    func() { m.Row(3) },
		"before": func() { m.Row(-1) },
		"short":  func() { m.WidenRow(make([]float32, 63), 0) },
		"size":   func() { NewMatrix("w", F32, 2, 2, data[:15]) },
	} {
		if said, _ := panics(f).(string); !strings.Contains(said, "matrix w [") {
			t.Errorf("%s: the panic says %q", name, said)
		}
	}
}

// TestNarrowEveryValue rounds each value of the narrow formats, the point halfway
// to its neighbour, and those just beside that point.
func TestNarrowEveryValue(t *testing.T) {
	for _, c := range []struct {
		t   DType
		inf uint16
	}{{F16, 0x7c00}, {BF16, 0x7f80}} {
		widen := func(h uint16) float32 {
			var f [1]float32
			kernel.Widen(f[:], binary.LittleEndian.AppendUint16(nil, h), c.t)
			return f[0]
		}
		narrow := func(f float32) (uint16, error) {
			var b [2]byte
			err := Narrow(b[:], []float32{f}, c.t)
			return binary.LittleEndian.Uint16(b[:]), err
		}
		for h := range c.inf {
			lo := widen(h)
			// Beyond the last value stands the one that would follow.
			hi := float64(lo) + float64(lo) - float64(widen(h-min(h, 1)))
			if h+1 < c.inf {
				hi = float64(widen(h + 1))
			}
			mid := float32((float64(lo) + hi) / 2)
			for _, sign := range []uint16{0, 0x8000} {
				s := float32(1)
				if sign != 0 {
					s = -1
				}
				even := h + h&1
				for _, x := range []struct {
					f    float32
					want uint16
				}{
					{lo, h}, {mid, even}, {math.Nextafter32(mid, 0), h}, {math.Nextafter32(mid, math.MaxFloat32), h + 1},
				} {
					if math.IsInf(float64(mid), 0) && x.f != lo || x.f < lo {
						continue // halfway does not exist in float32
					}
					got, err := narrow(s * x.f)
					if x.want == c.inf {
						if !errors.Is(err, ErrRange) {
							t.Fatalf("%g as %s is %#x (%v)", s*x.f, c.t, got, err)
						}
						continue
					}
					if err != nil || got != sign|x.want && x.f != 0 {
						t.Fatalf("%g as %s is %#x and not %#x (%v)", s*x.f, c.t, got, sign|x.want, err)
					}
				}
			}
		}
		for _, f := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32} {
			if got, err := narrow(f); !errors.Is(err, ErrRange) {
				t.Errorf("%g as %s is %#x (%v)", f, c.t, got, err)
			}
		}
	}
}

func TestNarrow(t *testing.T) {
	b := make([]byte, 8)
	if err := Narrow(b, []float32{1.5, 2}, F32); err != nil || math.Float32frombits(binary.LittleEndian.Uint32(b)) != 1.5 {
		t.Errorf("%x (%v)", b, err)
	}
	if err := Narrow(b, []float32{0, float32(math.NaN())}, F32); !errors.Is(err, ErrRange) || !strings.Contains(err.Error(), "index 1") {
		t.Errorf("NaN as F32: %v", err)
	}
	for name, f := range map[string]func(){
		"type":   func() { Narrow(b, make([]float32, 32), Q8_0) },
		"length": func() { Narrow(b, make([]float32, 3), F16) },
	} {
		if panics(f) == nil {
			t.Errorf("%s: goes through", name)
		}
	}
}
