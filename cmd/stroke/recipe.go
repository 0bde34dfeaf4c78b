package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
)

func newRecipe(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "recipe",
		Short: "List and show recipes: how a twin is trained",
		Long: `A recipe says how a twin is trained: rate, epochs, rank, what an example is made
of, what stands in the prompt. Without a word stroke train takes the one for your
amount of text and for what the twin begins at, and says why. Each is a file that
says what it changes; train --recipe takes one of yours.`,
		Example: `  stroke recipe list
  stroke recipe show plain`,
	}
	c.AddCommand(newRecipeList(e), newRecipeShow(e))
	return group(e, c)
}

// listedRecipe is a recipe with --json.
type listedRecipe struct {
	Name  string `json:"name"`
	For   string `json:"for"`
	Why   string `json:"why"`
	Start string `json:"start"` // what it is the default from: base or genre; empty for none
	From  int    `json:"from"`  // words of train text that it is the default for
	To    int    `json:"to"`    // below; 0 for no end
}

func recipeListed(n *twin.Named) listedRecipe {
	return listedRecipe{Name: n.Name, For: n.For, Why: n.Why, Start: n.Start, From: n.From, To: n.To}
}

// span says which amounts of text a recipe is the default for.
func (l *listedRecipe) span() string {
	switch {
	case l.Start == "":
		return "by name"
	case l.To == 0:
		return term.Count(l.From) + " and more"
	}
	return fmt.Sprintf("%s to %s", term.Count(l.From), term.Count(l.To-1))
}

func newRecipeList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the recipes of the program",
		Long: `List gives every recipe with what it is for, and for which amounts of text to
train on it is taken without a word.

Exit status: 0; 1 failure.`,
		Example: `  stroke recipe list
  stroke recipe list --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := twin.NamedRecipes()
			if err != nil {
				return err
			}
			var rows [][]string
			for _, n := range list {
				x := recipeListed(n)
				if e.json {
					if err := printJSON(e, x, false); err != nil {
						return err
					}
					continue
				}
				rows = append(rows, []string{x.Name, x.span(), x.For})
			}
			if e.json {
				return nil
			}
			return term.Table(e.out, e.printer().TableWidth(), []string{"recipe", "words", "for"}, rows)
		},
	}
}

// shownRecipe is a whole recipe with --json.
type shownRecipe struct {
	listedRecipe
	Recipe twin.Recipe `json:"recipe"`
}

func newRecipeShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "Show a recipe: what it is for, why, and every field",
		Long: `Show prints what a recipe is for and why it is as it is, and then the whole
recipe as JSON, on this machine: the arithmetic is its fastest.

Exit status: 0; 1 failure; 10 no such recipe.`,
		Example: `  stroke recipe show plain
  stroke recipe show mine.toml --json`,
		Args: exactly(1, "a recipe's name or file"),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := twin.FindRecipe(args[0])
			if err != nil {
				return err
			}
			x := shownRecipe{listedRecipe: recipeListed(n), Recipe: n.Recipe()}
			if e.json {
				return printJSON(e, x, false)
			}
			p := e.printer()
			fmt.Fprintln(e.out, p.Wrap(fmt.Sprintf("%s: %s", x.Name, x.For)))
			if x.Start != "" && x.Name == args[0] {
				fmt.Fprintln(e.out, p.Wrap(fmt.Sprintf("taken from a %s, words to train on: %s", x.Start, x.span())))
			}
			fmt.Fprintln(e.out, p.Wrap("why: "+x.Why))
			return printJSON(e, x.Recipe, true)
		},
	}
}
