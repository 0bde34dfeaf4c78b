package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/getstroke/stroke/internal/term"
)

// person says whether somebody can be asked: there is a terminal to ask on and to
// answer from, and results alone are not wanted.
func (e *env) person() bool {
	return !e.json && !e.quiet && term.IsTerminal(e.in) && term.IsTerminal(e.err)
}

// errNobody is of a question that nobody is there to answer.
var errNobody = errors.New("nobody answers")

// confirm asks a question and reads a line; no answer is no, and errNobody where there is
// no person and nothing to read either. It gives up where ctx ends.
func (e *env) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprint(e.err, e.printer().Wrap("stroke: "+question+" [y/N]")+" ")
	in := bufio.NewReader(e.in)
	line, err := await(ctx, func() (string, error) { return in.ReadString('\n') })
	if err != nil && ctx.Err() != nil {
		fmt.Fprintln(e.err)
		return false, ctx.Err()
	}
	if errors.Is(err, io.EOF) && line == "" && !e.person() {
		fmt.Fprintln(e.err)
		return false, errNobody
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}
