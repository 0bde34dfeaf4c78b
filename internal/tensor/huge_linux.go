package tensor

import "golang.org/x/sys/unix"

// adviseHuge asks for large pages: a matrix of a few megabytes, read by columns,
// has more small ones than the processor remembers. Where the system has none to
// give, small ones do.
func adviseHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
