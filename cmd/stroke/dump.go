package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/getstroke/stroke"
)

// dump is a file of lines of JSON that is made with the first of them: what fails
// before leaves none, and a file that is there is never written over.
type dump struct {
	path string
	file *os.File
}

// free says whether the file may be made.
func (d *dump) free() error {
	if d.path == "" {
		return nil
	}
	if _, err := os.Lstat(d.path); err != nil {
		return nil
	}
	return d.taken()
}

func (d *dump) taken() error {
	return &stroke.Error{Code: stroke.CodeInput, Msg: d.path + " is there already, and --dump writes over nothing", Hint: "give the name of a new file behind --dump"}
}

// write adds a line.
func (d *dump) write(v any) error {
	if d.file == nil {
		f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return d.taken()
		}
		if err != nil {
			return d.failed(err)
		}
		d.file = f
	}
	if err := json.NewEncoder(d.file).Encode(v); err != nil {
		return d.failed(err)
	}
	return nil
}

func (d *dump) failed(err error) error {
	return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot write " + d.path, Err: err, Hint: "name a file that can be written"}
}

// close ends the file, if one was made.
func (d *dump) close() error {
	if d.file == nil {
		return nil
	}
	if err := d.file.Close(); err != nil {
		return d.failed(err)
	}
	return nil
}
