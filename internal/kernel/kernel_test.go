package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// eachKind runs the test on every kind this machine has.
func eachKind(t *testing.T, test func(t *testing.T)) {
	before := Name()
	t.Cleanup(func() {
		if err := Use(before); err != nil {
			t.Error(err)
		}
	})
	for _, name := range Kinds() {
		t.Run(name, func(t *testing.T) {
			if err := Use(name); err != nil {
				t.Fatal(err)
			}
			test(t)
		})
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 17)) }

// guardBits is a NaN no operation makes: where one stands after an operation,
// nothing was written, and where one was read it shows.
const guardBits = 0x7fc5a5a5

const guardLen = 24

// guarded is memory with guard words on either side.
type guarded struct{ all, x []float32 }

// newGuarded makes n elements that begin off floats after a cache line.
func newGuarded(n, off int) guarded {
	all := alignedF32(n + 2*guardLen + off)
	for i := range all {
		all[i] = math.Float32frombits(guardBits)
	}
	return guarded{all, all[guardLen-8+off : guardLen-8+off+n : guardLen-8+off+n]}
}

func (g guarded) check(t *testing.T, what string) {
	t.Helper()
	first := guardLen - 8 + (len(g.all) - len(g.x) - 2*guardLen)
	for i, v := range g.all {
		if (i < first || i >= first+len(g.x)) && math.Float32bits(v) != guardBits {
			t.Fatalf("%s: wrote %v at %d, outside its %d elements", what, v, i-first, len(g.x))
		}
	}
}

func fill(r *rand.Rand, x []float32) {
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
}

// randVec is a guarded vector of normal numbers.
func randVec(r *rand.Rand, n int) guarded {
	g := newGuarded(n, r.IntN(8))
	fill(r, g.x)
	return g
}

// randMat is [rows, cols] with ld floats a row; what lies between the rows is
// guard words.
func randMat(r *rand.Rand, rows, cols, ld int) guarded {
	g := newGuarded(max((rows-1)*ld+cols, 0), r.IntN(8))
	for i := range rows {
		fill(r, g.x[i*ld:i*ld+cols])
	}
	return g
}

// checkGaps looks for writes between the rows of a matrix and around it.
func (g guarded) checkGaps(t *testing.T, what string, rows, cols, ld int) {
	t.Helper()
	g.check(t, what)
	for i := range rows - 1 {
		for j := cols; j < ld; j++ {
			if math.Float32bits(g.x[i*ld+j]) != guardBits {
				t.Fatalf("%s: wrote between rows %d and %d, at column %d of %d", what, i, i+1, j, cols)
			}
		}
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// near fails where got is further from want than tol times size.
func near(t *testing.T, what string, got float32, want, size, tol float64) {
	t.Helper()
	if d := math.Abs(float64(got) - want); !(d <= tol*size) {
		t.Fatalf("%s = %v, want %v: off by %v, allowed %v", what, got, want, d, tol*size)
	}
}

// sizes are lengths around every tail, and a few long ones.
func sizes() []int {
	var ns []int
	for n := range 70 {
		ns = append(ns, n)
	}
	return append(ns, 100, 127, 255, 576, 1000, 1537)
}

func TestUse(t *testing.T) {
	before := Name()
	defer Use(before)
	if Kinds()[0] != "go" {
		t.Errorf("Kinds() = %v does not begin with go", Kinds())
	}
	if before != Kinds()[len(Kinds())-1] && Init() == nil && os.Getenv("STROKE_KERNEL") == "" {
		t.Errorf("%s is in use of %v", before, Kinds())
	}
	err := Use("abacus")
	if err == nil || !strings.Contains(err.Error(), `"abacus"`) || !strings.Contains(err.Error(), "go") {
		t.Errorf("Use of an unknown kind: %v", err)
	}
	if Name() != before {
		t.Errorf("a failed Use left %s in use", Name())
	}
}

func TestUseEnv(t *testing.T) {
	before := Name()
	defer Use(before)
	t.Setenv("STROKE_KERNEL", "go")
	if err := useEnv(); err != nil || Name() != "go" {
		t.Errorf("STROKE_KERNEL=go: %v, %s in use", err, Name())
	}
	t.Setenv("STROKE_KERNEL", "mmx")
	if err := useEnv(); err == nil || !strings.Contains(err.Error(), "STROKE_KERNEL") || !strings.Contains(err.Error(), "this machine has go") {
		t.Errorf("STROKE_KERNEL=mmx: %v", err)
	}
}

func TestShapesPanic(t *testing.T) {
	x := make([]float32, 12)
	w := make([]byte, 40)
	for name, f := range map[string]func(){
		"[3,4]":            func() { MulNT(x[:11], 4, x, 4, x, 4, 3, 4, 4) },
		"leading":          func() { AddNN(x, 2, x, 4, x, 4, 3, 4, 4) },
		"a is [2,7]":       func() { AddTN(make([]float32, 28), 4, x, 7, x, 4, 7, 4, 2) },
		"12 and 11":        func() { Add(x, x[:11]) },
		"12 and 10":        func() { Rope(x, x[:5], x[:5]) },
		"80 bytes":         func() { MulQ(x, 3, make([]float32, 64), 64, w, Q4_1, nil, 1, 2, 64) },
		"names row 2 of 2": func() { MulNTQ(x, 3, make([]float32, 64), 64, w, Q4_1, []int32{0, 2}, 1, 2, 32) },
		"names row -1":     func() { AddNNQ(make([]float32, 64), 32, x, 2, w, Q4_1, []int32{0, -1}, 1, 32, 2) },
		"whole number":     func() { Q4_1.RowBytes(33) },
	} {
		func() {
			defer func() {
				if s := fmt.Sprint(recover()); !strings.HasPrefix(s, "kernel: ") || !strings.Contains(s, name) {
					t.Errorf("want a panic that names %q, got %q", name, s)
				}
			}()
			f()
		}()
	}
}
