package corpus

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Sizes that tell a book from a long piece, in words.
const (
	chapterWords = 300  // chapters, and parts under top-level headings, hold at least this on average
	storyWords   = 1000 // parts under lower headings; below it they are sections of one piece
	prefaceWords = 100  // what stands before the first chapter is a piece of its own from here on
)

// reasonShort begins the reason for which a file of few words is left out.
const reasonShort = "too short"

// split parts what one file holds into pieces, and says what of it is left
// out. The lines of left have no source yet.
func split(src *source, minWords int) (pieces []piece, left []LeftOut) {
	t := tally{}
	blocks := t.trimNotices(src.blocks)
	title, blocks := takeTitle(src, blocks)
	blocks = t.trimSections(blocks)
	cite(blocks)
	if isLegal(blocks) {
		return nil, []LeftOut{{Reason: "a licence", Words: blockWords(blocks)}}
	}

	for _, find := range []func(*source, string, []block) []section{journal, book, stories} {
		secs := find(src, title, blocks)
		if secs == nil {
			continue
		}
		for _, s := range secs {
			// In a book a quotation is a letter or a verse within the story.
			text := t.assemble(s.blocks, s.keepQuotes)
			switch n := countWords(text); {
			case n == 0:
			case s.front && n < prefaceWords:
				t.front += n
			case n < minWords:
				t.short += n
			default:
				pieces = append(pieces, piece{title: s.title, date: s.date, text: text})
			}
		}
		break
	}
	if pieces == nil {
		text := t.assemble(blocks, false)
		if n := countWords(text); n >= minWords {
			pieces = []piece{{title: title, date: src.date, text: text}}
		} else if n > 0 {
			left = append(left, LeftOut{Reason: fmt.Sprintf("%s: %d words, where a piece has at least %d", reasonShort, n, minWords), Words: n})
		}
		t.front, t.short = 0, 0
	}
	return pieces, append(left, t.lines(minWords)...)
}

// tally counts the words of a file that are left out, by reason.
type tally struct {
	quotes, code, tables, notices, contents, front, short int
}

func (t *tally) lines(minWords int) []LeftOut {
	var out []LeftOut
	for _, l := range []LeftOut{
		{Reason: reasonQuotes, Words: t.quotes},
		{Reason: "code", Words: t.code},
		{Reason: "tables", Words: t.tables},
		{Reason: "a publisher's or Project Gutenberg's own words", Words: t.notices},
		{Reason: "contents, copyright and the like", Words: t.contents},
		{Reason: "a title page", Words: t.front},
		{Reason: fmt.Sprintf("parts of under %d words", minWords), Words: t.short},
	} {
		if l.Words > 0 {
			out = append(out, l)
		}
	}
	return out
}

// assemble joins the blocks of a piece into its text.
func (t *tally) assemble(bs []block, keepQuotes bool) string {
	var out []string
	rule, heading := "", true // no rule stands at the beginning, nor beside a heading
	for _, b := range bs {
		switch b.kind {
		case blockCode:
			t.code += countWords(b.text)
			continue
		case blockTable:
			t.tables += countWords(b.text)
			continue
		case blockNotice:
			t.notices += countWords(b.text)
			continue
		case blockCited:
			t.quotes += countWords(b.text)
			continue
		case blockQuote:
			if !keepQuotes {
				t.quotes += countWords(b.text)
				continue
			}
		case blockRule:
			if !heading {
				rule = cmp.Or(b.text, "* * *")
			}
			continue
		case blockHeading:
			rule = ""
		}
		if rule != "" {
			out = append(out, rule)
			rule = ""
		}
		out = append(out, b.text)
		heading = b.kind == blockHeading
	}
	return strings.Join(out, "\n\n")
}

var (
	noticeStart = regexp.MustCompile(`(?i)\*\*\*\s*START OF (THE|THIS) PROJECT GUTENBERG`)
	noticeEnd   = regexp.MustCompile(`(?i)(\*\*\*\s*END OF (THE|THIS) PROJECT GUTENBERG|^\s*End of (the )?Project Gutenberg)`)
	producedBy  = regexp.MustCompile(`(?i)^(e-text |this e-?(text|book) was )?(produced|prepared|transcribed|scanned) by\b`)
)

