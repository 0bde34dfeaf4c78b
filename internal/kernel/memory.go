package kernel

import "unsafe"

// alignedF32 allocates n floats that begin on a cache line.
func alignedF32(n int) []float32 {
	buf := make([]float32, n+15)
	skip := 0
	if r := uintptr(unsafe.Pointer(unsafe.SliceData(buf))) & 63; r != 0 {
		skip = int(64-r) / 4
	}
	return buf[skip : skip+n : skip+n]
}

// bytesOf is the memory of floats.
func bytesOf(f []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))
}

// Fetch asks for b to be brought near, since it is read soon; nothing waits for it.
func Fetch(b []byte) {
	if len(b) > 0 && cur.fetch != nil {
		cur.fetch(&b[0], (len(b)+63)/64)
	}
}
