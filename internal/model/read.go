package model

import (
	"fmt"

	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// tensors reads weights by name and keeps the first error.
type tensors struct {
	src *weights.Source
	err error
}

// Err is the first error met.
func (r *tensors) Err() error { return r.err }

func (r *tensors) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// Has says whether there is a weight of that name.
func (r *tensors) Has(name string) bool {
	_, ok := r.src.Tensors[name]
	return ok
}

// Matrix is the weight [out, in] of that name, as it lies in the file. One without
// rows or columns is refused, as its other side may be any number.
func (r *tensors) Matrix(name string) tensor.Matrix {
	t, ok := r.src.Tensors[name]
	if !ok {
		r.fail("the weight %s is missing: the file is not whole", name)
		return tensor.Matrix{}
	}
	if len(t.Shape) != 2 || t.Shape[0] == 0 || t.Shape[1] == 0 {
		r.fail("the weight %s has shape %v where a matrix with rows and columns is expected: the file is damaged", name, t.Shape)
		return tensor.Matrix{}
	}
	return tensor.Matrix{Name: name, DType: t.DType, Rows: t.Shape[0], Cols: t.Shape[1], Data: t.Data}
}

// Vector is a copy of the weight of that name in float32.
func (r *tensors) Vector(name string) []float32 {
	t, ok := r.src.Tensors[name]
	if !ok {
		r.fail("the weight %s is missing: the file is not whole", name)
		return nil
	}
	if len(t.Shape) != 1 {
		r.fail("the weight %s has shape %v where a vector is expected", name, t.Shape)
		return nil
	}
	m := tensor.Matrix{Name: name, DType: t.DType, Rows: 1, Cols: t.Shape[0], Data: t.Data}
	v := make([]float32, m.Cols)
	m.WidenRow(v, 0)
	return v
}

// VectorIf is like Vector, and nil where there is no weight of that name.
func (r *tensors) VectorIf(name string) []float32 {
	if !r.Has(name) {
		return nil
	}
	return r.Vector(name)
}

// HalfOrder maps the rows of a q or k projection in Hugging Face's order, where
// feature i of a head turns with feature i+size/2, to llama.cpp's, where
// neighbours turn together. More rows than a model can have are refused.
func HalfOrder(heads, size, rows int) ([]int32, error) {
	if rows > maxDim {
		return nil, fmt.Errorf("it has %d rows, and %d is the most that can be read: the file is damaged", rows, maxDim)
	}
	if heads > maxDim || size > maxDim || heads*size != rows || size%2 != 0 {
		return nil, fmt.Errorf("%d rows are not %d heads of %d features", rows, heads, size)
	}
	order := make([]int32, rows)
	for h := range heads {
		for i := range size / 2 {
			order[h*size+i] = int32(h*size + 2*i)
			order[h*size+size/2+i] = int32(h*size + 2*i + 1)
		}
	}
	return order, nil
}

// Reorder gives v, as long as order, in another order: v[order[i]] at i. nil stays nil.
func Reorder(v []float32, order []int32) []float32 {
	if v == nil {
		return nil
	}
	out := make([]float32, len(order))
	for i, o := range order {
		out[i] = v[o]
	}
	return out
}
