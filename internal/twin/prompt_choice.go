package twin

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
)

const (
	// promptWorth is how many nats a token more passages must save to be worth the
	// time that they take to read.
	promptWorth = 0.002
	// startWorth is how many passages must save beside what has not learnt from the
	// writer: on four writers they saved .01 to .02 less once it had.
	startWorth = 0.01

	fewSelect    = 6   // documents below which select says too little of a prompt
	promptPieces = 10  // documents that are looked at instead
	promptTokens = 320 // of each
	leastScored  = 20  // words of one that are scored
)

// choosePrompt takes, of the bounds that the recipe has to choose from, the one that
// does best with what was learnt on select documents. Where these are few it goes by
// what was there before the writer's text was learnt, on documents of it: their
// passages come from the others. Blocks of one longer document are no others. Where there is nothing to go by the recipe's stays,
// and where it was told one it takes that.
func (r *run) choosePrompt(ctx context.Context, l *learnt) error {
	p := &r.recipe.Prompt
	if len(p.Choose) == 0 {
		return nil
	}
	defer func() { r.passages.prompt = *p }()
	if r.takePrompt != nil {
		p.Tokens = *r.takePrompt
		return nil
	}
	bounds := slices.Sorted(slices.Values(p.Choose))
	docs, most, by, least := r.choose, pieceTokens, stroke.RoleSelect, 0.0
	if len(r.passages.bare(docs, most)) < fewSelect && r.recipe.On == "" {
		docs, most, by, least = r.someTrain(), promptTokens, stroke.RoleTrain, startWorth
	}
	list := make([][]eval.Piece, len(bounds))
	longest := 2
	for k, n := range bounds {
		r.passages.prompt.Tokens = n
		for _, x := range r.passages.fromOthers().evenly(r.passages.bare(docs, most), selectTokens, piece.scored) {
			list[k] = append(list[k], x.prompted)
			longest = max(longest, len(x.prompted.Context)+len(x.prompted.Tokens))
		}
		if len(list[k]) == 0 {
			return nil
		}
	}
	m, use, done := r.b.model, r.start(), func() {}
	if by == stroke.RoleSelect {
		var err error
		if m, use, done, err = l.at(r.b.model, 1); err != nil {
			return err
		}
	}
	defer done()
	s, err := eval.NewScorer(m, longest, eval.System{Adapters: use}.Pad(), r.bf16())
	if err != nil {
		return err
	}
	defer s.Close()
	loss, weighed := make([]float64, len(bounds)), make([]float64, len(bounds))
	for k := range bounds {
		losses, err := s.Score(ctx, list[k], use, nil)
		if err != nil {
			return interrupted(err, "choose the passages of the prompt", resumeHint)
		}
		loss[k] = eval.Pool(losses).PerToken()
		if weighed[k] = loss[k]; bounds[k] == 0 {
			weighed[k] -= least
		}
	}
	k := worth(weighed)
	p.Tokens = bounds[k]
	r.emit(stroke.PromptEvent{Tokens: p.Tokens, Saved: loss[0] - loss[k], Least: bounds[0], By: by})
	return nil
}

// someTrain are train documents, few enough to be looked at, and the same whenever
// they are asked for.
func (r *run) someTrain() []stroke.Document {
	var long []stroke.Document
	for _, d := range r.train {
		if d.Words > askWords+leastScored {
			long = append(long, d)
		}
	}
	slices.SortFunc(long, func(a, b stroke.Document) int { return strings.Compare(a.Hash, b.Hash) })
	return long[:min(len(long), promptPieces)]
}

// worth is the first of ascending bounds whose loss is next to the least.
func worth(loss []float64) int {
	least := slices.Min(loss)
	if math.IsNaN(least) {
		return 0
	}
	return slices.IndexFunc(loss, func(x float64) bool { return x <= least+promptWorth })
}

// rival is the prompt of a base without an adapter that is set beside a twin: the
// twin's or, where that has no passages, the least of its bounds that has some and,
// where none has, the library's.
func (p Prompt) rival() Prompt {
	if p.Tokens > 0 {
		return p
	}
	for _, n := range slices.Sorted(slices.Values(p.Choose)) {
		if n > 0 {
			p.Tokens = n
			return p
		}
	}
	return plainRecipe().Prompt
}

// most is the largest bound that there can be.
func (p *Prompt) most() int { return slices.Max(append([]int{p.Tokens}, p.Choose...)) }

// mostPrompt is the bound that most folds chose; of equally many the smaller.
func mostPrompt(list []foldResult) int {
	count := map[int]int{}
	for _, x := range list {
		count[x.Prompt]++
	}
	best := list[0].Prompt
	for n, of := range count {
		if c := cmp.Compare(of, count[best]); c > 0 || c == 0 && n < best {
			best = n
		}
	}
	return best
}

// check says what of a prompt is out of range.
func (p *Prompt) check() error {
	for _, n := range append([]int{p.Tokens, p.Each}, p.Choose...) {
		if n < 0 || n > 1<<20 {
			return fmt.Errorf("%d tokens of passages: there must be none or more", n)
		}
	}
	return nil
}
