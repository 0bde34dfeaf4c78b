package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/getstroke/stroke/internal/testkit"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stroke": main})
}

// TestScripts runs the scenarios in testdata, one a file, each with a home of
// its own. Those whose name begins with "base_" use the real base, others at
// most a toy.
func TestScripts(t *testing.T) {
	all, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	toy := testkit.Toy(t, testkit.ToyShape{})
	var plain, based []string
	for _, f := range all {
		if strings.HasPrefix(filepath.Base(f), "base_") {
			based = append(based, f)
		} else {
			plain = append(plain, f)
		}
	}
	for _, c := range []struct {
		name  string
		files []string
		base  bool
	}{{"plain", plain, false}, {"base", based, true}} {
		if len(c.files) == 0 {
			t.Fatalf("there are no scenarios of the kind %s", c.name)
		}
		t.Run(c.name, func(t *testing.T) {
			base := ""
			if c.base {
				base = testkit.Base(t)
			}
			testscript.Run(t, testscript.Params{
				Files: c.files,
				Setup: func(e *testscript.Env) error {
					e.Setenv("STROKE_HOME", filepath.Join(e.WorkDir, "home"))
					e.Setenv("HOME", e.WorkDir)
					e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
					e.Setenv("HF_HUB_OFFLINE", "1")
					e.Setenv("TMPDIR", e.WorkDir)
					e.Setenv("BASE", base)
					e.Setenv("TOY", toy)
					e.Setenv("NOTEBOOK", filepath.Join(testkit.Root(t), "examples", "notebook"))
					return os.MkdirAll(filepath.Join(e.WorkDir, "home"), 0o700)
				},
			})
		})
	}
}
