package lora

import "fmt"

// Mean is the mean of n adapters whose own mean is was, and of one more of the same
// shape: of their factors, number by number, so that the rank stays. Factors of one
// training lie near enough to each other for their mean to do what the mean of their
// products does; those of two trainings do not.
func Mean(was *File, n int, next *File) (*File, error) {
	if n < 1 || len(was.Pairs) != len(next.Pairs) {
		return nil, fmt.Errorf("mean of adapters: %d with %d pairs and one with %d", n, len(was.Pairs), len(next.Pairs))
	}
	out := &File{Config: next.Config}
	for i := range next.Pairs {
		p, q := &was.Pairs[i], &next.Pairs[i]
		if p.Layer != q.Layer || p.Module != q.Module || p.Rank != q.Rank || p.In != q.In || p.Out != q.Out || p.Scale != q.Scale {
			return nil, fmt.Errorf("mean of adapters: the pair %s of layer %d is %s of layer %d in the other, or has another shape", q.Module, q.Layer, p.Module, p.Layer)
		}
		m := *q
		m.A, m.B = mean(p.A, n, q.A), mean(p.B, n, q.B)
		out.Pairs = append(out.Pairs, m)
	}
	return out, nil
}

func mean(was []float32, n int, next []float32) []float32 {
	out := make([]float32, len(next))
	for i, x := range next {
		out[i] = float32((float64(n)*float64(was[i]) + float64(x)) / float64(n+1))
	}
	return out
}
