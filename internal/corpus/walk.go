package corpus

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/fluxcd/pkg/sourceignore/gitignore"
	"golang.org/x/text/unicode/norm"
)

// ignoreFiles in the order of their say: a later one can take back what an
// earlier one names.
var ignoreFiles = []string{".gitignore", ".strokeignore"}

// maxIgnoreBytes bounds an ignore file.
const maxIgnoreBytes = 1 << 20

// TwinFile is the name of the manifest by which a twin's folder is known. Such a
// folder is refused, and below the root left out: what is in it are copies of
// writing, and what a twin wrote.
const TwinFile = "twin.json"

// walk looks at everything under the root, in lexical order. It follows no
// symbolic link: one that points into the folder leads to a file that is read
// anyway, and one that points out of it is not the folder's.
func (r *reader) walk(ctx context.Context) error {
	var patterns []gitignore.Pattern
	files := 0
	return fs.WalkDir(r.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if e := ctx.Err(); e != nil {
			return e
		}
		if err != nil {
			r.leave(LeftOut{Source: name, Reason: "cannot be looked into: " + plainCause(err)})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if name != "." {
			if strings.HasPrefix(d.Name(), ".") {
				r.leaveBulk("hidden files and folders", "their names begin with a dot", "")
				return skip(d)
			}
			if gitignore.NewMatcher(patterns).Match(strings.Split(norm.NFC.String(name), "/"), d.IsDir()) {
				source := name
				if d.IsDir() {
					source += "/"
				}
				r.leave(LeftOut{Source: source, Reason: "named in .gitignore or .strokeignore"})
				return skip(d)
			}
		}
		if d.IsDir() && r.isTwin(name) {
			r.leave(LeftOut{Source: name + "/", Reason: "the folder of a twin"})
			return fs.SkipDir
		}
		if d.IsDir() {
			patterns = append(patterns, r.patterns(name)...)
			return nil
		}
		if d.Type()&fs.ModeSymlink != 0 {
			r.leave(LeftOut{Source: name, Reason: "a symbolic link", Hint: "put the file itself there"})
			return nil
		}
		if !d.Type().IsRegular() {
			r.leave(LeftOut{Source: name, Reason: "not an ordinary file"})
			return nil
		}
		if files++; files > r.o.MaxFiles {
			r.leave(LeftOut{Source: name, Reason: fmt.Sprintf("this and all that follow: more than %d files", r.o.MaxFiles),
				Hint: "name a smaller folder"})
			return fs.SkipAll
		}
		info, err := d.Info()
		if err != nil {
			r.leave(LeftOut{Source: name, Reason: "cannot be looked at: " + plainCause(err)})
			return nil
		}
		r.file(name, info)
		if r.o.Looked != nil {
			r.o.Looked(files)
		}
		return nil
	})
}

func (r *reader) isTwin(dir string) bool {
	info, err := r.root.Lstat(path.Join(dir, TwinFile))
	return err == nil && info.Mode().IsRegular()
}

func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// patterns are those of the ignore files in dir.
func (r *reader) patterns(dir string) []gitignore.Pattern {
	var domain []string
	if dir != "." {
		domain = strings.Split(norm.NFC.String(dir), "/")
	}
	var ps []gitignore.Pattern
	for _, base := range ignoreFiles {
		name := path.Join(dir, base)
		info, err := r.root.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue // most folders have none; to open a pipe would wait for its other end
		}
		data, err := r.head(name, maxIgnoreBytes)
		if err != nil {
			r.note(name, "cannot be read, so that nothing is left out by it: %s", plainCause(err))
			continue
		}
		text, note, err := decode(data, false)
		if err != nil {
			r.note(name, "cannot be read, so that nothing is left out by it: %s", err)
			continue
		}
		if note != "" {
			r.note(name, "%s", note)
		}
		for line := range strings.Lines(text) {
			s := strings.TrimRight(line, "\n")
			if s == "" || strings.HasPrefix(s, "#") {
				continue
			}
			ps = append(ps, gitignore.ParsePattern(norm.NFC.String(s), domain))
		}
	}
	return ps
}

// head reads the beginning of a file.
func (r *reader) head(name string, limit int64) ([]byte, error) {
	f, err := r.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}
