package deptest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
)

// TestPackageComments demands a comment on every package, and of the form that
// the go command's documentation shows.
func TestPackageComments(t *testing.T) {
	root := testkit.Root(t)
	docs := map[string]string{}
	names := map[string]string{}
	walkGo(t, root, func(rel string) {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(rel)), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name.Name, "_test") {
			return
		}
		dir := path.Dir(rel)
		names[dir] = f.Name.Name
		if f.Doc != nil {
			if docs[dir] != "" {
				t.Errorf("%s: the package has a comment in two files", dir)
			}
			docs[dir] = f.Doc.Text()
		}
	})
	for dir, name := range names {
		want := "Package " + name + " "
		if name == "main" {
			want = "Command " + path.Base(dir) + " "
		}
		if !strings.HasPrefix(docs[dir], want) {
			t.Errorf("%s: the package's comment does not begin with %q", dir, want)
		}
	}
}

// TestExportedComments demands a comment on everything exported. Of constants
// and variables in a group, the group's comment or one behind the line will do.
func TestExportedComments(t *testing.T) {
	root := testkit.Root(t)
	n := 0
	walkGo(t, root, func(rel string) {
		if strings.HasSuffix(rel, "_test.go") {
			return
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join(root, filepath.FromSlash(rel)), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			for name, doc := range exported(d) {
				n++
				if strings.TrimSpace(doc) == "" {
					t.Errorf("%s:%d: %s has no comment", rel, set.Position(d.Pos()).Line, name)
				}
			}
		}
	})
	if n < 200 {
		t.Fatalf("%d exported names were found: the tree was not read", n)
	}
}

// exported gives the exported names of a declaration with their comments.
func exported(d ast.Decl) map[string]string {
	out := map[string]string{}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Recv != nil && !ast.IsExported(receiver(d.Recv.List[0].Type)) {
			return nil
		}
		out[d.Name.Name] = d.Doc.Text()
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					out[s.Name.Name] = d.Doc.Text() + s.Doc.Text()
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() {
						out[name.Name] = d.Doc.Text() + s.Doc.Text() + s.Comment.Text()
					}
				}
			}
		}
	}
	return out
}

// receiver is the name of a method's type.
func receiver(x ast.Expr) string {
	for {
		switch t := x.(type) {
		case *ast.StarExpr:
			x = t.X
		case *ast.IndexExpr:
			x = t.X
		case *ast.IndexListExpr:
			x = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

func TestExported(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x

// A is said.
type A struct{}

type B[T any] struct{}

// M is said.
func (A) M() {}

func (*B[T]) N() {}

func (c) Hidden() {}

type c struct{}

// The group is said.
const (
	D = 1
	e = 2
)

var (
	F = 1 // said
	G = 2
)
`, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, d := range f.Decls {
		for name, doc := range exported(d) {
			got[name] = doc != ""
		}
	}
	want := map[string]bool{"A": true, "B": false, "M": true, "N": false, "D": true, "F": true, "G": false}
	if len(got) != len(want) {
		t.Errorf("exported names: %v", got)
	}
	for name, said := range want {
		if got[name] != said {
			t.Errorf("%s: said %v, want %v", name, got[name], said)
		}
	}
}
