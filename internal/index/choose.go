package index

import (
	"cmp"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/word"
)

// Defaults of [ChooseOptions].
const (
	// DefaultEach is the most tokens of one passage.
	DefaultEach = 340

	// leastWords is the least of a passage that was cut for want of room.
	leastWords = 40

	// leastTokens is the least of a budget that is worth filling. That is fewer words
	// than leastWords, and may hold a passage that is short as a whole.
	leastTokens = 40
)

// ChooseOptions narrow a choice.
type ChooseOptions struct {
	Exclude map[string]bool // hashes of documents that must not be chosen: the piece's own, its neighbours, what is withheld
	Each    int             // most tokens of one passage; DefaultEach where 0
}

// Choose picks the passages that stand before a piece, best first: those that
// match the query best, each cut to o.Each tokens at the end of a sentence, as
// many as the budget holds. Of equal matches, and where nothing matches, the
// beginnings of documents come first, by the documents' hashes. The cost of a
// text is in the budget's unit, tokens, and must grow with the text; the costs
// of what is chosen sum to at most budget.
func Choose(ix *Index, query string, budget int, cost func(text string) int, o ChooseOptions) []Passage {
	each := cmp.Or(o.Each, DefaultEach)
	scores := ix.scores(query)
	var order []int
	for i := range ix.passages {
		if !o.Exclude[ix.passages[i].Doc] {
			order = append(order, i)
		}
	}
	later := func(i int) int {
		if ix.passages[i].Opening {
			return 0
		}
		return 1
	}
	slices.SortFunc(order, func(x, y int) int {
		return cmp.Or(cmp.Compare(scores[y], scores[x]), cmp.Compare(later(x), later(y)), compare(&ix.passages[x], &ix.passages[y]))
	})
	var out []Passage
	for _, i := range order {
		if budget < leastTokens {
			break
		}
		p := ix.passages[i]
		p.Text = fit(p.Text, min(each, budget), cost)
		p.Words = countWords(p.Text)
		// A piece that is short as a whole is as good as any; what was cut short
		// for want of room is not.
		if p.Words == 0 || p.Words < leastWords && p.Text != ix.passages[i].Text {
			continue
		}
		budget -= cost(p.Text)
		out = append(out, p)
	}
	return out
}

// fit is as much of a text's beginning as costs at most limit, up to the end of a
// paragraph or of a sentence in one, whichever fits last; empty where not even one
// sentence does.
func fit(text string, limit int, cost func(string) int) string {
	if limit <= 0 {
		return ""
	}
	if cost(text) <= limit {
		return text
	}
	// Ends of sentences, and of paragraphs with them, in order.
	var ends []int
	for _, end := range word.All(text, func(r rune) bool { return r == ' ' || r == '\n' }) {
		if end < len(text) && (strings.HasPrefix(text[end:], "\n\n") || endsSentence(text[:end])) {
			ends = append(ends, end)
		}
	}
	n, _ := slices.BinarySearchFunc(ends, limit, func(end, limit int) int {
		if cost(text[:end]) <= limit {
			return -1
		}
		return 1
	})
	if n == 0 {
		return ""
	}
	return text[:ends[n-1]]
}
