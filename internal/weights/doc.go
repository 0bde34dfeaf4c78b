// Package weights reads and writes the files that models come in: GGUF,
// safetensors and Hugging Face folders. Files are mapped into memory and never
// copied; every length and offset is checked against the file before it is used,
// and a file that becomes unreadable under the process is an error (see Guard).
package weights

import "github.com/getstroke/stroke/internal/tensor"

// Tensor is a weight as it lies in a file.
type Tensor struct {
	Name  string
	DType tensor.DType
	Shape []int  // outermost first, as Hugging Face writes it: [out, in]
	Data  []byte // a slice of the memory map; never written to
}

// Elements is the number of weights.
func (t *Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// FormatError says what is wrong with a file.
type FormatError struct {
	Path   string
	Msg    string
	Advice string // what to do where fetching the file again would not help
}

// Error names the file and what is wrong.
func (e *FormatError) Error() string { return e.Path + ": " + e.Msg }

// Hint says what to do.
func (e *FormatError) Hint() string {
	if e.Advice != "" {
		return e.Advice
	}
	return "the file is damaged or not what it seems; fetch it again, for a base with: stroke base pull NAME"
}

// UnsupportedError names a kind of weight that cannot be read.
type UnsupportedError struct {
	Path   string
	Tensor string
	Type   string
}

// Error names the file, the weight and its type.
func (e *UnsupportedError) Error() string {
	return e.Path + ": the weight " + e.Tensor + " is of type " + e.Type + ", which cannot be read"
}

// Hint says what can.
func (e *UnsupportedError) Hint() string {
	return "use the same model in F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q5_1, Q5_0, Q4_K, Q4_1 or Q4_0"
}

// volume is the number of elements of a shape; ok is false where it cannot be.
func volume(shape []int) (n int, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > maxElements/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// maxElements is far beyond any tensor there is.
const maxElements = 1 << 44
