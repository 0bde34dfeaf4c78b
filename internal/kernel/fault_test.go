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
}

func (p *multiplying) Do(i, worker int) {
	p.here.Done()
	p.here.Wait()
	const n, k = 64, 256
	c, a := make([]float32, p.m*n), make([]float32, p.m*k)
	MulQ(c, n, a, k, p.w, p.t, nil, p.m, n, k)
}

// TestFault takes mapped weights away in the middle: the read comes up in the
// caller of Run as a runtime error that says where, from whichever worker, and
// nothing stays claimed.
func TestFault(t *testing.T) {
	withWorkers(t, 2)
	eachKind(t, func(t *testing.T) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		for _, typ := range []DType{F32, F16, Q4_1, Q6_K} {
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
				func() {
					defer func() {
						cause := recover()
						fault, ok := cause.(interface {
							runtime.Error
							Addr() uintptr
						})
						if !ok || fault.Addr() == 0 {
							t.Errorf("%v m=%d: recovered %v (%T), want a fault with its address", typ, m, cause, cause)
						}
					}()
					p := &multiplying{t: typ, w: w, m: m}
					p.here.Add(2)
					Run(2, p)
					t.Errorf("%v m=%d: reading past the end of the file went unnoticed", typ, m)
				}()
				for i := range scratches {
					if scratches[i].busy.Load() {
						t.Errorf("%v m=%d: scratch %d stays claimed", typ, m, i)
					}
				}
			}
		}
	})
}
