package twin

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestSweepLeft deletes what processes that were killed have left, and neither what others
// are at work on nor what is not theirs.
func TestSweepLeft(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-2 * leftAfter)
	for _, p := range []string{".write-1/card.json", ".write-2/card.json", "novel/card.json", "a-1/x", "a-2/x", "a-3/.lock", "a-b/x"} {
		fill(t, dir, p)
		if at := filepath.Join(dir, filepath.Dir(p)); filepath.Base(at) != ".write-2" && filepath.Base(at) != "a-2" {
			if err := os.Chtimes(at, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	left := func(want ...string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("left are %v, %v", names, err)
		}
	}
	sweepLeft(dir, halfWrittenName)
	left(".write-2", "a-1", "a-2", "a-3", "a-b", "novel")
	sweepLeft(dir, addingName)
	left(".write-2", "a-2", "a-3", "a-b", "novel")
}
