package main

import (
	"context"
)

// await gives what a read of somebody's input comes to, or gives up where ctx ends: a
// read that waits for a person cannot be ended otherwise. What it reads then is lost.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		got T
		err error
	}
	c := make(chan result, 1)
	go func() {
		got, err := read()
		c <- result{got, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case r := <-c:
		return r.got, r.err
	}
}
