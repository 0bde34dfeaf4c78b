package twin

import (
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// addingName is of folders in which an adapter is looked at that is to be added.
var addingName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*-[0-9]+$`)

// leftAfter is how long nothing is written to a folder that nobody works on any more.
const leftAfter = 24 * time.Hour

// sweepLeft deletes folders with such names that processes which were killed have left in
// dir. They have no lock: nobody works on what was not written to for long.
func sweepLeft(dir string, name *regexp.Regexp) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		at := filepath.Join(dir, e.Name())
		info, err := e.Info()
		if err != nil || !e.IsDir() || !name.MatchString(e.Name()) || time.Since(info.ModTime()) < leftAfter {
			continue
		}
		if !isFile(filepath.Join(at, lockFile)) { // what has one is gone on with
			os.RemoveAll(at)
		}
	}
}
