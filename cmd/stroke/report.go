package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke/internal/twin"
	"github.com/getstroke/stroke/internal/twin/report"
)

// reported is the last line of report --json.
type reported struct {
	Event string        `json:"event"` // "report"
	Page  string        `json:"page"`  // the HTML file
	Lines []report.Line `json:"lines"`
	*report.Report
}

func newReport(e *env) *cobra.Command {
	var o twin.ReportOptions
	var page string
	c := &cobra.Command{
		Use:   "report -t NAME",
		Short: "Measure how like you a twin is, on one screen and as a page",
		Long: `Report measures a version of a twin by text that training never saw: whether it
predicts you, whether that is you or what any prose would give, whether its texts
would be taken for yours, vary as yours do and copy you, whether it thinks as you
do, and what it has forgotten. It prints one screen and writes an HTML page that
needs nothing else. What cannot be said it says.

The version that serves is measured, or where none does the newest, unless
NAME@VERSION is given. It takes some minutes; what is measured is kept, so that a
report that is stopped goes on, and the next one is made at once. docs/LIKENESS.md
says what each measure is, and how it can be fooled.

Exit status: 0; 1 failure; 10 no such twin; 11 the twin is in use; 130 interrupted.`,
		Example: `  stroke report -t writing
  stroke report -t writing --curve
  stroke report -t writing --control others/smith --html report.html --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := needTwin(o.Name); err != nil {
				return err
			}
			p := e.printer()
			r, dir, err := twin.Report(c.Context(), o, p.Emit)
			if err != nil {
				return err
			}
			html, err := r.HTML()
			if err != nil {
				return err
			}
			if page == "" {
				page = filepath.Join(dir, "report.html")
			}
			if err := twin.WritePage(page, html); err != nil {
				return err
			}
			if e.json {
				return printJSON(e, reported{"report", page, r.Lines(), r}, false)
			}
			fmt.Fprintf(e.out, "\n%s\n%s\n", r.Title(), p.Paragraphs(r.Subtitle()))
			for _, l := range r.Lines() {
				fmt.Fprintf(e.out, "\n%s\n%s\n", l.Question, p.Indent(l.Answer))
			}
			fmt.Fprintf(e.out, "\n%s\n", p.Wrap("the page: "+page))
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&o.Name, "twin", "t", "", "the twin: NAME, NAME@VERSION or its folder")
	f.StringVar(&o.Base, "base", "", "another base than the twin's")
	f.StringArrayVar(&o.Controls, "control", nil, "folder of an adapter by another writer, as PEFT saves it; may be repeated")
	f.StringVar(&o.Yardstick, "yardstick", "", "genre, or folder of an adapter on prose by others, to compare thought with; the genre that the version stands on, or else prose")
	f.StringVar(&o.Others, "others", "", "folder of writing by others on the same matters, to set beside yours")
	f.StringSliceVar(&o.Measures, "measures", nil, "these alone, with commas between")
	f.BoolVar(&o.Curve, "curve", false, "train twins of a quarter and a half of your text too, to see what more words bring")
	f.BoolVar(&o.Afresh, "afresh", false, "measure again what was measured before")
	f.Uint64Var(&o.Seed, "seed", 1, "of everything that is drawn")
	f.StringVar(&page, "html", "", "where the page is written; beside the version")
	return c
}
