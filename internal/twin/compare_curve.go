package twin

import (
	"context"
	"fmt"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/twin/compare"
)

// curvePoint is a method on some of the train text. It has the rate of its
// recipe; base and examples of the same text are measured beside.
type curvePoint struct {
	words    int
	training *training // nil for examples
	reads    float64   // seconds of scoring, by forecast
	kept     bool
	origin   origin
	result   curveResult
}

// curveResult is what is kept of a point; of a training that is lost, nothing.
type curveResult struct {
	Groups   []string
	Plain    []eval.Loss // of a method that is trained
	Prompted []eval.Loss // of examples, and of an adapter with them
}

func (p *curvePoint) name() compare.Name {
	if p.training == nil {
		return compare.Examples
	}
	return p.training.method
}

func (p *curvePoint) id() string { return fmt.Sprintf("curve-%s-%d-words", p.name(), p.words) }

func (p *curvePoint) cost() float64 {
	if p.training == nil {
		return p.reads
	}
	return p.reads + p.training.cost
}

// planCurve makes the points of the amounts that are less than there is.
func (c *comparer) planCurve(b *baseModel) error {
	for _, words := range c.o.Curve {
		if words >= c.words[stroke.RoleTrain] {
			c.emit(stroke.NoteEvent{Text: fmt.Sprintf("a curve at %d words is left out: there are %d to train on", words, c.words[stroke.RoleTrain])})
			continue
		}
		c.points = append(c.points, &curvePoint{words: words, reads: c.rowCost(b, compare.Examples)})
		for _, m := range []compare.Name{compare.LoRA, compare.Partial, compare.Full} {
			if c.trainings[m] == nil {
				continue
			}
			t := &training{method: m, factor: 1, words: words}
			if err := c.cost(b, t); err != nil {
				return err
			}
			c.points = append(c.points, &curvePoint{words: words, training: t, reads: c.rowCost(b, m)})
		}
	}
	return nil
}

// pointKey is what a point depends on.
func (c *comparer) pointKey(p *curvePoint) any {
	if p.training == nil {
		return []any{p.words, DefaultRecipe(p.words).Prompt}
	}
	return []any{p.words, c.trainingKey(p.training)}
}

// runCurve measures the points that are missing.
func (c *comparer) runCurve(ctx context.Context) error {
	for _, p := range c.points {
		if p.kept {
			continue
		}
		c.tell(p.name(), "curve", fmt.Sprintf("%d words", p.words))
		if err := c.measurePoint(ctx, p); err != nil {
			if ctx.Err() != nil || stroke.CodeOf(err) == stroke.CodeInterrupted {
				return c.interrupted(err, p.name())
			}
			return err
		}
		c.done += p.cost()
	}
	return nil
}

func (c *comparer) measurePoint(ctx context.Context, p *curvePoint) error {
	if t := p.training; t != nil && (!t.kept || t.result.Lost == "" && !c.learntThere(t)) {
		if err := c.learn(ctx, t); err != nil {
			return err
		}
	}
	p.result = curveResult{}
	if p.training == nil || p.training.result.Lost == "" {
		if err := c.scorePoint(ctx, p); err != nil {
			return err
		}
	}
	var err error
	if p.origin, err = c.keepPart(p.id(), c.pointKey(p), &p.result); err != nil {
		return err
	}
	p.kept = true
	return nil
}

// scorePoint scores the judge documents with what a point learnt.
func (c *comparer) scorePoint(ctx context.Context, p *curvePoint) error {
	return c.withBase(ctx, func(b *baseModel) error {
		var l *learnt
		docs := some(c.role(stroke.RoleTrain), p.words, c.o.Seed)
		recipe := DefaultRecipe(wordsOf(docs))
		if p.training != nil {
			recipe = p.training.result.Recipe
			var err error
			if l, err = c.learnt(p.training, b); err != nil {
				return err
			}
			defer l.close()
		}
		m, err := c.measured(b, l, recipe, docs)
		if err != nil {
			return err
		}
		defer m.done()
		pieces, groups, err := c.judged(m)
		if err != nil {
			return err
		}
		p.result = curveResult{Groups: groups}
		if p.training != nil {
			if p.result.Plain, err = m.losses(ctx, pieces, false, false, m.use); err != nil {
				return err
			}
		}
		if n := p.name(); n == compare.Examples || n == compare.LoRA {
			p.result.Prompted, err = m.losses(ctx, pieces, true, false, m.use)
		}
		return err
	})
}

// pointOf gives what a point says: of an adapter with examples and without.
func (c *comparer) pointOf(p *curvePoint, start *measuredRow) []compare.Point {
	examples := p
	for _, q := range c.points {
		if q.words == p.words && q.training == nil {
			examples = q
		}
	}
	r := &p.result
	point := func(n compare.Name, own []eval.Loss) compare.Point {
		x := compare.Point{Words: p.words, Name: n, Gain: c.gain(r.Groups, start.Plain, own), Over: c.gain(r.Groups, examples.result.Prompted, own)}
		if p.training != nil {
			x.Seconds = p.training.result.Seconds
		}
		return x
	}
	var out []compare.Point
	if r.Plain != nil && c.o.wants(p.name()) {
		out = append(out, point(p.name(), r.Plain))
	}
	n := compare.Examples
	if p.training != nil {
		n = compare.LoRAExamples
	}
	if r.Prompted != nil && c.o.wants(n) {
		out = append(out, point(n, r.Prompted))
	}
	return out
}

// lostAt is the largest amount of the curve at which the training of a method came to
// nothing.
func (c *comparer) lostAt(n compare.Name) int {
	words := 0
	for _, p := range c.points {
		if p.name() == n && p.training != nil && p.training.result.Lost != "" {
			words = max(words, p.words)
		}
	}
	return words
}
