package main

import (
	"io"
	"strings"
	"testing"
)

// TestKeeps holds of which commands it is said that a checkpoint is kept.
func TestKeeps(t *testing.T) {
	root := newRoot(&env{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	for line, want := range map[string]bool{
		"train in --name me": true, "-q genre build a.toml": true, "compare in": true,
		"write -t me Rain": false, "chat -t me": false, "genre list": false, "nonsense": false, "": false,
	} {
		if got := keeps(root, strings.Fields(line)); got != want {
			t.Errorf("stroke %s keeps checkpoints: %v", line, got)
		}
	}
}
