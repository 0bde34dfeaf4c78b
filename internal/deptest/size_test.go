package deptest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
)

// The most bytes of what is embedded in the program.
const (
	mostEmbedded = 32e6  // of all
	mostGenres   = 20e6  // of the library
	mostAdapter  = 2.5e6 // of a genre's adapter, or of a control
)

// TestEmbeddedSize holds that the program stays small with all that it brings.
func TestEmbeddedSize(t *testing.T) {
	root := testkit.Root(t)
	size := func(dir string) (n int64) {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || strings.HasSuffix(path, ".go") {
				return err
			}
			info, err := e.Info()
			if err == nil {
				n += info.Size()
			}
			return err
		})
		if err != nil || n == 0 {
			t.Fatalf("%s has %d bytes, %v", dir, n, err)
		}
		return n
	}
	genres, controls := size("library"), size("internal/twin/control/files")
	all := genres + controls + size("internal/likeness/reference") + size("internal/eval/general") + size("internal/twin/recipes")
	if genres > mostGenres || all > mostEmbedded {
		t.Errorf("genres have %d bytes, at most %.0f, and all that is embedded %d, at most %.0f", genres, mostGenres, all, mostEmbedded)
	}
	for _, of := range []string{"library", "internal/twin/control/files"} {
		adapters, err := filepath.Glob(filepath.Join(root, of, "*", "*", "adapter_*.safetensors"))
		if err != nil || len(adapters) == 0 {
			t.Fatal(of, adapters, err)
		}
		for _, a := range adapters {
			if info, err := os.Stat(a); err != nil || info.Size() > mostAdapter {
				t.Errorf("%s has %d bytes, at most %.0f, %v", a, info.Size(), mostAdapter, err)
			}
		}
	}
}
