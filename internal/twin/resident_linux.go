package twin

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// newPeak begins the largest resident memory of the process anew (5 written to
// clear_refs, proc_pid_clear_refs(5)); false where the system does not let it.
func newPeak() bool {
	f, err := os.OpenFile("/proc/self/clear_refs", os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	_, err = f.WriteString("5")
	return f.Close() == nil && err == nil
}

// peak is the largest resident memory since [newPeak], in bytes; 0 where the
// system does not say.
func peak() int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kib int64
		if strings.HasPrefix(s.Text(), "VmHWM:") {
			if _, err := fmt.Sscanf(s.Text(), "VmHWM: %d kB", &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}

// processorName is the name of the processor, empty where the system does not
// say.
func processorName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, name, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(name)
		}
	}
	return ""
}
