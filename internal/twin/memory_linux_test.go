package twin

import (
	"testing"
	"testing/fstest"
)

// TestLeftInGroup: what limits of both kinds of control groups leave.
func TestLeftInGroup(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for _, c := range []struct {
		name string
		fs   fstest.MapFS
		left int64
		ok   bool
	}{
		{"none", fstest.MapFS{}, 0, false},
		{"second, no limit", fstest.MapFS{"memory.max": file("max\n"), "memory.current": file("5\n")}, 0, false},
		{"second", fstest.MapFS{"memory.max": file("1000\n"), "memory.current": file("700\n"), "memory.stat": file("inactive_file_x 9\ninactive_file 250\nactive_file 7\n")}, 550, true},
		{"first", fstest.MapFS{"memory/memory.limit_in_bytes": file("1000\n"), "memory/memory.usage_in_bytes": file("700\n"), "memory/memory.stat": file("inactive_file 1\ntotal_inactive_file 200\n")}, 500, true},
	} {
		if left, ok := leftInGroup(c.fs); left != c.left || ok != c.ok {
			t.Errorf("%s: %d, %v", c.name, left, ok)
		}
	}
	if freeMemory() <= 0 {
		t.Error("this system does not say what memory is free")
	}
}