// trimNotices takes away what Project Gutenberg puts around a book.
func (t *tally) trimNotices(bs []block) []block {
	from, to := 0, len(bs)
	for i, b := range bs {
		if from == 0 && noticeStart.MatchString(b.text) {
			from = i + 1
		}
		if i >= from && noticeEnd.MatchString(b.text) {
			to = i
			break
		}
	}
	if from > 0 {
		for i := from; i < min(from+4, to); i++ {
			if producedBy.MatchString(bs[i].text) {
				from = i + 1
			}
		}
	}
	t.notices += blockWords(bs[:from]) + blockWords(bs[to:])
	return bs[from:to]
}

var (
	metaHeading = regexp.MustCompile(`(?i)^(title|author|year|date|language|translator|illustrator)\s*:\s*(\S.*)$`)
	ebookTitle  = regexp.MustCompile(`(?i)^the project gutenberg e-?book of\s+`)
)

// takeTitle finds the title of the whole file, and takes headings away that
// only state it.
func takeTitle(src *source, bs []block) (string, []block) {
	title := src.title
	if ebookTitle.MatchString(title) {
		title = ebookTitle.ReplaceAllString(title, "")
		if i := strings.LastIndex(title, ", by "); i > 0 {
			title = title[:i]
		}
	}
	out := make([]block, 0, len(bs))
	tops := 0
	for _, b := range bs {
		if b.kind == blockHeading {
			if m := metaHeading.FindStringSubmatch(b.text); m != nil {
				if strings.EqualFold(m[1], "title") && (title == "" || title == src.title) {
					title = m[2]
				}
				continue
			}
			if b.level == 1 && chapterOf(b.text) == "" && noDate(b.text) {
				tops++
			}
		}
		out = append(out, b)
	}
	for i, b := range out {
		if b.kind == blockRule {
			continue
		}
		if b.kind == blockHeading && !b.start && chapterOf(b.text) == "" && noDate(b.text) {
			if strings.EqualFold(b.text, title) || b.level == 1 && (tops == 1 || src.post) && (title == "" || !src.sure) {
				title = b.text
				out = slices.Delete(out, i, i+1)
			}
		}
		break
	}
	return title, out
}

func noDate(s string) bool { d, _ := journalDate(s); return d.IsZero() }

var apparatus = regexp.MustCompile(`(?i)^(table of )?contents\.?$|^copyright( page| notice)?\.?$|^(the full project gutenberg )?licen[cs]e\.?$|^index\.?$|^list of illustrations\.?$|^illustrations\.?$|^bibliography\.?$|^references\.?$|^about the author\.?$|^also by\b.*|^transcriber'?’?s notes?\.?:?$|^impressum\.?$`)

// trimSections takes away the sections of a book that are not prose, from
// their heading to the next of the same level or above, and lists that only
// repeat the headings.
func (t *tally) trimSections(bs []block) []block {
	heads := map[string]bool{}
	for _, b := range bs {
		if b.kind == blockHeading {
			heads[foldTitle(b.text)] = true
		}
	}
	var out []block
	skipping := 0 // level of the heading whose section goes, 0 for none
	for _, b := range bs {
		single := b.kind == blockPara && !strings.Contains(b.text, "\n")
		isChapter := (b.kind == blockHeading || single) && chapterOf(b.text) != ""
		switch {
		case b.kind == blockHeading && apparatus.MatchString(b.text):
			skipping = b.level
			t.contents += countWords(b.text)
			continue
		case skipping > 0 && b.kind == blockHeading && (b.level <= skipping || isChapter || b.start):
			skipping = 0
		case skipping > 0 && b.kind == blockRule:
			skipping = 0
		}
		if skipping > 0 || b.kind == blockList && repeatsHeadings(b.text, heads) || single && apparatus.MatchString(b.text) {
			t.contents += countWords(b.text)
			continue
		}
		out = append(out, b)
	}
	return out
}

func foldTitle(s string) string {
	return strings.ToLower(strings.Trim(strings.TrimLeft(strings.TrimSpace(s), "-*+0123456789.) "), " .:"))
}

func repeatsHeadings(list string, heads map[string]bool) bool {
	lines, hits := 0, 0
	for l := range strings.SplitSeq(list, "\n") {
		if strings.TrimSpace(l) == "" {
			continue
		}
		lines++
		if heads[foldTitle(l)] {
			hits++
		}
	}
	return lines >= 3 && hits*10 >= lines*6
}

var legal = regexp.MustCompile(`(?i)permission is hereby granted, free of charge|gnu (lesser |affero )?general public license|apache license,?\s+version 2\.0|creative commons legal code|mozilla public license|redistribution and use in source and binary forms`)

