package likeness

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// Habit is one thing that a writer does in a way of their own, seen as the
// distribution of what is observed: of lengths, or of kinds.
type Habit struct {
	Name   string   `json:"name"`   // "sentence length"
	Of     string   `json:"of"`     // what is observed once: "sentence", "paragraph", "mark", "word", "100 words"
	Labels []string `json:"labels"` // of the bins, in order
	Steps  bool     `json:"steps"`  // bins are steps of a scale; otherwise they are kinds, all equally unlike
}

// The habits, in the order of [Profile].
const (
	habitSentence = iota
	habitParagraph
	habitCommas
	habitMarks
	habitRarity
	habitVariety
	habitOpening
	habitPerson
	habitTense
	habitHedge
	habitFigure
	habitCount
)

// lengthLabels are the bins of lengths: quarter octaves from 1 word on.
func lengthLabels(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%.0f", math.Exp2(float64(i)/4))
	}
	return out
}

func numberLabels(lo, step, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(lo + step*i)
	}
	return out
}

var habits = [habitCount]Habit{
	habitSentence:  {Name: "sentence length", Of: "sentence", Labels: lengthLabels(30), Steps: true},
	habitParagraph: {Name: "paragraph length", Of: "paragraph", Labels: lengthLabels(42), Steps: true},
	habitCommas:    {Name: "commas", Of: "sentence", Labels: numberLabels(0, 1, 13), Steps: true},
	habitMarks:     {Name: "punctuation", Of: "mark", Labels: strings.Fields(`, ; : — ( ? ! " ... .`)},
	habitRarity:    {Name: "word rarity", Of: "content word", Labels: numberLabels(6, 1, 18), Steps: true},
	habitVariety:   {Name: "variety of words", Of: "100 words", Labels: numberLabels(20, 2, 41), Steps: true},
	habitOpening: {Name: "openings", Of: "sentence", Labels: []string{"I or we", "another pronoun", "the or a", "and, but or so", "another link",
		"a question word", "a preposition", "an adverb", "an -ing form", "there", "a name", "another word"}},
	habitPerson: {Name: "person", Of: "sentence", Labels: []string{"I", "we", "you", "he or she", "they", "one", "none"}},
	habitTense:  {Name: "tense", Of: "sentence", Labels: []string{"past", "present", "perfect", "future or modal", "none"}},
	habitHedge:  {Name: "hedges", Of: "sentence", Labels: []string{"hedged", "stressed", "both", "plain"}},
	habitFigure: {Name: "figures of speech", Of: "sentence", Labels: []string{"simile", "question", "exclamation", "aside", "triad", "not X but Y",
		"repeated opening", "alliteration", "no figure"}},
}

// Habits gives the definitions of all habits.
func Habits() []Habit { return append([]Habit(nil), habits[:]...) }

// histogram counts, by habit, what falls into each bin.
type histogram [habitCount][]float64

func newHistogram() *histogram {
	h := new(histogram)
	for i := range h {
		h[i] = make([]float64, len(habits[i].Labels))
	}
	return h
}

// step counts a value on a scale; what lies beyond its ends counts at them.
func (h *histogram) step(habit int, bin float64) {
	n := len(h[habit]) - 1
	h[habit][max(0, min(n, int(math.Round(bin))))]++
}

// observe counts the habits of one text.
func (h *histogram) observe(text string, table *reference.Table) {
	var window []string
	for _, p := range prose.Paragraphs(text) {
		words := 0
		last := ""
		for _, s := range prose.Sentences(text, p) {
			tokens := prose.Tokens(text, s, table.Known)
			if len(tokens) == 0 {
				continue
			}
			words += len(tokens)
			part := s.Of(text)
			h.step(habitSentence, 4*math.Log2(float64(len(tokens))))
			h.step(habitCommas, float64(strings.Count(part, ",")))
			h.marks(part)
			for _, t := range tokens {
				if !t.Name && prose.Content(t.Lower) && !isNumber(t.Lower) {
					h.step(habitRarity, table.RarityOf(t.Lower)-6)
				}
				window = append(window, t.Lower)
				if len(window) == 100 {
					h.step(habitVariety, float64(distinct(window)-20)/2)
					window = window[:0]
				}
			}
			h[habitOpening][openingKind(tokens)]++
			h[habitPerson][person(tokens)]++
			h[habitTense][tense(tokens)]++
			h[habitHedge][hedging(tokens)]++
			first := head2(tokens)
			h.figures(part, s.Lo, tokens, first != "" && first == last)
			last = first
		}
		if words > 0 {
			h.step(habitParagraph, 4*math.Log2(float64(words)))
		}
	}
}

func distinct(words []string) int {
	m := map[string]bool{}
	for _, w := range words {
		m[w] = true
	}
	return len(m)
}

func isNumber(word string) bool { return word != "" && word[0] >= '0' && word[0] <= '9' }

// head2 is the first two words of a sentence of at least four.
func head2(tokens []prose.Token) string {
	if len(tokens) < 4 {
		return ""
	}
	return tokens[0].Lower + " " + tokens[1].Lower
}

// typedDash is a dash as a typewriter has it.
var typedDash = regexp.MustCompile(`--+`)

// marks counts the marks of a sentence.
func (h *histogram) marks(s string) {
	n := func(marks ...string) float64 {
		sum := 0
		for _, m := range marks {
			sum += strings.Count(s, m)
		}
		return float64(sum)
	}
	dots := n("...", "…")
	dashes := n("—", " – ", " - ") + float64(len(typedDash.FindAllStringIndex(s, -1)))
	for i, v := range []float64{n(","), n(";"), n(":"), dashes, n("("), n("?"), n("!"), n(`"`, "“", "”") / 2, dots, n(".") - 3*n("...")} {
		h[habitMarks][i] += math.Max(v, 0)
	}
}

// Profile is what a set of texts shows of one habit.
type Profile struct {
	Habit
	Count  float64   `json:"count"`  // observations
	Shares []float64 `json:"shares"` // of each bin; they sum to 1 where Count is not 0
	Middle float64   `json:"middle"` // for a scale, its median: words, commas, bits or distinct words; 0 for kinds
}

// Profiles gives the habits of pieces, one profile for each of [Habits].
func Profiles(pieces []Piece) ([]Profile, error) {
	table, err := reference.Load()
	if err != nil {
		return nil, err
	}
	h := newHistogram()
	for _, p := range pieces {
		h.observe(p.Text, table)
	}
	out := make([]Profile, habitCount)
	for i := range out {
		p := Profile{Habit: habits[i], Shares: make([]float64, len(h[i]))}
		for _, v := range h[i] {
			p.Count += v
		}
		if p.Count > 0 {
			middle, below := -1, 0.0
			for k, v := range h[i] {
				p.Shares[k] = v / p.Count
				if below += v; middle < 0 && 2*below >= p.Count {
					middle = k
				}
			}
			if p.Steps {
				fmt.Sscan(p.Labels[middle], &p.Middle)
			}
		}
		out[i] = p
	}
	return out, nil
}
