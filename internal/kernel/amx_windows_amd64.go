//go:build !purego

package kernel

import "golang.org/x/sys/windows"

// allowTiles asks Windows for the state of the tiles, components 17 and 18 of
// XSAVE, which its threads have only on request. The call is there since Windows
// 11 and Server 2022, refuses components that the system does not support, and
// when it returns all threads of the process have the state, those yet to be
// started too.
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-enableprocessoptionalxstatefeatures
func allowTiles() bool {
	const tileConfiguration, tileData = 1 << 17, 1 << 18
	enable := windows.NewLazySystemDLL("kernel32.dll").NewProc("EnableProcessOptionalXStateFeatures")
	if enable.Find() != nil {
		return false
	}
	ok, _, _ := enable.Call(tileConfiguration | tileData)
	return ok != 0
}
