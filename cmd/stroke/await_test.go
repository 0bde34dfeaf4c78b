package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

// TestAwait holds that what waits for somebody's input ends where it is asked to: an
// opening, a text, a message and an answer.
func TestAwait(t *testing.T) {
	for name, wait := range map[string]func(context.Context, *env) error{
		"an opening": func(ctx context.Context, e *env) error { _, err := textOf(ctx, e, "-"); return err },
		"a text":     func(ctx context.Context, e *env) error { _, err := fileText(ctx, e, "-"); return err },
		"a message":  func(ctx context.Context, e *env) error { return (&talk{e: e}).run(ctx) },
		"an answer": func(ctx context.Context, e *env) error {
			read, _ := answers(e)
			_, err := read(ctx)
			return err
		},
	} {
		in, typed := io.Pipe()
		ctx, stop := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, stop)
		if err := wait(ctx, &env{in: in, out: io.Discard, err: io.Discard}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		typed.Close()
	}
}
