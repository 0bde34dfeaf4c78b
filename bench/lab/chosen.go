package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/getstroke/stroke/internal/twin"
)

// chosen gives one cell for each method, start, writer, number of words and seed: that
// whose select documents cost least, as a writer who tries settings would take it. The
// cells are named by their method, and ask for nothing by which they would be parted.
func chosen(lines []line) []line {
	type place struct {
		method, writer string
		words          int
		seed           uint64
		base           string
		judge          int
	}
	best := map[place]line{}
	for _, l := range lines {
		if !l.trained() || len(l.Cell.Select) < 2 {
			continue
		}
		at := place{l.method(), l.Writer, l.Words, l.Seed, l.Base, l.JudgeTokens}
		if was, ok := best[at]; !ok || l.selected() < was.selected() {
			best[at] = l
		}
	}
	var out []line
	for at, l := range best {
		l.Name, l.Change = at.method, nil
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.Words, b.Words), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Writer, b.Writer), cmp.Compare(a.Seed, b.Seed),
			cmp.Compare(a.Base, b.Base), cmp.Compare(a.JudgeTokens, b.JudgeTokens))
	})
	return out
}

// selected is the least loss on select documents after an epoch: what the bare base has
// there says nothing of the setting.
func (l *line) selected() float64 { return slices.Min(l.Cell.Select[1:]) }

// method is what was trained, and from where.
func (l *line) method() string {
	r := &l.Cell.Recipe
	if r.Method == twin.LoRA && len(r.Genre.On) > 0 {
		return fmt.Sprint(r.Method, " on a genre")
	}
	return string(r.Method)
}
