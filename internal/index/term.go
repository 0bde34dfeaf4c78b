package index

import (
	"strings"
	"unicode"

	"github.com/getstroke/stroke/internal/word"
)

// Terms are the words of a text as the index knows them: runs of letters,
// marks and digits in lower case, with an apostrophe inside a word a part of it.
// In scripts without spaces only a dictionary tells where a word ends: there
// each two letters next to one another are a term, and one that has no other
// beside it.
func Terms(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		runs(text, func(run string) bool {
			if strings.IndexFunc(run, word.Unspaced) < 0 {
				return yield(run)
			}
			return pairs(run, yield)
		})
	}
}

// runs calls yield with each run of letters, until it says no.
func runs(text string, yield func(string) bool) {
	var w []rune
	rs := []rune(text)
	for i := 0; i <= len(rs); i++ {
		if i < len(rs) {
			r := rs[i]
			if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && len(w) > 0 {
				w = append(w, unicode.ToLower(r))
				continue
			}
			if (r == '\'' || r == '’') && len(w) > 0 && i+1 < len(rs) && unicode.IsLetter(rs[i+1]) {
				w = append(w, '\'')
				continue
			}
		}
		if len(w) > 0 {
			if !yield(string(w)) {
				return
			}
			w = w[:0]
		}
	}
}

// pairs calls yield with each two letters of a run that stand together in a
// script without spaces, their marks with them, and with what is between such
// letters as it is. It says whether yield never said no.
func pairs(run string, yield func(string) bool) bool {
	rs := []rune(run)
	for lo := 0; lo < len(rs); {
		unspaced := word.Unspaced(rs[lo])
		at := []int{lo} // where the letters begin; what is between them counts as one
		hi := lo + 1
		for ; hi < len(rs) && (unicode.IsMark(rs[hi]) || word.Unspaced(rs[hi]) == unspaced); hi++ {
			if unspaced && !unicode.IsMark(rs[hi]) {
				at = append(at, hi)
			}
		}
		at = append(at, hi)
		for i := min(2, len(at)-1); i < len(at); i++ {
			if !yield(string(rs[at[max(i-2, 0)]:at[i]])) {
				return false
			}
		}
		lo = hi
	}
	return true
}
