package twin

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
)

// TestEnoughDisk refuses a run that a disk has no room for.
func TestEnoughDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	if free := freeDisk(above(dir)); free < 0 {
		t.Errorf("%d bytes are free", free)
	}
	for _, c := range []struct {
		need, free int64
		ok         bool
	}{{50e6, 20e6, false}, {50e6, 50e6, true}, {50e6, 0, true}, {-1, 1, true}} {
		err := enoughDisk(dir, c.need, c.free)
		if (err == nil) != c.ok {
			t.Errorf("%d of %d: %v", c.need, c.free, err)
		}
		if err != nil && (stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(err.Error(), "50 MB")) {
			t.Error(err)
		}
	}
	r := &run{f: &Folder{Dir: dir}, o: &Options{}}
	if err := r.roomOnDisk(1 << 50); err == nil && freeDisk(above(dir)) > 0 {
		t.Error("there is room for everything")
	}
}
