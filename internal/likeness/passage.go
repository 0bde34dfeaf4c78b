package likeness

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	stroke "github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/word"
)

// Unit is the number of words in a passage. It is fixed, since what can be
// recognised grows with length: the reference tables hold passages of this size,
// and every passage that is judged has it.
const Unit = 220

// Piece is one text: a document of the writer, or what a twin wrote from one
// opening, without the opening.
type Piece struct {
	// Group is what the piece stands or falls with when evidence is counted: the
	// hash of a document. What twin and base wrote from the opening of a document
	// has that document's group, so that comparisons are paired by opening.
	Group string
	Text  string
}

// Pieces gives documents as pieces, grouped by hash.
func Pieces(docs []stroke.Document) []Piece {
	out := make([]Piece, len(docs))
	for i, d := range docs {
		out[i] = Piece{Group: d.Hash, Text: d.Text}
	}
	return out
}

// Cut cuts pieces into passages of exactly size words, as in
// [stroke.Document]; the text between words is kept. Words that fill no passage
// fall off before and behind, at a point of each piece that the seed
// chooses. Neighbouring pieces that are each shorter than a passage are joined,
// a paragraph break between them, and take the group of the first; so a writer
// of notes has passages too. Same pieces and seed, same passages.
func Cut(pieces []Piece, size int, seed uint64) []Piece {
	rng := rand.New(rand.NewPCG(seed, 0x9a55a6e))
	var out []Piece
	var joined []string
	group, have := "", 0
	for _, p := range byGroup(pieces) {
		words := fields(p.Text)
		if n := len(words); n < size {
			if n == 0 {
				continue
			}
			if have == 0 {
				group = p.Group
			}
			joined = append(joined, p.Text[words[0].lo:words[n-1].hi])
			if have += n; have >= size {
				out = append(out, Piece{Group: group, Text: Head(strings.Join(joined, "\n\n"), size)})
				joined, have = nil, 0
			}
			continue
		}
		joined, have = nil, 0
		at := rng.IntN(len(words)%size + 1)
		for ; at+size <= len(words); at += size {
			out = append(out, Piece{Group: p.Group, Text: p.Text[words[at].lo:words[at+size-1].hi]})
		}
	}
	return out
}

// byGroup puts pieces of one group behind the first of them.
func byGroup(pieces []Piece) []Piece {
	var g grouping
	for _, p := range pieces {
		g.of(p.Group)
	}
	out := slices.Clone(pieces)
	slices.SortStableFunc(out, func(a, b Piece) int { return cmp.Compare(g.of(a.Group), g.of(b.Group)) })
	return out
}

// Head is the first words of a text: the opening that a twin continues, or as
// much of a continuation as is compared. It ends behind the last word.
func Head(text string, words int) string {
	w := fields(text)
	if len(w) == 0 || words <= 0 {
		return ""
	}
	return text[w[0].lo:w[min(words, len(w))-1].hi]
}

// Tail is what follows the first words of a text, from the next word on.
func Tail(text string, words int) string {
	w := fields(text)
	if words >= len(w) {
		return ""
	}
	return text[w[max(words, 0)].lo:w[len(w)-1].hi]
}

// countWords is the number of words, as in [stroke.Document].
func countWords(text string) int { return word.Count(text) }

type field struct{ lo, hi int }

// fields gives the words of a text, as [stroke.Document] has them.
func fields(text string) []field {
	var out []field
	for lo, hi := range word.All(text, unicode.IsSpace) {
		out = append(out, field{lo, hi})
	}
	return out
}
