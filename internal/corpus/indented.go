package corpus

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// looksLikeProse tells indented paragraphs of a book from indented code.
func looksLikeProse(s string) bool {
	words, plain, marks := 0, 0, 0
	lines, odd := 0, 0
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		lines++
		for w := range strings.FieldsSeq(line) {
			words++
			if isCodeMark(w) {
				marks++
			}
			w = strings.Trim(w, ".,;:!?\"'“”‘’()—-")
			if w == "" || strings.IndexFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune("'’-—.,", r) }) < 0 {
				plain++
			}
		}
		// Within a line a semicolon is of prose too; blanks there are between columns.
		if strings.HasSuffix(line, ";") || strings.Contains(line, "   ") {
			odd++
		}
	}
	return words >= 8 && plain*10 >= words*9 && strings.ContainsAny(s, ".!?") && marks*50 <= words && odd*3 <= lines
}

// isCodeMark reports whether a word holds a mark that code has and prose has not; a
// dollar before a figure is money.
func isCodeMark(w string) bool {
	if strings.ContainsAny(w, "{}=<>\\") {
		return true
	}
	_, sum, dollar := strings.Cut(w, "$")
	return dollar && (sum == "" || sum[0] < '0' || sum[0] > '9')
}

// indentedParagraphs parts prose that is indented as a whole: at blank lines, before a
// line that is indented more than the one before it, and at each line of those that are
// too long to have been wrapped by hand.
func indentedParagraphs(s string) []string {
	var out []string
	var para []string
	flush := func() {
		if len(para) > 0 {
			out = append(out, joinLines(trimmedLines(strings.Join(para, "\n"))))
		}
		para = nil
	}
	for chunk := range strings.SplitSeq(s, "\n\n") {
		verse := looksLikeVerse(trimmedLines(chunk))
		for line := range strings.SplitSeq(chunk, "\n") {
			if n := len(para); n > 0 && !verse {
				last := para[n-1]
				if indented(line) && !indented(last) || utf8.RuneCountInString(line) > mostWrapped || utf8.RuneCountInString(last) > mostWrapped {
					flush()
				}
			}
			para = append(para, line)
		}
		flush()
	}
	return out
}
