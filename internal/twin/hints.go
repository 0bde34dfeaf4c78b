package twin

import (
	"cmp"
	"context"
	"fmt"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
)

// easyShare is the share of what plain prose by others costs the base, below which
// a writer's text is suspiciously easy for it.
const easyShare = 0.6

// tooEasy says that a base may have been trained on this very writer, where it
// finds the judge text far easier than plain prose: what is gained is then less
// than it would be otherwise, and the base itself may give the writer's text away.
func (r *run) tooEasy(ctx context.Context, perToken float64) error {
	if perToken <= 0 {
		return nil
	}
	var pieces []eval.Piece
	longest := 2
	for _, text := range eval.Paragraphs() {
		p := eval.Piece{Context: []int32{r.b.first}, Tokens: r.b.tok.Encode(text)}
		p.Tokens = p.Tokens[:min(len(p.Tokens), r.b.model.Context-1)]
		pieces = append(pieces, p)
		longest = max(longest, 1+len(p.Tokens))
	}
	s, err := eval.NewScorer(r.b.model, longest, 0, r.bf16())
	if err != nil {
		return err
	}
	defer s.Close()
	losses, err := s.Score(ctx, pieces, nil, nil)
	if err != nil {
		return err
	}
	if plain := eval.Pool(losses).PerToken(); perToken < easyShare*plain {
		r.emit(stroke.NoteEvent{Text: fmt.Sprintf("the base finds your text suspiciously easy: %.2f nats a token, where plain prose by others costs it %.2f; it may have been trained on this very text, or the text may hold much that repeats, as lists and code do; gains then say less", perToken, plain)})
	}
	return nil
}

// mostlyInMarks is the share of words in quotation marks from which they may be by
// others; the speeches of a novel came to a quarter at most.
const mostlyInMarks = 0.5

// quotationHints say where much of what was read is, or may be, quotations of others.
func quotationHints(r *corpus.Reading) []string {
	var hints []string
	if q, own := r.Quoted(), r.Words(); q > own && own > 0 {
		hints = append(hints, fmt.Sprintf("most of what these files hold is quotations of others: %d words, which are left out, beside %d of your own; where the words are yours after all, take the marks of quotations away", q, own))
	}
	if s := r.InMarks(); s > mostlyInMarks {
		hints = append(hints, fmt.Sprintf("%.0f %% of the words stand in long paragraphs that are in quotation marks as a whole, and count as yours; where others said them, put > before each of their lines, or a line with a dash and the name behind it, and they are left out", 100*s))
	}
	return hints
}

// againHint is of what was stopped before anything was learnt.
const againHint = "nothing is lost: run the same again"

// fewDocuments says that an interval is too narrow, where what judges is cut from few
// documents.
func (r *run) fewDocuments(judges []stroke.Document) {
	if n := piecesFrom(r.ledger, judges); n > 0 {
		r.emit(stroke.NoteEvent{Text: fmt.Sprintf("all that judges is cut from %s, and parts of one are more alike than what you will write next: the verdict says less than its interval promises", documents(n))})
	}
}

// cutFrom is of how few documents several are parts, where these are fewer than tell
// by themselves ([fewUnits]), and 0 otherwise.
func cutFrom(l *corpus.Ledger, docs []stroke.Document) int {
	from := map[string]bool{}
	for _, d := range docs {
		e, _ := l.Entry(d.Hash)
		from[cmp.Or(e.Parent, d.Hash)] = true
	}
	if n := len(from); n < min(len(docs), fewUnits) {
		return n
	}
	return 0
}

// piecesFrom is cutFrom of what judges in pieces: few documents are told of, too, where
// most of their words stand in such as are looked at in several.
func piecesFrom(l *corpus.Ledger, docs []stroke.Document) int {
	n, long := cutFrom(l, docs), 0
	for _, d := range docs {
		if d.Words >= longWords {
			long += d.Words
		}
	}
	if n == 0 && len(docs) < fewUnits && 2*long > wordsOf(docs) {
		n = len(docs)
	}
	return n
}

func documents(n int) string {
	if n == 1 {
		return "one document"
	}
	return fmt.Sprintf("%d documents", n)
}
