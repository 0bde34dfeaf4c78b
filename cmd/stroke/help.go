package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke/internal/term"
)

// helpWidth is the most columns that help takes on a wide terminal.
const helpWidth = 100

// showHelp shows a command's help as wide as the terminal is. Examples keep their lines,
// so that they can be copied.
func showHelp(e *env, c *cobra.Command) {
	width := min(e.printer().Width(), helpWidth)
	usage, rest, _ := strings.Cut(c.UsageString(), "\nExamples:\n")
	examples, flags, _ := strings.Cut(rest, "\n\n")
	text := term.Prose(cmp.Or(c.Long, c.Short), width) + "\n\n" + term.Hang(usage, width)
	if rest != "" {
		text += "\nExamples:\n" + examples + "\n\n" + term.Hang(flags, width)
	}
	fmt.Fprint(e.out, text) // a failure is kept by the output
}
