//go:build !purego

package kernel

import "golang.org/x/sys/unix"

// allowTiles asks the kernel for the state of the tiles, which it keeps for a
// process only on request (Documentation/arch/x86/xstate.rst).
func allowTiles() bool {
	const requestPermission, tileData = 0x1023, 18
	_, _, errno := unix.RawSyscall(unix.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
}
