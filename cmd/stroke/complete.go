package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/twin"
)

// names lists what may be completed; nothing where it cannot be told.
type names func(context.Context) []string

// begin lists those that begin so.
func (of names) begin(ctx context.Context, begun string) []string {
	return slices.DeleteFunc(of(ctx), func(n string) bool { return !strings.HasPrefix(n, begun) })
}

// complete has shells complete the names of twins, genres, bases and recipes: as values of
// flags, wherever a command below c has them, and as arguments.
func complete(c *cobra.Command) {
	for flag, of := range map[string]names{"twin": twinNames, "genre": genreNames, "base": baseNames, "recipe": recipeNames} {
		if c.Flags().Lookup(flag) != nil {
			_ = c.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
				return of.begin(c.Context(), begun), cobra.ShellCompDirectiveDefault
			})
		}
	}
	of, ok := map[string]names{
		"stroke base show": baseNames, "stroke base pull": baseNames, "stroke base rm": hereNames, "stroke base verify": hereNames, "stroke quantize": baseNames,
		"stroke genre show": genreNames, "stroke genre export": genreNames, "stroke genre rm": genreNames, "stroke recipe show": recipeNames,
	}[c.CommandPath()]
	if ok {
		c.ValidArgsFunction = func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return of.begin(c.Context(), begun), cobra.ShellCompDirectiveDefault
		}
	}
	for _, below := range c.Commands() {
		complete(below)
	}
}

func twinNames(context.Context) []string {
	dirs, _ := twin.List()
	var out []string
	for _, d := range dirs {
		out = append(out, filepath.Base(d))
	}
	return out
}

func genreNames(context.Context) []string {
	l, err := twin.Library()
	if err != nil {
		return nil
	}
	var out []string
	for _, g := range l.List("", func(string, error) {}) {
		out = append(out, g.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func baseNames(ctx context.Context) []string {
	out := hereNames(ctx)
	for _, b := range base.Catalog() {
		out = append(out, b.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hereNames are the bases on this machine.
func hereNames(ctx context.Context) []string {
	s, err := base.NewStore()
	if err != nil {
		return nil
	}
	here, _ := s.List(ctx)
	var out []string
	for _, f := range here {
		out = append(out, f.Entry.Name)
	}
	return out
}

func recipeNames(context.Context) []string {
	list, _ := twin.NamedRecipes()
	var out []string
	for _, n := range list {
		out = append(out, n.Name)
	}
	return out
}
