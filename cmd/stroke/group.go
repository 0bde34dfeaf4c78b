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
		switch {
		case len(args) > 0:
			return noCommand(c, args[0])
		case e.json:
			return &stroke.Error{Code: stroke.CodeInput, Msg: c.CommandPath() + " is more than one command, and it is not said which", Hint: "see " + c.CommandPath() + " --help"}
		}
		return c.Help()
	}
	return c
}

// helpOf makes a name that no command has an error of the help command c.
func helpOf(c *cobra.Command) {
	c.Run = nil
	c.RunE = func(c *cobra.Command, args []string) error {
		of, rest, err := c.Root().Find(args)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			return noCommand(of, rest[0])
		}
		of.InitDefaultHelpFlag()
		return of.Help()
	}
}

// noCommand is the error of a name that none of c's commands has.
func noCommand(c *cobra.Command, name string) error {
	wrong := &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%s has no command %q", c.CommandPath(), name), Hint: "see " + c.CommandPath() + " --help"}
	if near := c.SuggestionsFor(name); len(near) > 0 {
		wrong.Hint = "did you mean " + strings.Join(near, " or ") + "? " + wrong.Hint
	}
	return wrong
}
