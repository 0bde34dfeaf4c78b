package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/getstroke/stroke/bench/lines"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/twin"
)

// cell is a line of bench/lab.
type cell struct {
	Writer string     `json:"writer"`
	Words  int        `json:"words"`
	Seed   uint64     `json:"seed"`
	Name   string     `json:"name"`
	Cell   *twin.Cell `json:"cell"`
}

// The recipes of the panel that are set beside each other: on what auto chooses, and
// the same from the bare base.
const onGenre, fromBase = "ours", "cold"

// rounds of a bootstrap.
const rounds = 10000

// twins gives, for each genre, what twins gained by standing on it: the seeds of a
// writer that chose the same are pooled, document by document.
func twins(paths []string) (map[string][]genre.MeasuredOn, error) {
	cells, err := lines.Read(paths, func(c *cell) error {
		if c.Cell == nil {
			return errors.New("it has no cell")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	type key struct {
		writer string
		words  int
		on     string
	}
	saved := map[key][]eval.Gain{}
	var order []key
	for _, a := range cells {
		if a.Name != onGenre || a.Cell.Epoch == 0 {
			continue
		}
		i := slices.IndexFunc(cells, func(b cell) bool {
			return b.Name == fromBase && b.Writer == a.Writer && b.Words == a.Words && b.Seed == a.Seed
		})
		if i < 0 {
			continue
		}
		var on []string
		for _, g := range a.Cell.Recipe.Genre.On {
			on = append(on, g.Name)
		}
		k := key{a.Writer, a.Words, strings.Join(on, "+")}
		if saved[k] == nil {
			order = append(order, k)
		}
		for _, d := range a.Cell.Documents {
			j := slices.IndexFunc(cells[i].Cell.Documents, func(x twin.CellDocument) bool { return x.Hash == d.Hash })
			if j < 0 || d.Tokens == 0 {
				continue
			}
			g := eval.Gain{Writer: a.Writer, Group: d.Hash, Saved: cells[i].Cell.Documents[j].Both - d.Both, Tokens: d.Tokens}
			if at := slices.IndexFunc(saved[k], func(x eval.Gain) bool { return x.Group == d.Hash }); at >= 0 {
				saved[k][at].Saved += g.Saved
				saved[k][at].Tokens += g.Tokens
				continue
			}
			saved[k] = append(saved[k], g)
		}
	}
	slices.SortStableFunc(order, func(a, b key) int { return a.words - b.words })
	out := map[string][]genre.MeasuredOn{}
	for _, k := range order {
		p := eval.Predict(onGenre, saved[k], rounds, 1)
		tokens := 0
		for _, g := range saved[k] {
			tokens += g.Tokens
		}
		names := strings.Split(k.on, "+")
		for _, name := range names {
			if name == "" {
				continue
			}
			with := slices.DeleteFunc(slices.Clone(names), func(x string) bool { return x == name })
			out[name] = append(out[name], genre.MeasuredOn{Text: k.writer, Writer: true, Words: k.words, Tokens: tokens, With: strings.Join(with, "+"),
				Gain: genre.Gain{Mean: p.Gain.Mean, Low: p.Gain.Low, High: p.Gain.High}})
		}
	}
	return out, nil
}
