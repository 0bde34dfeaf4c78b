package twin

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/lora"
)

// set is adapters that documents are scored under.
type set struct {
	use []lora.Applied
	key string // the same for the same adapters at the same strengths; "" where what they cost is not kept
}

// bare is the base without an adapter.
var bare = set{key: "base"}

// at is a genre by itself.
func (t *trial) at(strength float64) set {
	x := set{use: []lora.Applied{{Adapter: t.adapter, Strength: float32(strength)}}}
	if t.genre.SHA256() != "" {
		x.key = fmt.Sprintf("%s at %g", t.genre.Identity(), strength)
	}
	return x
}

// genreLosses keeps what beginnings of documents cost under genres. The folds of a
// cross-fitted run, and the amounts of a report's curve, look at the same documents:
// the bits of a row do not depend on the rows behind it, so what was scored for one of
// them is what another would find.
type genreLosses struct {
	mu   sync.Mutex
	kept map[[2]string]eval.Loss // by the set and the document
}

func (g *genreLosses) get(key, hash string, tokens int) (eval.Loss, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.kept[[2]string{key, hash}]
	if !ok || l.Tokens < tokens {
		return eval.Loss{}, false
	}
	out := eval.Loss{Tokens: tokens, Each: l.Each[:tokens]}
	for _, x := range out.Each {
		out.Nats += float64(x)
	}
	return out, true
}

func (g *genreLosses) put(key, hash string, l eval.Loss) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kept == nil {
		g.kept = map[[2]string]eval.Loss{}
	}
	g.kept[[2]string{key, hash}] = l
}

// tried is what documents cost with the bare base and with sets of adapters.
type tried struct {
	docs []stroke.Document // that were scored
	bare []eval.Loss       // of each
	with [][]eval.Loss     // the same with each set
}

// score scores the first tokens of documents with the bare base and with each set of
// adapters. bf16 is the arithmetic.
func (b *baseModel) score(ctx context.Context, docs []stroke.Document, with []set, tokens int, bf16 bool) (*tried, error) {
	var pieces []eval.Piece
	t := &tried{}
	left, longest, pad := tokens, 2, 0
	for _, d := range docs {
		ids := b.tok.Encode(d.Text)
		if ids = ids[:min(len(ids), pieceTokens, left)]; len(ids) == 0 {
			continue
		}
		left -= len(ids)
		t.docs = append(t.docs, d)
		pieces = append(pieces, eval.Piece{Context: []int32{b.first}, Tokens: ids})
		longest = max(longest, len(ids)+1)
	}
	for _, x := range with {
		pad = max(pad, eval.System{Adapters: x.use}.Pad())
	}
	s, err := eval.NewScorer(b.model, longest, pad, bf16)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	under := func(x set) ([]eval.Loss, error) {
		key := fmt.Sprint(x.key, ", bf16 ", bf16)
		losses := make([]eval.Loss, len(pieces))
		var list []eval.Piece
		var at []int
		for i, p := range pieces {
			if l, ok := b.losses.get(key, t.docs[i].Hash, len(p.Tokens)); ok && x.key != "" {
				losses[i] = l
				continue
			}
			list, at = append(list, p), append(at, i)
		}
		scored, err := s.Score(ctx, list, x.use, nil)
		if err != nil {
			return nil, err
		}
		for k, l := range scored {
			losses[at[k]] = l
			if x.key != "" {
				b.losses.put(key, t.docs[at[k]].Hash, l)
			}
		}
		return losses, nil
	}
	if t.bare, err = under(bare); err != nil {
		return nil, err
	}
	for _, x := range with {
		losses, err := under(x)
		if err != nil {
			return nil, err
		}
		t.with = append(t.with, losses)
	}
	return t, nil
}

// gains are what each set of adapters saves in nats per token.
func (t *tried) gains() (gains []float64, bare float64, tokens int) {
	base := eval.Pool(t.bare)
	for _, losses := range t.with {
		gain := base.PerToken() - eval.Pool(losses).PerToken()
		if math.IsNaN(gain) || math.IsInf(gain, 0) {
			gain = math.Inf(-1) // no number: worse than any
		}
		gains = append(gains, gain)
	}
	return gains, base.PerToken(), base.Tokens
}

// gains scores as many tokens of documents and gives what each set of adapters saves.
func (b *baseModel) gains(ctx context.Context, docs []stroke.Document, with []set, room int, bf16 bool) (gains []float64, bare float64, tokens int, err error) {
	t, err := b.score(ctx, docs, with, room, bf16)
	if err != nil {
		return nil, 0, 0, err
	}
	gains, bare, tokens = t.gains()
	return gains, bare, tokens, nil
}
