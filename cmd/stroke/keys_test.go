package main

import (
	"io"
	"strings"
	"testing"
)

// TestKeys holds that Ctrl-C is told of when all before it has been read, and clears the
// line.
func TestKeys(t *testing.T) {
	var got strings.Builder
	k := &keys{in: strings.NewReader("one\rtw\x03three\r\x03"), interrupt: func() { got.WriteByte('!') }}
	p := make([]byte, 2)
	for {
		n, err := k.Read(p)
		got.Write(p[:n])
		if err == io.EOF {
			break
		}
		if n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	if want := "one\rtw!\x05\x15three\r!\x05\x15"; got.String() != want {
		t.Errorf("read was %q, not %q", got.String(), want)
	}
}
