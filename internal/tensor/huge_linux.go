package tensor

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for large pages: a matrix of a few megabytes, read by columns,
// has more small ones than the processor remembers. Where the system has none to
// give, small ones do.
func adviseHuge(b []byte) {
	page := uintptr(os.Getpagesize())
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (page - 1))
	if n := (len(b) - skip) &^ int(page-1); n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_HUGEPAGE)
	}
}
