package main

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestReadText reads a text in the encodings that editors write, with line ends of one
// kind, and refuses what is none or too long.
func TestReadText(t *testing.T) {
	const want = "One été.\n\nTwo."
	wide := ""
	for _, u := range utf16.Encode([]rune("\ufeffOne été.\r\n\r\nTwo.\r\n")) {
		wide += string([]byte{byte(u), byte(u >> 8)})
	}
	for name, text := range map[string]string{"as it is": want, "line ends": "One été.\r\n\r\nTwo.\r\n", "a mark": "\ufeff" + want, "UTF-16": wide, "Latin-1": "One \xe9t\xe9.\r\n\r\nTwo."} {
		if got, err := readText(strings.NewReader(text), "x"); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, text := range map[string]string{"nothing": " \r\n", "binary": "\x00\x01\x02\x7fELF\x00\x00\x00\x01", "long": strings.Repeat("word ", mostText/5+1)} {
		if got, err := readText(strings.NewReader(text), "x"); stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestStoppedText holds that a text which is stopped ends its line, before it is said that
// it was.
func TestStoppedText(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Ctrl-C cannot be sent to one process there")
	}
	s := newShell(t)
	s.write("in/note.md", []byte("The kettle on the north shelf has been mended four times, and each time by somebody who was certain that he would be the last."))
	if _, errs, status := s.run("train", "in", "--name", "me", "--base", testkit.Toy(t, testkit.ToyShape{}), "--examples-only"); status != 0 {
		t.Fatal(errs)
	}
	c := s.command("stroke", "write", "-t", "me", "--n", "1000", "It rained")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = w, w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	all := &screen{}
	defer r.Close()
	read := make(chan error)
	go func() { _, err := io.Copy(all, r); read <- err }()
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(all.String(), "It rained"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			c.Process.Kill()
			t.Fatalf("nothing is written: %q", all)
		}
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	c.Wait()
	if got := c.ProcessState.ExitCode(); got != stroke.CodeInterrupted.ExitStatus() || !strings.Contains(all.String(), "\nstroke: ") {
		t.Errorf("it ended with %d and %q", got, all)
	}
}
