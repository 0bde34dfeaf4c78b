package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/getstroke/stroke/bench/lines"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin"
	"github.com/getstroke/stroke/internal/twin/control"
)

// line is one case: what is passed off as a writer's twin, and what it costs.
type line struct {
	Base     string  `json:"base"`
	Start    string  `json:"start"`
	Strength float64 `json:"strength,omitempty"` // of the start, in training and here; 1 where it is left out
	Writer   string  `json:"writer"`
	Words    int     `json:"words"`
	Seed     uint64  `json:"seed"`
	Case     string  `json:"case"`                   // good, shuffled, hardly, memorised, prose, stranger
	Epochs   int     `json:"epochs,omitempty"`       // of a memorised twin
	From     string  `json:"from,omitempty"`         // of a stranger: whose adapter it is
	Most     int     `json:"judge_tokens,omitempty"` // judge text at the most
	Each     int     `json:"each_tokens,omitempty"`  // of a document at the most
	Kernel   string  `json:"kernel"`

	Groups   []string             `json:"groups"` // judge documents, by the beginnings of their hashes
	Tokens   []int                `json:"tokens"` // scored of each
	Bare     []float64            `json:"bare"`   // nats of each document under the bare base, as the others
	Examples []float64            `json:"examples"`
	On       []float64            `json:"on_start"`
	Controls map[string][]float64 `json:"controls"`
	Adapter  []float64            `json:"adapter"`
	// Both is with the writer's passages; left out where the case fails already by its
	// start or its controls.
	Both []float64 `json:"both,omitempty"`
	// Copier and Monotone say why it is one. They are looked for where nothing else
	// refuses the case.
	Copier   string `json:"copier,omitempty"`
	Monotone string `json:"monotone,omitempty"`
	// Order has nats for stretches of what the twin learnt from, as a verdict takes them;
	// left out of cases that learnt from nothing.
	Order [][]float64 `json:"order,omitempty"`
}

// key tells cases apart.
func (l *line) key() string {
	return fmt.Sprint(l.Base, " ", l.Start, " ", l.Strength, " ", l.Writer, " ", l.Words, " ", l.Seed, " ", l.Case, " ", l.Epochs, " ", l.From, " ", l.Most, " ", l.Each)
}

// readCases reads the cases of files.
func readCases(paths []string) ([]line, error) {
	return lines.Read(paths, func(l *line) error {
		l.Strength = cmp.Or(l.Strength, 1)
		return nil
	})
}

func nats(l []eval.Loss) (sums []float64, tokens []int) {
	for _, x := range l {
		sums, tokens = append(sums, x.Nats), append(tokens, x.Tokens)
	}
	return sums, tokens
}

// fewDocuments is the least number of units to judge by: what is kept are sums over
// documents, which cannot be parted into blocks.
const fewDocuments = 8

// judged is a writer's judge text, scored under what all cases share.
type judged struct {
	dealt twin.Dealt
	text  *twin.LabText
	line  line
}

// shared gives what an earlier case of the same writer has of that, nil where there
// is none with all controls.
func shared(done []line, c *line, groups []string) *line {
	for i := range done {
		x := &done[i]
		if x.Case != "stranger" && x.Base == c.Base && x.Start == c.Start && x.Strength == c.Strength && x.Writer == c.Writer && x.Words == c.Words && x.Seed == c.Seed &&
			x.Most == c.Most && x.Each == c.Each && x.Kernel == kernel.Name() && slices.Equal(x.Groups, groups) {
			return x
		}
	}
	return nil
}

// run trains what is not there and scores what is not in the file.
func run(ctx context.Context, o *options, writers []string) error {
	done, err := readCases([]string{o.out})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	have := map[string]bool{}
	for i := range done {
		have[done[i].key()] = true
	}
	l, err := open(ctx, o, writers)
	if err != nil {
		return err
	}
	defer l.Close()
	texts := map[string]*judged{}
	// Kinds first, so that a run that is stopped has some of each writer; those that
	// take the least training before the others.
	for _, kind := range []string{"prose", good, "stranger", hardly, shuffle, memorised} {
		for i, name := range l.names {
			if len(o.judge) > 0 && !slices.Contains(o.judge, name) {
				continue
			}
			var from []string
			if kind == "stranger" {
				for k := 1; k <= min(o.strangers, len(l.names)-1); k++ {
					from = append(from, l.names[(i+k)%len(l.names)])
				}
			} else {
				from = []string{""}
			}
			for _, other := range from {
				c := line{Base: o.base, Start: o.start, Strength: o.strength, Writer: name, Words: o.words, Seed: o.seed, Case: kind, From: other, Most: o.tokens, Each: o.each}
				if kind == memorised {
					c.Epochs = o.memorised
				}
				if have[c.key()] {
					continue
				}
				err := l.measure(ctx, texts, done, &c)
				if errors.Is(err, errOver) {
					log.Print("stopped: the time is over")
					return nil
				}
				if err != nil {
					return fmt.Errorf("%s, %s %s: %w", name, kind, other, err)
				}
				if err := lines.Append(o.out, &c); err != nil {
					return fmt.Errorf("keep a case: %w", err)
				}
				done = append(done, c)
				v := c.decide()
				log.Printf("%s, %s %s: live %v: %s", name, kind, other, v.Live, v.Why)
			}
		}
	}
	return nil
}

