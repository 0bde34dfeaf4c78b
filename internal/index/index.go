// Package index searches a writer's own passages: BM25 over passages cut at
// the ends of paragraphs, and the choice of those that go into a prompt. An
// index is small and is rebuilt from the documents whenever it is needed.
// Everything in it is deterministic, down to the order of equal scores.
package index

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	stroke "github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/word"
)

// Passage is a stretch of one document.
type Passage struct {
	Doc     string // hash of the document
	Title   string // of the document
	Text    string // whole paragraphs, or whole sentences of one that is too long
	Start   int    // number of the paragraph it begins in, from 0
	Opening bool   // it is the beginning of the document
	Words   int
}

// The constants of BM25, as Robertson and Zaragoza (The Probabilistic Relevance
// Framework, 2009) and every search engine since have them.
const (
	k1 = 1.2
	b  = 0.75
)

type posting struct {
	passage int32
	count   int32 // of the term in the passage
}

// Index is a set of passages that can be searched. It is safe for concurrent
// use: nothing changes once it is made.
type Index struct {
	passages []Passage
	lengths  []float64 // in terms
	mean     float64   // of lengths
	postings map[string][]posting
}

// New indexes passages, with the titles of their documents.
func New(passages []Passage) *Index {
	ix := &Index{passages: slices.Clone(passages), lengths: make([]float64, len(passages)), postings: map[string][]posting{}}
	sum := 0.0
	for i, p := range passages {
		counts := map[string]int32{}
		n := 0
		for t := range Terms(p.Title + "\n" + p.Text) {
			counts[t]++
			n++
		}
		for t, c := range counts {
			ix.postings[t] = append(ix.postings[t], posting{int32(i), c})
		}
		ix.lengths[i] = float64(n)
		sum += float64(n)
	}
	if len(passages) > 0 {
		ix.mean = sum / float64(len(passages))
	}
	return ix
}

// Hit is a passage found.
type Hit struct {
	Passage Passage
	Score   float64 // BM25, above 0
}

// SearchOptions narrow a search.
type SearchOptions struct {
	Exclude map[string]bool // hashes of documents whose passages are not found
}

// Search gives the k best passages for a query, best first, equals in the
// order of their documents' hashes and places. Passages that share no term
// with the query are not found.
func (ix *Index) Search(query string, k int, o SearchOptions) []Hit {
	var hits []Hit
	for i, s := range ix.scores(query) {
		if s > 0 && !o.Exclude[ix.passages[i].Doc] {
			hits = append(hits, Hit{ix.passages[i], s})
		}
	}
	slices.SortFunc(hits, func(x, y Hit) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), compare(&x.Passage, &y.Passage))
	})
	return hits[:max(min(k, len(hits)), 0)]
}

func compare(x, y *Passage) int {
	return cmp.Or(strings.Compare(x.Doc, y.Doc), cmp.Compare(x.Start, y.Start), strings.Compare(x.Text, y.Text))
}

// scores is the BM25 score of every passage: the sum over the query's terms of
//
//	ln(1 + (N - n + 0.5)/(n + 0.5)) · f·(k1 + 1) / (f + k1·(1 - b + b·len/mean))
//
// with N passages, n of them holding the term, f times in this one. A term
// that the query repeats counts as often.
func (ix *Index) scores(query string) []float64 {
	scores := make([]float64, len(ix.passages))
	counts := map[string]int{}
	var terms []string
	for t := range Terms(query) {
		if counts[t]++; counts[t] == 1 {
			terms = append(terms, t)
		}
	}
	slices.Sort(terms) // so that sums are the same in every run
	for _, t := range terms {
		ps := ix.postings[t]
		n := float64(len(ps))
		idf := math.Log(1 + (float64(len(ix.passages))-n+0.5)/(n+0.5))
		for _, p := range ps {
			f := float64(p.count)
			norm := f + k1*(1-b+b*ix.lengths[p.passage]/ix.mean)
			scores[p.passage] += float64(counts[t]) * idf * f * (k1 + 1) / norm
		}
	}
	return scores
}

// Passages cuts a document into passages of at most most words. One ends with the
// paragraph that brings it to target words; with fewer, before a paragraph that would
// bring it above most, and at the end of the document. A paragraph longer than most is
// cut behind the last sentence that ends within so many words, or behind that many
// where none does.
func Passages(d stroke.Document, target, most int) []Passage {
	target = max(target, 1)
	most = max(most, target)
	var out []Passage
	var parts []string
	words, start := 0, 0
	flush := func(next int) {
		if len(parts) > 0 {
			out = append(out, Passage{Doc: d.Hash, Title: d.Title, Text: strings.Join(parts, "\n\n"), Start: start,
				Opening: len(out) == 0, Words: words})
		}
		parts, words, start = nil, 0, next
	}
	for i, para := range strings.Split(d.Text, "\n\n") {
		n := countWords(para)
		if n == 0 {
			continue
		}
		if words > 0 && words+n > most {
			flush(i)
		}
		for n > most {
			// No passage is open here: words is 0.
			head, tail := cutSentences(para, most)
			// The cut is at the end of a word, so that the tail has all but the head's.
			parts, words, start = []string{head}, countWords(head), i
			para, n = tail, n-words
			flush(i)
		}
		if n == 0 {
			continue
		}
		if len(parts) == 0 {
			start = i
		}
		parts = append(parts, para)
		words += n
		if words >= target {
			flush(i + 1)
		}
	}
	flush(0)
	return out
}

// cutSentences cuts a text behind the last sentence that ends within most
// words, or behind that many words where none does.
func cutSentences(text string, most int) (head, tail string) {
	words, cut, sentence := 0, len(text), 0
	for _, end := range word.All(text, unicode.IsSpace) {
		words++
		if endsSentence(text[:end]) {
			sentence = end
		}
		if words == most {
			cut = end
			break
		}
	}
	if cut < len(text) && sentence > 0 {
		cut = sentence
	}
	return strings.TrimSpace(text[:cut]), strings.TrimSpace(text[cut:])
}

func endsSentence(s string) bool {
	s = strings.TrimRight(s, "\"')]*_»"+word.Closers)
	return s != "" && strings.ContainsRune(".!?…"+word.FullStops, lastRune(s))
}

func lastRune(s string) rune {
	var last rune
	for _, r := range s[max(len(s)-4, 0):] {
		last = r
	}
	return last
}

func countWords(s string) int { return word.Count(s) }
