// Command lab measures recipes: a table in TOML names writers, numbers of words,
// seeds and recipes, and each of their combinations is a cell, one training and
// what it gains on documents that it never saw. A cell is a line of JSON. Those
// that are in the file already, with all that the table has measured of them, are
// passed over, so that a run that was killed goes on where it was.
//
//	go run ./bench/lab TABLE.toml --data DIR --out FILE.jsonl
//
// With --keep the adapters stay, and with --crossed each writer is scored under those
// of other writers too, in a file of their own.
//
//	go run ./bench/lab --summary [--ours NAME --rival NAME] FILE.jsonl...
//
// Means are over writers, each of whom counts alike. Of several lines of one cell the
// first counts, and recipes of one name that ask for other things are set apart.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/getstroke/stroke/bench/lines"
	"github.com/getstroke/stroke/internal/twin"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("lab: ")
	data := pflag.String("data", "../shared/data", "folder of the writers")
	out := pflag.String("out", "", "file of the cells")
	home := pflag.String("work", os.TempDir(), "folder for what is made on the way")
	keep := pflag.String("keep", "", "folder for the adapters, which are thrown away where it is empty")
	crossedOut := pflag.String("crossed", "", "file of what writers cost under the twins of others; needs --keep but in a summary")
	summary := pflag.Bool("summary", false, "print the tables of cells as Markdown, and measure nothing")
	ours := pflag.String("ours", "", "in a summary: the recipe that is set beside the rival, all where empty")
	best := pflag.Bool("chosen", false, "in a summary: of the recipes of one method the one that a writer's select documents choose")
	rival := pflag.String("rival", "", "in a summary: the recipe that the others are set beside")
	only := pflag.Duration("within", 0, "begin no cell after so long")
	commit := pflag.String("commit", "", "that the program was built from, where neither it nor the folder knows")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *summary {
		lines, err := readCells(pflag.Args())
		if *best {
			lines = chosen(lines)
		}
		var beside []crossed
		if err == nil && *crossedOut != "" {
			beside, err = readCrossed([]string{*crossedOut})
		}
		if err == nil {
			err = tables(os.Stdout, lines, beside, *ours, *rival)
		}
		if err != nil {
			log.Fatal(err)
		}
		return
	}
	if pflag.NArg() != 1 || *out == "" {
		log.Fatal("name one table, and a file for its cells: lab TABLE.toml --data DIR --out FILE.jsonl")
	}
	if *crossedOut != "" && *keep == "" {
		log.Fatal("--crossed scores adapters that are kept: say where with --keep")
	}
	t, err := readTable(pflag.Arg(0))
	if err == nil {
		err = run(ctx, t, options{Data: *data, Out: *out, Work: *home, Keep: *keep, Crossed: *crossedOut, Within: *only, Commit: cmp.Or(*commit, revision()), Log: os.Stderr})
	}
	if err != nil {
		log.Fatal(err)
	}
}

// options are what a run is asked for.
type options struct {
	Data, Out, Work string
	Keep, Crossed   string        // empty for none
	Commit          string        // that the program was built from
	Within          time.Duration // no cell is begun after; 0 for no end
	Log             io.Writer
}

// run measures the cells of a table that are not in the file yet.
func run(ctx context.Context, t *table, o options) error {
	done, err := readCells([]string{o.Out})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	have := map[string]bool{}
	for i := range done {
		have[done[i].key()] = true
	}
	lab, err := twin.OpenLab(ctx, t.Base, o.Work, t.JudgeTokens)
	if err != nil {
		return err
	}
	defer lab.Close()
	texts := map[string]*writing{}
	text := func(w writer) (*writing, error) {
		if texts[w.Name] == nil {
			t, err := read(ctx, filepath.Join(o.Data, filepath.FromSlash(w.Path)))
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", w.Name, err)
			}
			texts[w.Name] = t
		}
		return texts[w.Name], nil
	}
	if o.Commit == "" {
		return errors.New("it is not known which commit the program was built from: say so with --commit")
	}
	beside, err := t.beside()
	if err != nil {
		return err
	}
	begin := time.Now()
	all := t.cells()
	for i, c := range all {
		l := line{Writer: c.Writer.Name, Words: c.Words, Seed: c.Seed, Name: c.Recipe.Name, JudgeTokens: t.JudgeTokens, Beside: beside, Base: t.Base, Commit: o.Commit}
		if l.Change, err = c.Recipe.asked(); err != nil {
			return err
		}
		if have[l.key()] {
			continue
		}
		if o.Within > 0 && time.Since(begin) > o.Within {
			fmt.Fprintf(o.Log, "stopped before cell %d of %d: the time is over\n", i+1, len(all))
			return nil
		}
		w, err := text(c.Writer)
		if err != nil {
			return err
		}
		keep := ""
		if o.Keep != "" {
			keep = o.adapterDir(&l)
		}
		if err := l.measure(ctx, lab, w, &c, t, keep); err != nil {
			return fmt.Errorf("%s, %d words, %s: %w", l.Writer, l.Words, l.Name, err)
		}
		if err := lines.Append(o.Out, &l); err != nil {
			return err
		}
		s := gainsOf(l)
		fmt.Fprintf(o.Log, "%d/%d %s %d words, seed %d, %s: base %.3f; examples %.4f, start %.4f, adapter %.4f, both %.4f; epoch %d, %.0f s of %.0f\n", i+1, len(all), l.Writer, l.Words, l.Seed, l.Name,
			s.base, s.examples, s.start, s.adapter, s.both, l.Cell.Epoch, l.Cell.Seconds, l.Cell.Took)
	}
	if o.Crossed == "" {
		return nil
	}
	return cross(ctx, lab, t, &o, text)
}

// measure runs a cell with what the table wants measured, and keeps its adapter in a
// folder, if any. Writers go by the names that the reference writers have.
func (l *line) measure(ctx context.Context, lab *twin.Lab, w *writing, c *cell, t *table, keep string) error {
	dealt, err := w.give(c.Words, c.Seed)
	if err != nil {
		return err
	}
	for _, d := range dealt.Select {
		l.SelectWords += d.Words
	}
	change, err := c.Recipe.change(c.Seed)
	if err != nil {
		return err
	}
	l.Cell, err = lab.Cell(ctx, twin.CellOptions{Dealt: dealt, Change: change, Untrained: c.Recipe.Untrained, Prompts: t.Prompts, Texts: t.Texts, Samplings: t.samplings(), Strengths: t.Strengths, Known: []string{c.Writer.Name}, Keep: keep}, nil)
	return err
}

// revision is the commit that the program was built from, with "+" behind it where
// the tree had changes beside.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		set := map[string]string{}
		for _, s := range info.Settings {
			set[s.Key] = s.Value
		}
		if rev := set["vcs.revision"]; rev != "" {
			rev = rev[:min(12, len(rev))]
			if set["vcs.modified"] == "true" {
				rev += "+"
			}
			return rev
		}
	}
	// go run stamps nothing.
	rev, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return ""
	}
	out := strings.TrimSpace(string(rev))
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changed) > 0 {
		out += "+"
	}
	return out
}
