// Package deptest holds the rules of the tree that a machine can check: which
// package may import which, that everything exported is documented, and that
// each dependency is accounted for. It has tests alone.
package deptest

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
)

const module = "github.com/getstroke/stroke"

// engineMay says what each package of the engine half may import of ours. The
// half knows numbers and models, and can be used without the rest.
var engineMay = map[string][]string{
	"kernel":  {},
	"tensor":  {"kernel"},
	"weights": {"tensor"},
	"token":   {},
	"op":      {"kernel", "tensor"},
	"lora":    {"kernel", "tensor", "op", "weights"},
	"model":   {"kernel", "tensor", "op", "weights", "lora"},
	"train":   {"kernel", "tensor", "op", "weights", "lora", "model"},
	"engine":  {"kernel", "tensor", "op", "weights", "lora", "model", "token"},
	"eval":    {"kernel", "tensor", "op", "weights", "lora", "model", "token", "train", "engine"},
}

// product are the packages that know writers and files; none knows another.
var product = []string{"base", "corpus", "genre", "index", "likeness", "term"}

// everywhere are packages that know nothing of ours and that all may import.
var everywhere = []string{"word"}

// both see the two halves: the main path, the measurements of the engine on real
// bases, bases in other formats, what tests share, and the command line.
var both = []string{"twin", "bench", "quantize", "testkit", "deptest"}

// ofBenchmarks are the packages below bench that are no commands.
var ofBenchmarks = []string{"bench/lines", "bench/withheld"}

// bare are packages of the standard library that the engine half must never
// reach, not even by way of a library.
var bare = []string{"net/http", "database/sql"}

// pkg is a package of the tree as its files say, on every platform.
type pkg struct {
	path    string // relative to the module root, with slashes; "." for the root
	name    string
	imports map[string]string // import path to the file that has it; without tests
}

