// Package examples turns a writer's documents into sequences to learn from: the
// text as it stands, packed with the base's separator, and pairs of request and
// text in the base's chat template, made by rule. Where a mix asks for it, other
// passages of the same writer stand before some of them.
package examples

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/train"
)

// Mix says what the examples of an epoch are made of. It is part of a recipe.
type Mix struct {
	Length        int     `json:"length"`         // tokens of a sequence, its context not counted
	Context       float64 `json:"context"`        // share of the sequences with other passages before them
	ContextTokens int     `json:"context_tokens"` // tokens of those passages, at the most
	Opening       float64 `json:"opening"`        // share of the documents with a pair "opening → rest", each epoch
	Title         float64 `json:"title"`          // share with a pair "title → piece"
	Notes         float64 `json:"notes"`          // share with a pair "key phrases → passage"
}

// DefaultMix is that of the default recipe.
func DefaultMix() Mix {
	return Mix{Length: 512, ContextTokens: 384, Opening: 0.25, Title: 0.15, Notes: 0.15}
}

// Between stands between a writer's passages, and between the last and what is
// written: to a base the blank lines are a pause in one text, where its separator
// ends what it has read so far.
const Between = "\n\n\n\n"

// Maker makes examples from train documents. Nothing else may reach it.
type Maker struct {
	Tokenizer *token.Tokenizer
	First     int32   // begins every sequence
	Separator int32   // stands between documents
	Between   []int32 // stands behind each of the passages before a sequence; the separator where nil
	// Chat renders a request and its answer, both quoted by the tokenizer: the text up
	// to where the answer begins, and the answer with what ends it. nil leaves pairs out.
	Chat func(request, answer string) (before, after string, err error)
	Mix  Mix
	Seed uint64
	// Near names the documents that must not stand before a document: the blocks
	// next to it in the text it was cut from. nil for none.
	Near func(hash string) []string

	docs []document
}

type document struct {
	stroke.Document
	ids []int32
}

// Add gives the maker its documents: those with the role train, and no others.
func (m *Maker) Add(docs []stroke.Document) {
	for _, d := range docs {
		m.docs = append(m.docs, document{Document: d, ids: m.Tokenizer.Encode(d.Text)})
	}
}

// Tokens is the number of tokens of all documents with their separators.
func (m *Maker) Tokens() int {
	n := 0
	for i := range m.docs {
		n += len(m.docs[i].ids) + 1
	}
	return n
}

// Epoch makes the examples of one epoch. They depend on the documents, the mix,
// the seed and the epoch alone.
func (m *Maker) Epoch(epoch int) ([]train.Example, error) {
	if m.Mix.Length < 16 {
		return nil, fmt.Errorf("make examples: sequences of %d tokens are too short", m.Mix.Length)
	}
	rng := rand.New(rand.NewPCG(m.Seed, 0xe9a<<16|uint64(epoch)))
	out := m.packed(rng)
	if m.Chat == nil {
		return out, nil
	}
	for i := range m.docs {
		for _, p := range m.pairs(rng, i) {
			x, err := m.chat(rng, p, i)
			if err != nil {
				return nil, err
			}
			if x != nil {
				out = append(out, *x)
			}
		}
	}
	return out, nil
}

// packed lays all documents end to end in a random order, from a random place
// on, and cuts the stream into sequences. Each begins with First; a token counts
// unless it is that one.
func (m *Maker) packed(rng *rand.Rand) []train.Example {
	var stream []int32
	var from []int // the document of each token
	for _, i := range rng.Perm(len(m.docs)) {
		for _, id := range m.docs[i].ids {
			stream, from = append(stream, id), append(from, i)
		}
		stream, from = append(stream, m.Separator), append(from, i)
	}
	if len(stream) == 0 {
		return nil
	}
	off := rng.IntN(min(m.Mix.Length, len(stream)))
	var out []train.Example
	for lo := 0; lo < len(stream); {
		hi := min(lo+m.Mix.Length, len(stream))
		if lo == 0 && off >= 16 {
			hi = off
		}
		own := map[int]bool{}
		for _, d := range from[lo:hi] {
			if !own[d] {
				m.bar(own, d)
			}
		}
		out = append(out, m.withContext(rng, stream[lo:hi], nil, own))
		lo = hi
	}
	return out
}

// withContext puts First and, as often as the mix says, passages of
// documents not in own before the tokens. loss says which of the tokens count;
// nil for all.
func (m *Maker) withContext(rng *rand.Rand, ids []int32, loss []bool, own map[int]bool) train.Example {
	before := []int32{m.First}
	if rng.Float64() < m.Mix.Context {
		before = append(before, m.passages(rng, own)...)
	}
	x := train.Example{Tokens: append(before, ids...), Loss: make([]bool, len(before)+len(ids))}
	for i := range ids {
		x.Loss[len(before)+i] = loss == nil || loss[i]
	}
	return x
}

// bar adds a document and those next to it to own.
func (m *Maker) bar(own map[int]bool, doc int) {
	own[doc] = true
	if m.Near == nil {
		return
	}
	for _, hash := range m.Near(m.docs[doc].Hash) {
		for i := range m.docs {
			if m.docs[i].Hash == hash {
				own[i] = true
			}
		}
	}
}

// passages are openings, and now and then a later part, of other documents,
// each followed by what stands between them.
func (m *Maker) passages(rng *rand.Rand, own map[int]bool) []int32 {
	between := m.Between
	if between == nil {
		between = []int32{m.Separator}
	}
	var out []int32
	for _, i := range rng.Perm(len(m.docs)) {
		room := m.Mix.ContextTokens - len(out) - len(between)
		if own[i] || room < 48 {
			continue
		}
		ids := m.docs[i].ids
		n := min(len(ids), room, 96+rng.IntN(128))
		at := 0
		if len(ids) > n && rng.IntN(4) == 0 {
			at = rng.IntN(len(ids) - n)
		}
		out = append(append(out, ids[at:at+n]...), between...)
	}
	return out
}

// chat is the example of a pair: only the answer counts. It is nil where the
// request leaves no room for it.
func (m *Maker) chat(rng *rand.Rand, p pair, doc int) (*train.Example, error) {
	before, after, err := m.Chat(p.request, p.answer)
	if err != nil {
		return nil, fmt.Errorf("make examples: %w", err)
	}
	ids, answer := m.parts(before, after)
	room := m.Mix.Length - len(ids)
	if room < 32 {
		return nil, nil
	}
	answer = answer[:min(len(answer), room)]
	loss := make([]bool, len(ids)+len(answer))
	for i := range answer {
		loss[len(ids)+i] = true
	}
	own := map[int]bool{}
	m.bar(own, doc)
	x := m.withContext(rng, append(ids, answer...), loss, own)
	return &x, nil
}

// parts encodes a request and its answer as one text, as the answer will be written: by
// itself it would have the space that some tokenizers put before a text. Where a token
// spans the two they are encoded apart.
func (m *Maker) parts(before, after string) (ids, answer []int32) {
	ids = m.Tokenizer.EncodeQuoted(before)
	whole := m.Tokenizer.EncodeQuoted(before + after)
	if len(whole) >= len(ids) && slices.Equal(whole[:len(ids)], ids) {
		answer = whole[len(ids):]
	} else {
		answer = m.Tokenizer.EncodeQuoted(after)
	}
	return m.Tokenizer.WithoutBOS(ids), answer
}
