// Package prose cuts English prose into paragraphs, sentences and words, and
// tells proper names and function words in it, by rules alone. It is the ground
// that every measure of package likeness stands on; all of them see a text
// through the same eyes, so an error of a rule is the same on both sides of a
// comparison.
package prose

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a part of a text, in bytes: from Lo up to Hi.
type Span struct{ Lo, Hi int }

// Of is the part of text that the span names.
func (s Span) Of(text string) string { return text[s.Lo:s.Hi] }

// Paragraphs gives the parts of a text between empty lines, without the white
// space around them.
func Paragraphs(text string) []Span {
	var out []Span
	lo, i := -1, 0
	hi := 0
	for i <= len(text) {
		end := strings.IndexByte(text[i:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += i
		}
		line := text[i:end]
		if trimmed := strings.TrimSpace(line); trimmed == "" {
			if lo >= 0 {
				out = append(out, Span{lo, hi})
				lo = -1
			}
		} else {
			if lo < 0 {
				lo = i + strings.Index(line, trimmed)
			}
			hi = i + strings.LastIndex(line, trimmed) + len(trimmed)
		}
		i = end + 1
	}
	if lo >= 0 {
		out = append(out, Span{lo, hi})
	}
	return out
}

// abbreviations end in a full stop that ends no sentence.
var abbreviations = set(`mr mrs ms messrs dr prof rev hon st capt col gen lieut lt sgt maj esq jr sr
	vs viz cf e.g i.e eg ie fig vol chap no nos pp ed inc ltd co corp approx dept`)

// Sentences cuts one span of a text, as a rule a paragraph, into sentences,
// without the white space between them. A sentence ends at . ! ? or … with the
// closing quotes and brackets behind it, where what follows begins as a sentence
// does; and at the end of a line that is an item of a list.
func Sentences(text string, in Span) []Span {
	var out []Span
	lo := in.Lo
	emit := func(hi int) {
		part := text[lo:hi]
		trimmed := strings.TrimSpace(part)
		if trimmed != "" {
			at := lo + strings.Index(part, trimmed)
			out = append(out, Span{at, at + len(trimmed)})
		}
		lo = hi
	}
	for i := in.Lo; i < in.Hi; {
		r, n := utf8.DecodeRuneInString(text[i:in.Hi])
		if r == '\n' && isItem(text[i+1:in.Hi]) {
			emit(i)
			i += n
			continue
		}
		if r != '.' && r != '!' && r != '?' && r != '…' {
			i += n
			continue
		}
		end := i + n
		for end < in.Hi {
			c, m := utf8.DecodeRuneInString(text[end:in.Hi])
			if !strings.ContainsRune(".!?…\"'”’)]*_", c) {
				break
			}
			end += m
		}
		// What stands before is looked at last: it may be long.
		begins := end >= in.Hi || beginsSentence(text[end:in.Hi], text[i:end])
		if begins && !(r == '.' && end == i+n && isAbbreviation(text[lo:i])) {
			emit(end)
		}
		i = end
	}
	emit(in.Hi)
	return out
}

// isItem reports whether a line is an item of a list.
func isItem(line string) bool {
	line = strings.TrimLeft(line, " \t")
	if strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "* ") || strings.HasPrefix(line, "+ ") {
		return true
	}
	digits := 0
	for digits < len(line) && digits < 3 && line[digits] >= '0' && line[digits] <= '9' {
		digits++
	}
	return digits > 0 && (strings.HasPrefix(line[digits:], ". ") || strings.HasPrefix(line[digits:], ") "))
}

// isAbbreviation reports whether the full stop behind before ends no sentence.
func isAbbreviation(before string) bool {
	word := before[strings.LastIndexAny(before, " \n\t(\"“‘")+1:]
	if abbreviations[strings.ToLower(word)] {
		return true
	}
	r, n := utf8.DecodeRuneInString(word) // the J. of J. Smith, but not "so did I."
	return n == len(word) && unicode.IsUpper(r) && r != 'I'
}

// beginsSentence reports whether what follows an end mark begins a sentence.
// After a closing quote a lower-case word goes on: "Come!" he said.
func beginsSentence(after, mark string) bool {
	r, _ := utf8.DecodeRuneInString(after)
	if !unicode.IsSpace(r) {
		return r == '—'
	}
	next := strings.TrimLeftFunc(after, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("\"'“‘([*_-—", r)
	})
	r, _ = utf8.DecodeRuneInString(next)
	return !unicode.IsLower(r)
}

// Words gives the words of a text: runs of letters and digits, with the
// apostrophes, points and commas that stand inside them ("don't", "1,000.5").
// A hyphen parts words.
func Words(text string) []Span { return WordsIn(text, Span{0, len(text)}) }

// WordsIn is [Words] of a part of a text; the spans are in the whole text.
func WordsIn(text string, in Span) []Span {
	var out []Span
	lo := -1
	var last rune
	for i := in.Lo; i < in.Hi; {
		r, n := utf8.DecodeRuneInString(text[i:in.Hi])
		inside := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
		if !inside && lo >= 0 {
			next, _ := utf8.DecodeRuneInString(text[min(i+n, in.Hi):in.Hi])
			switch r {
			case '\'', '’':
				inside = unicode.IsLetter(next) && unicode.IsLetter(last)
			case '.', ',':
				inside = unicode.IsDigit(next) && unicode.IsDigit(last)
			}
		}
		switch {
		case inside && lo < 0:
			lo = i
		case !inside && lo >= 0:
			out = append(out, Span{lo, i})
			lo = -1
		}
		last = r
		i += n
	}
	if lo >= 0 {
		out = append(out, Span{lo, in.Hi})
	}
	return out
}

// Lower is a word in lower case with straight apostrophes.
func Lower(word string) string {
	return strings.ReplaceAll(strings.ToLower(word), "’", "'")
}

// set makes a set of the words of a list.
func set(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}
