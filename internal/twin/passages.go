package twin

import (
	"strings"
	"unicode"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/index"
	"github.com/getstroke/stroke/internal/word"
)

// passages are the writer's train documents, to be found and put before what is
// asked of the base. Withheld documents are never among them.
type passages struct {
	ix     *index.Index
	docs   []stroke.Document
	ledger *corpus.Ledger
	b      *baseModel
	prompt Prompt
	apart  bool              // nothing stands before a document that was cut from the same longer one
	near   []stroke.Document // those of docs that what is scored has near duplicates of, where it may
}

const (
	passageWords     = 160 // aimed at
	passageMostWords = 320
)

func newPassages(train []stroke.Document, l *corpus.Ledger, b *baseModel, p Prompt) *passages {
	var all []index.Passage
	for _, d := range train {
		all = append(all, index.Passages(d, passageWords, passageMostWords)...)
	}
	return &passages{ix: index.New(all), docs: train, ledger: l, b: b, prompt: p}
}

// between are the tokens behind each passage.
func (p *passages) between() []int32 { return p.b.between(p.prompt.Between) }

// between are the tokens of what stands between passages: the separator for none.
func (b *baseModel) between(text string) []int32 {
	if text == "" {
		return []int32{b.sep}
	}
	return b.tok.Encode(text)
}

// rival are the passages as a base without an adapter gets them.
func (p *passages) rival() *passages {
	other := *p
	other.prompt = p.prompt.rival()
	return &other
}

// find gives the tokens of the passages that stand before a text: each ends with
// what the recipe has between them. exclude has the hashes of documents that must not be among
// them. room is how many tokens there may be beyond the recipe's own bound.
func (p *passages) find(query string, exclude map[string]bool, room int) []int32 {
	between := p.between()
	cost := func(text string) int { return len(p.b.tok.Encode(text)) + len(between) }
	budget := min(p.prompt.Tokens, room)
	if budget < 32 {
		return nil
	}
	chosen := index.Choose(p.ix, query, budget, cost, index.ChooseOptions{Exclude: exclude, Each: p.prompt.Each})
	var out []int32
	// The best match stands last, next to what is written.
	for i := len(chosen) - 1; i >= 0; i-- {
		out = append(append(out, p.b.tok.Encode(chosen[i].Text)...), between...)
	}
	return out
}

// own are the documents that must not stand before one that is scored: itself,
// its near duplicates, the blocks that it was cut into or is one of, and what lies
// next to any of these.
func (p *passages) own(doc stroke.Document) map[string]bool {
	out := map[string]bool{}
	bar := func(hash string) {
		out[hash] = true
		for _, n := range p.ledger.Neighbours(hash) {
			out[n] = true
		}
	}
	if p.apart {
		for _, n := range p.ledger.Siblings(doc.Hash) {
			out[n] = true
		}
	}
	bar(doc.Hash)
	for _, d := range p.docs {
		if strings.Contains(doc.Text, d.Text) || strings.Contains(d.Text, doc.Text) {
			bar(d.Hash)
		}
	}
	for _, d := range corpus.NearDuplicates(p.near, []stroke.Document{doc}) {
		bar(d.Hash)
	}
	return out
}

// severalDocuments says whether the passages are of more than one document, the blocks
// of a longer one counted as that.
func (p *passages) severalDocuments() bool {
	first := ""
	for _, d := range p.docs {
		whole := d.Hash
		if e, ok := p.ledger.Entry(d.Hash); ok && e.Parent != "" {
			whole = e.Parent
		}
		if first != "" && whole != first {
			return true
		}
		first = whole
	}
	return false
}

// Whoever goes on with a text of theirs, or rewrites one, has it among the passages as
// well: it would match best, and what comes next would be copied from it. Whoever asks
// about it wants it there.
const (
	heldRun  = 12 // words in a row that a text and a document share where one holds the other
	heldHits = 24 // passages that are looked at, the best matches
)

// holding are the documents that have a run of words of the text.
func (p *passages) holding(text string) map[string]bool {
	runs := func(text string, each func(string)) {
		var words []string
		for lo, hi := range word.All(text, unicode.IsSpace) {
			words = append(words, text[lo:hi])
		}
		for i := 0; i+heldRun <= len(words); i++ {
			each(strings.Join(words[i:i+heldRun], " "))
		}
	}
	asked := map[string]bool{}
	runs(text, func(r string) { asked[r] = true })
	out := map[string]bool{}
	if len(asked) == 0 {
		return out
	}
	for _, h := range p.ix.Search(text, heldHits, index.SearchOptions{}) {
		runs(h.Passage.Text, func(r string) {
			if asked[r] {
				out[h.Passage.Doc] = true
			}
		})
	}
	return out
}

// head is the beginning of a text up to n words, and how many bytes that is.
func head(text string, n int) (string, int) {
	if n <= 0 {
		return "", 0
	}
	for _, end := range word.All(text, word.Blank) {
		if n--; n == 0 {
			return text[:end], end
		}
	}
	return text, len(text)
}
