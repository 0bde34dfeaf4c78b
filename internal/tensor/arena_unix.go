//go:build unix

package tensor

import "golang.org/x/sys/unix"

// reserve maps n bytes, zeroed, on a page boundary.
func reserve(n int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		adviseHuge(b)
	}
	return b, err
}

func giveBack(b []byte) error { return unix.Munmap(b) }
