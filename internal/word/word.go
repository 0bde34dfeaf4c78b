// Package word says what a word is, to everything that counts words or cuts a
// text by them: what stands between white space, and in scripts that put none
// between words so many letters as a word has on average.
//
// In Chinese and Japanese that is two: translators reckon 1.6 to 1.8 Chinese
// and 2 to 2.5 Japanese characters for one English word. Thai, Lao, Khmer and
// Burmese words have four to five letters, of which some are marks that are
// not counted here, so that it is four. Where such words really end only a
// dictionary can tell; the sizes that Stroke cuts text to need the number alone.
package word

import (
	"iter"
	"unicode"
)

// FullStops end sentences in scripts without spaces: nothing need follow them.
const FullStops = "。！？｡។။"

// Closers are the quotation marks and brackets that such scripts put behind them.
const Closers = "”’」』）》〉】〕"

// whole is the weight of the letters of one word.
const whole = 4

// weight is that of a letter of a script without spaces between words, 0 for all else.
func weight(r rune) int {
	switch {
	case r < '\u0e00' || !unicode.IsLetter(r):
		return 0
	case r == 'ー', unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return 2
	case unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return 1
	}
	return 0
}

// Unspaced says whether a rune is a letter of a script without spaces between words.
func Unspaced(r rune) bool { return weight(r) > 0 }

// Blank says whether a rune is one of the white space that a cleaned text is
// parted by; [unicode.IsSpace] knows more.
func Blank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

// All gives where the words of a text begin and end, in bytes, in order. Space
// says what stands between words. In a script without it a word also ends where
// it is full, and behind punctuation; what opens a quotation or a bracket is the
// next one's.
func All(text string, space func(rune) bool) iter.Seq2[int, int] {
	return func(yield func(lo, hi int) bool) {
		lo, have := -1, 0 // where the word at hand begins, and what its letters weigh
		open := -1        // where what opens a bracket begins, if nothing stands behind it
		apart := false    // something but letters and marks stands behind its letters
		for i, r := range text {
			w := weight(r)
			switch {
			case space(r):
				if lo >= 0 && !yield(lo, i) {
					return
				}
				lo, have, open, apart = -1, 0, -1, false
				continue
			case w > 0 && have > 0 && (apart || have >= whole):
				at := i
				if open >= 0 {
					at = open
				}
				if !yield(lo, at) {
					return
				}
				lo, have = at, 0
			}
			if lo < 0 {
				lo = i
			}
			have += w
			switch {
			case w > 0:
				open, apart = -1, false
			case have == 0: // no word ends before what comes next
			case unicode.In(r, unicode.Ps, unicode.Pi):
				if apart = true; open < 0 {
					open = i
				}
			default:
				open, apart = -1, apart || !unicode.IsMark(r) && !unicode.IsLetter(r)
			}
		}
		if lo >= 0 {
			yield(lo, len(text))
		}
	}
}

// Count is the number of words in a text.
func Count(text string) int {
	n := 0
	for range All(text, unicode.IsSpace) {
		n++
	}
	return n
}
