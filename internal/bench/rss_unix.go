//go:build unix

package bench

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// PeakRSS is the most memory this process ever had resident, in bytes, pages of
// mapped files included; 0 where the system does not say.
func PeakRSS() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}
