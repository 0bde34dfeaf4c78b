package main

import (
	"cmp"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// scored is a line of score --json: a file's, or with Event "total" the pooled.
type scored struct {
	Event  string `json:"event"` // "file" or "total"
	File   string `json:"file,omitempty"`
	Tokens int    `json:"tokens"`
	Nats   nats   `json:"nats_per_token"`
	Perp   nats   `json:"perplexity"`
	Learnt bool   `json:"trained_on,omitempty"`
}

type nats struct {
	Base     float64 `json:"base"`
	Examples float64 `json:"examples"`
	Adapter  float64 `json:"adapter"`
	Both     float64 `json:"both"`
}

func scoredOf(event, file string, f verdict.Figures) scored {
	return scored{Event: event, File: file, Tokens: f.Tokens, Nats: nats{f.Base, f.Examples, f.Adapter, f.Both},
		Perp: nats{math.Exp(f.Base), math.Exp(f.Examples), math.Exp(f.Adapter), math.Exp(f.Both)}}
}

func newScore(e *env) *cobra.Command {
	var name, baseName, dumpFile string
	c := &cobra.Command{
		Use:   "score -t NAME FILE…",
		Short: "Measure how well a twin predicts a text",
		Long: `Score gives nats per token, and perplexity, of texts under four conditions: the
bare base, the base with your passages in its prompt, the adapter, and both. The
newest version is measured, live or not, unless NAME@VERSION is given. The first
100 words of a text are what passages are asked with; they are scored in none.

Exit status: 0; 1 failure; 10 no such twin, version or file; 130
interrupted.`,
		Example: `  stroke score -t writing new-essay.md
  stroke score -t writing@1f2e3d4c5b6a --json chapter-*.md`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &stroke.Error{Code: stroke.CodeInput, Msg: "stroke score takes one or more files, and none is given", Hint: "see stroke score --help"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := needTwin(name); err != nil {
				return err
			}
			p := e.printer()
			to := dump{path: dumpFile}
			if err := to.free(); err != nil {
				return err
			}
			var each func([]int32, int) error
			if dumpFile != "" {
				each = func(ids []int32, from int) error {
					return to.write(map[string]any{"ids": ids, "score_from": from})
				}
			}
			var rows [][]string
			var failed error
			var learnt []string
			total, err := twin.Score(c.Context(), name, baseName, args, e.tell, func(s twin.FileScore) {
				if s.Learnt {
					learnt = append(learnt, s.File)
				}
				if e.json {
					line := scoredOf("file", s.File, s.Figures)
					line.Learnt = s.Learnt
					failed = printJSON(e, line, false)
					return
				}
				rows = append(rows, scoreRow(s.File, s.Figures))
			}, each)
			if err = to.close(cmp.Or(err, failed)); err != nil {
				return err
			}
			if e.json {
				line := scoredOf("total", "", total)
				line.Learnt = len(learnt) > 0
				return printJSON(e, line, false)
			}
			for _, file := range learnt {
				p.Emit(stroke.NoteEvent{Text: file + ", or a near duplicate of it, was trained on: the figures flatter"})
			}
			if len(args) > 1 {
				rows = append(rows, scoreRow("all", total))
			}
			return term.Table(e.out, p.TableWidth(), []string{"file", "tokens", "base", "+ passages", "adapter", "both", "perplexity"}, rows)
		},
	}
	c.Flags().StringVarP(&name, "twin", "t", "", "the twin: NAME, NAME@VERSION or its folder")
	c.Flags().StringVar(&baseName, "base", "", "another base than the twin's")
	c.Flags().StringVar(&dumpFile, "dump", "", "also write the token ids that are scored, a line of JSON each, to this new file")
	return c
}

func scoreRow(file string, f verdict.Figures) []string {
	n := func(x float64) string { return fmt.Sprintf("%.4f", x) }
	return []string{file, term.Count(f.Tokens), n(f.Base), n(f.Examples), n(f.Adapter), n(f.Both), fmt.Sprintf("%.2f → %.2f", math.Exp(f.Base), math.Exp(f.Both))}
}
