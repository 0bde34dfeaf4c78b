package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// bf16 makes an Exec in bfloat16 with room for the tests below.
func bf16(tokens, context, in, out, dim int, h Heads, pad int) *Exec {
	e := NewExec(context, dim, heap)
	e.UseBF16(Room{Tokens: tokens, Rows: 4, Context: context, In: in, Out: out, Sum: 3 * out, Dim: dim, Heads: h, Pad: pad, Grad: true}, heap)
	return e
}

// closeTo fails where got is further from want than a sixteenth of want's root
// mean square: bfloat16 has 8 bits.
func closeTo(t *testing.T, what string, got, want []float32) {
	t.Helper()
	var size float64
	for _, x := range want {
		size += float64(x) * float64(x)
	}
	size = math.Sqrt(size / float64(len(want)))
	var worst float64
	for i := range want {
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
		if got[i] != got[i] {
			t.Fatalf("%s: %d is NaN", what, i)
		}
	}
	if worst > size/16 || size == 0 {
		t.Errorf("%s: off by %g where numbers are of size %g", what, worst, size)
	}
}

// TestTileLinear sets the linears of bfloat16 beside those of float32: two that
// share an input, with deltas that begin within a tile.
func TestTileLinear(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, c := range []struct {
			n, in, out int
			drop       float32
		}{{1, 32, 40, 0}, {13, 64, 70, 0}, {70, 96, 33, 0}, {130, 40, 256, 0}, {13, 64, 70, 0.3}, {130, 40, 256, 0.3}} {
			t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				_, x := random(rng, c.n*c.in)
				tiled := bf16(c.n, 16, c.in, c.out, 16, Heads{Q: 1, KV: 1, Size: 16}, 48)
				exact := NewExec(16, 16, heap)
				mid := c.n / 3
				var lins [2][]Linear
				var dx [2][]float32
				for k := range 2 {
					rng := rand.New(rand.NewPCG(3, 4))
					for i := range 2 {
						out := c.out + 3*i - 3
						_, w := random(rng, out*c.in)
						_, bias := random(rng, out)
						_, dy := random(rng, c.n*out)
						lin := Linear{W: matrix(w, out, c.in), Bias: bias, Y: heap(c.n * out), DY: dy, GradW: heap(out * c.in)}
						var drop *Dropout
						if c.drop > 0 {
							drop = &Dropout{P: c.drop, Key: uint64(i), X: heap(c.n * c.in), DX: heap(c.n * c.in)}
						}
						for _, r := range [][3]int{{0, mid, 4}, {mid, c.n, 17}} {
							if r[0] == r[1] {
								continue
							}
							_, a := random(rng, r[2]*c.in)
							_, b := random(rng, r[2]*out)
							p := pairOf(r[2], c.in, out, 0.5, a, b)
							lin.Deltas = append(lin.Deltas, Delta{Lo: r[0], Hi: r[1], Pair: p, Strength: 0.75, Drop: drop,
								H: heap((r[1] - r[0]) * p.Pad), DH: heap((r[1] - r[0]) * p.Pad)})
						}
						lins[k] = append(lins[k], lin)
					}
					e := []*Exec{exact, tiled}[k]
					e.Linear(x, c.n, c.in, lins[k])
					dx[k] = slices.Repeat([]float32{3}, c.n*c.in) // it is overwritten
					e.LinearGrad(dx[k], x, c.n, c.in, lins[k])
				}
				for i := range 2 {
					want, got := &lins[0][i], &lins[1][i]
					closeTo(t, "y", got.Y, want.Y)
					closeTo(t, "dW", got.GradW, want.GradW)
					for d := range want.Deltas {
						closeTo(t, "dA", got.Deltas[d].Pair.GradA, want.Deltas[d].Pair.GradA)
						closeTo(t, "dB", got.Deltas[d].Pair.GradB, want.Deltas[d].Pair.GradB)
					}
				}
				closeTo(t, "dx", dx[1], dx[0])
			})
		}
	})
}

// TestTileAttend sets attention in bfloat16 beside that of float32.
func TestTileAttend(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, q, kv, size, window int }{{5, 2, 1, 16, 0}, {33, 4, 2, 16, 0}, {150, 3, 1, 32, 0}, {230, 2, 2, 16, 50}, {200, 6, 1, 20, 7}} {
			t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
				h := Heads{Q: c.q, KV: c.kv, Size: c.size, Scale: DefaultScale(c.size), Window: c.window}
				dim, kv := c.q*c.size, c.kv*c.size
				rng := rand.New(rand.NewPCG(5, 6))
				_, q := random(rng, c.n*dim)
				_, keys := random(rng, 2*c.n*kv)
				_, do := random(rng, c.n*dim)
				var o, stat, dq, dk, dv [2][]float32
				for k := range 2 {
					e := NewExec(c.n, 16, heap)
					if k == 1 {
						e = bf16(c.n, c.n, dim, dim, 16, h, 16)
					}
					o[k], stat[k] = heap(c.n*dim), heap(c.n*c.q*2)
					e.Attend(o[k], q, stat[k], []Sequence{{N: c.n, Keys: Keys{Pages: [][]float32{keys}, Len: c.n, VOff: c.n * kv}}}, h)
					dq[k], dk[k], dv[k] = heap(c.n*dim), heap(c.n*kv), heap(c.n*kv)
					scratch := heap(AttendScratch(c.n, h))
					for i := range scratch {
						scratch[i] = float32(math.NaN()) // what nobody wrote must not be read
					}
					e.AttendGrad(dq[k], dk[k], dv[k], do, q, keys[:c.n*kv], keys[c.n*kv:], o[k], stat[k], scratch, 0, c.n, h)
				}
				closeTo(t, "o", o[1], o[0])
				closeTo(t, "dq", dq[1], dq[0])
				closeTo(t, "dk", dk[1], dk[0])
				closeTo(t, "dv", dv[1], dv[0])
			})
		}
	})
}

// TestTileHead sets the head in bfloat16 beside that of float32.
func TestTileHead(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, c := range []struct{ n, dim, vocab int }{{1, 32, 30}, {7, 40, 256}, {300, 64, 700}} {
			rng := rand.New(rand.NewPCG(9, uint64(c.vocab)))
			_, x := random(rng, c.n*c.dim)
			_, w := random(rng, c.vocab*c.dim)
			for i := range w {
				w[i] *= 0.2
			}
			_, up := random(rng, c.n)
			targets := make([]int32, c.n)
			for i := range targets {
				targets[i] = int32(rng.IntN(c.vocab))
			}
			var nll, dx [2][]float32
			for k := range 2 {
				e := NewExec(16, c.dim, heap)
				if k == 1 {
					e = bf16(c.n, 16, c.dim, 16, c.dim, Heads{Q: 1, KV: 1, Size: 16}, 16)
				}
				nll[k], dx[k] = heap(c.n), heap(c.n*c.dim)
				e.Head(dx[k], nll[k], x, matrix(w, c.vocab, c.dim), targets, up, c.n)
			}
			closeTo(t, "nll", nll[1], nll[0])
			closeTo(t, "dx", dx[1], dx[0])
		}
	})
}
