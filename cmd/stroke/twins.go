package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
)

func newCorpus(e *env) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "corpus -t NAME [FOLDER]",
		Short: "Show what a twin knows of your writing, and what was left out",
		Long: `Corpus lists every document in a twin's ledger with its role. With a folder it
reads that again and shows beside them what was left out, and why.

Exit status: 0; 1 failure; 10 no such twin or folder.`,
		Example: `  stroke corpus -t writing
  stroke corpus -t writing ~/writing --json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("stroke corpus takes one folder or file at the most, and %d arguments are given", len(args)), Hint: "see stroke corpus --help"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := needTwin(name); err != nil {
				return err
			}
			dir, err := twin.Find(name)
			if err != nil {
				return err
			}
			f, err := twin.Open(dir)
			if err != nil {
				return err
			}
			l, err := f.Known()
			if err != nil {
				return err
			}
			var r *corpus.Reading
			if len(args) == 1 {
				if r, err = corpus.Read(c.Context(), args[0], corpus.Options{}); err != nil {
					return err
				}
			}
			return printRows(e, e.printer().TableWidth(), corpus.Table(r, l))
		},
	}
	c.Flags().StringVarP(&name, "twin", "t", "", "the twin: NAME or its folder")
	return c
}

// printRows shows what became of documents.
func printRows(e *env, width int, rows []corpus.Row) error {
	var table [][]string
	for _, r := range rows {
		if e.json {
			if err := printJSON(e, r, false); err != nil {
				return err
			}
			continue
		}
		role, why := string(r.Role), r.Why
		if role == "" {
			role = "left out"
			if r.Hint != "" {
				why += "; " + r.Hint
			}
		}
		words := ""
		if r.Words > 0 {
			words = term.Count(r.Words)
		}
		table = append(table, []string{r.Source, words, role, why})
	}
	if e.json {
		return nil
	}
	return term.Table(e.out, width, []string{"source", "words", "role", "why"}, table)
}

// listed is a twin in a list with --json.
type listed struct {
	Name     string `json:"name"`
	Folder   string `json:"folder"`
	Base     string `json:"base"`
	Live     string `json:"live"`
	Newest   string `json:"newest"`
	Versions int    `json:"versions"`
	Stopped  string `json:"stopped,omitempty"`
	Doing    string `json:"doing,omitempty"`
	Error    string `json:"error,omitempty"`
}

func newTwins(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "twins",
		Short: "List your twins",
		Long:  "Twins lists the twins below STROKE_HOME.\n\nExit status: 0; 1 failure.",
		Example: `  stroke twins
  stroke twins --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			dirs, err := twin.List()
			if err != nil {
				return err
			}
			var rows [][]string
			for _, d := range dirs {
				l := listed{Name: filepath.Base(d), Folder: d}
				f, err := twin.Open(d)
				if err != nil {
					l.Error = err.Error()
				} else {
					l.Name, l.Base, l.Live, l.Newest, l.Versions = f.Name, f.Base, f.Live, f.Newest, len(f.Versions)
					l.Doing, l.Stopped = f.Held(), timeOf(f.Waiting())
				}
				if e.json {
					if err := printJSON(e, l, false); err != nil {
						return err
					}
					continue
				}
				live := l.Live
				if live == "" {
					live = "none"
				}
				switch {
				case l.Doing != "":
					live += ", in use to " + l.Doing
				case l.Stopped != "":
					live += ", a run was stopped"
				}
				if l.Error != "" {
					live = l.Error
				}
				rows = append(rows, []string{l.Name, fmt.Sprint(l.Versions), live, l.Base})
			}
			if e.json {
				return nil
			}
			if len(rows) == 0 {
				fmt.Fprintln(e.err, e.printer().Wrap("stroke: there are no twins yet; make one: stroke train FOLDER"))
				return nil
			}
			return term.Table(e.out, e.printer().TableWidth(), []string{"twin", "versions", "live", "base"}, rows)
		},
	}
}

