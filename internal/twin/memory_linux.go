package twin

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// freeMemory is the memory that the system could give now, in bytes; 0 where it
// does not say.
func freeMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kib int64
		if strings.HasPrefix(s.Text(), "MemAvailable:") {
			if _, err := fmt.Sscanf(s.Text(), "MemAvailable: %d kB", &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
