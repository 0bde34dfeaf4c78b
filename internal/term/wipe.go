package term

import (
	"io"
	"strings"
)

// wiper writes what a bar does. Where the bar is to clear its line, on Windows, it goes to
// the beginning of the line alone, and what was there would stay.
type wiper struct {
	io.Writer
	width int
}

func (w wiper) Write(b []byte) (int, error) {
	if string(b) != "\r" {
		return w.Writer.Write(b)
	}
	// The last column stays free: a character there would begin a new line.
	if _, err := io.WriteString(w.Writer, "\r"+strings.Repeat(" ", max(w.width-1, 0))+"\r"); err != nil {
		return 0, err
	}
	return len(b), nil
}
