package twin

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/getstroke/stroke"
)

// WritePage writes a report's page to where a person wants it, whole or not at all.
// One that is there is replaced and keeps its mode, and a link to it stays a link;
// what is no plain file, such as a pipe, is written to.
func WritePage(path string, page []byte) error {
	err := writePage(path, page)
	if err == nil {
		return nil
	}
	if e := (*stroke.Error)(nil); errors.As(err, &e) {
		err = e.Err
	}
	return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot write " + path, Err: err, Hint: "name a file that can be written: --html FILE"}
}

func writePage(path string, page []byte) error {
	was, err := os.Stat(path)
	switch {
	case err != nil:
		return writeFile(path, page)
	case !was.Mode().IsRegular():
		return os.WriteFile(path, page, 0o600)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	if err := writeFile(path, page); err != nil {
		return err
	}
	return os.Chmod(path, was.Mode().Perm())
}
