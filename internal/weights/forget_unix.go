//go:build unix && !linux

package weights

import "golang.org/x/sys/unix"

// forget drops the pages of a mapping; a system that does not keeps them.
func forget(b []byte) {
	if len(b) > 0 {
		unix.Madvise(b, unix.MADV_DONTNEED)
	}
}
