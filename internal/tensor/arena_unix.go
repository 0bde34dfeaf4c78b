//go:build unix

package tensor

import "golang.org/x/sys/unix"

// reserve maps n bytes, zeroed, on a page boundary.
func reserve(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

func giveBack(b []byte) error { return unix.Munmap(b) }
