package main

import (
	"cmp"
	"errors"
	"maps"
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

// The recipes of the panel that are set beside each other: on what auto chooses, and a
// plain LoRA from the bare base.
const onGenre, fromBase = "ours", "plain"

const (
	rounds     = 10000 // of a bootstrap
	leastShare = 0.2   // of the strength of all genres that a twin stands on, for it to count
)

// twins gives, for each genre and number of words, what the twins gained for which it
// has a good part of what they stand on. Of several lines of one cell the first counts.
func twins(paths []string) (map[string][]genre.MeasuredOn, error) {
	type key struct {
		name, writer string
		words        int
		seed         uint64
	}
	cells := map[key]*twin.Cell{}
	var order []key
	_, err := lines.Read(paths, func(c *cell) error {
		if c.Cell == nil {
			return errors.New("it has no cell")
		}
		k := key{c.Name, c.Writer, c.Words, c.Seed}
		if cells[k] == nil {
			cells[k] = c.Cell
			order = append(order, k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	type group struct {
		genre string
		words int
	}
	type found struct {
		writers []string
		share   float64 // the sum
		count   int
		gains   []eval.Gain
	}
	all := map[group]*found{}
	for _, k := range order {
		on := cells[k]
		base := cells[key{fromBase, k.writer, k.words, k.seed}]
		if k.name != onGenre || on.Epoch == 0 || base == nil {
			continue
		}
		sum := 0.0
		for _, g := range on.Recipe.Genre.On {
			sum += g.Strength
		}
		for _, g := range on.Recipe.Genre.On {
			share := g.Strength / sum
			if !(share >= leastShare) {
				continue
			}
			x := all[group{g.Name, k.words}]
			if x == nil {
				x = &found{}
				all[group{g.Name, k.words}] = x
			}
			x.share, x.count = x.share+share, x.count+1
			if !slices.Contains(x.writers, k.writer) {
				x.writers = append(x.writers, k.writer)
			}
			x.gains = append(x.gains, saved(k.writer, on, base)...)
		}
	}
	out := map[string][]genre.MeasuredOn{}
	for _, g := range slices.SortedFunc(maps.Keys(all), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.genre, b.genre), cmp.Compare(a.words, b.words))
	}) {
		x := all[g]
		p := eval.Predict(onGenre, x.gains, rounds, 1)
		tokens := 0
		for _, y := range x.gains {
			tokens += y.Tokens
		}
		slices.Sort(x.writers)
		out[g.genre] = append(out[g.genre], genre.MeasuredOn{Text: strings.Join(x.writers, ", "), Writer: true, Words: g.words, Share: x.share / float64(x.count), Tokens: tokens,
			Gain: genre.Gain{Mean: p.Gain.Mean, Low: p.Gain.Low, High: p.Gain.High}})
	}
	return out, nil
}

// saved is what a twin on genres saves over one from the base, by document.
func saved(writer string, on, base *twin.Cell) (out []eval.Gain) {
	for _, d := range on.Documents {
		i := slices.IndexFunc(base.Documents, func(x twin.CellDocument) bool { return x.Hash == d.Hash })
		if i >= 0 && d.Tokens > 0 {
			out = append(out, eval.Gain{Writer: writer, Group: d.Hash, Saved: base.Documents[i].Both - d.Both, Tokens: d.Tokens})
		}
	}
	return out
}
