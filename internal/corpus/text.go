package corpus

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/word"
)

// readText reads plain text. Blank lines part paragraphs; where lines are
// wrapped by hand they are joined, and where their breaks are meant, as in
// verse, lists and addresses, they are kept.
func readText(data []byte) (*source, error) {
	text, note, err := decode(data, false)
	if err != nil {
		return nil, err
	}
	if marked(text) {
		return nil, errOwn
	}
	if looksLikeChat(text, true) {
		return nil, errChat
	}
	src := &source{}
	if note != "" {
		src.notes = append(src.notes, note)
	}
	src.blocks = textBlocks(text)
	// A short first line with a blank one after it is a title.
	if len(src.blocks) >= 2 && src.blocks[0].kind == blockPara && looksLikeTitle(src.blocks[0].text) {
		src.blocks[0].kind, src.blocks[0].level = blockHeading, 1
	}
	return src, nil
}

func looksLikeTitle(s string) bool {
	if strings.Contains(s, "\n") || utf8.RuneCountInString(s) > 70 || countWords(s) > 12 || isDateLine(s) || noticeStart.MatchString(s) {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(s)
	return !strings.ContainsRune(".,;:，、；："+word.FullStops, last) || chapterOf(s) != ""
}

var (
	listLine = regexp.MustCompile(`^\s*([-*+•–]|\d{1,3}[.)]|[a-z][.)])\s+\S`)
	ruleLine = regexp.MustCompile(`^\s*([-*_=~#•·⁂][\s]*){3,}$`)
	hashHead = regexp.MustCompile(`^(#{1,6})\s+(\S.*?)\s*#*$`)
)

// textBlocks parts plain text into paragraphs.
func textBlocks(text string) []block {
	lines := strings.Split(text, "\n")
	unescapeFrom(lines)
	width := wrapWidth(lines)
	src := &source{}
	var para []string
	kind := blockPara
	prompts := false // all lines of the quotation so far begin as Python's prompt does
	flush := func() {
		if len(para) == 0 {
			return
		}
		text := strings.Join(unwrap(para, width), "\n")
		if kind == blockQuote && prompts && !looksLikeProse(text) {
			src.add(blockCode, 0, text)
		} else {
			src.add(kind, 0, text)
		}
		para = para[:0]
	}
	for _, l := range lines {
		l = strings.TrimRight(l, " \t")
		t := strings.TrimSpace(l)
		// A mail has what it answers behind such marks.
		if answered := strings.HasPrefix(t, ">"); answered != (kind == blockQuote) && t != "" {
			flush()
			kind = blockPara
			if answered {
				kind, prompts = blockQuote, true
			}
		}
		if kind == blockQuote {
			prompts = prompts && (t == "" || t == prompt || strings.HasPrefix(t, prompt+" "))
			t = strings.TrimLeft(t, "> ")
			l = t
		}
		switch {
		case t == "":
			flush()
		case kind == blockQuote:
			para = append(para, l)
		case ruleLine.MatchString(t):
			flush()
			src.add(blockRule, 0, t)
		case hashHead.MatchString(t):
			flush()
			m := hashHead.FindStringSubmatch(t)
			src.add(blockHeading, len(m[1]), m[2])
		case isDateLine(t):
			flush()
			src.add(blockPara, 0, t)
		case len(para) > 0 && (indented(l) && !indented(para[len(para)-1]) && !listLine.MatchString(l) && width > 0 ||
			strings.HasPrefix(l, "\u3000") ||
			width == 0 && (utf8.RuneCountInString(para[len(para)-1]) > mostWrapped || utf8.RuneCountInString(l) > mostWrapped)):
			// The first line of a paragraph is indented, in Chinese and Japanese by
			// their own wide space, or each paragraph is one long line.
			flush()
			para = append(para, l)
		default:
			para = append(para, l)
		}
	}
	flush()
	return src.blocks
}

// prompt is what Python's interpreter, and its documentation, begin a line of code with.
const prompt = ">>>"

// unescapeFrom takes the mark from lines that begin with >From: mailboxes have it
// before a line that would else begin a mail. In what a mail answers it stays.
// https://www.rfc-editor.org/rfc/rfc4155
func unescapeFrom(lines []string) {
	answered := func(i int) bool {
		return i >= 0 && i < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i]), ">")
	}
	for i, l := range lines {
		if !strings.HasPrefix(l, ">From ") || answered(i-1) || answered(i+1) {
			continue
		}
		// The line before it may say whose words come.
		if i == 0 || !strings.HasSuffix(strings.TrimSpace(lines[i-1]), ":") {
			lines[i] = l[1:]
		}
	}
}