// packages reads the imports of all packages of the module, whatever platform
// their files are for.
func packages(t *testing.T) []*pkg {
	t.Helper()
	root := testkit.Root(t)
	byDir := map[string]*pkg{}
	walkGo(t, root, func(rel string) {
		if strings.HasSuffix(rel, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(rel)), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		dir := "."
		if i := strings.LastIndexByte(rel, '/'); i >= 0 {
			dir = rel[:i]
		}
		p := byDir[dir]
		if p == nil {
			p = &pkg{path: dir, name: f.Name.Name, imports: map[string]string{}}
			byDir[dir] = p
		}
		for _, s := range f.Imports {
			path, err := strconv.Unquote(s.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			p.imports[path] = rel
		}
	})
	if len(byDir) < 20 {
		t.Fatalf("%d packages were found: the tree was not read", len(byDir))
	}
	return slices.SortedFunc(maps.Values(byDir), func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
}

// walkGo calls fn with each Go file of the module, relative to its root. Folders
// with a module of their own, and what the go command passes over, are left out.
func walkGo(t *testing.T, root string, fn func(rel string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root {
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if err == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".") {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			fn(filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// part is the folder below internal/ that a package belongs to, "" for none.
func part(path string) string {
	rest, ok := strings.CutPrefix(path, "internal/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// wrong says which rule an import breaks, "" where none. from and to are paths
// below the module, "." for its root.
func wrong(from, to string) string {
	a, b := part(from), part(to)
	if a != "" && a == b {
		return "" // a package and what lies below it
	}
	if b == "testkit" || b == "deptest" {
		return "it is for tests"
	}
	if slices.Contains(everywhere, a) {
		return "it stands below all others"
	}
	if slices.Contains(everywhere, b) && from != "." {
		return ""
	}
	if may, ok := engineMay[a]; ok {
		if to == "." {
			return "the engine half never imports the root package"
		}
		if !slices.Contains(may, b) {
			return "of ours, " + a + " may import only: " + strings.Join(may, ", ")
		}
		return ""
	}
	_, engine := engineMay[b]
	switch {
	case from == ".":
		return "the root package imports nothing of ours"
	case from == "library":
		return "the library is files alone"
	case to == "library":
		if from != "internal/genre" {
			return "the library's files are read by internal/genre alone"
		}
		return ""
	case slices.Contains(product, a):
		if engine {
			return "the product half does not see the engine"
		}
		if b != "" {
			return "packages of the product half do not import each other"
		}
		if to != "." {
			return "only commands are above it"
		}
	case a != "" && !slices.Contains(both, a):
		return "internal/" + a + " has no place in the rules: give it one in " + "internal/deptest"
	case slices.Contains(ofBenchmarks, to):
		if !strings.HasPrefix(from, "bench/") {
			return "it is for the benchmarks' commands"
		}
	case b == "" && to != ".":
		return "nothing imports a command"
	}
	return ""
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		if a := part(p.path); a != "" {
			seen[a] = true
			if _, engine := engineMay[a]; !engine && !slices.Contains(product, a) && !slices.Contains(both, a) && !slices.Contains(everywhere, a) {
				t.Errorf("%s has no place in the rules of this test", p.path)
			}
		}
		for path, file := range p.imports {
			if path == module {
				path += "/."
			}
			to, ours := strings.CutPrefix(path, module+"/")
			if !ours {
				continue
			}
			if why := wrong(p.path, to); why != "" {
				t.Errorf("%s imports %s: %s", file, to, why)
			}
		}
	}
	for a := range engineMay {
		if !seen[a] {
			t.Errorf("there is no internal/%s: the rules are out of date", a)
		}
	}
}

// TestRules keeps the rules themselves: an import that breaks each is refused.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"internal/kernel", "internal/tensor", false},
		{"internal/tensor", "internal/kernel", true},
		{"internal/weights", "internal/kernel", false},
		{"internal/weights", "internal/tensor", true},
		{"internal/token", "internal/weights", false},
		{"internal/token", "internal/token/jinja", true},
		{"internal/model", "internal/train", false},
		{"internal/model/llama", "internal/model", true},
		{"internal/model/llama", "internal/corpus", false},
		{"internal/engine", ".", false},
		{"internal/eval", "internal/twin", false},
		{"internal/corpus", ".", true},
		{"internal/corpus", "internal/base", false},
		{"internal/index", "internal/token", false},
		{"internal/likeness", "internal/likeness/prose", true},
		{"internal/term", "internal/twin", false},
		{"internal/genre", "library", true},
		{"internal/genre", "internal/corpus", false},
		{"internal/twin", "library", false},
		{"library", "internal/genre", false},
		{"internal/twin", "internal/kernel", true},
		{"internal/twin/examples", "internal/corpus", true},
		{"internal/twin", "internal/testkit", false},
		{"internal/twin", "cmd/stroke", false},
		{"cmd/stroke", "internal/twin", true},
		{"cmd/stroke", "internal/kernel", true},
		{"bench/lab", "bench/lines", true},
		{"internal/twin", "bench/lines", false},
		{"bench/lab", "bench/gate", false},
		{".", "internal/kernel", false},
		{"internal/eval", "internal/word", true},
		{"internal/corpus", "internal/word", true},
		{"internal/twin", "internal/word", true},
		{"internal/word", "internal/index", false},
		{"internal/word", ".", false},
		{".", "internal/word", false},
		{"internal/surprise", "internal/kernel", false},
	} {
		if why := wrong(c.from, c.to); (why == "") != c.ok {
			t.Errorf("%s imports %s: allowed %v, want %v (%s)", c.from, c.to, why == "", c.ok, why)
		}
	}
}

// TestEngineIsBare follows the engine half's dependencies to the end, through
// libraries too, on each kind of system.
func TestEngineIsBare(t *testing.T) {
	root := testkit.Root(t)
	args := []string{"list", "-deps", "-json=ImportPath,Imports,Standard"}
	for _, a := range slices.Sorted(maps.Keys(engineMay)) {
		args = append(args, "./internal/"+a+"/...")
	}
	for _, system := range []string{"linux/amd64", "darwin/arm64", "windows/amd64"} {
		goos, goarch, _ := strings.Cut(system, "/")
		cmd := exec.Command("go", args...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, stderr.String())
		}
		dec := json.NewDecoder(strings.NewReader(string(out)))
		n := 0
		for {
			var p struct {
				ImportPath string
				Imports    []string
				Standard   bool
			}
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			n++
			if p.Standard {
				continue
			}
			for _, i := range p.Imports {
				if i == module || slices.Contains(bare, i) {
					t.Errorf("%s: the engine half reaches %s, which imports %s", system, p.ImportPath, i)
				}
			}
		}
		if n < 50 {
			t.Fatalf("%s: go list named %d packages", system, n)
		}
	}
}