func isLegal(bs []block) bool {
	for i, b := range bs {
		if i == 6 {
			break
		}
		head := b.text[:min(len(b.text), 600)]
		if m := legal.FindStringIndex(head); m != nil && m[0] < 200 && blockWords(bs) > 80 {
			// An essay about licences names them too, but does not begin so.
			return i < 3
		}
	}
	return false
}

// section is a run of blocks that becomes a piece.
type section struct {
	title      string
	date       time.Time
	blocks     []block
	keepQuotes bool
	front      bool // what stands before the first chapter
}

const monthNames = `(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?`

var entryDate = regexp.MustCompile(`(?i)^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?(?:the\s+)?` +
	`(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}(?:st|nd|rd|th)?(?:\s+of)?\s+` + monthNames + `,?\s+\d{4}|` + monthNames + `\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4})` +
	`(?:,?\s*\(?(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\)?)?\.?` +
	`(?:,?\s+\d{1,2}:\d{2}(?:\s*[ap]m)?)?(?:\s*[-–—:|]\s*(.*))?$`)

var (
	dateParts = regexp.MustCompile(`(?i)\d+|[a-z]{3,}`)
	months    = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
)

// journalDate reads the heading of a dated entry: a date in words or figures,
// a weekday before or behind it, and a title behind that. The date is zero
// where the line is something else.
func journalDate(s string) (time.Time, string) {
	s = strings.TrimSpace(s)
	if len(s) > 160 {
		return time.Time{}, ""
	}
	m := entryDate.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, ""
	}
	var y, mo, d int
	for _, p := range dateParts.FindAllString(m[1], -1) {
		var n int
		if _, err := fmt.Sscanf(p, "%d", &n); err != nil {
			if i := slices.Index(months, strings.ToLower(p[:3])); i >= 0 {
				mo = i + 1
			}
			continue
		}
		switch {
		case n > 31:
			y = n
		case y > 0 && mo == 0: // 2024-03-05
			mo = n
		case d == 0:
			d = n
		case mo == 0: // 05.03.2024
			mo = n
		}
	}
	t := time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC)
	if y == 0 || mo < 1 || mo > 12 || t.Day() != d {
		return time.Time{}, ""
	}
	return t, strings.TrimSpace(m[2])
}

func isDateLine(s string) bool {
	t, rest := journalDate(s)
	return !t.IsZero() && rest == ""
}

// journal parts a file of dated entries, two or more of them.
func journal(src *source, title string, bs []block) []section {
	var at []int
	for i, b := range bs {
		if b.kind != blockHeading && b.kind != blockPara {
			continue
		}
		if t, rest := journalDate(b.text); !t.IsZero() && (b.kind == blockHeading || rest == "") {
			at = append(at, i)
		}
	}
	// Entries hold some text, and are what the file is made of.
	if len(at) < 2 || at[0] > len(bs)/2 || blockWords(bs[at[0]:]) < 20*len(at) {
		return nil
	}
	return sections(bs, at, title, src.date, func(s *section, head block) {
		s.date, s.title = journalDate(head.text)
		s.title = cmp.Or(s.title, head.text)
	})
}

const numeral = `(?:[ivxlcdm]+|\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty(?:[- ]\w+)?|thirty(?:[- ]\w+)?|the (?:first|second|third|fourth|fifth|last))`

var (
	namedChapter = regexp.MustCompile(`(?i)^(?:chapter|chap\.?|book|part|canto|letter|act|scene|stave|volume)\s+` + numeral + `\b(?:\s*$|\s*[.:—–-]+\s*(.*)$|\s+([^a-z].*)$)`)
	wordChapter  = regexp.MustCompile(`(?i)^chapter\b`)
	romanAlone   = regexp.MustCompile(`^[IVXLC]+\.?$`)
	romanNamed   = regexp.MustCompile(`^[IVXLC]+[.:]\s+(\S.{0,90})$`)
	digitsAlone  = regexp.MustCompile(`^\d{1,3}\.?$`)
	outerChapter = regexp.MustCompile(`(?i)^(prologue|epilogue|preface|foreword|introduction|afterword|interlude|postscript|conclusion)\.?$`)
)

