package tensor

import "unsafe"

// Large is n zero bytes of the Go heap, in large pages where the system has them
// to give.
func Large(n int) []byte {
	const page = 2 << 20
	if n < page {
		return make([]byte, n)
	}
	b := make([]byte, n+page)
	b = b[-uintptr(unsafe.Pointer(unsafe.SliceData(b)))&(page-1):][:n:n]
	adviseHuge(b)
	return b
}
