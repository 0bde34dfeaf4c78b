package tensor

import "unsafe"

// Bytes sees float32 numbers as they lie in memory, which is how F32 lies in
// files: every machine that Stroke is built for is little-endian.
func Bytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// FloatsOf sees the numbers of F32 in b, which begins on a multiple of four bytes.
func FloatsOf(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// Floats is the matrix [rows, cols] of F32 that lies in w and changes with it. It
// panics where w is not rows × cols numbers.
func Floats(name string, rows, cols int, w []float32) Matrix {
	return NewMatrix(name, F32, rows, cols, Bytes(w))
}
