package main

import (
	"errors"
	"strings"
	"testing"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFullOutput holds that results that cannot be written are an error, which is told
// where it can be.
func TestFullOutput(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	for _, line := range []string{"version", "version --json", "--help", "help train", "completion bash", "base list", "base list --json", "base show nope --json"} {
		var said strings.Builder
		status := run(strings.Fields(line), &env{in: strings.NewReader(""), out: full{}, err: &said})
		if status == 0 || !strings.Contains(said.String(), "stroke: ") {
			t.Errorf("stroke %s ended with %d and said %q", line, status, said.String())
		}
		if !strings.Contains(line, "nope") && !strings.Contains(said.String(), "stroke: the output cannot be written: no space left on device\nstroke: hint: ") {
			t.Errorf("stroke %s said %q", line, said.String())
		}
	}
}
