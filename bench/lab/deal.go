package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/bench/withheld"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/twin"
)

// How a writer's text is dealt.
const (
	judgeLeast  = 200  // words of a document to judge by, where there are enough of them
	selectShare = 0.10 // of the words that a method gets, but one document at the least
	blockLeast  = 150  // words of a block where text is little
	fewPieces   = 12   // below this, what a method gets is cut into blocks
)

// writing is a writer's text parted into what judges and what methods may get.
// It is the same for every number of words, seed and recipe.
type writing struct{ *withheld.Text }

// read reads a writer's files. Longer documents judge before shorter ones.
func read(ctx context.Context, path string) (*writing, error) {
	t, err := withheld.Read(ctx, path)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(t.Judge, func(a, b stroke.Document) int {
		return cmp.Compare(min(b.Words, judgeLeast), min(a.Words, judgeLeast))
	})
	return &writing{t}, nil
}

// give takes words from the pool, in an order that depends on the seed, the last
// document cut at the end of a block, and parts them into train and select: all
// text that a method gets.
func (w *writing) give(words int, seed uint64) (twin.Dealt, error) {
	d := twin.Dealt{Judge: w.Judge, Ledger: &corpus.Ledger{Entries: slices.Clone(w.Ledger.Entries)}}
	order := slices.Clone(w.Pool)
	slices.SortFunc(order, func(a, b stroke.Document) int { return strings.Compare(shuffled(a.Hash, seed), shuffled(b.Hash, seed)) })
	var docs []stroke.Document
	left := words
	for _, x := range order {
		if left < blockLeast/2 {
			break
		}
		if x.Words > left {
			if x = begin(x, left); x.Words == 0 {
				continue
			}
		}
		docs = append(docs, x)
		left -= x.Words
	}
	if left > max(words/10, blockLeast/2) {
		return d, fmt.Errorf("the writer has %d words for methods, and %d are asked for", words-left, words)
	}
	if len(docs) < fewPieces {
		docs = cut(docs, max(words/15, blockLeast), d.Ledger)
	}
	if len(docs) < 2 {
		return d, fmt.Errorf("%d words come to %d document, and there must be one to train on and one to choose by", words, len(docs))
	}
	slices.SortStableFunc(docs, func(a, b stroke.Document) int {
		return strings.Compare(shuffled(a.Hash, seed+1<<32), shuffled(b.Hash, seed+1<<32))
	})
	// Select has the document that is nearest to its share, and others as long as
	// they bring it nearer.
	goal := int(selectShare * float64(words))
	first := 0
	for i, x := range docs {
		if abs(x.Words-goal) < abs(docs[first].Words-goal) {
			first = i
		}
	}
	n := docs[first].Words
	for i, x := range docs {
		switch {
		case i == first:
			d.Select = append(d.Select, x)
		case n+x.Words/2 <= goal && len(d.Select) < len(docs)-2:
			d.Select = append(d.Select, x)
			n += x.Words
		default:
			d.Train = append(d.Train, x)
		}
	}
	return d, nil
}

// begin is the beginning of a document up to a number of words, in whole blocks;
// without words where the first is longer.
func begin(d stroke.Document, words int) stroke.Document {
	n := 0
	var texts []string
	for _, b := range corpus.CutTo(d, min(100, words), max(min(blockLeast, words), 101)) {
		if n += b.Document.Words; n > words+words/20 {
			break
		}
		texts = append(texts, b.Document.Text)
	}
	return document(d, strings.Join(texts, "\n\n"))
}

func document(d stroke.Document, text string) stroke.Document {
	d.Text, d.Words, d.Hash = text, len(strings.Fields(text)), stroke.HashText(text)
	return d
}

// cut parts documents into blocks of about so many words, as the product does with
// few documents, and enters them into the ledger.
func cut(docs []stroke.Document, words int, l *corpus.Ledger) []stroke.Document {
	var out []stroke.Document
	for _, d := range docs {
		blocks := corpus.CutTo(d, words*4/5, words*6/5)
		for _, b := range blocks {
			out = append(out, b.Document)
			if len(blocks) > 1 {
				l.Entries = append(l.Entries, corpus.Entry{Hash: b.Document.Hash, Parent: d.Hash, Index: b.Index, Words: b.Document.Words, Role: stroke.RoleTrain})
			}
		}
	}
	return out
}

func shuffled(hash string, seed uint64) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, hash))
	return hex.EncodeToString(h[:])
}

func abs(x int) int { return max(x, -x) }
