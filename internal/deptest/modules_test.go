package deptest

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
)

// dependencyLine is a line of docs/DEPENDENCIES.md that accounts for a module:
// "- MODULE VERSION (LICENCE): what for; why this one."
var dependencyLine = regexp.MustCompile(`^- (\S+) (v\S+) \(([^)]+)\): (.+); (.+)\.$`)

// permissive are the licences that a dependency may have.
var permissive = map[string]bool{"MIT": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "Apache-2.0": true, "ISC": true, "MPL-2.0": true}

// TestDependencies demands a line for each module that go.mod requires directly,
// with the version that is required, and no line for one that it does not.
func TestDependencies(t *testing.T) {
	root := testkit.Root(t)
	said := map[string]string{}
	last := ""
	for _, l := range lines(t, filepath.Join(root, "docs", "DEPENDENCIES.md")) {
		if !strings.HasPrefix(l, "- ") {
			continue
		}
		m := dependencyLine.FindStringSubmatch(l)
		if m == nil {
			t.Errorf("docs/DEPENDENCIES.md: a line is not of the form “- MODULE VERSION (LICENCE): what for; why this one.”: %s", l)
			continue
		}
		if said[m[1]] != "" {
			t.Errorf("docs/DEPENDENCIES.md: %s has two lines", m[1])
		}
		if m[1] < last {
			t.Errorf("docs/DEPENDENCIES.md: %s stands behind %s", m[1], last)
		}
		if !permissive[m[3]] {
			t.Errorf("docs/DEPENDENCIES.md: %s has the licence %s", m[1], m[3])
		}
		said[m[1]], last = m[2], m[1]
	}
	required := map[string]string{}
	for _, mod := range []string{"go.mod", "internal/kernel/_asm/go.mod"} {
		for _, l := range lines(t, filepath.Join(root, filepath.FromSlash(mod))) {
			f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(l), "require "))
			if len(f) == 2 && strings.HasPrefix(f[1], "v") && strings.Contains(f[0], ".") {
				required[f[0]] = f[1]
			}
		}
	}
	if len(required) < 10 {
		t.Fatalf("%d modules are required: go.mod was not read", len(required))
	}
	for m, v := range required {
		switch {
		case said[m] == "":
			t.Errorf("docs/DEPENDENCIES.md has no line for %s %s", m, v)
		case said[m] != v:
			t.Errorf("docs/DEPENDENCIES.md has %s at %s, go.mod at %s", m, said[m], v)
		}
	}
	for m := range said {
		if required[m] == "" {
			t.Errorf("docs/DEPENDENCIES.md has a line for %s, which is not required directly", m)
		}
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		out = append(out, s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
