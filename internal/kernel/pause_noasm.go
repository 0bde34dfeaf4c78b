package kernel

// pause makes a spinning loop wait a moment between two looks.
//
//go:noinline
func pause() {}
