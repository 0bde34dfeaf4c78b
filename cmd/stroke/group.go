package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
)

// group makes c a command that does nothing but hold others: by itself it shows its
// help, and a name that none of them has is an error.
func group(e *env, c *cobra.Command) *cobra.Command {
	c.Args, c.SuggestionsMinimumDistance, c.DisableFlagsInUseLine = cobra.ArbitraryArgs, 2, true
	c.RunE = func(c *cobra.Command, args []string) error {
		wrong := &stroke.Error{Code: stroke.CodeInput, Hint: "see " + c.CommandPath() + " --help"}
		switch {
		case len(args) == 0 && !e.json:
			return c.Help()
		case len(args) == 0:
			wrong.Msg = c.CommandPath() + " is more than one command, and it is not said which"
			return wrong
		}
		wrong.Msg = fmt.Sprintf("%s has no command %q", c.CommandPath(), args[0])
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			wrong.Hint = "did you mean " + strings.Join(near, " or ") + "? " + wrong.Hint
		}
		return wrong
	}
	return c
}
