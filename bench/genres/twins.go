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
	all := map[group]*standing{}
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
				x = &standing{}
				all[group{g.Name, k.words}] = x
			}
			x.add(k.writer, share, saved(k.writer, on, base))
		}
	}
	out := map[string][]genre.MeasuredOn{}
	for _, g := range slices.SortedFunc(maps.Keys(all), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.genre, b.genre), cmp.Compare(a.words, b.words))
	}) {
		out[g.genre] = append(out[g.genre], all[g].measured(g.words))
	}
	return out, nil
}

// standing are twins for which one genre is a good part of what they stand on, with
// as many words of their writers' own.
type standing struct {
	writers []string
	shares  map[string][]float64 // by writer, of each seed
	gains   []eval.Gain
	seeds   []int // that a gain is the sum of
}

// add takes a twin in. Two seeds on one document are no two pieces of evidence, so they
// come to one gain.
func (s *standing) add(writer string, share float64, gains []eval.Gain) {
	if s.shares == nil {
		s.shares = map[string][]float64{}
	}
	if s.shares[writer] == nil {
		s.writers = append(s.writers, writer)
	}
	s.shares[writer] = append(s.shares[writer], share)
	for _, g := range gains {
		i := slices.IndexFunc(s.gains, func(x eval.Gain) bool { return x.Writer == g.Writer && x.Group == g.Group })
		if i < 0 {
			s.gains, s.seeds = append(s.gains, g), append(s.seeds, 1)
			continue
		}
		s.gains[i].Saved += g.Saved
		s.seeds[i]++
	}
}

// measured is what the genre is worth to them: in the mean over writers, with an interval
// over writers and within them over documents, each document at the mean of its seeds.
func (s *standing) measured(words int) genre.MeasuredOn {
	tokens, share := 0, 0.0
	gains := slices.Clone(s.gains)
	for i := range gains {
		gains[i].Saved /= float64(s.seeds[i])
		tokens += gains[i].Tokens
	}
	for _, w := range s.writers {
		sum := 0.0
		for _, x := range s.shares[w] {
			sum += x
		}
		share += sum / float64(len(s.shares[w])*len(s.writers))
	}
	g := eval.PanelGain(gains, rounds, 1)
	return genre.MeasuredOn{Text: strings.Join(slices.Sorted(slices.Values(s.writers)), ", "), Writer: true, Words: words, Share: share, Tokens: tokens,
		Gain: genre.Gain{Mean: g.Mean, Low: g.Low, High: g.High}}
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
