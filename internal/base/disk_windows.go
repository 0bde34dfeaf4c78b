package base

import (
	"errors"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: Windows keeps its own journal of renamings and lets no
// folder be synced.
func syncDir(string) error { return nil }

func isFull(err error) bool {
	var other fullDisk
	return errors.As(err, &other) || errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

func isReadOnlySystem(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
