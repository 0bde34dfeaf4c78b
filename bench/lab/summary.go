package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/eval"
)

// rounds of a bootstrap.
const rounds = 10000

// tables writes all that cells say: gains, texts, and where there is any what others'
// twins cost. With ours they are of that recipe and the rival alone, which is the first
// of the lines where it is not named.
func tables(out io.Writer, lines []line, beside []crossed, ours, rival string) error {
	if len(lines) == 0 {
		return errors.New("there are no cells: name files that lab wrote, of trained cells where it is --chosen")
	}
	rival = cmp.Or(rival, lines[0].Name)
	if ours != "" {
		var both []line
		for _, l := range lines {
			if l.Name == ours || l.Name == rival {
				both = append(both, l)
			}
		}
		if len(both) == 0 {
			return fmt.Errorf("no cell is called %q or %q: --ours and --rival name recipes as the lines do", ours, rival)
		}
		lines = both
	}
	if err := summarize(out, lines, rival); err != nil {
		return err
	}
	summarizeTexts(out, lines, rival)
	if beside != nil {
		summarizeCrossed(out, lines, beside)
	}
	return nil
}

// summarize writes a table: for each number of words and recipe the mean gains over
// writers, and the ratio to the rival's of what is served, over the writers and seeds
// that both have, with its interval from a bootstrap over writers and within them over
// documents.
func summarize(out io.Writer, lines []line, rival string) error {
	s := inColumns(lines)
	fmt.Fprintf(out, "| words | recipe | cells | writers | start | examples | adapter | both | both against %s | of the same cells |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n", rival)
	for _, c := range s.order {
		var against, of []string
		rivals := s.rivals(c, rival)
		for _, r := range rivals {
			ratio, pairs, err := compare(s.cells[c], s.cells[r])
			if err != nil {
				return fmt.Errorf("%s at %d words: %w", c.name, c.words, err)
			}
			if pairs == 0 {
				continue
			}
			against = append(against, said(ratio.Ratio))
			both := fmt.Sprintf("%d cells, %d writers", pairs, ratio.Writers)
			if len(rivals) > 1 {
				both += " of " + s.title(r)
			}
			of = append(of, both)
		}
		g, writers := meanGains(s.cells[c])
		fmt.Fprintf(out, "| %d | %s | %d | %d | %.3f | %.3f | %.3f | %.3f | %s | %s |\n", c.words, s.title(c), len(s.cells[c]), writers, g.start, g.examples, g.adapter, g.both,
			strings.Join(against, "; "), strings.Join(of, "; "))
	}
	return nil
}

func said(i eval.Interval) string {
	if !i.Known() {
		return "no ratio: the rival gains nothing"
	}
	bound := func(x float64) string {
		if math.IsInf(x, 0) {
			return "∞"
		}
		return fmt.Sprintf("%.2f", math.Abs(x))
	}
	low := bound(i.Low)
	if i.Low < 0 {
		low = "−" + low
	}
	return fmt.Sprintf("%.2f (%s–%s)", i.Mean, low, bound(i.High))
}

// compare sets two recipes beside each other on the cells that both have. A writer's
// seeds are pooled by document, since two seeds on one document are no two pieces of
// evidence.
func compare(ours, rival []line) (r eval.Ratio, pairs int, err error) {
	var members []eval.Member
	number := map[string]int{}
	for _, a := range ours {
		b := cellOf(rival, &a)
		if b == nil {
			continue
		}
		n, ok := number[a.Writer]
		if !ok {
			n = len(members)
			number[a.Writer] = n
			members = append(members, eval.Member{Writer: a.Writer})
		}
		pairs++
		members[n].Ours = join(members[n].Ours, &a)
		members[n].Rival = join(members[n].Rival, b)
	}
	r, err = eval.PanelRatio(members, rounds, 1)
	return r, pairs, err
}

// join adds a cell's gains to those of other seeds, document by document.
func join(all []eval.Gain, l *line) []eval.Gain {
	for _, d := range l.Cell.Documents {
		if d.Tokens == 0 {
			continue
		}
		g := eval.Gain{Writer: l.Writer, Group: d.Hash, Saved: d.Base - l.served(&d), Tokens: d.Tokens}
		if i := slices.IndexFunc(all, func(x eval.Gain) bool { return x.Group == d.Hash }); i >= 0 {
			all[i].Saved += g.Saved
			all[i].Tokens += g.Tokens
			continue
		}
		all = append(all, g)
	}
	return all
}