func newShow(e *env) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "show -t NAME",
		Short: "Show a twin: its versions and their figures",
		Long:  "Show gives a twin's versions, what each was made from, and its figures on judge\ndocuments in nats per token; of the newest and the live one it says why they are.\n\nExit status: 0; 1 failure; 10 no such twin.",
		Example: `  stroke show -t writing
  stroke show -t writing --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := needTwin(name); err != nil {
				return err
			}
			dir, err := twin.Find(name)
			if err != nil {
				return err
			}
			f, err := twin.Open(dir)
			if err != nil {
				return err
			}
			stopped := f.Waiting()
			var rows [][]string
			var reasons []string
			for _, id := range f.Versions {
				v, err := f.Version(id)
				if err != nil {
					if !e.json {
						rows = append(rows, []string{id, "damaged", "", "", "", "", "", "", ""})
						continue
					}
					if err := printJSON(e, damagedVersion{id, id == f.Live, err.Error()}, false); err != nil {
						return err
					}
					continue
				}
				if e.json {
					if err := printJSON(e, struct {
						ID   string `json:"version"`
						Live bool   `json:"live"`
						*twin.Version
					}{id, id == f.Live, v}, false); err != nil {
						return err
					}
					continue
				}
				state := "kept"
				if id == f.Live {
					state = "live"
				}
				if v.Verdict.Unproven {
					state += ", unproven"
				}
				if v.Verdict.Why != "" && (id == f.Newest || id == f.Live) {
					reasons = append(reasons, id+": "+state+": "+v.Verdict.Why)
				}
				n := func(x float64) string { return fmt.Sprintf("%.3f", x) }
				rows = append(rows, []string{id, v.Created.Local().Format("2006-01-02 15:04"), string(v.Recipe.Method), state, term.Count(v.Words), n(v.HeldOut.Base), n(v.HeldOut.Examples), n(v.HeldOut.Adapter), n(v.HeldOut.Both)})
			}
			if e.json {
				if stopped.IsZero() {
					return nil
				}
				return printJSON(e, stoppedRun{timeOf(stopped)}, false)
			}
			fmt.Fprintf(e.out, "%s\n\n", e.printer().Wrap(f.Name+", in "+f.Dir))
			if !stopped.IsZero() {
				fmt.Fprintf(e.out, "%s\n\n", e.printer().Wrap("a run was stopped on "+stopped.Local().Format("2006-01-02 15:04")+"; the command that began it goes on with it"))
			}
			if len(rows) == 0 {
				fmt.Fprintln(e.out, "it has no version yet")
				return nil
			}
			if err := term.Table(e.out, e.printer().TableWidth(), []string{"version", "made", "method", "state", "words", "base", "+ passages", "adapter", "both"}, rows); err != nil {
				return err
			}
			for _, why := range reasons {
				fmt.Fprintf(e.out, "\n%s\n", e.printer().Wrap(why))
			}
			return nil
		},
	}
	c.Flags().StringVarP(&name, "twin", "t", "", "the twin: NAME or its folder")
	return c
}

// stoppedRun is the last line of show --json, where a run waits to be gone on with.
type stoppedRun struct {
	Stopped string `json:"stopped"`
}

// timeOf is a time as it stands in JSON; empty for none.
func timeOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// damagedVersion is a line of show --json for a version that cannot be read.
type damagedVersion struct {
	ID    string `json:"version"`
	Live  bool   `json:"live"`
	Error string `json:"error"`
}

// removed is what rm says with --json.
type removed struct {
	Removed string   `json:"removed"`
	Left    []string `json:"left,omitempty"` // in the folder, and not the twin's

	// Comparisons are the folders of trainings that stay, since they hold text of another
	// twin as well, or as much that is in no twin.
	Comparisons []string `json:"comparisons,omitempty"`
}

func newRemove(e *env) *cobra.Command {
	var name string
	var yes bool
	c := &cobra.Command{
		Use:   "rm -t NAME",
		Short: "Delete a twin for good",
		Long:  "Rm deletes a twin's folder: its versions, its ledger, its comparisons and its\ncopies of your writing. The trainings of a comparison that was stopped go with it\nwhere more than half of their documents are this twin's and none another's, and\nare named otherwise. Your\nown files are not touched, also where they lie in that folder.\n\nExit status: 0; 1 failure; 10 no such twin; 11 the twin is in use;\n130 interrupted, or answered by no.",
		Example: `  stroke rm -t writing
  stroke rm -t writing --yes`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := needTwin(name); err != nil {
				return err
			}
			dir, err := twin.FindToRemove(name)
			if err != nil {
				return err
			}
			if !yes {
				sure, err := e.confirm(c.Context(), "delete the twin in "+dir+" and its comparisons for good?")
				if errors.Is(err, errNobody) {
					return &stroke.Error{Code: stroke.CodeInput, Msg: "the twin in " + dir + " is not deleted without a word", Hint: "add --yes to delete it all the same"}
				}
				if err != nil {
					return err
				}
				if !sure {
					return &stroke.Error{Code: stroke.CodeInterrupted, Msg: "nothing was deleted"}
				}
			}
			left, shared := twin.Others(dir), twin.SharedComparisons(dir)
			if err := twin.Remove(dir); err != nil {
				return err
			}
			if e.json {
				return printJSON(e, removed{dir, left, shared}, false)
			}
			said := "deleted " + dir
			if len(left) > 0 {
				said = "deleted the twin in " + dir + "; left there is what is not the twin's: " + strings.Join(left, ", ")
			}
			fmt.Fprintln(e.err, term.Visible(said))
			if len(shared) > 0 {
				fmt.Fprintln(e.err, term.Visible("left are trainings of comparisons, which hold text of another twin or of none as well: "+strings.Join(shared, ", ")+"; delete them by hand if they are yours"))
			}
			return nil
		},
	}
	c.Flags().StringVarP(&name, "twin", "t", "", "the twin: NAME or its folder")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func newVersion(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the program's version and the kernel in use",
		Long:  "Version shows which program this is, and the kernel that the machine uses.\n\nExit status: 0.",
		Example: `  stroke version
  STROKE_KERNEL=go stroke version --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			v := "unknown"
			if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
				v = b.Main.Version
			}
			if err := kernel.Init(); err != nil {
				return &stroke.Error{Code: stroke.CodeInput, Msg: "the kernel cannot be used", Err: err, Hint: "unset STROKE_KERNEL, or set it to one of those named"}
			}
			if e.json {
				return printJSON(e, map[string]any{"version": v, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
					"kernel": kernel.Name(), "kernels": kernel.Kinds(), "workers": kernel.Workers()}, false)
			}
			fmt.Fprintln(e.out, e.printer().Wrap(fmt.Sprintf("stroke %s (%s, %s/%s), kernel %s of %s, %d workers", v, runtime.Version(), runtime.GOOS, runtime.GOARCH,
				kernel.Name(), strings.Join(kernel.Kinds(), ", "), kernel.Workers())))
			return nil
		},
	}
}
