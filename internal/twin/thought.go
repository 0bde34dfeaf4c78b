package twin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/index"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/word"
)

// Sizes of what thought is measured on.
const (
	thoughtWords  = 70 // of a passage, and of what stands before it, at least
	thoughtPlaces = 24 // passages, at the most
)

// stretch is a part of a document, of whole sentences.
type stretch struct {
	doc  stroke.Document
	text string
	gap  string // white space before it
}

// stretches cuts a document into consecutive parts of whole sentences that have
// at least so many words. What is left at the end is dropped.
func stretches(d stroke.Document, least int) []stretch {
	var out []stretch
	lo, words := -1, 0
	end := 0
	for _, p := range prose.Paragraphs(d.Text) {
		for _, s := range prose.Sentences(d.Text, p) {
			if lo < 0 {
				lo = s.Lo
			}
			words += word.Count(s.Of(d.Text))
			if words >= least {
				out = append(out, stretch{d, strings.TrimRight(d.Text[lo:s.Hi], " \t\n"), d.Text[end:lo]})
				end = s.Hi
				for end > lo && strings.ContainsRune(" \t\n", rune(d.Text[end-1])) {
					end--
				}
				lo, words = -1, 0
			}
		}
	}
	return out
}

// place is a passage of the writer with what stands before it.
type place struct {
	before, passage stretch
}

// places are those of the judge documents, from each by turns: a passage is what
// stands before the next one.
func places(docs []stroke.Document, most int) []place {
	by := make([][]place, len(docs))
	for i, d := range docs {
		list := stretches(d, thoughtWords)
		for k := 0; k+1 < len(list); k++ {
			by[i] = append(by[i], place{list[k], list[k+1]})
		}
	}
	var out []place
	for turn := 0; len(out) < most; turn++ {
		any := false
		for _, p := range by {
			if turn < len(p) && len(out) < most {
				out = append(out, p[turn])
				any = true
			}
		}
		if !any {
			break
		}
	}
	return out
}

// thoughtPlan is what thought is measured on.
type thoughtPlan struct {
	choices []eval.Choice
	tokens  int // to be read, under both systems
}

// hash is that of all pairs.
func (t *thoughtPlan) hash() string {
	h := sha256.New()
	for _, c := range t.choices {
		fmt.Fprintln(h, c.Kind, c.Group, c.Context, c.Right, c.Wrong)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// planThought makes the pairs of passages.
func (p *reporter) planThought(ctx context.Context) error {
	list := places(p.judge, thoughtPlaces)
	others, err := p.others(ctx)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(p.o.Seed, 0x7409))
	var passages []likeness.Piece
	for i, x := range list {
		context := p.tokens(x.before.text)
		add := func(kind eval.Kind, wrong string) {
			p.thought.choices = append(p.thought.choices, eval.Choice{Kind: kind, Group: x.passage.doc.Hash, Context: context,
				Right: p.b.tok.Encode(x.passage.gap + x.passage.text), Wrong: p.b.tok.Encode(x.passage.gap + wrong)})
		}
		if others != nil {
			if hits := others.Search(x.before.text+" "+x.passage.text, 1, index.SearchOptions{}); len(hits) > 0 {
				add(eval.KindOther, hits[0].Passage.Text)
			}
		}
		if j, ok := elsewhere(p.ledger, list, i, rng); ok {
			add(eval.KindElsewhere, list[j].passage.text)
		}
		// The pairs of a passage are found again by its place in the list.
		passages = append(passages, likeness.Piece{Group: x.passage.doc.Hash, Text: x.passage.text})
	}
	pairs, err := likeness.Pairs(passages, p.o.Seed)
	if err != nil {
		return err
	}
	for _, q := range pairs {
		i := slices.IndexFunc(list, func(x place) bool { return x.passage.doc.Hash == q.Group && x.passage.text == q.Original })
		if i < 0 {
			continue
		}
		gap := list[i].passage.gap
		p.thought.choices = append(p.thought.choices, eval.Choice{Kind: eval.Kind(q.Kind), Group: q.Group, Context: p.tokens(list[i].before.text),
			Right: p.b.tok.Encode(gap + q.Original), Wrong: p.b.tok.Encode(gap + q.Changed)})
	}
	for _, c := range p.thought.choices {
		p.thought.tokens += 2 * (len(c.Context) + len(c.Right) + len(c.Wrong))
	}
	return nil
}

// elsewhere draws a passage of another document: not one that the same text was
// cut from.
func elsewhere(l *corpus.Ledger, list []place, i int, rng *rand.Rand) (int, bool) {
	parent := func(x place) string {
		hash := x.passage.doc.Hash
		if e, _ := l.Entry(hash); e.Parent != "" {
			return e.Parent
		}
		return hash
	}
	var can []int
	for j := range list {
		if parent(list[j]) != parent(list[i]) {
			can = append(can, j)
		}
	}
	if len(can) == 0 {
		return 0, false
	}
	return can[rng.IntN(len(can))], true
}

// others are the passages of the text by others, nil where none is given. That may hold
// some of the writer's own by mistake, whole where the ledger has blocks of it, or in
// another version: such documents are left out.
func (p *reporter) others(ctx context.Context) (*index.Index, error) {
	if p.o.Others == "" {
		return nil, nil
	}
	r, err := corpus.Read(ctx, p.o.Others, corpus.Options{})
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, e := range p.ledger.Entries {
		own[e.Hash], own[e.Parent] = true, true
	}
	for _, d := range corpus.NearDuplicates(r.Documents, slices.Concat(p.train, p.choose, p.judge)) {
		own[d.Hash] = true
	}
	var all []index.Passage
	for _, d := range r.Documents {
		if own[d.Hash] {
			continue
		}
		for _, q := range index.Passages(d, thoughtWords+30, 2*thoughtWords+60) {
			if q.Words >= thoughtWords-20 {
				all = append(all, q)
			}
		}
	}
	return index.New(all), nil
}
