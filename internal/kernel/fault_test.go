//go:build linux || darwin

package kernel

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
)

// multiplying multiplies with mapped weights in every piece at once.
type multiplying struct {
	t    DType
	w    []byte
	m    int
	here sync.WaitGroup

	integers bool
	size     Integers // with integers, as is order
	order    []int32
	few      bool // by tiles, with few columns
}

func (p *multiplying) Do(i, worker int) {
	p.here.Done()
	p.here.Wait()
	const n, k = 64, 256
	c, a := make([]float32, p.m*n), make([]float32, p.m*k)
	if p.few {
		MulFew(make([]float32, 16*n), 16, p.w, p.t, nil, make([]uint16, TilesLen(16, k)), n, k)
		return
	}
	if p.integers {
		p.size.Mul(c, n, make([]byte, p.size.Len(p.m, k)), p.w, p.t, p.order, p.m, n, k)
		return
	}
	MulQ(c, n, a, k, p.w, p.t, nil, p.m, n, k)
}

// TestFault takes mapped weights away in the middle: the read comes up in the
// caller of Run as a runtime error that says where, from whichever worker, and
// nothing stays claimed.
func TestFault(t *testing.T) {
	withWorkers(t, 2)
	eachKind(t, func(t *testing.T) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		for _, typ := range []DType{F32, F16, Q4_1, Q8_0, Q6_K} {
			for _, m := range []int{1, 9} {
				size := typ.RowBytes(64 * 256)
				path := filepath.Join(t.TempDir(), "weights")
				if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
					t.Fatal(err)
				}
				f, err := os.OpenFile(path, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				w, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
				if err != nil {
					t.Fatal(err)
				}
				defer syscall.Munmap(w)
				if err := f.Truncate(0); err != nil {
					t.Fatal(err)
				}
				for _, p := range []*multiplying{{t: typ, w: w, m: m}, {t: typ, w: w, m: m, few: true}, {t: typ, w: w, m: m, integers: true}, {t: typ, w: w, m: m, integers: true, size: Int16}, {t: typ, w: w, m: m, integers: true, size: Int16, order: backwards(64)}} {
					if p.integers && !p.size.Has(typ) {
						continue
					}
					lost(t, p)
				}
			}
		}
	})
}

// backwards is the order that begins with the last of n rows.
func backwards(n int) (order []int32) {
	for i := range n {
		order = append(order, int32(n-1-i))
	}
	return order
}

// lost multiplies with weights that are not there any more.
func lost(t *testing.T, p *multiplying) {
	t.Helper()
	func() {
		defer func() {
			cause := recover()
			fault, ok := cause.(interface {
				runtime.Error
				Addr() uintptr
			})
			if !ok || fault.Addr() == 0 {
				t.Errorf("%v m=%d: recovered %v (%T), want a fault with its address", p.t, p.m, cause, cause)
			}
		}()
		p.here.Add(2)
		Run(2, p)
		t.Errorf("%v m=%d: reading past the end of the file went unnoticed", p.t, p.m)
	}()
	for i := range scratches {
		if scratches[i].busy.Load() {
			t.Errorf("%v m=%d: scratch %d stays claimed", p.t, p.m, i)
		}
	}
}

// TestIntegersEdge: nothing is read beside the weights that were given, whose last byte
// is the last of its page, nor before the first.
func TestIntegersEdge(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		r := newRand(25)
		page := os.Getpagesize()
		for i := range 2 * len(Int16.types()) {
			n := []int{37, 48}[i%2] // with rows that make no whole group behind the others, and without
			typ := Int16.types()[i/2]
			elems, _ := typ.Block()
			k := max(96, elems)
			size := typ.RowBytes(n * k)
			room := (size + page - 1) / page * page
			b, err := syscall.Mmap(-1, 0, room+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
			if err != nil {
				t.Fatal(err)
			}
			defer syscall.Munmap(b)
			for _, at := range []int{page, page + room - size} {
				if err := syscall.Mprotect(b, syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
					t.Fatal(err)
				}
				w := b[at : at+size]
				copy(w, randQuant(r, typ, n*k))
				for _, guard := range [][]byte{b[:page], b[page+room:]} {
					if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
						t.Fatal(err)
					}
				}
				for _, m := range []int{1, 3, 9, 17} {
					x := randMat(r, m, k, k)
					c := make([]float32, m*n)
					for _, s := range sizesOfIntegers {
						if !s.Has(typ) {
							continue
						}
						s.Mul(c, n, packed(t, s, x.x, k, m, k), w, typ, nil, m, n, k)
						s.Mul(c, n, packed(t, s, x.x, k, m, k), w, typ, backwards(n), m, n, k)
					}
				}
			}
		}
	})
}
