package main

import (
	"fmt"
	"io"
	"math"
	"slices"

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
// the same writer, with intervals from a bootstrap over writers.
func summarizeTexts(out io.Writer, lines []line, rival string) {
	cells := map[column][]line{}
	var order []column
	for _, l := range drawn(lines) {
		if l.Cell.Texts == nil {
			continue
		}
		c := column{l.Name, l.Words}
		if cells[c] == nil {
			order = append(order, c)
		}
		cells[c] = append(cells[c], l)
	}
	if len(order) == 0 {
		return
	}
	slices.SortStableFunc(order, func(a, b column) int { return a.words - b.words })
	fmt.Fprintf(out, "\n| words | recipe | figure | cells | mean | over %s |\n| --- | --- | --- | --- | --- | --- |\n", rival)
	for _, c := range order {
		for _, f := range ofTexts {
			var all, over []likeness.Sample
			for _, l := range cells[c] {
				x := f.of(l.Cell.Texts)
				if math.IsNaN(x) {
					continue
				}
				all = append(all, likeness.Sample{Group: l.Writer, Value: x})
				i := slices.IndexFunc(cells[column{rival, c.words}], func(r line) bool { return r.Writer == l.Writer && r.Seed == l.Seed })
				if i < 0 || c.name == rival {
					continue
				}
				if y := f.of(cells[column{rival, c.words}][i].Cell.Texts); !math.IsNaN(y) {
					over = append(over, likeness.Sample{Group: l.Writer, Value: x - y})
				}
			}
			mean := func(s []likeness.Sample) string {
				if len(s) == 0 {
					return ""
				}
				m := likeness.Mean(s, likeness.Resampling{Seed: 1, Rounds: rounds})
				return fmt.Sprintf("%.3f (%.3f to %.3f)", m.Value, m.Low, m.High)
			}
			fmt.Fprintf(out, "| %d | %s | %s | %d | %s | %s |\n", c.words, c.name, f.name, len(all), mean(all), mean(over))
		}
		copiers, monotone := 0, 0
		for _, l := range cells[c] {
			if l.Cell.Texts.Leakage.Copier {
				copiers++
			}
			if l.Cell.Texts.Range.Monotone {
				monotone++
			}
		}
		fmt.Fprintf(out, "| %d | %s | copiers; monotone | %d | %d; %d | |\n", c.words, c.name, len(cells[c]), copiers, monotone)
	}
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
