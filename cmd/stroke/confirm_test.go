package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestConfirm(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, " Yes \n": true, "n\n": false, "\n": false, "yet\n": false} {
		var said strings.Builder
		e := &env{in: strings.NewReader(answer), err: &said}
		if e.person() {
			t.Error("there is somebody behind a string")
		}
		got, err := e.confirm(context.Background(), "go on?")
		if err != nil || got != want {
			t.Errorf("%q is %v, %v", answer, got, err)
		}
		if said.String() != "stroke: go on? [y/N] " {
			t.Errorf("asked is %q", said.String())
		}
	}
	if _, err := (&env{in: strings.NewReader(""), err: io.Discard}).confirm(context.Background(), "go on?"); !errors.Is(err, errNobody) {
		t.Errorf("where there is nothing to read: %v", err)
	}
	r, w := io.Pipe()
	defer w.Close()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := (&env{in: r, err: io.Discard}).confirm(ctx, "go on?"); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped while it waits: %v", err)
	}
}
