package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/bench/lines"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin"
)

// crossed is what a writer's judge documents cost under twins of other writers that
// were made alike: by the same recipe, from as many words, with the same seed.
type crossed struct {
	Of       string            `json:"of"` // key of the cell
	Controls []string          `json:"controls"`
	Nats     map[string][]nats `json:"nats"` // by control
}

// nats is what a document costs, without passages.
type nats struct {
	Hash   string  `json:"hash"`
	Tokens int     `json:"tokens"`
	Nats   float64 `json:"nats"`
}

// controls is how many other writers' twins a writer is set beside.
const controls = 3

// adapterDir is where the adapter of a cell is kept.
func (o *options) adapterDir(l *line) string {
	return filepath.Join(o.Keep, stroke.HashText(l.key())[:16])
}

// cross scores writers under the twins of the writers next in the table, for all cells
// whose adapters are kept, and adds a line for each to the file.
func cross(ctx context.Context, lab *twin.Lab, t *table, o *options, texts func(writer) (*writing, error)) error {
	cells, err := readCells([]string{o.Out})
	if err != nil {
		return err
	}
	done, err := readCrossed([]string{o.Crossed})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	begin := time.Now()
	for i := range cells {
		l := &cells[i]
		if !l.trained() || slices.ContainsFunc(done, func(x crossed) bool { return x.Of == l.key() }) {
			continue
		}
		if o.Within > 0 && time.Since(begin) > o.Within {
			fmt.Fprintln(o.Log, "stopped crossing: the time is over")
			return nil
		}
		at := slices.IndexFunc(t.Writers, func(w writer) bool { return w.Name == l.Writer })
		if at < 0 {
			continue
		}
		c := crossed{Of: l.key(), Nats: map[string][]nats{}}
		text, err := l.text(lab, t, texts)
		if err != nil {
			return fmt.Errorf("cross %s: %w", l.Writer, err)
		}
		for k := 1; k < len(t.Writers) && len(c.Controls) < controls; k++ {
			other := *l
			other.Writer = t.Writers[(at+k)%len(t.Writers)].Name
			file, err := lora.ReadDir(o.adapterDir(&other))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read the adapter of %s: %w", other.Writer, err)
			}
			a, err := lab.Fit(file)
			if err != nil {
				return fmt.Errorf("fit the adapter of %s: %w", other.Writer, err)
			}
			losses, err := lab.Score(ctx, text, false, lora.Applied{Adapter: a, Strength: 1})
			if err != nil {
				return err
			}
			c.Controls = append(c.Controls, other.Writer)
			for j, x := range losses {
				c.Nats[other.Writer] = append(c.Nats[other.Writer], nats{text.Groups[j], x.Tokens, x.Nats})
			}
		}
		if len(c.Controls) < controls {
			continue
		}
		if err := lines.Append(o.Crossed, &c); err != nil {
			return err
		}
		fmt.Fprintf(o.Log, "%s, %d words, seed %d, %s: beside %v\n", l.Writer, l.Words, l.Seed, l.Name, c.Controls)
	}
	return nil
}

// text is the judge text that a cell was measured by.
func (l *line) text(lab *twin.Lab, t *table, texts func(writer) (*writing, error)) (*twin.LabText, error) {
	i := slices.IndexFunc(t.Writers, func(w writer) bool { return w.Name == l.Writer })
	w, err := texts(t.Writers[i])
	if err != nil {
		return nil, err
	}
	dealt, err := w.give(l.Words, l.Seed)
	if err != nil {
		return nil, err
	}
	return lab.Text(&dealt, twin.Prompt{}, l.JudgeTokens, twin.MostEach)
}

func readCrossed(paths []string) ([]crossed, error) {
	return lines.Read(paths, func(c *crossed) error {
		if c.Of == "" || len(c.Controls) == 0 {
			return errors.New("it says of no cell what its controls are")
		}
		return nil
	})
}

// specific is the gain of a cell's adapter over the mean of its controls, in nats a
// token of the documents that both have.
func (c *crossed) specific(l *line) (float64, bool) {
	sum, tokens := 0.0, 0.0
	for _, d := range l.Cell.Documents {
		mean := 0.0
		for _, name := range c.Controls {
			i := slices.IndexFunc(c.Nats[name], func(x nats) bool { return x.Hash == d.Hash && x.Tokens == d.Tokens })
			if i < 0 {
				return 0, false
			}
			mean += c.Nats[name][i].Nats / float64(len(c.Controls))
		}
		sum += mean - d.Adapter
		tokens += float64(d.Tokens)
	}
	return sum / tokens, tokens > 0
}

// summarizeCrossed writes how much better writers are predicted by their own twin
// than by others', for each number of words and recipe: the mean over writers, a
// writer's seeds joined first, and the least of any writer.
func summarizeCrossed(out io.Writer, cells []line, all []crossed) {
	gains := map[string]float64{}
	var some []line
	for i := range cells {
		l := &cells[i]
		k := slices.IndexFunc(all, func(c crossed) bool { return c.Of == l.key() })
		if k < 0 {
			continue
		}
		if x, ok := all[k].specific(l); ok {
			gains[l.key()] = x
			some = append(some, *l)
		}
	}
	s := inColumns(some)
	fmt.Fprint(out, "\n| words | recipe | cells | over other writers' twins | least |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range s.order {
		var of perWriter
		for _, l := range s.cells[c] {
			of.add(l.Writer, gains[l.key()])
		}
		sum, least := 0.0, math.Inf(1)
		for _, x := range of.each() {
			sum, least = sum+x.Value, min(least, x.Value)
		}
		fmt.Fprintf(out, "| %d | %s | %d | %.3f | %.3f |\n", c.words, s.title(c), of.cells, sum/float64(len(of.writers)), least)
	}
}
