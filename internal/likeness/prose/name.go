package prose

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is a word with what the rules say of it.
type Token struct {
	Span
	Lower string
	Name  bool // a proper name, a product, an identifier or an address
	First bool // begins a sentence, or the words within quotes
}

// Tokens gives the words of one sentence. known says whether a word in lower
// case is common in general prose; a capital at the beginning of a sentence is
// a name only where it is not.
func Tokens(text string, sentence Span, known func(lower string) bool) []Token {
	spans := WordsIn(text, sentence)
	out := make([]Token, len(spans))
	prev := sentence.Lo
	for i, s := range spans {
		word := s.Of(text)
		gap := text[prev:s.Lo]
		prev = s.Hi
		t := Token{Span: s, Lower: Lower(word)}
		t.First = i == 0 || strings.ContainsAny(gap, "\"“‘.!?:…") || strings.HasSuffix(gap, "'") || strings.ContainsAny(gap, "\n")
		t.Name = isName(word, t.Lower, t.First, known)
		out[i] = t
	}
	return out
}

func isName(word, lower string, first bool, known func(string) bool) bool {
	r, n := utf8.DecodeRuneInString(word)
	upper, digits := 0, false
	for _, c := range word[n:] {
		if unicode.IsUpper(c) {
			upper++
		}
		digits = digits || unicode.IsDigit(c)
	}
	letter := unicode.IsLetter(r)
	switch {
	case !letter:
		return false // a number is masked as a number
	case digits:
		return true // an identifier: v2, x86
	case lower == "i" || strings.HasPrefix(lower, "i'"):
		return false
	case upper > 0:
		return !known(bare(lower)) // an acronym or an identifier; "NO" is neither
	case !unicode.IsUpper(r):
		return false
	case !first:
		return true
	}
	return !known(bare(lower))
}

// bare is a word without a possessive ending.
func bare(lower string) string { return strings.TrimSuffix(lower, "'s") }

// Marks that stand in a normal text for what is not style.
const (
	NameMark      = '¤' // a proper name, of any number of words
	ParagraphMark = '¶'
	NumberMark    = '0' // a number
)

// Normal gives a text as features see it: lower case; proper names, numbers
// and addresses of the web masked; quotes, dashes and dots of one kind, since
// they are the typesetter's; one space between words; paragraphs parted by a
// mark of their own.
func Normal(text string, known func(lower string) bool) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, p := range Paragraphs(text) {
		if b.Len() > 0 {
			b.WriteRune(ParagraphMark)
		}
		b.WriteByte(' ')
		for _, s := range Sentences(text, p) {
			normalSentence(&b, text, s, known)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func normalSentence(b *strings.Builder, text string, s Span, known func(string) bool) {
	at := s.Lo
	masked := false // the last thing written is a name
	for _, t := range Tokens(text, s, known) {
		gap := normalGap(text[at:t.Lo])
		at = t.Hi
		if t.Name && masked && (gap == " " || gap == "-" || gap == ". " || gap == "." || gap == "/") {
			continue
		}
		b.WriteString(gap)
		masked = t.Name
		r, _ := utf8.DecodeRuneInString(t.Lower)
		switch {
		case t.Name:
			b.WriteRune(NameMark)
			if strings.HasSuffix(t.Lower, "'s") {
				b.WriteString("'s")
			}
		case unicode.IsDigit(r):
			b.WriteRune(NumberMark)
		default:
			b.WriteString(t.Lower)
		}
	}
	b.WriteString(normalGap(text[at:s.Hi]))
}

var gapRules = strings.NewReplacer("“", `"`, "”", `"`, "‘", `"`, "’", `"`, "'", `"`, "`", `"`, "—", "—", "---", "—", "--", "—",
	" – ", "—", " - ", "—", "…", "...", "*", "", "_", "", "\n", " ", "\t", " ", "\u00a0", " ")

// normalGap is what stands between two words, in the typesetting that all
// texts share.
func normalGap(gap string) string {
	if gap == " " {
		return gap
	}
	gap = gapRules.Replace(gap)
	if strings.Contains(gap, "—") {
		gap = strings.TrimSpace(gap)
	}
	return gap
}