// mostWrapped is the longest line, in characters, that is taken to be wrapped by hand.
const mostWrapped = 120

func indented(l string) bool { return strings.HasPrefix(l, "  ") || strings.HasPrefix(l, "\t") }

// wrapWidth is the width in characters to which a text's lines are wrapped, 0
// where they are not: the length that one line in twenty of those that go on
// in the next line exceeds.
func wrapWidth(lines []string) int {
	var lens []int
	for i, l := range lines[:max(len(lines)-1, 0)] {
		if strings.TrimSpace(l) != "" && strings.TrimSpace(lines[i+1]) != "" {
			lens = append(lens, utf8.RuneCountInString(l))
		}
	}
	if len(lens) == 0 {
		return 0
	}
	slices.Sort(lens)
	w := lens[len(lens)*95/100]
	if w < 45 || w > mostWrapped {
		return 0
	}
	return w
}

// unwrap joins the lines of a paragraph wherever the break is the wrapping's:
// where the next line's first word would not have fitted. Most breaks of a
// wrapped paragraph are such; where they are not, the breaks are meant.
func unwrap(para []string, width int) []string {
	if len(para) == 1 {
		return []string{strings.TrimSpace(para[0])}
	}
	full := 0
	for i, l := range para[:len(para)-1] {
		if wrapped(l, para[i+1], width) {
			full++
		}
	}
	prose := width > 0 && full*10 >= (len(para)-1)*6 || width > 0 && full > 0 && full*3 >= len(para)-1 && !looksLikeVerse(trimmedLines(strings.Join(para, "\n")))
	var out []string
	for i, l := range para {
		t := strings.TrimSpace(l)
		switch {
		case i == 0:
			out = append(out, t)
		case listLine.MatchString(l):
			out = append(out, strings.TrimRight(l, " \t"))
		case prose, wrapped(para[i-1], l, width) && listLine.MatchString(out[len(out)-1]):
			out[len(out)-1] += wrapSpace(out[len(out)-1], t) + t
		default:
			out = append(out, t)
		}
	}
	return out
}

// wrapped reports whether the first word of next would not have fitted behind line.
func wrapped(line, next string, width int) bool {
	if width == 0 {
		return false
	}
	next = strings.TrimSpace(next)
	first := ""
	for lo, hi := range word.All(next, func(r rune) bool { return r == ' ' }) {
		first = next[lo:hi]
		break
	}
	return utf8.RuneCountInString(line)+1+utf8.RuneCountInString(first) > width-4
}

// wrapSpace is what stood between two lines before they were wrapped: a space,
// and nothing where a script without spaces goes on.
func wrapSpace(line, next string) string {
	last, _ := utf8.DecodeLastRuneInString(line)
	first, _ := utf8.DecodeRuneInString(next)
	// Letters and marks of such a script, and marks that others have too.
	of := func(r rune) bool {
		return word.Unspaced(r) || r >= '\u3000' && r <= '\u303f' || r >= '\uff01' && r <= '\uff60'
	}
	both := func(r rune) bool { return strings.ContainsRune("“”‘’…—", r) }
	if of(last) && (of(first) || both(first)) || both(last) && of(first) {
		return ""
	}
	return " "
}
