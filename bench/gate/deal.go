package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/bench/withheld"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/twin"
)

// writing is a writer's text: what judges, by the product's own rule, and what a
// twin may learn from. Nothing that is next to a judge document is in the latter.
type writing struct {
	ledger      *corpus.Ledger
	judge, pool []stroke.Document
}

// Blocks of judge documents are units, of about these words; of each document there
// are so many at the most. They are smaller than the program's own, so that a writer
// whose judge text is little has enough of them.
const (
	leastWords, mostWords = 200, 380
	mostBlocks            = 8
)

func read(ctx context.Context, path string) (*writing, error) {
	t, err := withheld.Read(ctx, path)
	if err != nil {
		return nil, err
	}
	w := &writing{ledger: t.Ledger, pool: t.Pool}
	// The first block of each document, then the second, and so on.
	for turn := range mostBlocks {
		for _, d := range t.Judge {
			blocks := corpus.CutTo(d, leastWords, mostWords)
			if turn >= len(blocks) || blocks[turn].Document.Words < leastWords {
				continue
			}
			b := blocks[turn]
			w.judge = append(w.judge, b.Document)
			if len(blocks) > 1 {
				w.ledger.Entries = append(w.ledger.Entries, corpus.Entry{Hash: b.Document.Hash, Parent: d.Hash, Index: b.Index, Words: b.Document.Words, Role: stroke.RoleJudge})
			}
		}
	}
	return w, nil
}

func order(docs []stroke.Document, seed uint64) []stroke.Document {
	key := func(d stroke.Document) string {
		h := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, d.Hash))
		return hex.EncodeToString(h[:])
	}
	out := slices.Clone(docs)
	slices.SortFunc(out, func(a, b stroke.Document) int { return strings.Compare(key(a), key(b)) })
	return out
}

// give takes words from the pool in an order that depends on the seed, a tenth of
// them, one document at the least, to choose by. Documents are parted into blocks
// where they are few.
func (w *writing) give(words int, seed uint64) (twin.Dealt, error) {
	d := twin.Dealt{Judge: w.judge, Ledger: &corpus.Ledger{Entries: slices.Clone(w.ledger.Entries)}}
	left := words
	var docs []stroke.Document
	for _, x := range order(w.pool, seed) {
		if left < 75 {
			break
		}
		if x.Words > left+left/10 {
			blocks := corpus.CutTo(x, min(left*3/4, 400), max(min(left, 600), 101))
			var texts []string
			n := 0
			for _, b := range blocks {
				if n += b.Document.Words; n > left+left/10 && len(texts) > 0 {
					break
				}
				texts = append(texts, b.Document.Text)
			}
			x.Text = strings.Join(texts, "\n\n")
			x.Words, x.Hash = len(strings.Fields(x.Text)), stroke.HashText(x.Text)
		}
		docs = append(docs, x)
		left -= x.Words
	}
	if len(docs) < 12 {
		size := max(words/15, 150)
		var parts []stroke.Document
		for _, x := range docs {
			blocks := corpus.CutTo(x, size*4/5, size*6/5)
			for _, b := range blocks {
				parts = append(parts, b.Document)
				if len(blocks) > 1 {
					d.Ledger.Entries = append(d.Ledger.Entries, corpus.Entry{Hash: b.Document.Hash, Parent: x.Hash, Index: b.Index, Words: b.Document.Words, Role: stroke.RoleTrain})
				}
			}
		}
		docs = parts
	}
	if left > words/8 || len(docs) < 3 {
		return d, fmt.Errorf("the writer has %d words to learn from in %d documents, and %d are asked for", words-left, len(docs), words)
	}
	// The first document of a middling size, and others up to a tenth of the words.
	slices.SortStableFunc(docs, func(a, b stroke.Document) int { return a.Words - b.Words })
	n := 0
	for i, x := range docs {
		if i >= len(docs)/4 && n < words/10 && len(docs)-len(d.Select) > 1 {
			d.Select = append(d.Select, x)
			n += x.Words
		} else {
			d.Train = append(d.Train, x)
		}
	}
	d.Train = order(d.Train, seed)
	return d, nil
}

// shuffled are documents whose sentences are dealt anew over all of them: the
// writer's words and sentences without any order between them.
func shuffled(docs []stroke.Document, seed uint64) []stroke.Document {
	var all []string
	for _, d := range docs {
		for _, p := range prose.Paragraphs(d.Text) {
			for _, s := range prose.Sentences(d.Text, p) {
				all = append(all, strings.TrimSpace(s.Of(d.Text)))
			}
		}
	}
	rand.New(rand.NewPCG(seed, 0x5f)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var out []stroke.Document
	at := 0
	for _, d := range docs {
		var text strings.Builder
		for n := 0; at < len(all) && (n < d.Words || len(out) == len(docs)-1); at++ {
			text.WriteString(all[at] + " ")
			n += len(strings.Fields(all[at]))
		}
		d.Text = strings.TrimSpace(text.String())
		if d.Text == "" {
			continue
		}
		d.Hash, d.Words = stroke.HashText(d.Text), len(strings.Fields(d.Text))
		out = append(out, d)
	}
	return out
}

// first are the first words of documents.
func first(docs []stroke.Document, words int) []stroke.Document {
	var out []stroke.Document
	for _, d := range docs {
		if words <= 0 {
			break
		}
		if d.Words > words {
			d.Text = strings.Join(strings.Fields(d.Text)[:words], " ")
			d.Words, d.Hash = words, stroke.HashText(d.Text)
		}
		out = append(out, d)
		words -= d.Words
	}
	return out
}
