package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/getstroke/stroke"
)

// dump is a file of lines of JSON that is there when all of them are: what fails leaves
// none, and a file that is there is never written over.
type dump struct {
	path string
	file *os.File // made with the first line; nil before that
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

// close ends the file, if one was made, and deletes it where err is what went wrong. It
// gives that, or else what goes wrong here.
func (d *dump) close(err error) error {
	if d.file == nil {
		return err
	}
	if wrong := d.file.Close(); wrong != nil && err == nil {
		err = d.failed(wrong)
	}
	if err != nil {
		os.Remove(d.path)
	}
	return err
}
