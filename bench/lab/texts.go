package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/twin"
)

// ofTexts are the figures of texts that are set side by side, each of one cell; NaN
// where it says nothing of it.
var ofTexts = []struct {
	name string
	of   func(*twin.CellTexts) float64
}{
	{"recognition", func(t *twin.CellTexts) float64 {
		if !t.Recognition.Claim {
			return math.NaN()
		}
		return t.Recognition.Value.Value
	}},
	{"leaning", func(t *twin.CellTexts) float64 {
		if !t.Recognition.Claim {
			return math.NaN()
		}
		return t.Recognition.Lean.Value
	}},
	{"farther than the writer", func(t *twin.CellTexts) float64 {
		return t.Range.Twin.Distance.Value - t.Range.Own.Distance.Value
	}},
	{"varied", func(t *twin.CellTexts) float64 {
		return t.Range.Twin.Spread.Value / t.Range.Own.Spread.Value
	}},
	{"repeated more", func(t *twin.CellTexts) float64 {
		return t.Range.Repetition[likeness.OfTwin].Within.Value - t.Range.Repetition[likeness.OfOwn].Within.Value
	}},
	{"copied more", func(t *twin.CellTexts) float64 { return t.Leakage.Excess.Value }},
}

// summarizeTexts writes, for each number of words and recipe, the means over writers
// of what was measured on their texts, and what they differ by from the rival's with
// the same writer, with intervals from a bootstrap over writers. A writer's seeds are
// joined first.
func summarizeTexts(out io.Writer, lines []line, rival string) {
	s := inColumns(slices.DeleteFunc(drawn(lines), func(l line) bool { return l.Cell.Texts == nil }))
	if len(s.order) == 0 {
		return
	}
	fmt.Fprintf(out, "\n| words | recipe | figure | cells | mean | over %s |\n| --- | --- | --- | --- | --- | --- |\n", rival)
	for _, c := range s.order {
		title, rivals := s.title(c), s.rivals(c, rival)
		for _, f := range ofTexts {
			var all perWriter
			for _, l := range s.cells[c] {
				all.add(l.Writer, f.of(l.Cell.Texts))
			}
			var over []string
			for _, r := range rivals {
				var by perWriter
				for _, l := range s.cells[c] {
					if x := cellOf(s.cells[r], &l); x != nil {
						by.add(l.Writer, f.of(l.Cell.Texts)-f.of(x.Cell.Texts))
					}
				}
				if by.cells == 0 {
					continue
				}
				said := by.said()
				if len(rivals) > 1 {
					said += " of " + s.title(r)
				}
				over = append(over, said)
			}
			fmt.Fprintf(out, "| %d | %s | %s | %d | %s | %s |\n", c.words, title, f.name, all.cells, all.said(), strings.Join(over, "; "))
		}
		copiers, monotone := 0, 0
		for _, l := range s.cells[c] {
			if l.Cell.Texts.Leakage.Copier {
				copiers++
			}
			if l.Cell.Texts.Range.Monotone {
				monotone++
			}
		}
		fmt.Fprintf(out, "| %d | %s | copiers; monotone | %d | %d; %d | |\n", c.words, title, len(s.cells[c]), copiers, monotone)
	}
}

// perWriter is a figure of cells by their writers.
type perWriter struct {
	writers []string
	values  map[string][]float64
	cells   int
}

// add takes the figure of a cell in; NaN is none.
func (p *perWriter) add(writer string, x float64) {
	if math.IsNaN(x) {
		return
	}
	if p.values == nil {
		p.values = map[string][]float64{}
	}
	if p.values[writer] == nil {
		p.writers = append(p.writers, writer)
	}
	p.values[writer] = append(p.values[writer], x)
	p.cells++
}

// each has one figure a writer: the mean of their cells.
func (p *perWriter) each() (out []likeness.Sample) {
	for _, w := range p.writers {
		sum := 0.0
		for _, x := range p.values[w] {
			sum += x
		}
		out = append(out, likeness.Sample{Group: w, Value: sum / float64(len(p.values[w]))})
	}
	return out
}

// said is the mean over writers with its interval; empty for no cells.
func (p *perWriter) said() string {
	if p.cells == 0 {
		return ""
	}
	m := likeness.Mean(p.each(), likeness.Resampling{Seed: 1, Rounds: rounds})
	return fmt.Sprintf("%.3f (%.3f to %.3f)", m.Value, m.Low, m.High)
}

// drawn has a line for each sampling of a cell behind the cell's own, as if it were
// another recipe.
func drawn(lines []line) (out []line) {
	for _, l := range lines {
		out = append(out, l)
		for _, s := range l.Cell.Samplings {
			x, c := l, *l.Cell
			c.Texts, c.Samplings = s.Texts, nil
			x.Name, x.Cell = l.Name+", "+s.Name, &c
			out = append(out, x)
		}
	}
	return out
}
