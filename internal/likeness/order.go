package likeness

import (
	"math/rand/v2"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

// Arrangement is a stretch of a text as it is written, beside the same sentences dealt
// anew, as often as is asked. The first sentence stands where it stood in all.
type Arrangement struct {
	Group   string
	First   string   // the first sentence, with which all begin
	Written string   // what follows it, white space before it included
	Dealt   []string // the same sentences in other orders, what stood between them as it was
}

const (
	arrangedWords     = 60  // of a stretch, at the least
	arrangedMost      = 250 // and at the most
	arrangedSentences = 5   // with the first, which stays; 24 orders of the others
	mostDealt         = 7   // of a stretch
)

// Arrangements cuts pieces into stretches that follow one another and deals the
// sentences of each anew, in orders of which no two are the same and each is as likely
// as any other. There are at most stretches of them, from all pieces by turns; all as
// they are written and dealt come to about words in all, so that few are dealt oftener.
// Where a text has no order, how it is written is drawn as how it is dealt is, so that
// it is likelier than these by chance alone. Same pieces and seed, same arrangements.
func Arrangements(pieces []Piece, most, words int, seed uint64) []Arrangement {
	by := make([][]stretch, len(pieces))
	type chosen struct {
		stretch
		group       string
		piece, turn int
	}
	var list []chosen
	sum := 0
	for turn, any := 0, true; any; turn++ {
		any = false
		for i, p := range pieces {
			if len(list) == most || 2*sum >= words {
				break
			}
			if turn == 0 {
				by[i] = stretches(p.Text)
			}
			if turn < len(by[i]) {
				any = true
				list = append(list, chosen{by[i][turn], p.Group, i, turn})
				sum += by[i][turn].words
			}
		}
	}
	var out []Arrangement
	for _, s := range list {
		rng := rand.New(rand.NewPCG(seed, uint64(s.piece)<<32|uint64(s.turn)))
		a := Arrangement{Group: s.group, First: s.sentence(0), Written: s.dealt(nil)}
		have := map[string]bool{a.Written: true}
		// Sentences may stand twice, so that there may be fewer orders than are asked for.
		for range 20 * mostDealt {
			if len(a.Dealt) == min(max(words/sum-1, 1), mostDealt) {
				break
			}
			if d := s.dealt(s.order(rng)); !have[d] {
				have[d] = true
				a.Dealt = append(a.Dealt, d)
			}
		}
		if len(a.Dealt) > 0 {
			out = append(out, a)
		}
	}
	return out
}

// stretch is some sentences of a text that follow one another.
type stretch struct {
	text  string
	spans []prose.Span
	words int
}

func (s *stretch) sentence(i int) string { return s.spans[i].Of(s.text) }

// order draws one of the sentences behind the first. Where there are more than five in
// all, the last, with which there are words enough, stays: a stretch would else end with
// a longer sentence as it is written than as it is dealt.
func (s *stretch) order(rng *rand.Rand) []int {
	n := len(s.spans) - 1
	if n < arrangedSentences {
		return rng.Perm(n)
	}
	return append(rng.Perm(n-1), n-1)
}

// dealt is what follows the first sentence with the others in an order, as they are
// written where that is nil.
func (s *stretch) dealt(order []int) string {
	var b strings.Builder
	for k, last := range s.spans[:len(s.spans)-1] {
		from := k
		if order != nil {
			from = order[k]
		}
		b.WriteString(s.text[last.Hi:s.spans[k+1].Lo])
		b.WriteString(s.sentence(from + 1))
	}
	return b.String()
}

// stretches cuts a text into them. Sentences left at its end, and those of longer
// stretches, are in none.
func stretches(text string) []stretch {
	var out []stretch
	var s stretch
	for _, p := range prose.Paragraphs(text) {
		for _, span := range prose.Sentences(text, p) {
			s.spans = append(s.spans, span)
			s.words += len(strings.Fields(span.Of(text)))
			if s.words < arrangedWords || len(s.spans) < arrangedSentences {
				continue
			}
			if s.words <= arrangedMost {
				s.text = text
				out = append(out, s)
			}
			s = stretch{}
		}
	}
	return out
}
