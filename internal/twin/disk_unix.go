//go:build linux || darwin

package twin

import "syscall"

// freeDisk is what can still be written to the disk of a folder, in bytes; 0 where the
// system does not say.
func freeDisk(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Blocks == 0 {
		return 0
	}
	return max(1, int64(s.Bavail)*int64(s.Bsize)) // 0 would say that nobody knows
}
