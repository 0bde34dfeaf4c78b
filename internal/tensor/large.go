package tensor

// Large is n zero bytes of the Go heap, in large pages where the system has them
// to give.
func Large(n int) []byte {
	b := make([]byte, n)
	adviseHuge(b)
	return b
}
