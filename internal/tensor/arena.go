package tensor

import (
	"fmt"
	"unsafe"
)

// alignFloats is the alignment of what an arena hands out, in float32s: 64
// bytes, a cache line and the widest vector register.
const alignFloats = 16

// Arena is memory outside the Go heap, handed out from the bottom up as
// []float32. The garbage collector neither scans nor counts it, and pages
// that are never touched are never resident. It is not safe for concurrent
// use; the slices it hands out are.
type Arena struct {
	mem   []float32
	raw   []byte // as the system gave it; nil once closed
	used  int    // float32s handed out
	dirty int    // float32s from the bottom that may hold something other than zero
	peak  int    // most float32s ever handed out
}

// NewArena reserves bytes of memory, rounded up to a multiple of 64. Where the
// system refuses, the error says how much was asked for.
func NewArena(bytes int) (*Arena, error) {
	if bytes < 0 || bytes > maxArena {
		return nil, fmt.Errorf("reserve %d bytes of memory: out of range", bytes)
	}
	bytes = (bytes + 63) &^ 63
	if bytes == 0 {
		return &Arena{}, nil
	}
	raw, err := reserve(bytes)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes (%.1f MiB) of memory: %w", bytes, float64(bytes)/(1<<20), err)
	}
	mem := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), bytes/4)
	return &Arena{mem: mem, raw: raw}, nil
}

// maxArena, 2⁴⁷ bytes, is what an address space holds.
const maxArena = 1 << 47

// Floats hands out n float32s, zeroed, on a 64-byte boundary, with no capacity
// beyond n. Asking for more than is left is a plan that does not add up, and
// panics with the sizes.
func (a *Arena) Floats(n int) []float32 {
	if n < 0 || n > len(a.mem)-a.used {
		panic(fmt.Sprintf("tensor: %d floats from an arena of %d with %d handed out", n, len(a.mem), a.used))
	}
	s := a.mem[a.used : a.used+n : a.used+n]
	if d := min(a.dirty-a.used, n); d > 0 {
		clear(s[:d])
	}
	// The arena's length is a multiple of the alignment, so this stays within it.
	a.used += Aligned(n)
	a.dirty = max(a.dirty, a.used)
	a.peak = max(a.peak, a.used)
	return s
}

// Aligned is the number of float32s that Floats(n) takes from an arena: what a
// plan adds up.
func Aligned(n int) int { return (n + alignFloats - 1) &^ (alignFloats - 1) }

// Mark is the present fill, for [Arena.Release].
func (a *Arena) Mark() int { return a.used }

// Release takes back everything handed out since mark was taken. Slices handed
// out since must no longer be used.
func (a *Arena) Release(mark int) {
	if mark < 0 || mark > a.used {
		panic(fmt.Sprintf("tensor: release to %d of an arena with %d floats handed out", mark, a.used))
	}
	a.used = mark
}

// Reset takes back everything.
func (a *Arena) Reset() { a.used = 0 }

// Size is the arena's whole size, in bytes.
func (a *Arena) Size() int { return 4 * len(a.mem) }

// Used is what is handed out now, in bytes.
func (a *Arena) Used() int { return 4 * a.used }

// Peak is the most that was ever handed out, in bytes.
func (a *Arena) Peak() int { return 4 * a.peak }

// Close gives the memory back to the system. No slice of the arena may be used
// afterwards. A second Close does nothing.
func (a *Arena) Close() error {
	raw := a.raw
	a.mem, a.raw, a.used, a.dirty = nil, nil, 0, 0
	if raw == nil {
		return nil
	}
	if err := giveBack(raw); err != nil {
		return fmt.Errorf("give back %d bytes of memory: %w", len(raw), err)
	}
	return nil
}
