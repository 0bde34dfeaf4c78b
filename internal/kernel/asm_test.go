package kernel

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAssemblyMixesNoSSE looks for instructions of SSE among those of AVX: while the
// upper halves of registers are in use, processors before Skylake save these for the
// first and bring them back for the next of AVX.
func TestAssemblyMixesNoSSE(t *testing.T) {
	files, err := filepath.Glob("*_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	vector := regexp.MustCompile(`^\t[A-Z].*\b[XYZ][0-9]+\b`)
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for i, line := range strings.Split(string(b), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if !vector.MatchString(code) {
				continue
			}
			seen++
			if op := strings.TrimSpace(code); op[0] != 'V' {
				t.Errorf("%s:%d: %s", name, i+1, op)
			}
		}
		if seen == 0 {
			t.Errorf("%s: no instruction with vectors was found", name)
		}
	}
}
