package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/getstroke/stroke/internal/testkit"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stroke": main})
}

// TestScripts runs the scenarios in testdata, one a file, each with a home of
// its own. Those whose name begins with "base_" use the real base.
func TestScripts(t *testing.T) {
	for _, c := range []struct {
		pattern string
		base    bool
	}{{"testdata/[!b]*.txtar", false}, {"testdata/base_*.txtar", true}} {
		files, err := filepath.Glob(c.pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no scenarios match %s (%v)", c.pattern, err)
		}
		t.Run(c.pattern, func(t *testing.T) {
			base := ""
			if c.base {
				base = testkit.Base(t)
			}
			testscript.Run(t, testscript.Params{
				Files: files,
				Setup: func(e *testscript.Env) error {
					e.Setenv("STROKE_HOME", filepath.Join(e.WorkDir, "home"))
					e.Setenv("HOME", e.WorkDir)
					e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
					e.Setenv("HF_HUB_OFFLINE", "1")
					e.Setenv("TMPDIR", e.WorkDir)
					e.Setenv("BASE", base)
					e.Setenv("NOTEBOOK", filepath.Join(testkit.Root(t), "examples", "notebook"))
					return os.MkdirAll(filepath.Join(e.WorkDir, "home"), 0o700)
				},
			})
		})
	}
}
