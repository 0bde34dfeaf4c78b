package main

import (
	"cmp"
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
	e := verdict.Evidence{Start: losses(l.On, l.Tokens), Copier: l.Copier, Monotone: l.Monotone, Order: l.Order}
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
		x.Case, x.From, x.Adapter, x.Both, x.Copier, x.Monotone, x.Order = "control", name, l.Controls[name], nil, "", "", nil
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

// row is a kind of twins that were made and judged alike.
type row struct {
	base, start string
	strength    float64
	words       int
	kind        string
	most, each  int // judge tokens, in all and of a document; 0 where the cases do not say
	epochs      int // of a memorised twin, where they say
}

// on says what the twins of a row stand on.
func (r row) on() string {
	on := fmt.Sprintf("%s, %s at %g", r.base, r.start, r.strength)
	if r.most > 0 {
		on += fmt.Sprintf(", judged by %d tokens, %d of a document", r.most, r.each)
	}
	if r.epochs > 0 {
		on += fmt.Sprintf(", %d epochs", r.epochs)
	}
	return on
}

// Rows of several kinds.
const (
	allBad   = "all bad"
	butDealt = "all bad but " + shuffle
)

// counts has, for each case of a row, 1 where it passes and 0 where it does not.
type counts struct {
	proven, live              []eval.Sample
	examples, start, controls []eval.Sample
	writers                   map[string]bool
}

// add takes a case in. Of what beats examples those count that were asked.
func (c *counts) add(l *line, v *verdict.Verdict) {
	c.writers[l.Writer] = true
	pass := func(to *[]eval.Sample, yes bool) {
		x := eval.Sample{Group: l.Writer}
		if yes {
			x.Value = 1
		}
		*to = append(*to, x)
	}
	pass(&c.proven, v.Live && !v.Unproven)
	pass(&c.live, v.Live)
	if l.Both != nil {
		pass(&c.examples, v.BeatsExamples())
	}
	s := v.Specificity
	pass(&c.start, s != nil && s.BeatsStart())
	pass(&c.controls, s != nil && s.BeatsControls(v.Look))
}

// summarize prints how many of each kind are let through, with the interval by
// writer, and how many are by each of the gate's criteria alone. All bad are
// all but the good and the controls, of which nothing was asked beside examples.
func summarize(w io.Writer, paths []string) error {
	cases, err := readCases(paths)
	if err != nil {
		return err
	}
	rows := map[row]*counts{}
	add := func(l *line, kinds ...string) {
		v := l.decide()
		for _, kind := range kinds {
			r := row{l.Base, l.Start, l.Strength, l.Words, kind, l.Most, l.Each, 0}
			if kind == memorised {
				r.epochs = l.Epochs
			}
			if rows[r] == nil {
				rows[r] = &counts{writers: map[string]bool{}}
			}
			rows[r].add(l, &v)
		}
	}
	for i := range cases {
		l := &cases[i]
		switch l.Case {
		case good:
			add(l, good)
			for _, x := range l.passedOff() {
				add(&x, x.Case)
			}
		case shuffle:
			add(l, shuffle, allBad)
		default:
			add(l, l.Case, allBad, butDealt)
		}
	}
	kinds := []string{good, "control", "stranger", "prose", hardly, memorised, butDealt, shuffle, allBad}
	order := slices.SortedFunc(maps.Keys(rows), func(a, b row) int {
		return cmp.Or(cmp.Compare(a.base, b.base), cmp.Compare(a.start, b.start), cmp.Compare(a.strength, b.strength), cmp.Compare(a.words, b.words), cmp.Compare(a.most, b.most), cmp.Compare(a.each, b.each),
			cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)), cmp.Compare(a.epochs, b.epochs))
	})
	fmt.Fprintln(w, "| words | on | twin | writers | cases | live (95 %) | live and proven (95 %) | beats examples, of those asked | beats its start | beats its controls |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, r := range order {
		c := rows[r]
		p, q := eval.Proportion(c.live), eval.Proportion(c.proven)
		share := func(s []eval.Sample) string {
			n := 0.0
			for _, x := range s {
				n += x.Value
			}
			return fmt.Sprintf("%.0f of %d", n, len(s))
		}
		fmt.Fprintf(w, "| %d | %s | %s | %d | %d | %.2f (%.2f to %.2f) | %.2f (%.2f to %.2f) | %s | %s | %s |\n", r.words, r.on(), r.kind, len(c.writers), len(c.live), p.Mean, p.Low, p.High, q.Mean, q.Low, q.High, share(c.examples), share(c.start), share(c.controls))
	}
	return nil
}