// measure fills a case.
func (l *lab) measure(ctx context.Context, texts map[string]*judged, done []line, c *line) error {
	var own []lora.Applied
	switch c.Case {
	case "prose":
		own = []lora.Applied{l.on()}
	case "stranger", good, hardly, shuffle, memorised:
		kind, whose := c.Case, c.Writer
		if c.Case == "stranger" {
			kind, whose = good, c.From
		}
		f, _, err := l.train(ctx, whose, kind, c.Words)
		if err != nil {
			return err
		}
		if c.Order, err = l.order(ctx, whose, kind, c.Words); err != nil {
			return err
		}
		a, err := l.Fit(f)
		if err != nil {
			return err
		}
		own = []lora.Applied{l.on(), {Adapter: a, Strength: 1}}
	}
	t := texts[c.Writer]
	if t == nil {
		var err error
		if t, err = l.text(ctx, done, c); err != nil {
			return err
		}
		texts[c.Writer] = t
	}
	c.Kernel, c.Groups, c.Tokens, c.Bare, c.Examples, c.On = kernel.Name(), t.line.Groups, t.line.Tokens, t.line.Bare, t.line.Examples, t.line.On
	c.Controls = map[string][]float64{}
	for name, x := range t.line.Controls {
		if name != c.Writer && name != c.From {
			c.Controls[name] = x
		}
	}
	losses, err := l.Score(ctx, t.text, false, own...)
	if err != nil {
		return err
	}
	c.Adapter, _ = nats(losses)
	if s := c.decide().Specificity; c.Case != good && (s.Own.Mean <= 0 || s.Gain.Mean <= 0) {
		return nil // no verdict could let it through
	}
	if losses, err = l.Score(ctx, t.text, true, own...); err != nil {
		return err
	}
	c.Both, _ = nats(losses)
	if !c.decide().Live {
		return nil
	}
	c.Copier, c.Monotone, err = l.Sample(ctx, &t.dealt, c.Seed, own...)
	return err
}

// text scores a writer's judge text under what does not depend on the case.
func (l *lab) text(ctx context.Context, done []line, c *line) (*judged, error) {
	if l.over() {
		return nil, errOver
	}
	d, err := l.texts[c.Writer].give(l.o.words, l.o.seed)
	if err != nil {
		return nil, err
	}
	t := &judged{dealt: d, line: line{Controls: map[string][]float64{}}}
	if t.text, err = l.Text(&d, twin.DefaultRecipe(l.o.words).Prompt, l.o.tokens, l.o.each); err != nil {
		return nil, err
	}
	for _, g := range t.text.Groups {
		t.line.Groups = append(t.line.Groups, g[:12])
	}
	if len(t.line.Groups) < fewDocuments {
		return nil, fmt.Errorf("there are %d units to judge by, and fewer than %d give no interval over them", len(t.line.Groups), fewDocuments)
	}
	if x := shared(done, c, t.line.Groups); x != nil {
		t.line.Tokens, t.line.Bare, t.line.Examples, t.line.On, t.line.Controls = x.Tokens, x.Bare, x.Examples, x.On, x.Controls
		return t, nil
	}
	score := func(to *[]float64, prompted bool, use ...lora.Applied) {
		if err != nil {
			return
		}
		var losses []eval.Loss
		if losses, err = l.Score(ctx, t.text, prompted, use...); err == nil {
			*to, t.line.Tokens = nats(losses)
		}
	}
	score(&t.line.Bare, false)
	score(&t.line.Examples, true)
	score(&t.line.On, false, l.on())
	list, e := control.For(l.o.base, l.o.words)
	if e != nil {
		return nil, e
	}
	if len(list) == 0 {
		return nil, errors.New("no controls come with the program for this base")
	}
	for _, c := range list {
		a, e := l.Control(&c)
		if e != nil {
			return nil, e
		}
		var x []float64
		score(&x, false, l.on(), lora.Applied{Adapter: a, Strength: 1})
		t.line.Controls[c.Name] = x
	}
	return t, err
}

// names are the controls of a case, in order.
func (l *line) names() []string {
	var out []string
	for name := range l.Controls {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
