//go:build unix

package base

import (
	"errors"
	"os"
	"syscall"
)

// syncDir puts a renaming on the disk. Some file systems cannot, and then the
// file's own fsync has to do.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

func isFull(err error) bool {
	var other fullDisk
	return errors.As(err, &other) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isReadOnlySystem(err error) bool { return errors.Is(err, syscall.EROFS) }
