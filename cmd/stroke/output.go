package main

import (
	"io"

	"github.com/getstroke/stroke"
)

// output is where results go. It keeps the first failure of a write, so that a result
// that is lost is an error, whoever wrote it.
type output struct {
	io.Writer
	failed error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil && o.failed == nil {
		o.failed = &stroke.Error{Code: stroke.CodeFailure, Msg: "the output cannot be written", Err: err, Hint: "make room, or send it elsewhere"}
	}
	return n, err
}

// Fd is the file descriptor of what results are written to; of what is no file, one that
// nothing has.
func (o *output) Fd() uintptr {
	if f, ok := o.Writer.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
