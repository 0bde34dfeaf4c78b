package corpus

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// blockKind is what a block of a file is.
type blockKind int

const (
	blockPara    blockKind = iota
	blockHeading           // level 1 to 6
	blockList              // line breaks between items are kept
	blockQuote             // set apart as the words of another
	blockCited             // the words of another, who is named
	blockRule              // a break between scenes
	blockCode              // never the writer's prose
	blockTable             // likewise
	blockNotice            // put there by a publisher or a tool, never the writer's
)

// block is one paragraph, heading, list and so on, as plain text.
type block struct {
	kind  blockKind
	level int    // of a heading
	text  string // for code and tables, what they hold, so that its words can be counted
	start bool   // a heading that the file itself marks as the start of a chapter
}

// source is one file as its format's reader gives it.
type source struct {
	title  string
	sure   bool // the title is stated as such by the writer, not guessed from a page or by a program
	date   time.Time
	post   bool // a Markdown file with a date, as one post of a blog has
	blocks []block
	notes  []string
	left   []LeftOut // what its reader left out and no block holds

	unpacked int64 // bytes that were unpacked for it
}

// leave counts words that are left out and in no block.
func (s *source) leave(reason string, words int) {
	if words > 0 {
		s.left = append(s.left, LeftOut{Reason: reason, Words: words})
	}
}

// add appends a block unless it is empty.
func (s *source) add(kind blockKind, level int, text string) {
	text = tidy(text)
	if text == "" && kind != blockRule {
		return
	}
	s.blocks = append(s.blocks, block{kind: kind, level: level, text: text})
}

// tidy trims a block and the ends of its lines, and removes lines left empty.
func tidy(s string) string {
	if strings.IndexFunc(s, unicode.IsSpace) < 0 {
		return s
	}
	lines := strings.Split(s, "\n")
	out := lines[:0]
	for _, l := range lines {
		l = strings.TrimRight(l, " \t\u00a0")
		if strings.TrimSpace(l) != "" || len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, l)
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// joinLines joins the lines of a Markdown paragraph as a reader sees them: a
// line break in the file is a space, unless the lines are verse or an address.
func joinLines(lines []string) string {
	if len(lines) > 1 && looksLikeVerse(lines) {
		return strings.Join(lines, "\n")
	}
	return strings.Join(lines, " ")
}

// looksLikeVerse reports whether the line breaks of a paragraph are meant:
// every line is short and begins like a line of verse, and not every one ends
// as a sentence does (prose with a sentence on each line does).
func looksLikeVerse(lines []string) bool {
	limit := 60
	if len(lines) == 2 {
		limit = 40
	}
	open := 0
	for i, l := range lines {
		if utf8.RuneCountInString(l) > limit {
			return false
		}
		r, _ := utf8.DecodeRuneInString(strings.TrimLeft(l, " \t\"'“‘(—-*_"))
		if !unicode.IsUpper(r) && !unicode.IsDigit(r) {
			return false
		}
		if i < len(lines)-1 && !endsSentence(l) {
			open++
		}
	}
	return open*3 >= len(lines)-1 && open > 0
}

// endsSentence reports whether a line ends as a sentence does.
func endsSentence(l string) bool {
	l = strings.TrimRight(l, " \"'”’)*_»")
	r, _ := utf8.DecodeLastRuneInString(l)
	return strings.ContainsRune(".!?:…", r)
}
