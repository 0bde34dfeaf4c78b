package corpus

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"

	stroke "github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/word"
)

// Sizes of blocks, in words.
const (
	BlockMin = 400 // a block has at least this many words, but for the last
	BlockMax = 600 // and at most this many
)

// Block is a part of a document that counts as a document.
type Block struct {
	Document stroke.Document
	Parent   string // hash of the whole document
	Index    int    // from 1
}

// Cut parts a document into blocks of BlockMin to BlockMax words at the ends of
// paragraphs; a paragraph too long for that is cut between sentences. The
// blocks joined are the document. Where a block ends is chosen by the text
// around the cut, so that a change in one place moves the cuts next to it and
// no others. A document of at most BlockMax words is one block, itself.
func Cut(d stroke.Document) []Block { return cut(d, BlockMin, BlockMax) }

// CutTo is [Cut] with blocks of lo to hi words.
func CutTo(d stroke.Document, lo, hi int) []Block { return cut(d, lo, hi) }

// grain is the least part that a cut leaves whole.
type grain struct {
	sep   string // what stands before it in the document
	text  string
	words int
}

func cut(d stroke.Document, lo, hi int) []Block {
	if d.Words <= hi {
		return []Block{{Document: d, Parent: d.Hash, Index: 1}}
	}
	grains := grainsOf(d.Text, max((hi-lo)/2, 40))
	left := 0
	for _, a := range grains {
		left += a.words
	}
	var blocks []Block
	for i := 0; i < len(grains); {
		end := len(grains)
		if left > hi {
			end = i + nextCut(grains[i:], left, lo, hi)
		}
		var b strings.Builder
		words := 0
		for j := i; j < end; j++ {
			if j > i {
				b.WriteString(grains[j].sep)
			}
			b.WriteString(grains[j].text)
			words += grains[j].words
		}
		left -= words
		i = end
		n := len(blocks) + 1
		block := d
		block.Text = b.String()
		block.Hash = stroke.HashText(block.Text)
		block.Words = countWords(block.Text)
		block.Source = blockSource(d.Source, n)
		blocks = append(blocks, Block{Document: block, Parent: d.Hash, Index: n})
	}
	return blocks
}

// blockSource is the source of the n-th block: "a.md#3", or "a.md#2.3" where
// the document is itself the second of its file.
func blockSource(source string, n int) string {
	if strings.Contains(source, "#") {
		return fmt.Sprintf("%s.%d", source, n)
	}
	return fmt.Sprintf("%s#%d", source, n)
}

// nextCut is the number of grains in the next block: of the cuts that give it
// lo to hi words, and leave none or at least lo for the rest, one between
// paragraphs, and of those the one whose surroundings hash lowest.
func nextCut(grains []grain, left, lo, hi int) int {
	best, bestRank := 0, uint64(0)
	words, reach := 0, 0
	for n := 1; n < len(grains); n++ {
		words += grains[n-1].words
		if words > hi {
			break
		}
		reach = n
		if words < lo {
			continue
		}
		h := fnv.New64a()
		h.Write([]byte(grains[n-1].text))
		h.Write([]byte{0})
		h.Write([]byte(grains[n].text))
		rank := h.Sum64() >> 2
		if grains[n].sep != "\n\n" {
			rank |= 1 << 62
		}
		if left-words < lo {
			rank |= 1 << 63
		}
		if best == 0 || rank < bestRank {
			best, bestRank = n, rank
		}
	}
	if best == 0 {
		best = max(reach, 1)
	}
	return best
}

var sentenceEnd = regexp.MustCompile(`[.!?…]["'”’)\]]*[ \n]+|[` + word.FullStops + `]+[` + word.Closers + `]*[ \n]*`)

// grainsOf parts a text into paragraphs, and those of more than most words into
// runs of sentences.
func grainsOf(text string, most int) []grain {
	var grains []grain
	for i, para := range strings.Split(text, "\n\n") {
		sep := "\n\n"
		if i == 0 {
			sep = ""
		}
		words := countWords(para)
		if words <= most*2 {
			grains = append(grains, grain{sep: sep, text: para, words: words})
			continue
		}
		start, count := 0, 0
		last := 0
		emit := func(end, next int) {
			grains = append(grains, grain{sep: sep, text: para[start:end], words: countWords(para[start:end])})
			sep, start, last = para[end:next], next, next
			count = 0
		}
		for _, m := range sentenceEnd.FindAllStringIndex(para, -1) {
			end := len(strings.TrimRight(para[:m[1]], " \n"))
			if end <= start || m[1] >= len(para) {
				continue
			}
			count += countWords(para[last:end])
			last = m[1]
			if count >= most {
				emit(end, m[1])
			}
		}
		// A paragraph without sentences is cut between words.
		for countWords(para[start:]) > most*4 {
			end, next := wordCut(para, start, most*2)
			emit(end, next)
		}
		if start < len(para) {
			emit(len(para), len(para))
		}
	}
	return grains
}

// wordCut is where the n-th word behind start ends and the next begins.
func wordCut(s string, start, n int) (end, next int) {
	for lo, hi := range word.All(s[start:], word.Blank) {
		if n == 0 {
			return end, start + lo
		}
		end = start + hi
		n--
	}
	return len(s), len(s)
}
