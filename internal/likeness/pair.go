package likeness

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// PairKind is what was done to a passage.
type PairKind string

// The kinds of minimal pair that rules make.
const (
	// PairOrder: the same sentences in another order, no two of them neighbours
	// as they were; paragraphs keep their numbers of sentences.
	PairOrder PairKind = "order"
	// PairStance: as many negations taken away as added, so that their number
	// gives nothing away.
	PairStance PairKind = "stance"
	// PairComparison: comparisons turned round, "better" for "worse".
	PairComparison PairKind = "comparison"
	// PairQuantity: numbers exchanged within the passage, "many" for "few".
	PairQuantity PairKind = "quantity"
)

// Pair is a passage of the writer beside one that differs from it in what it
// says and in as little else as rules can bring about. A twin that has the
// writer's thought, and not only the sound of it, finds the original likelier by
// more than a base with a prose adapter does.
type Pair struct {
	Kind     PairKind `json:"kind"`
	Group    string   `json:"group"`
	Original string   `json:"original"`
	Changed  string   `json:"changed"`
	Edits    []Edit   `json:"edits"` // empty for order
}

// Edit is one change: at byte At of the original From stands, and To in its
// place.
type Edit struct {
	At   int    `json:"at"`
	From string `json:"from"`
	To   string `json:"to"`
}

// maxEdits are made in one passage; of negations as many again.
const maxEdits = 4

// Pairs makes at most one pair of each kind of each passage, which should
// consist of whole sentences. Every change must pass a second set of rules, made
// apart from the first, that know what is not English: [Fluent]. Same passages
// and seed, same pairs. Rules know English alone; text in another language gives
// pairs of order and numbers at most.
func Pairs(passages []Piece, seed uint64) ([]Pair, error) {
	table, err := reference.Load()
	if err != nil {
		return nil, err
	}
	var out []Pair
	for i, p := range passages {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		m := &pairMaker{text: p.Text, table: table, rng: rng}
		m.cut()
		add := func(kind PairKind, changed string, edits []Edit) {
			if changed != "" && changed != p.Text {
				out = append(out, Pair{kind, p.Group, p.Text, changed, edits})
			}
		}
		add(PairOrder, m.reorder(), nil)
		for _, k := range []struct {
			kind PairKind
			make func() []Edit
		}{{PairStance, m.stance}, {PairComparison, m.comparisons}, {PairQuantity, m.quantities}} {
			if edits := k.make(); len(edits) > 0 {
				add(k.kind, edited(p.Text, edits), edits)
			}
		}
	}
	return out, nil
}

// pairMaker works on one passage.
type pairMaker struct {
	text      string
	table     *reference.Table
	rng       *rand.Rand
	sentences []sentence
	short     bool // the writer contracts
}

type sentence struct {
	span      prose.Span
	tokens    []prose.Token
	paragraph int
}

func (m *pairMaker) cut() {
	for i, p := range prose.Paragraphs(m.text) {
		for _, s := range prose.Sentences(m.text, p) {
			m.sentences = append(m.sentences, sentence{s, prose.Tokens(m.text, s, m.table.Known), i})
		}
	}
	m.short = strings.Contains(m.text, "n't") || strings.Contains(m.text, "n’t")
}

// edited makes edits, which do not overlap, in a text.
func edited(text string, edits []Edit) string {
	slices.SortFunc(edits, func(a, b Edit) int { return cmp.Compare(a.At, b.At) })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(text[at:e.At])
		b.WriteString(e.To)
		at = e.At + len(e.From)
	}
	b.WriteString(text[at:])
	return b.String()
}

// edit replaces the tokens from lo up to hi of a sentence.
func (m *pairMaker) edit(s sentence, lo, hi int, to string) Edit {
	a, b := s.tokens[lo].Lo, s.tokens[hi-1].Hi
	from := m.text[a:b]
	if r, n := utf8.DecodeRuneInString(from); unicode.IsUpper(r) && n < len(from) {
		to = capital(to)
	}
	if strings.Contains(from, "’") {
		to = strings.ReplaceAll(to, "'", "’")
	}
	return Edit{At: a, From: from, To: to}
}

// fluentAfter reports whether a sentence passes the second rules once edited.
func (m *pairMaker) fluentAfter(s sentence, e Edit) bool {
	before := s.span.Of(m.text)
	local := e
	local.At -= s.span.Lo
	return Fluent(before, edited(before, []Edit{local}), m.table)
}

// choose draws at most n of edits, one a sentence as they were found.
func (m *pairMaker) choose(edits []Edit, n int) []Edit {
	m.rng.Shuffle(len(edits), func(i, j int) { edits[i], edits[j] = edits[j], edits[i] })
	return edits[:min(n, len(edits))]
}

// reorder gives the sentences in another order, or nothing where a passage has
// too few, is dialogue, or has no other sentence that could begin it.
func (m *pairMaker) reorder() string {
	n := len(m.sentences)
	if n < 4 {
		return ""
	}
	quoted := 0
	for _, s := range m.sentences {
		text := s.span.Of(m.text)
		quotes := strings.Count(text, `"`)
		if len(s.tokens) < 2 || quotes%2 != 0 || strings.Count(text, "“") != strings.Count(text, "”") || strings.Count(text, "(") != strings.Count(text, ")") {
			return ""
		}
		if quotes > 0 || strings.Contains(text, "“") || strings.Contains(text, "‘") {
			quoted++
		}
	}
	if 3*quoted > n {
		return ""
	}
	for range 200 {
		order := m.rng.Perm(n)
		good := order[0] != 0 && begins(m.sentences[order[0]].tokens)
		for i := 1; i < n && good; i++ {
			// A sentence can stand twice in a passage, so texts are compared.
			last := order[i-1]
			good = last+1 == n || m.sentences[order[i]].span.Of(m.text) != m.sentences[last+1].span.Of(m.text)
		}
		if !good {
			continue
		}
		var b strings.Builder
		for i, k := range order {
			if i > 0 {
				gap := m.text[m.sentences[i-1].span.Hi:m.sentences[i].span.Lo]
				if gap == "" {
					gap = " "
				}
				b.WriteString(gap)
			}
			b.WriteString(m.sentences[k].span.Of(m.text))
		}
		return b.String()
	}
	return ""
}

// begins reports whether a sentence can stand first: it does not lean on one
// before it.
func begins(tokens []prose.Token) bool {
	w := tokens[0].Lower
	leans := coordinators[w] || w != "if" && w != "when" && w != "while" && w != "although" && w != "as" && links[w] ||
		pronouns[w] && !strings.HasPrefix(w, "you") && w != "who" && w != "one" || adverbs[w] && w != "once" && w != "perhaps" && w != "now" ||
		w == "such" || w == "another" || w == "both" || w == "neither"
	return !leans
}
