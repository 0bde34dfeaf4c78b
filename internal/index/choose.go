package index

import (
	"cmp"
	"slices"
	"strings"
)

// Defaults of [ChooseOptions].
const (
	// DefaultEach is the most tokens of one passage. In a trial equal lengths of
	// a writer's text before a piece gained .084 nats per token as the openings
	// of four pieces and lost .010 as one long piece: many short beginnings show
	// more of a writer than one long run does.
	DefaultEach = 340

	// openingBonus favours a document whose opening matches over one that
	// matches somewhere inside.
	openingBonus = 1.25

	// leastWords is the least of a passage that is worth its place.
	leastWords = 40
)

// ChooseOptions narrow a choice.
type ChooseOptions struct {
	Exclude map[string]bool // hashes of documents that must not be chosen: the piece's own, its neighbours, what is withheld
	Each    int             // most tokens of one passage; DefaultEach where 0
}

// Choose picks the passages that stand before a piece, best first: the openings
// of different documents, in the order in which the documents' best passages
// match the query, each cut to o.Each tokens at the end of a sentence, as many
// as the budget holds. Only where the openings of all documents leave room do
// other passages follow, one a document again. Documents that do not match
// come last, by their hashes. The cost of a text is in the budget's unit,
// tokens, and must grow with the text; the costs of what is chosen sum to at
// most budget.
func Choose(ix *Index, query string, budget int, cost func(text string) int, o ChooseOptions) []Passage {
	each := cmp.Or(o.Each, DefaultEach)
	type doc struct {
		opening int     // its passage in the index, -1 where the index has none
		score   float64 // of its best passage
		rest    []int   // its other passages
	}
	docs := map[string]*doc{}
	var order []string
	scores := ix.scores(query)
	for i := range ix.passages {
		p := &ix.passages[i]
		if o.Exclude[p.Doc] {
			continue
		}
		d := docs[p.Doc]
		if d == nil {
			d = &doc{opening: -1}
			docs[p.Doc] = d
			order = append(order, p.Doc)
		}
		s := scores[i]
		if p.Opening {
			s *= openingBonus
			d.opening = i
		} else {
			d.rest = append(d.rest, i)
		}
		d.score = max(d.score, s)
	}
	slices.SortFunc(order, func(x, y string) int {
		return cmp.Or(cmp.Compare(docs[y].score, docs[x].score), strings.Compare(x, y))
	})

	var out []Passage
	take := func(i int) bool {
		p := ix.passages[i]
		p.Text = fit(p.Text, min(each, budget), cost)
		p.Words = countWords(p.Text)
		// A piece that is short as a whole is as good as any; what was cut short
		// for want of room is not.
		if p.Words == 0 || p.Words < leastWords && p.Text != ix.passages[i].Text {
			return false
		}
		budget -= cost(p.Text)
		out = append(out, p)
		return true
	}
	for _, h := range order {
		if i := docs[h].opening; i >= 0 {
			take(i)
		}
	}
	for _, h := range order {
		d := docs[h]
		slices.SortFunc(d.rest, func(x, y int) int {
			return cmp.Or(cmp.Compare(scores[y], scores[x]), compare(&ix.passages[x], &ix.passages[y]))
		})
	}
	for round := 0; ; round++ {
		more := false
		for _, h := range order {
			if rest := docs[h].rest; round < len(rest) && budget > 0 {
				more = take(rest[round]) || more
			}
		}
		if !more {
			return out
		}
	}
}

// fit is as much of a text's beginning as costs at most limit: whole
// paragraphs if one fits, else whole sentences; empty where not even one
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
	for i := range len(text) {
		if (text[i] == ' ' || text[i] == '\n') && i > 0 && text[i-1] != ' ' && text[i-1] != '\n' &&
			(strings.HasPrefix(text[i:], "\n\n") || endsSentence(text[:i])) {
			ends = append(ends, i)
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
