package op

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

// blocks is a [rows, cols] matrix of random blocks of type t with small scales.
func blocks(rng *rand.Rand, t kernel.DType, rows, cols int) *tensor.Matrix {
	_, size := t.Block()
	b := make([]byte, rows*t.RowBytes(cols))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	for at := 0; at < len(b); at += size {
		high := []int{1} // where scales end
		switch t {
		case kernel.Q4_1, kernel.Q4_K, kernel.Q5_K:
			high = []int{1, 3}
		case kernel.Q6_K:
			high = []int{209}
		}
		for _, i := range high {
			b[at+i] = 0x20 | b[at+i]&0x83
		}
	}
	m := tensor.NewMatrix("w", t, rows, cols, b)
	return &m
}

// TestLinearIntegers: in integers a row's bits are the same alone and among
// others, with adapters of both kinds; products are near those of float32; and
// weights that are not quantized have the bits of float32.
func TestLinearIntegers(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		const n, in, out = 45, 256, 83
		_, x := random(rng, n*in)
		_, plain := random(rng, out*in)
		half := func(v []float32) {
			b := make([]byte, 2*len(v))
			kernel.NarrowF16(b, v)
			kernel.Widen(v, b, kernel.F16)
		}
		var pairs []*Pair
		for i, rank := range []int{5, 16} {
			_, a := random(rng, rank*in)
			_, b := random(rng, rank*out)
			if i == 1 {
				half(a)
				half(b)
			}
			p := pairOf(rank, in, out, 0.5, a, b)
			p.KeepHalf()
			if kept := p.Half != nil && p.HalfB != nil; kept != (i == 1) {
				t.Fatalf("the factors of pair %d are kept in F16: %v", i, kept)
			}
			pairs = append(pairs, p)
		}
		weights := []*tensor.Matrix{matrix(plain, out, in)}
		for _, t := range []kernel.DType{kernel.Q4_1, kernel.Q8_0, kernel.Q5_0, kernel.Q4_K, kernel.Q5_K, kernel.Q6_K} {
			weights = append(weights, blocks(rng, t, out, in))
		}
		linear := func(a Arithmetic, lo, hi int) [][]float32 {
			e := NewExec(16, 16, heap)
			if a != F32 {
				e.UseIntegers(a, hi-lo, in, heap)
			}
			rows := hi - lo
			var lins []Linear
			for _, w := range weights {
				l := Linear{W: w, Y: heap(rows * out)}
				// The first pair is that of rows up to 20, the other of the rest.
				for i, from := range []int{0, 20, n} {
					if i == 2 {
						break
					}
					to := []int{20, n}[i]
					a, b := max(from, lo)-lo, min(to, hi)-lo
					if a < b {
						l.Deltas = append(l.Deltas, Delta{Lo: a, Hi: b, Pair: pairs[i], Strength: 0.7, H: heap((b - a) * pairs[i].Pad)})
					}
				}
				lins = append(lins, l)
			}
			e.Linear(x[lo*in:], rows, in, lins)
			var y [][]float32
			for i := range lins {
				y = append(y, lins[i].Y)
			}
			return y
		}
		exact := linear(F32, 0, n)
		for a, most := range map[Arithmetic]float64{Int8: 0.02, Int16: 0.0001} {
			all := linear(a, 0, n)
			for i := range weights {
				integers := false
				for _, s := range []kernel.Integers{kernel.Int8, kernel.Int16} {
					integers = integers || s.String() == string(a) && s.Has(weights[i].DType)
				}
				if !integers {
					if !slices.Equal(all[i], exact[i]) {
						t.Errorf("%s: weights of type %s, which have no products of integers, have other bits", a, weights[i].DType)
					}
					continue
				}
				var off, size float64
				for k, v := range all[i] {
					off += math.Pow(float64(v-exact[i][k]), 2)
					size += math.Pow(float64(exact[i][k]), 2)
				}
				if off == 0 || math.Sqrt(off/size) > most {
					t.Errorf("%s, weights of type %s: %.6f from float32", a, weights[i].DType, math.Sqrt(off/size))
				}
			}
			for _, cut := range [][2]int{{0, 1}, {19, 21}, {44, 45}, {3, 11}, {10, 42}, {12, 45}} {
				for i, y := range linear(a, cut[0], cut[1]) {
					if !slices.Equal(y, all[i][cut[0]*out:cut[1]*out]) {
						t.Errorf("%s, weights %d: rows %v have other bits by themselves", a, i, cut)
					}
				}
			}
		}
	})
}

// TestHeadIntegers: losses are those of the logits that Linear makes.
func TestHeadIntegers(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 8))
		const n, dim, vocab = 37, 256, 300
		_, x := random(rng, n*dim)
		heads := []*tensor.Matrix{blocks(rng, kernel.Q8_0, vocab, dim), blocks(rng, kernel.Q6_K, vocab, dim)}
		targets := make([]int32, n)
		for i := range targets {
			targets[i] = int32(rng.IntN(vocab))
		}
		e := NewExec(16, dim, heap)
		for i, a := range []Arithmetic{Int8, Int16, Int8, Int16} {
			w := heads[i/2]
			e.UseIntegers(a, n, dim, heap)
			nll, logits := heap(n), heap(n*vocab)
			var lins [1]Linear
			e.Logits(logits, x, w, n, &lins)
			e.Head(nil, nll, x, w, targets, nil, n)
			for r := range n {
				row := logits[r*vocab : (r+1)*vocab]
				sum := 0.0
				for _, v := range row {
					sum += math.Exp(float64(v))
				}
				if want := math.Log(sum) - float64(row[targets[r]]); math.Abs(want-float64(nll[r])) > 1e-4*(1+math.Abs(want)) {
					t.Fatalf("%s: row %d has a loss of %v, its logits %v", a, r, nll[r], want)
				}
			}
		}
	})
}
