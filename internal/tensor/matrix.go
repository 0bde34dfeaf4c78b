package tensor

import (
	"fmt"

	"github.com/getstroke/stroke/internal/kernel"
)

// Matrix is a weight [Rows, Cols] (out × in for a linear layer) as it lies in
// its file: a slice of a memory map, never written to.
type Matrix struct {
	Name       string
	DType      DType
	Rows, Cols int

	// Data holds the rows one after the other, each RowBytes() long.
	Data []byte

	// Order gives, for each logical row, the row of Data that holds it; nil
	// means that they are the same. A GGUF of the llama architecture keeps the
	// rows of q_proj and k_proj in the order of an interleaved RoPE, while
	// logical rows are always in Hugging Face's order, in which adapters are
	// written.
	Order []int32

	// Interleaved is the matrix again, in the order in which the kernel's products of
	// 16-bit integers read it; nil where there is none.
	Interleaved *kernel.Interleaved
}

// NewMatrix is the matrix [rows, cols] in data. It panics where data is not
// rows × cols values of t: whoever read the file has checked that.
func NewMatrix(name string, t DType, rows, cols int, data []byte) Matrix {
	m := Matrix{Name: name, DType: t, Rows: rows, Cols: cols, Data: data}
	if rows < 0 || cols < 0 || len(data) != rows*m.RowBytes() {
		panic(fmt.Sprintf("tensor: matrix %s [%d, %d] of %s in %d bytes", name, rows, cols, t, len(data)))
	}
	return m
}

// RowBytes is the length of one row in bytes.
func (m *Matrix) RowBytes() int { return m.DType.RowBytes(m.Cols) }

// Stored is the row of Data that holds the logical row i.
func (m *Matrix) Stored(i int) int {
	if m.Order == nil {
		return i
	}
	return int(m.Order[i])
}

// Row is the logical row i in the matrix's own format: a slice of Data.
func (m *Matrix) Row(i int) []byte {
	if i < 0 || i >= m.Rows {
		panic(fmt.Sprintf("tensor: row %d of matrix %s [%d, %d]", i, m.Name, m.Rows, m.Cols))
	}
	n := m.RowBytes()
	at := m.Stored(i) * n
	return m.Data[at : at+n : at+n]
}

// WidenRow overwrites dst [Cols] with the logical row i.
func (m *Matrix) WidenRow(dst []float32, i int) {
	if len(dst) != m.Cols {
		panic(fmt.Sprintf("tensor: widen a row of matrix %s [%d, %d] into %d values", m.Name, m.Rows, m.Cols, len(dst)))
	}
	kernel.Widen(dst, m.Row(i), m.DType)
}
