//go:build !purego && !linux && !windows

package kernel

// allowTiles: no Mac with an amd64 CPU has tiles, and how other systems give out
// their state was not looked into.
func allowTiles() bool { return false }
