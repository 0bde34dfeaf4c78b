package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/testkit"
)

// screen keeps what a terminal shows.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return escapes.ReplaceAllString(s.text.String(), "")
}

// TestChatOnTerminal talks on a terminal: what is pasted is one message, Ctrl-C
// ends an answer or clears a line and does not end the conversation, what cannot be done is said and the
// conversation goes on, and Ctrl-D ends it.
func TestChatOnTerminal(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil || runtime.GOOS != "linux" {
		t.Skip("needs script(1) as util-linux has it, for a terminal")
	}
	s := newShell(t)
	s.write("in/note.md", []byte("The kettle on the north shelf has been mended four times, and each time by somebody who was certain that he would be the last."))
	if _, errs, status := s.run("train", "in", "--name", "me", "--base", testkit.Base(t), "--examples-only"); status != 0 {
		t.Fatal(errs)
	}
	// Ctrl-C goes to every process of the terminal, and a shell that waits for
	// another, as dash does, ends with it: exec leaves none.
	c := s.command("script", "-qec", "stty cols 80 rows 24; exec stroke chat -t me --max-tokens 400 --temperature 0 --no-passages", os.DevNull)
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
	until := func(what string, ok func(string) bool) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); !ok(shown.String()); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: the terminal shows %q", what, shown)
			}
		}
	}
	prompts := func(n int) func(string) bool {
		return func(s string) bool { return strings.Count(s, "> ") >= n && strings.HasSuffix(s, "> ") }
	}
	typed := func(line string) {
		t.Helper()
		if _, err := io.WriteString(in, line); err != nil {
			t.Fatal(err)
		}
	}
	until("the first prompt", prompts(1))
	long := strings.Repeat("Leave nothing out. ", 300) // more than a line of a terminal holds
	typed("\x1b[200~Here is what I want.\r" + long + "\r\x1b[201~Write an essay of a thousand words about the history of bread.\r")
	until("the answer begins", func(s string) bool {
		_, answer, echoed := strings.Cut(s, "bread.")
		return echoed && len(answer) > 40
	})
	typed("\x03")
	until("the answer is ended", func(s string) bool { return strings.Contains(s, " …") && strings.HasSuffix(s, "> ") })

	typed("/strength 99\r")
	until("a strength out of range", func(s string) bool {
		return strings.Contains(s, "stroke: /strength takes a number") && strings.HasSuffix(s, "> ")
	})
	typed("\x1b[200~Half a paste\r\x1b[201~and half a line\x03")
	until("the line is cleared", func(s string) bool { return strings.Contains(s, "/quit ends the conversation") })
	typed("/save talk.md\r")
	until("the conversation is saved", func(s string) bool { return strings.Contains(s, "saved in talk.md") && strings.HasSuffix(s, "> ") })
	typed("\x04")
	if err := c.Wait(); err != nil {
		t.Errorf("the conversation ended with %v", err)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "talk.md"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(b); !strings.HasPrefix(got, "<!-- written by stroke -->\n\n**user**\n\nHere is what I want.\n"+long+"\nWrite an essay") || !strings.Contains(got, "**assistant**") {
		t.Errorf("the conversation was saved as %q", got)
	}
}

// TestEditKeeps holds that an exchange which is to be replaced stays where nothing can
// take its place.
func TestEditKeeps(t *testing.T) {
	s := newShell(t)
	s.write("in/note.md", []byte("The kettle on the north shelf has been mended four times, and each time by somebody who was certain that he would be the last."))
	if _, errs, status := s.run("train", "in", "--name", "me", "--base", testkit.Toy(t, testkit.ToyShape{}), "--examples-only"); status != 0 {
		t.Fatal(errs)
	}
	c := s.command("stroke", "chat", "-t", "me", "--max-tokens", "4")
	c.Stdin = strings.NewReader("And what of kettles?\n/edit\n/edit " + strings.Repeat("Leave nothing out. ", 5000) + "\n/save kept.md\n")
	said, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "/edit takes the new message") || !strings.Contains(string(said), "the base has room for") || !strings.Contains(string(said), "2 of 4 lines") {
		t.Errorf("ended with %v and %q", err, said)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "kept.md"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(b); !strings.Contains(got, "**user**\n\nAnd what of kettles?\n\n**assistant**") {
		t.Errorf("the conversation was saved as %q", got)
	}
}
