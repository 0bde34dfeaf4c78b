package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/testkit"
)

// TestPressed reads single keys, in which an arrow is none and Escape by itself ends.
func TestPressed(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("\x1b[A\x1b[[A\rA\x1bOB\x1b[1;5Cb\x1b[3~\x1bxé=\x1b"))
	for _, want := range []string{"a", "b", "é", "=", "q"} {
		if got, err := pressed(r); got != want || err != nil {
			t.Errorf("a key is %q, %v, not %q", got, err, want)
		}
	}
	if _, err := pressed(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// TestBlindOnTerminal answers with single keys on a terminal: one that is no
// answer is said to be none, Ctrl-C stops the test and keeps the answers, and no
// line is wider than the terminal.
func TestBlindOnTerminal(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil || runtime.GOOS != "linux" {
		t.Skip("needs script(1) as util-linux has it, for a terminal")
	}
	s := newShell(t)
	if _, errs, status := s.run("train", filepath.Join(testkit.Root(t), "examples", "notebook"), "--name", "me", "--base", testkit.Toy(t, testkit.ToyShape{}), "--epochs", "1", "--rank", "2"); status != 0 {
		t.Fatal(errs)
	}
	c := s.command("script", "-qec", "stty cols 60 rows 24; stroke blind -t me --pairs 4 --words 30", os.DevNull)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	shown := &screen{}
	c.Stdout, c.Stderr = shown, shown
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	type step struct{ until, key string }
	for _, x := range []step{{"1 of 4", "\x1b[A"}, {"1 of 4", "x"}, {`"x" is no answer`, "A"}, {"2 of 4", "\r=\r"}, {"3 of 4", "\x03"}} {
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if text := shown.String(); strings.Contains(text, x.until) && strings.HasSuffix(text, "q stop: ") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("waiting for %q: the terminal shows %q", x.until, shown)
			}
		}
		if _, err := io.WriteString(in, x.key); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the test ended with %v", err)
	}
	text := shown.String()
	if strings.Contains(text, `"\r"`) {
		t.Errorf("Enter is told of: %q", text)
	}
	if !strings.Contains(text, "2 of 4 pairs are answered; the same command goes on") || !strings.Contains(strings.Join(strings.Fields(text), " "), "of 2 pairs you found the twin more like you in") {
		t.Errorf("the terminal shows %q", text)
	}
}
