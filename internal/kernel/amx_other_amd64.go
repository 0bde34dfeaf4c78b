//go:build !purego && !linux

package kernel

// allowTiles: other systems have another way to ask, or none.
func allowTiles() bool { return false }