// chapterOf is what kind of a chapter's heading a line is: "named" (Chapter 3,
// PART II - The Sea), "number" (III, 3), "outer" (Prologue), or "" for none.
func chapterOf(s string) string {
	s = strings.TrimSpace(s)
	switch {
	case utf8.RuneCountInString(s) > 120 || strings.Contains(s, "\n"):
	case namedChapter.MatchString(s):
		return "named"
	case romanAlone.MatchString(s), romanNamed.MatchString(s), digitsAlone.MatchString(s):
		return "number"
	case outerChapter.MatchString(s):
		return "outer"
	}
	return ""
}

// book parts a file at the headings of its chapters.
func book(src *source, title string, bs []block) []section {
	var at []int
	kinds := map[string]int{}
	for i, b := range bs {
		kind := ""
		switch b.kind {
		case blockHeading:
			if kind = chapterOf(b.text); kind == "" && b.start {
				kind = "named"
			}
			if src.post && !wordChapter.MatchString(b.text) {
				kind = "" // "Part 1" and "Part 2" of a post are its sections
			}
		case blockPara:
			// Without a heading's mark, only what can be nothing else.
			if k := chapterOf(b.text); k == "named" && !endsSentenceLong(b.text) || k == "number" && romanAlone.MatchString(b.text) {
				kind = k
			}
		}
		if kind != "" {
			at = append(at, i)
			kinds[kind]++
		}
	}
	if kinds["named"]+kinds["number"] < 2 {
		return nil
	}
	full := 0
	for i, from := range at {
		to := len(bs)
		if i+1 < len(at) {
			to = at[i+1]
		}
		if n := blockWords(bs[from:to]); n > 50 {
			full++
		}
	}
	if full < 2 || blockWords(bs[at[0]:]) < chapterWords*full {
		return nil
	}
	secs := sections(bs, at, title, src.date, func(s *section, head block) {
		s.title = strings.TrimRight(head.text, ".:")
		bare := chapterOf(head.text) != "" && chapterName(head.text) == ""
		if bare && len(s.blocks) > 1 && s.blocks[0].kind == blockHeading && utf8.RuneCountInString(s.blocks[0].text) <= 90 {
			s.title += ". " + s.blocks[0].text
			s.blocks = s.blocks[1:]
			bare = false
		}
		if bare && title != "" {
			s.title = title + ", " + s.title
		}
	})
	keep := keepsQuotes(src, bs)
	for i := range secs {
		secs[i].keepQuotes = keep
	}
	return secs
}

// chapterName is the name behind a chapter's number, "" where there is none.
func chapterName(s string) string {
	if m := namedChapter.FindStringSubmatch(s); m != nil {
		return cmp.Or(m[1], m[2])
	}
	if m := romanNamed.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// endsSentenceLong tells a sentence ("Part one of the plan failed.") from a heading.
func endsSentenceLong(s string) bool { return endsSentence(s) && countWords(s) > 4 }

// stories parts a file whose top headings each stand over a piece of its own:
// a collection of stories, essays or letters. A post is one piece.
func stories(src *source, title string, bs []block) []section {
	if src.post {
		return nil
	}
	for level := 1; level <= 3; level++ {
		var at []int
		for i, b := range bs {
			if b.kind == blockHeading && b.level == level {
				at = append(at, i)
			}
		}
		if len(at) == 0 {
			continue
		}
		if len(at) < 2 {
			return nil
		}
		need := storyWords
		if level == 1 {
			need = chapterWords
		}
		var sizes []int
		for i, from := range at {
			to := len(bs)
			if i+1 < len(at) {
				to = at[i+1]
			}
			sizes = append(sizes, blockWords(bs[from+1:to]))
		}
		slices.Sort(sizes)
		if sizes[len(sizes)/2] < need || sizes[len(sizes)/4] < need/3 {
			return nil
		}
		return sections(bs, at, title, src.date, func(s *section, head block) { s.title = head.text })
	}
	return nil
}

// sections cuts blocks at the headings given; name says what a heading means
// for its section, whose blocks are those behind it.
func sections(bs []block, at []int, title string, date time.Time, name func(s *section, head block)) []section {
	var out []section
	if at[0] > 0 {
		out = append(out, section{title: title, date: date, blocks: bs[:at[0]], front: true})
	}
	for i, from := range at {
		to := len(bs)
		if i+1 < len(at) {
			to = at[i+1]
		}
		s := section{date: date, blocks: bs[from+1 : to]}
		name(&s, bs[from])
		out = append(out, s)
	}
	return out
}
