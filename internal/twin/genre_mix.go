package twin

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
)

// How much of each genre auto takes; docs/LOG.md has what this was chosen by.
const (
	shareNats  = 0.02  // a genre that saves so much less a token than another has 1/e of its share
	shareLeast = 0.07  // below this a genre is left out
	shareWorse = 0.005 // where all together save so much less than the best, that is taken alone

	// mostRanks bounds the ranks of genres that come to one, all together: what that takes
	// goes by their cube, and at this takes seconds.
	mostRanks = 128
)

// take gives those of the genres, best first, that auto stands on, with their shares:
// all that are nearly as good as the best, or the best alone where one can start or
// where together they are worse by shareWorse; none where none saves anything. The
// gain of several is that of all together. on is what is used of them. Those whose ranks
// are too many for a mixture are left out, the worst first, and told of.
func (b *baseModel) take(ctx context.Context, docs []stroke.Document, list []trial, s *Stage, bf16 bool, emit Emit) (taken []trial, on lora.Applied, err error) {
	if len(list) == 0 || !(list[0].gain > 0) {
		return nil, lora.Applied{}, nil
	}
	best := slices.Clone(list[:1])
	best[0].share = 1
	if s.As == AsLayer {
		var left []string
		if taken, left = mixable(shares(list)); len(left) > 0 {
			emit(stroke.NoteEvent{Text: fmt.Sprintf("left out of the mixture: %s, since genres of more than %d ranks together are not mixed", strings.Join(left, ", "), mostRanks)})
			taken = shares(taken)
		}
	}
	if len(taken) < 2 {
		on, err = b.asOne(ctx, best, s.strength())
		return best, on, err
	}
	if on, err = b.asOne(ctx, taken, s.strength()); err != nil {
		return nil, lora.Applied{}, err
	}
	// On as many tokens as each was tried on by itself.
	gains, _, _, err := b.gains(ctx, docs, []set{{use: []lora.Applied{on}}}, trialRoom(len(list)), bf16)
	if err != nil {
		return nil, lora.Applied{}, err
	}
	if !(gains[0] >= list[0].gain-shareWorse) {
		on, err = b.asOne(ctx, best, s.strength())
		return best, on, err
	}
	for i := range taken {
		taken[i].gain = gains[0]
	}
	return taken, on, nil
}

// shares are the genres of a list, best first, that save something and have a share of
// some size, with their shares, which come to 1.
func shares(list []trial) []trial {
	weigh := func(list []trial) (out []trial) {
		sum := 0.0
		for _, t := range list {
			sum += math.Exp((t.gain - list[0].gain) / shareNats)
		}
		for _, t := range list {
			t.share = math.Exp((t.gain-list[0].gain)/shareNats) / sum
			out = append(out, t)
		}
		return out
	}
	some := slices.DeleteFunc(weigh(list), func(t trial) bool { return t.share < shareLeast || !(t.gain > 0) })
	return weigh(some)
}

// mixable parts genres, best first, into those whose ranks can be mixed, the best always
// among them, and the names of the others.
func mixable(list []trial) (fit []trial, left []string) {
	sum := 0
	for i, t := range list {
		if n := t.rank(); i == 0 || sum+n <= mostRanks {
			fit, sum = append(fit, t), sum+n
		} else {
			left = append(left, t.genre.Name)
		}
	}
	return fit, left
}

// rank is the largest of the genre's pairs.
func (t *trial) rank() int {
	rank := 0
	t.adapter.Each(func(_ int, _ lora.Module, p *op.Pair) { rank = max(rank, p.Rank) })
	return rank
}

// share enters the shares of what was taken into a list of what was tried.
func share(tried []stroke.GenreGain, taken []trial) {
	for i := range tried {
		for _, t := range taken {
			if t.genre.Name == tried[i].Name {
				tried[i].Share = t.share
			}
		}
	}
}

// asOne is what genres do together, each at its share of the strength. Several come to
// one adapter of the largest rank among them, the nearest to their sum: it costs what
// one of them costs.
func (b *baseModel) asOne(ctx context.Context, list []trial, strength float64) (lora.Applied, error) {
	if len(list) == 1 {
		return lora.Applied{Adapter: list[0].adapter, Strength: float32(strength)}, nil
	}
	var parts []lora.Applied
	rank := 0
	for _, t := range list {
		parts = append(parts, lora.Applied{Adapter: t.adapter, Strength: float32(strength * t.share)})
		rank = max(rank, t.rank())
	}
	sum, err := lora.Join(parts...)
	if err != nil {
		return lora.Applied{}, err
	}
	near, err := lora.Truncate(ctx, sum.File(), rank, kernel.Workers())
	if err != nil {
		return lora.Applied{}, err
	}
	a, err := b.fit(near)
	return lora.Applied{Adapter: a, Strength: 1}, err
}

// names are the genres that are asked for by name, and how much of each, which comes
// to 1: equal parts, or as behind a colon.
func (s *Stage) names() (names []string, parts []float64, err error) {
	sum := 0.0
	for _, x := range strings.Split(s.Ask, "+") {
		name, part, given := strings.Cut(x, ":")
		n := 1.0
		if given {
			if n, err = strconv.ParseFloat(part, 64); err != nil || !(n > 0 && n <= 100) {
				return nil, nil, fmt.Errorf("the part %q of the genre %s is no number above 0, as in prose:2+blog:1", part, name)
			}
		}
		names, parts, sum = append(names, name), append(parts, n), sum+n
	}
	for i := range parts {
		parts[i] /= sum
	}
	return names, parts, nil
}

// again asks by name for what was found, and for as much of each.
func (s *Stage) again() string {
	if len(s.On) < 2 {
		return s.title()
	}
	var out []string
	for _, g := range s.On {
		out = append(out, fmt.Sprintf("%s:%.4g", g.Name, g.Strength))
	}
	return strings.Join(out, "+")
}
