package likeness

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

var contractions = strings.NewReplacer(
	"can't", "cannot", "Can't", "Cannot", "won't", "will not", "Won't", "Will not", "shan't", "shall not", "Shan't", "Shall not",
	"n't", " not", "I'm", "I am", "'re", " are", "'ve", " have", "'ll", " will",
	"It's", "It is", "it's", "it is", "That's", "That is", "that's", "that is", "There's", "There is", "there's", "there is",
	"He's", "He is", "he's", "he is", "She's", "She is", "she's", "she is", "What's", "What is", "what's", "what is",
	"Let's", "Let us", "let's", "let us")

// ornaments are words that stress or soften and can go without harm to grammar.
var ornaments = wordSet(`very really quite rather extremely absolutely completely totally utterly simply certainly surely indeed actually
	perhaps basically literally truly awfully dreadfully frightfully somewhat`)

// part of a sentence behind which a new one can begin: what follows the mark
// has a subject and a verb of its own.
var ownClause = regexp.MustCompile(`(?i)^(i|we|he|she|they) \pL|^(you|it|this|that|there|these|those|the \w+|a \w+|my \w+|his \w+|her \w+|our \w+) ` +
	`(am|is|are|was|were|has|have|had|do|does|did|will|would|can|could|should|must|may|might|said|went|came|saw|took|made|knew|thought|felt|looked|seemed|wanted)\b`)

// Plain takes a writer's manner out of a text by rules and leaves its matter:
// contractions are written out, exclamations end in full stops, words that only
// stress or soften go, asides in brackets stand as sentences of their own where
// they are such, semicolons and dashes between whole clauses become full stops,
// and paragraphs become one. Names, numbers and claims stay.
func Plain(text string) string {
	var out []string
	for _, p := range prose.Paragraphs(text) {
		for _, s := range prose.Sentences(text, p) {
			out = append(out, plainSentence(s.Of(text)))
		}
	}
	return strings.Join(out, " ")
}

func plainSentence(s string) string {
	s = strings.ReplaceAll(s, "’", "'")
	s = contractions.Replace(s)
	s = strings.NewReplacer("!", ".", "*", "", "_", "", "…", ".", "...", ".").Replace(s)
	s = strings.NewReplacer(" – ", " — ", "—", " — ").Replace(typedDash.ReplaceAllString(s, "—"))
	s = strings.Join(strings.Fields(s), " ")
	s = withoutOrnaments(s)
	for _, mark := range []string{"; ", " — "} {
		parts := strings.Split(s, mark)
		s = parts[0]
		for _, next := range parts[1:] {
			if ownClause.MatchString(next) {
				s = strings.TrimRight(s, " ,;:") + ". " + capital(next)
			} else {
				s = strings.TrimRight(s, " ,;:") + ", " + strings.TrimLeft(next, " ,")
			}
		}
	}
	return s
}

// withoutOrnaments drops the words that only stress or soften, and the commas
// that set them off.
func withoutOrnaments(s string) string {
	words := strings.Split(s, " ")
	out := words[:0]
	first := false
	for i, w := range words {
		bare := strings.ToLower(strings.TrimRight(w, ","))
		next := ""
		if i+1 < len(words) {
			next = strings.ToLower(words[i+1])
		}
		// "the very man", "not very", "rather than" and "quite a" keep theirs.
		last := ""
		if len(out) > 0 {
			last = strings.ToLower(out[len(out)-1])
		}
		keep := !ornaments[bare] || i+1 == len(words) || next == "than" || next == "a" || next == "an" || next == "the" ||
			last == "the" || last == "not" || last == "would" || last == "had" || last == "or"
		if keep {
			if first {
				w = capital(w)
				first = false
			}
			out = append(out, w)
			continue
		}
		first = first || i == 0
	}
	return strings.Join(out, " ")
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
