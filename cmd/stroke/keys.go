package main

import (
	"bytes"
	"io"
)

// keys reads what is typed on a raw terminal. Ctrl-C, which would end the reading of a
// line, clears the line: it becomes Ctrl-E and Ctrl-U, and is read by itself.
type keys struct {
	in        io.Reader
	interrupt func() // called for each Ctrl-C, before the line is cleared
	left      []byte // typed, and not read yet
}

func (k *keys) Read(p []byte) (int, error) {
	if len(k.left) == 0 {
		b := make([]byte, 256)
		n, err := k.in.Read(b)
		if n == 0 {
			return 0, err
		}
		k.left = b[:n]
	}
	const ctrlC, clear = 3, "\x05\x15"
	end := bytes.IndexByte(k.left, ctrlC)
	switch {
	case end == 0:
		k.interrupt()
		k.left = append([]byte(clear), k.left[1:]...)
		end = len(clear)
	case end < 0:
		end = len(k.left)
	}
	n := copy(p, k.left[:end])
	k.left = k.left[n:]
	return n, nil
}
