//go:build (!amd64 && !arm64) || purego

package kernel

func archKinds() []*kind { return nil }

// pause makes a spinning loop wait a moment between two looks.
//
//go:noinline
func pause() {}
