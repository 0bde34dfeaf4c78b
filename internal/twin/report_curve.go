package twin

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/twin/report"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// curveShares are those of the train text that a curve has twins of, from least to
// all.
var curveShares = []float64{0.25, 0.5, 1}

// moreWords are those that a curve is gone on with.
const moreWords = 5000

// amount is a twin of a share of the train text: the same recipe, judged by the same
// documents.
type amount struct {
	share  float64
	docs   []stroke.Document
	words  int
	result amountResult
}

// amountResult is what is kept of it.
type amountResult struct {
	Groups                        []string
	Base, Examples, Adapter, Both []eval.Loss
	Seconds                       float64 // of training; 0 where it is the version itself
}

// id names the stage of an amount, and its file.
func (a *amount) id() string { return fmt.Sprintf("%s-%.0f", ofCurve, 100*a.share) }

// curve gives the stages of a curve. What needs no training, the version itself where
// it was trained on all there is, is taken from prediction.
func (p *reporter) curve(pieces []piece) []*stage {
	v, groups := &p.v.Recipe, groupsOf(pieces)
	all := wordsOf(p.train)
	switch {
	case v.Method != LoRA || v.On != "":
		p.unsaid(ofCurve, "it is made of adapters that begin at the base or at a genre, and this version is none", "")
		return nil
	case float64(all)*curveShares[0] < leastCurve:
		p.unsaid(ofCurve, fmt.Sprintf("a quarter of your %d words to train on is too little to train on", all), fmt.Sprintf("from %.0f words to train on it can be measured", leastCurve/curveShares[0]))
		return nil
	}
	var stages []*stage
	for _, share := range slices.Backward(curveShares) {
		a := &amount{share: share, docs: p.train, words: all}
		if share < 1 {
			a.docs = some(p.train, int(share*float64(all)), p.o.Seed)
			// A paragraph is taken whole: of very long ones half may be no more than a quarter.
			if a.words = wordsOf(a.docs); a.words >= p.amounts[len(p.amounts)-1].words {
				continue
			}
		}
		p.amounts = append(p.amounts, a)
		s := &stage{name: a.id(), into: &a.result, key: []any{a.words, groups, hashes(a.docs)}}
		if share == 1 && p.folds == nil && p.v.Verdict.Folds == 0 && all == p.v.Words {
			s.needs = ofPrediction
			s.do = func(_ context.Context, progress func(done, total int)) error {
				k := &p.predicted
				a.result = amountResult{Groups: k.Groups, Base: k.Base, Examples: k.Examples, Adapter: k.Adapter, Both: k.Both}
				progress(1, 1)
				return nil
			}
		} else {
			for i := range pieces {
				s.reads += pieces[i].reads()
			}
			s.work = p.trainSeconds(a.words)
			s.do = func(ctx context.Context, progress func(done, total int)) error {
				return p.measureAmount(ctx, a, pieces, progress)
			}
		}
		stages = append(stages, s)
	}
	if len(p.amounts) < 2 {
		p.amounts = nil
		p.unsaid(ofCurve, "your text to train on is one paragraph, of which no part is taken", "part it into paragraphs, with blank lines between them")
		return nil
	}
	slices.Reverse(p.amounts)
	return stages
}

// trainSeconds is about how long a twin of so many words is trained.
func (p *reporter) trainSeconds(words int) float64 {
	v := &p.v.Recipe
	tokens := float64(words) * tokensPerWord * float64(v.Epochs) * (1 + v.Mix.Context*float64(v.Mix.ContextTokens)/float64(v.Mix.Length)) * 1.2
	return tokens / forecastRate(p.b, *v)
}

// sameGenres says what of the genres that the version stands on is not there any more.
func (p *reporter) sameGenres() error {
	l, err := Library()
	if err != nil {
		return err
	}
	for _, s := range p.v.Recipe.Genre.On {
		if g, err := l.Find(p.b.name, s.Name); err != nil || !s.is(g) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the genre %s that the version stands on is gone, or another now", s.Name),
				Hint: "put it back, or train again and ask of the new version"}
		}
	}
	return nil
}

