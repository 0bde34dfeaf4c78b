//go:build !linux

package twin

// newPeak would begin the largest resident memory anew; no system but Linux lets
// a process do so.
func newPeak() bool { return false }

// peak is not known here.
func peak() int64 { return 0 }

// processorName is not known here.
func processorName() string { return "" }
