package twin

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/term"
)

// roomOnDisk says that a run over n weights needs more of the disk than is free where the
// twin lies, beside what a run that goes on has there already.
func (r *run) roomOnDisk(n int) error {
	need := r.diskBytes(n)
	if r.recipe.Options.Weights == nil {
		// A checkpoint with its moments and the one before it, the adapter of an epoch,
		// and the version in F16.
		need = int64(n) * (2*3*4 + 4 + 2)
	}
	if r.o.Resume {
		need -= sizeOf(r.path(""))
	}
	return enoughDisk(r.f.Dir, need, freeDisk(above(r.f.Dir)))
}

// enoughDisk says that need is more than what is free for a folder, in bytes; 0 free says
// that nobody knows.
func enoughDisk(dir string, need, free int64) error {
	if free == 0 || need <= free {
		return nil
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the run takes about %s of the disk, and %s are free where the twin lies, in %s", term.Bytes(need), term.Bytes(free), dir),
		Hint: "make room there, or choose another place with --to DIR or STROKE_HOME"}
}

// above is a folder, or the first above it that is there.
func above(dir string) string {
	for filepath.Dir(dir) != dir {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}