// measureAmount trains a twin of some of the text and judges it by what judges the
// version, with passages of what it was trained on.
func (p *reporter) measureAmount(ctx context.Context, a *amount, judged []piece, progress func(done, total int)) error {
	if err := p.sameGenres(); err != nil {
		return err
	}
	dir := filepath.Join(p.f.Dir, versionsDir, p.v.ID, reportDir, a.id())
	if err := os.MkdirAll(filepath.Join(dir, runDir), 0o700); err != nil {
		return writeError(dir, err)
	}
	defer os.RemoveAll(dir)
	recipe := p.v.Recipe
	recipe.Genre.On = nil
	if recipe.Genre.Ask = p.v.Recipe.Genre.again(); recipe.Genre.Ask == "" {
		recipe.Genre.Ask = genre.None
	}
	judges, scored := slices.Clone(p.judge), int(verdict.Conditions)*len(judged)
	// On a genre a recipe is made anew, by the number of words: it stays the version's.
	same := &Options{Change: func(r *Recipe) { *r = recipe }}
	r := &run{f: &Folder{Dir: dir, Manifest: p.f.Manifest}, b: p.b, o: same, recipe: recipe, asked: recipe, ledger: p.ledger,
		words: map[stroke.Role]int{stroke.RoleTrain: a.words}, train: a.docs, choose: p.choose, judge: judges}
	steps := 1
	r.emit = func(e stroke.Event) {
		if s, ok := e.(stroke.StepEvent); ok {
			// A step reads about four times what it takes to score as much.
			steps = s.Steps
			progress(s.Step, s.Steps+scored/4)
		}
	}
	r.passages = newPassages(r.train, r.ledger, r.b, recipe.Prompt)
	if err := r.standOn(ctx); err != nil {
		return err
	}
	l, _, _, err := r.trained(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	written, err := r.written(l)
	if err != nil {
		return err
	}
	pieces := slices.Clone(judged)
	for i := range pieces {
		r.passages.fill(&pieces[i])
	}
	done := 0
	losses, err := p.b.judge(ctx, pieces, written, p.v.fast(), func(verdict.Condition, int, int) {
		done++
		progress(steps+done/4, steps+scored/4)
	})
	if err != nil {
		return err
	}
	a.result = amountResult{Groups: groupsOf(pieces), Base: losses[verdict.Base], Examples: losses[verdict.Examples], Adapter: losses[verdict.Adapter], Both: losses[verdict.Both], Seconds: r.progress.Seconds}
	return nil
}

// curveOf is what the amounts come to: gains by words, and the straight line through
// them over the logarithm of the words. All are linear in the gains of documents, so
// that one bootstrap over these gives every interval.
func (p *reporter) curveOf() *report.Curve {
	c := &report.Curve{MoreWords: moreWords}
	var gains [][]eval.Gain
	var logs []float64
	for _, a := range p.amounts {
		k := &a.result
		over := func(start, system []eval.Loss) eval.Interval {
			return eval.Predict("", p.gains(k.Groups, start, system), reportRounds, p.o.Seed).Gain
		}
		c.Points = append(c.Points, report.CurvePoint{Words: a.words, Examples: over(k.Base, k.Examples), Adapter: over(k.Base, k.Adapter), Both: over(k.Base, k.Both), Over: over(k.Examples, k.Both), Seconds: k.Seconds})
		gains = append(gains, p.gains(k.Groups, k.Base, k.Both))
		logs = append(logs, math.Log2(float64(a.words)))
	}
	first := &p.amounts[0].result
	c.Unit, c.Units = p.unit(first.Groups, first.Base, first.Both), len(gains[0])
	mean, square := 0.0, 0.0
	for _, x := range logs {
		mean += x / float64(len(logs))
	}
	for _, x := range logs {
		square += (x - mean) * (x - mean)
	}
	slope := slices.Clone(gains[0])
	for i := range slope {
		slope[i].Saved = 0
		for k, x := range logs {
			slope[i].Saved += (x - mean) / square * gains[k][i].Saved
		}
	}
	c.Doubling = eval.Predict("", slope, reportRounds, p.o.Seed).Gain
	all := p.amounts[len(p.amounts)-1].words
	further := math.Log2(float64(all+moreWords) / float64(all))
	c.More = eval.Interval{Mean: further * c.Doubling.Mean, Low: further * c.Doubling.Low, High: further * c.Doubling.High}
	return c
}
