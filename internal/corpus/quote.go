package corpus

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reasonQuotes is why quotations are left out.
const reasonQuotes = "quotations of others"

// attribution is a line that says whose words stand before it: a dash and a name.
var attribution = regexp.MustCompile(`^(?:—|–|―|--?|~)\s*["“”'‘’«»_*]*\p{Lu}[^\n]*$`)

// mostAttribution is the longest attribution, in words: a name, a work, a year.
const mostAttribution = 16

// isAttribution reports whether a line names the author of what stands before it.
// Speech that begins with a dash trails off or ends as a sentence does, and has few names.
func isAttribution(line string) bool {
	line = strings.TrimSpace(line)
	if countWords(line) > mostAttribution || !attribution.MatchString(line) {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(line)
	if strings.ContainsRune("!?:;,]…—–―", last) || strings.HasSuffix(line, "...") {
		return false
	}
	// A mark that nothing opens stands behind speech.
	if last == '.' || strings.ContainsRune(closes, last) && !title(strings.TrimSuffix(line, string(last)), last) {
		capital, all := names(line)
		return capital*2 > all
	}
	return true
}

// title reports whether a mark closes what another has opened behind a name.
func title(s string, last rune) bool {
	for i, w := range strings.Fields(strings.TrimLeft(s, "—–―-~ ")) {
		first, _ := utf8.DecodeRuneInString(w)
		if i > 0 && strings.ContainsRune(openers[last], first) {
			return true
		}
	}
	return false
}

// names counts the words that begin with a capital, and those with a letter.
func names(line string) (capital, all int) {
	for w := range strings.FieldsSeq(line) {
		if strings.ContainsFunc(w, unicode.IsLetter) {
			all++
		}
		if r, _ := utf8.DecodeRuneInString(strings.TrimLeft(w, "—–―-~"+opens)); unicode.IsUpper(r) {
			capital++
		}
	}
	return capital, all
}

// openers are the marks that each of closes may end.
var openers = map[rune]string{'"': "\"", '”': "“„”", '“': "„", '»': "«»", '«': "»", '’': "‘’", '\'': "'"}

// opens and closes are the marks around words that are said or quoted.
const (
	opens  = "\"“„«»‘'”"
	closes = "\"”“»«’'"
)

// around is of what stands around a quotation: marks, emphasis and spaces.
func around(r rune) bool {
	return strings.ContainsRune(opens, r) || strings.ContainsRune(closes, r) || strings.ContainsRune("_* \n", r)
}

// quoted reports whether a paragraph is wholly in quotation marks, and whether they
// are closed: the paragraphs of a long quotation open theirs anew and close them once.
func quoted(text string) (begins, ends bool) {
	text = strings.Trim(text, "_* \n")
	first, n := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	return len(text) > n && strings.ContainsRune(opens, first), strings.ContainsRune(closes, last)
}

// cite marks as cited the words that a file itself gives to another: paragraphs in
// quotation marks or set as quotations with a name behind them, and what stands
// with a name behind it between a heading and the text, as an epigraph does.
func cite(bs []block) {
	for i := range bs {
		b := &bs[i]
		if b.kind != blockPara && b.kind != blockQuote {
			continue
		}
		if head, last, ok := cutLast(b.text); ok && isAttribution(last) && !itemFollows(head) {
			begins, ends := quoted(head)
			if b.kind == blockQuote || begins && ends || epigraph(bs, i, i) {
				b.kind = blockCited
			}
			continue
		}
		if i == 0 || strings.Contains(b.text, "\n") || !isAttribution(b.text) || itemFollows(bs[i-1].text) {
			continue
		}
		if from := quotation(bs, i); from < i {
			for j := from; j <= i; j++ {
				bs[j].kind = blockCited
			}
		}
	}
}

// itemFollows reports whether what begins with a dash behind s is an item of a list
// and names nobody: s announces it, or is such an item itself.
func itemFollows(s string) bool {
	return strings.HasSuffix(s, ":") || listLine.MatchString(s[strings.LastIndexByte(s, '\n')+1:])
}

// cutLast parts the last line of a paragraph from those before it.
func cutLast(s string) (head, last string, ok bool) {
	i := strings.LastIndexByte(s, '\n')
	if i < 0 {
		return "", "", false
	}
	return strings.TrimSpace(s[:i]), s[i+1:], true
}

// quotation is where the quotation begins that the attribution in block i ends; i
// where there is none.
func quotation(bs []block, i int) int {
	from := i
	for from > 0 && bs[from-1].kind == blockQuote {
		from--
	}
	if from < i {
		return from
	}
	if bs[i-1].kind != blockPara {
		return i
	}
	if begins, ends := quoted(bs[i-1].text); ends {
		from = i - 1
		for !begins && i-from < mostQuoted && from > 0 && bs[from-1].kind == blockPara {
			from--
			begins, _ = quoted(bs[from].text)
		}
		// Paragraphs before that open marks and do not close them belong to it.
		for begins && i-from <= mostQuoted && from > 0 && bs[from-1].kind == blockPara {
			b, e := quoted(bs[from-1].text)
			if !b || e {
				break
			}
			from--
		}
		if begins && i-from <= mostQuoted {
			return from
		}
		return i
	}
	if epigraph(bs, i-1, i) {
		return i - 1
	}
	return i
}

// mostQuoted is how many paragraphs one quotation may have without marks on each.
const mostQuoted = 6

// mostEpigraph is the longest epigraph, in words.
const mostEpigraph = 80

// epigraph reports whether blocks from to last stand between the beginning, or a
// heading, and the text itself.
func epigraph(bs []block, from, last int) bool {
	words := blockWords(bs[from : last+1])
	if from > 0 && bs[from-1].kind != blockHeading || words > mostEpigraph || last+1 >= len(bs) || bs[last+1].kind != blockPara {
		return false
	}
	// A note of one paragraph that its writer signs is no epigraph.
	return countWords(bs[last+1].text) > max(words/2, 20)
}

// Words that a book sets as quotations are letters and verses of its story, unless
// they are most of it.
const (
	mostlyQuotes = 0.5
	manyQuotes   = 0.1 // from here on it is told that they are kept
)

// quoteShare is the share of words that are set as quotations.
func quoteShare(bs []block) float64 {
	all, quotes := 0, 0
	for _, b := range bs {
		switch b.kind {
		case blockQuote:
			quotes += countWords(b.text)
			fallthrough
		case blockPara, blockList:
			all += countWords(b.text)
		}
	}
	return float64(quotes) / float64(max(all, 1))
}

// keepsQuotes says whether the quotations of a book are kept, and tells of them
// where they are many.
func keepsQuotes(src *source, bs []block) bool {
	share := quoteShare(bs)
	if share >= manyQuotes && share < mostlyQuotes {
		src.notes = append(src.notes, fmt.Sprintf("%.0f %% of it is set as quotations and kept, as letters and verses of a book are; take out what others wrote", 100*share))
	}
	return share < mostlyQuotes
}

// Quoted is how many words were left out as quotations of others.
func (r *Reading) Quoted() int {
	n := 0
	for _, l := range r.Left {
		if l.Reason == reasonQuotes {
			n += l.Words
		}
	}
	return n
}

// InMarks is the share of the words that stand in paragraphs of at least forty
// words with one pair of quotation marks around the whole: long speeches, or
// quotations of others that nothing names.
func (r *Reading) InMarks() float64 {
	all, marked := 0, 0
	for _, d := range r.Documents {
		for p := range strings.SplitSeq(d.Text, "\n\n") {
			n := countWords(p)
			all += n
			if begins, ends := quoted(p); begins && ends && n >= 40 && !strings.ContainsFunc(strings.TrimFunc(p, around), doubleMark) {
				marked += n
			}
		}
	}
	return float64(marked) / float64(max(all, 1))
}

// doubleMark reports a mark that ends speech and is no apostrophe.
func doubleMark(r rune) bool {
	return unicode.Is(unicode.Quotation_Mark, r) && r != '\'' && r != '’' && r != '‘'
}
