package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

func losses(sums []float64, tokens []int) []eval.Loss {
	out := make([]eval.Loss, len(sums))
	for i := range sums {
		out[i] = eval.Loss{Nats: sums[i], Tokens: tokens[i]}
	}
	return out
}

// decide is the gate's word on a case.
func (l *line) decide() verdict.Verdict {
	e := verdict.Evidence{Start: losses(l.On, l.Tokens), Copier: l.Copier, Monotone: l.Monotone}
	e.Losses[verdict.Base] = losses(l.Bare, l.Tokens)
	e.Losses[verdict.Examples] = losses(l.Examples, l.Tokens)
	e.Losses[verdict.Adapter] = losses(l.Adapter, l.Tokens)
	e.Losses[verdict.Both] = losses(l.Both, l.Tokens)
	if l.Both == nil {
		e.Losses[verdict.Both] = e.Losses[verdict.Examples] // it gains nothing
	}
	for _, name := range l.names() {
		e.Controls = append(e.Controls, verdict.Control{Name: name, Losses: losses(l.Controls[name], l.Tokens)})
	}
	return verdict.Decide(e, 1)
}

// passedOff are a case's controls, each passed off as the writer's twin beside the
// others. How they do beside examples was not scored; here they beat them.
func (l *line) passedOff() []line {
	var out []line
	for _, name := range l.names() {
		x := *l
		x.Case, x.From, x.Adapter, x.Both, x.Copier, x.Monotone = "control", name, l.Controls[name], nil, "", ""
		x.Controls = map[string][]float64{}
		for other, losses := range l.Controls {
			if other != name {
				x.Controls[other] = losses
			}
		}
		for i, nats := range l.Examples {
			x.Both = append(x.Both, nats-float64(l.Tokens[i]))
		}
		out = append(out, x)
	}
	return out
}

// summarize prints how many of each kind are let through, with the interval by
// writer, and how many would be by each criterion alone.
func summarize(w io.Writer, paths []string) error {
	lines, err := readCases(paths)
	if err != nil {
		return err
	}
	type cell struct {
		proven, all           []eval.Sample
		examples, start, gate []eval.Sample
		writers               map[string]bool
	}
	cells := map[string]*cell{}
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	add := func(key string, l *line, v *verdict.Verdict) {
		c := cells[key]
		if c == nil {
			c = &cell{writers: map[string]bool{}}
			cells[key] = c
		}
		c.writers[l.Writer] = true
		s := v.Specificity
		group := fmt.Sprint(l.Writer)
		c.proven = append(c.proven, eval.Sample{Group: group, Value: yes(v.Live && !v.Unproven)})
		c.all = append(c.all, eval.Sample{Group: group, Value: yes(v.Live)})
		if l.Both != nil {
			c.examples = append(c.examples, eval.Sample{Group: group, Value: yes(v.Gain.Low > 0)})
		}
		c.start = append(c.start, eval.Sample{Group: group, Value: yes(s != nil && s.Own.Low > 0)})
		c.gate = append(c.gate, eval.Sample{Group: group, Value: yes(s != nil && s.Gain.Low > 0)})
	}
	sizes := map[int]bool{}
	for i := range lines {
		if lines[i].Case == good {
			for _, x := range lines[i].passedOff() {
				v := x.decide()
				add(fmt.Sprint(x.Words, x.Case), &x, &v)
			}
		}
	}
	for i := range lines {
		v := lines[i].decide()
		sizes[lines[i].Words] = true
		add(fmt.Sprint(lines[i].Words, lines[i].Case), &lines[i], &v)
		if lines[i].Case != good && lines[i].Case != shuffle {
			add(fmt.Sprint(lines[i].Words, "all bad"), &lines[i], &v)
		}
	}
	fmt.Fprintln(w, "| words | twin | writers | cases | live (95 %) | live and proven (95 %) | beats examples, of those asked | beats its start | beats its controls |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, words := range slices.Sorted(maps.Keys(sizes)) {
		for _, kind := range []string{good, "control", "stranger", "prose", hardly, shuffle, memorised, "all bad"} {
			c := cells[fmt.Sprint(words, kind)]
			if c == nil {
				continue
			}
			p, q := eval.Proportion(c.all), eval.Proportion(c.proven)
			share := func(s []eval.Sample) string {
				n := 0.0
				for _, x := range s {
					n += x.Value
				}
				return fmt.Sprintf("%.0f of %d", n, len(s))
			}
			fmt.Fprintf(w, "| %d | %s | %d | %d | %.2f (%.2f to %.2f) | %.2f (%.2f to %.2f) | %s | %s | %s |\n", words, kind, len(c.writers), len(c.all), p.Mean, p.Low, p.High, q.Mean, q.Low, q.High, share(c.examples), share(c.start), share(c.gate))
		}
	}
	return nil
}
