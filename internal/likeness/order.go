package likeness

import (
	"math/rand/v2"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

// Arrangement is a stretch of a text as it is written, beside the same sentences dealt
// anew. The first sentence stands where it stood in both.
type Arrangement struct {
	Group   string
	First   string // the first sentence, with which both begin
	Written string // what follows it, white space before it included
	Dealt   string // the same sentences in another order, what stood between them as it was
}

const (
	arrangedWords     = 60 // of a stretch, at the least
	arrangedSentences = 5  // with the first, which stays
)

// Arrangements cuts pieces into stretches that follow one another and deals the
// sentences of each anew: none stands where it stood, and no two are neighbours as they
// were. There are at most so many, from all pieces by turns. Where a text has no order,
// how it is written and how it is dealt are drawn alike, so that neither is likelier
// than the other but by chance. Same pieces and seed, same arrangements.
func Arrangements(pieces []Piece, most int, seed uint64) []Arrangement {
	by := make([][]stretch, len(pieces))
	var out []Arrangement
	for turn, any := 0, true; any; turn++ {
		any = false
		for i, p := range pieces {
			if len(out) == most {
				break
			}
			if turn == 0 {
				by[i] = stretches(p.Text)
			}
			if turn >= len(by[i]) {
				continue
			}
			any = true
			s := by[i][turn]
			rng := rand.New(rand.NewPCG(seed, uint64(i)<<32|uint64(turn)))
			a := Arrangement{Group: p.Group, First: s.sentence(0), Written: s.text[s.spans[0].Hi:s.spans[len(s.spans)-1].Hi]}
			var dealt strings.Builder
			for k, from := range derange(len(s.spans)-1, rng) {
				dealt.WriteString(s.text[s.spans[k].Hi:s.spans[k+1].Lo])
				dealt.WriteString(s.sentence(from + 1))
			}
			if a.Dealt = dealt.String(); a.Dealt != a.Written {
				out = append(out, a)
			}
		}
		any = any && len(out) < most
	}
	return out
}

// stretch is some sentences of a text that follow one another.
type stretch struct {
	text  string
	spans []prose.Span
}

func (s *stretch) sentence(i int) string { return s.spans[i].Of(s.text) }

// stretches cuts a text into them. Sentences left at its end are in none.
func stretches(text string) []stretch {
	var out []stretch
	var spans []prose.Span
	words := 0
	for _, p := range prose.Paragraphs(text) {
		for _, s := range prose.Sentences(text, p) {
			spans = append(spans, s)
			if words += len(strings.Fields(s.Of(text))); words >= arrangedWords && len(spans) >= arrangedSentences {
				out = append(out, stretch{text, spans})
				spans, words = nil, 0
			}
		}
	}
	return out
}

// derange draws an order of n, which is at least four, in which none is in its place and
// none follows the one that it followed.
func derange(n int, rng *rand.Rand) []int {
	for {
		order := rng.Perm(n)
		good := true
		for i, k := range order {
			good = good && k != i && (i == 0 || k != order[i-1]+1)
		}
		if good {
			return order
		}
	}
}
