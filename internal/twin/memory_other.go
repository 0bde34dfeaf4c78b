//go:build !linux

package twin

// freeMemory is the memory that the system could give now, in bytes; 0 where it
// does not say.
func freeMemory() int64 { return 0 }
