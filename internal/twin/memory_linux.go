package twin

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// freeMemory is the memory that the system could give now, in bytes; 0 where it
// does not say. In a container it is what its limit leaves.
func freeMemory() int64 {
	free := field(os.DirFS("/proc"), "meminfo", "MemAvailable:") << 10
	if left, ok := leftInGroup(os.DirFS("/sys/fs/cgroup")); ok && free > 0 {
		return max(1, min(free, left)) // 0 would say that nobody knows
	}
	return free
}

// leftInGroup is what the limit of the control group that a container sees as its
// own leaves, pages of files counted as free that nobody has used lately; false
// where there is no limit.
func leftInGroup(root fs.FS) (int64, bool) {
	for _, g := range []struct{ limit, used, stat, files string }{
		{"memory.max", "memory.current", "memory.stat", "inactive_file"},
		{"memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"},
	} {
		limit, ok := number(root, g.limit)
		used, ok2 := number(root, g.used)
		if ok && ok2 {
			return limit - used + field(root, g.stat, g.files), true
		}
	}
	return 0, false
}

// number is what a file of one number holds.
func number(root fs.FS, name string) (int64, bool) {
	b, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil // "max" is no limit
}

// field is the number behind a name at the beginning of a line, or 0.
func field(root fs.FS, file, name string) int64 {
	f, err := root.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var n int64
		if rest, ok := strings.CutPrefix(s.Text(), name); ok && (rest == "" || rest[0] == ' ') {
			if _, err := fmt.Sscan(rest, &n); err == nil {
				return n
			}
		}
	}
	return 0
}
