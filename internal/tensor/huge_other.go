//go:build !linux

package tensor

// adviseHuge: other systems choose the size of pages themselves.
func adviseHuge([]byte) {}
