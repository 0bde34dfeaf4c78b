package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// column is one recipe with one number of words, on one base and judged by as much
// text. Recipes of one name that ask for other things are two.
type column struct {
	name   string
	words  int
	base   string
	judge  int // tokens
	change string
}

func (l *line) column() column {
	return column{l.Name, l.Words, l.Base, l.JudgeTokens, string(l.Change)}
}

// columns are cells by column, those of few words first.
type columns struct {
	order []column
	cells map[column][]line
}

// inColumns deals cells to their columns. Of several lines of one cell the first counts.
func inColumns(lines []line) *columns {
	s := &columns{cells: map[column][]line{}}
	for _, l := range lines {
		c := l.column()
		if s.cells[c] == nil {
			s.order = append(s.order, c)
		}
		if cellOf(s.cells[c], &l) == nil {
			s.cells[c] = append(s.cells[c], l)
		}
	}
	slices.SortStableFunc(s.order, func(a, b column) int { return a.words - b.words })
	return s
}

// cellOf is the cell of the same writer and seed; nil where there is none.
func cellOf(cells []line, l *line) *line {
	i := slices.IndexFunc(cells, func(x line) bool { return x.Writer == l.Writer && x.Seed == l.Seed })
	if i < 0 {
		return nil
	}
	return &cells[i]
}

// rivals are the columns of a name that a column is set beside: judged by the same
// text under the same base. The rival itself is set beside none.
func (s *columns) rivals(c column, name string) (out []column) {
	for _, r := range s.order {
		if c.name != name && r.name == name && r.words == c.words && r.base == c.base && r.judge == c.judge {
			out = append(out, r)
		}
	}
	return out
}

// title is the column's name, and where others have it too what this one asks for
// that they do not.
func (s *columns) title(c column) string {
	asked := c.asked()
	differs := map[string]bool{}
	for _, x := range s.order {
		if x.name != c.name || x.words != c.words {
			continue
		}
		other := x.asked()
		for key := range asked {
			differs[key] = differs[key] || other[key] != asked[key]
		}
	}
	var own []string
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		if differs[key] {
			own = append(own, key+" "+asked[key])
		}
	}
	if len(own) == 0 {
		return c.name
	}
	return fmt.Sprintf("%s (%s)", c.name, strings.Join(own, ", "))
}

// asked is what a column's cells were asked for, by the names of fields.
func (c column) asked() map[string]string {
	out := map[string]string{"base": c.base, "judge_tokens": strconv.Itoa(c.judge)}
	var change map[string]any
	if json.Unmarshal([]byte(c.change), &change) == nil {
		flatten(out, "", change)
	}
	return out
}

func flatten(to map[string]string, below string, fields map[string]any) {
	for name, value := range fields {
		if inner, ok := value.(map[string]any); ok {
			if name != "set" {
				name = below + name + "."
			} else {
				name = below
			}
			flatten(to, name, inner)
			continue
		}
		to[below+name] = fmt.Sprint(value)
	}
}

// byWriter are the cells of each writer, in the order of their first.
func byWriter(cells []line) [][]line {
	var out [][]line
	number := map[string]int{}
	for _, l := range cells {
		n, ok := number[l.Writer]
		if !ok {
			n = len(out)
			number[l.Writer] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], l)
	}
	return out
}
