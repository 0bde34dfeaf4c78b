package lora

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// Truncate gives an adapter of a smaller rank: of each pair's product, scale·B·A,
// the parts of the largest singular values (Eckart and Young, 1936), so that no
// adapter of that rank is nearer to it. Pairs of no higher rank stay as they are
// in what they compute. The scale of every pair becomes 1, and a config that names its
// layers goes on naming them. It is an error where rank is not positive or a number of the
// adapter is not finite. Up to workers pairs are looked at at once, each in time of the
// cube of its rank.
func Truncate(ctx context.Context, f *File, rank, workers int) (*File, error) {
	if rank < 1 {
		return nil, fmt.Errorf("truncate adapter: the rank %d is not positive", rank)
	}
	o := Options{Rank: rank, Alpha: float64(rank)}
	out := &File{Pairs: make([]Pair, len(f.Pairs))}
	failed := make([]error, len(f.Pairs))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(max(workers, 1), len(f.Pairs)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(f.Pairs); i = int(next.Add(1)) - 1 {
				out.Pairs[i], failed[i] = f.Pairs[i].truncate(ctx, rank)
			}
		})
	}
	all.Wait()
	named := map[Module]bool{}
	layers := 0
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if err := failed[i]; err != nil {
			return nil, fmt.Errorf("truncate adapter: %s of layer %d: %w", p.Module, p.Layer, err)
		}
		m, err := ParseModule(p.Module)
		if err != nil {
			return nil, fmt.Errorf("truncate adapter: %w", err)
		}
		if !named[m] {
			named[m] = true
			o.Targets = append(o.Targets, m)
		}
		layers = max(layers, p.Layer+1)
	}
	if f.Config.NamesLayers() {
		layers = 0 // no module is in all of them
	}
	out.Config = NewConfig(o, f.Config.BaseModel)
	out.Config.fit(out.Pairs, layers)
	return out, nil
}

// truncate is Truncate of one pair. With A = La·Qa and Bᵀ = Lb·Qb, the rows of Qa
// and Qb orthonormal, the product is Qbᵀ·(scale·Lbᵀ·La)·Qa, and the singular
// values are those of the small matrix between.
func (p *Pair) truncate(ctx context.Context, rank int) (Pair, error) {
	if err := ctx.Err(); err != nil {
		return Pair{}, err
	}
	r := p.Rank
	a, b := make([][]float64, r), make([][]float64, r) // rows of A and of Bᵀ
	for k := range r {
		a[k], b[k] = make([]float64, p.In), make([]float64, p.Out)
		for j := range a[k] {
			a[k][j] = float64(p.A[k*p.In+j])
		}
		for j := range b[k] {
			b[k][j] = float64(p.B[j*r+k])
		}
	}
	la, lb := orthonormal(a), orthonormal(b)
	// The columns of small are those of Lbᵀ·La, one in a row.
	small, right := make([][]float64, r), make([][]float64, r)
	for j := range r {
		small[j], right[j] = make([]float64, r), make([]float64, r)
		right[j][j] = 1
		for i := range r {
			for k := range r {
				small[j][i] += float64(p.Scale) * lb[k][i] * la[k][j]
			}
			if x := small[j][i]; math.IsNaN(x) || math.IsInf(x, 0) {
				return Pair{}, fmt.Errorf("it has a number that is not finite")
			}
		}
	}
	if err := jacobi(ctx, small, right); err != nil {
		return Pair{}, err
	}
	size := make([]float64, r)
	for j := range size {
		size[j] = math.Sqrt(dot(small[j], small[j]))
	}
	q := Pair{Layer: p.Layer, Module: p.Module, Rank: rank, In: p.In, Out: p.Out, Scale: 1, A: make([]float32, rank*p.In), B: make([]float32, p.Out*rank)}
	for n := range min(rank, r) {
		best := 0
		for j := range size {
			if size[j] > size[best] {
				best = j
			}
		}
		s := size[best]
		size[best] = -1
		if s <= 0 {
			break
		}
		// small[best]/s is the left vector, right[best] the right one; √s goes to each.
		for k := range r {
			left, other := small[best][k]/math.Sqrt(s), right[best][k]*math.Sqrt(s)
			for j, x := range b[k] {
				q.B[j*rank+n] += float32(left * x)
			}
			for j, x := range a[k] {
				q.A[n*p.In+j] += float32(other * x)
			}
		}
	}
	return q, nil
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

// orthonormal makes rows orthonormal in place, twice over for precision (Gram and
// Schmidt), and gives the lower triangle L with which L times the new rows are the
// old ones. A row that depends on those before it becomes zero.
func orthonormal(rows [][]float64) [][]float64 {
	l := make([][]float64, len(rows))
	for i, x := range rows {
		l[i] = make([]float64, len(rows))
		was := math.Sqrt(dot(x, x))
		for range 2 {
			for k := range i {
				c := dot(x, rows[k])
				l[i][k] += c
				for j := range x {
					x[j] -= c * rows[k][j]
				}
			}
		}
		size := math.Sqrt(dot(x, x))
		if size <= 1e-12*was {
			clear(x)
			continue
		}
		l[i][i] = size
		for j := range x {
			x[j] /= size
		}
	}
	return l
}

// jacobi turns the vectors of a matrix, and with them those of right, until they
// are orthogonal to each other (one-sided Jacobi; Hestenes, 1958): then they are
// the left singular vectors times the singular values. It stops where ctx ends.
func jacobi(ctx context.Context, m, right [][]float64) error {
	for range 60 {
		off := 0.0
		for i := range m {
			if err := ctx.Err(); err != nil {
				return err
			}
			for j := i + 1; j < len(m); j++ {
				x, y, z := dot(m[i], m[i]), dot(m[j], m[j]), dot(m[i], m[j])
				if z == 0 || math.Abs(z) <= 1e-14*math.Sqrt(x*y) {
					continue
				}
				off = max(off, math.Abs(z)/math.Sqrt(x*y))
				zeta := (y - x) / (2 * z)
				t := 1 / (math.Abs(zeta) + math.Sqrt(1+zeta*zeta))
				if zeta < 0 {
					t = -t
				}
				c := 1 / math.Sqrt(1+t*t)
				turn(m[i], m[j], c, c*t)
				turn(right[i], right[j], c, c*t)
			}
		}
		if off < 1e-13 {
			return nil
		}
	}
	return nil
}

func turn(a, b []float64, c, s float64) {
	for i, x := range a {
		y := b[i]
		a[i], b[i] = c*x-s*y, s*x+c*y
	}
}
