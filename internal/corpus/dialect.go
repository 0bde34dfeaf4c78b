package corpus

import (
	"regexp"
	"strings"
)

// What the dialects of Markdown add, each as its documentation has it:
// shortcodes of Hugo, tags of Jekyll's Liquid, fenced divs, attributes and
// braced marks of Djot and Pandoc, comments, links, marks and names of blocks of
// Obsidian, imports of MDX. None of it is the writer's text; what it encloses
// mostly is.
var (
	// Shortcodes and tags that enclose code or the words of others; they go
	// with what they enclose.
	enclosing = func() []*regexp.Regexp {
		var out []*regexp.Regexp
		for _, name := range []string{"highlight", "code", "mermaid", "quote", "blockquote", "katex", "math", "chart", "gist"} {
			out = append(out,
				regexp.MustCompile(`(?s)\{\{[<%]\s*`+name+`\b[^{}]*[>%]\}\}.*?\{\{[<%]\s*/\s*`+name+`\s*[>%]\}\}`),
				regexp.MustCompile(`(?s)\{%-?\s*`+name+`\b[^{}]*%\}.*?\{%-?\s*end`+name+`\s*-?%\}`))
		}
		return append(out,
			regexp.MustCompile(`(?s)\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}`),
			regexp.MustCompile(`(?s)\{\{[<%]\s*/\*.*?\*/\s*[>%]\}\}`))
	}()

	shortcode  = regexp.MustCompile(`(?s)\{\{[<%].*?[%>]\}\}`)
	liquidTag  = regexp.MustCompile(`\{%[^{}\n]*%\}`)
	liquidExpr = regexp.MustCompile(`\{\{[^{}\n]*\}\}`)
	comment    = regexp.MustCompile(`(?s)<!--.*?-->`)
	// Obsidian's. A percent sign can be doubled for other reasons, so those of many lines
	// have nothing else on the first and the last, and those within a line stand behind a
	// space and no number.
	// https://help.obsidian.md/syntax
	blockComment = regexp.MustCompile(`(?m)^ {0,3}%%(?:[ \t]*\n(?:.*\n)*? {0,3}%%|(?:[^%\n]|%[^%\n])+%%)[ \t]*$`)
	lineComment  = regexp.MustCompile(`(^[ \t]*|[^\pN \t][ \t]+)%%(?:[^%]|%[^%])+%%(?:[ \t]*%%(?:[^%]|%[^%])+%%)*`)
	highlight    = regexp.MustCompile(`(^|[^\w=])==([^=\s](?:[^=]*[^=\s])?)==`)
	blockID      = regexp.MustCompile(`(^|[ \t])\^[0-9-]*[a-zA-Z][a-zA-Z0-9-]*[ \t]*$`) // of digits alone it is a power

	embed     = regexp.MustCompile(`!\[\[[^\[\]\n]*\]\]`)
	wikiLabel = regexp.MustCompile(`\[\[[^\[\]\n|]+\|([^\[\]\n]+)\]\]`)
	wikiLink  = regexp.MustCompile(`\[\[([^\[\]\n|]+)\]\]`)

	divFence    = regexp.MustCompile(`^\s*:{3,}\s*(\{.*\}|[\w.-]+)?\s*:*\s*$`)
	attrLine    = regexp.MustCompile(`^\s*\{\s*([.#][\w-]+|[\w-]+=("[^"]*"|[^\s"{}]+))(\s+([.#][\w-]+|[\w-]+=("[^"]*"|[^\s"{}]+)))*\s*\}\s*$`)
	termLine    = regexp.MustCompile(`^:\s+(\S.*)$`)
	brokenRule  = regexp.MustCompile(`^(-+|=+) {2,}$`)
	spanAttr    = regexp.MustCompile(`\[([^\[\]]*)\]\{\s*[.#][a-zA-Z][\w-]*(?:\s[^{}\n]*)?\}`)
	otherAttr   = regexp.MustCompile(`\s?\{\s*[.#][a-zA-Z][\w-]*(?:\s[^{}\n]*)?\}`)
	bracedMark  = regexp.MustCompile(`\{([-+=_*^~])([^{}\n]+?)([-+=_*^~])\}`)
	bracedQuote = regexp.MustCompile(`\{(["'])|(["'])\}`)

	mdxLine   = regexp.MustCompile(`(?m)^(import\s.*from\s.*|export\s(const|default)\s.*)$`)
	deepNests = regexp.MustCompile(`^(?:[ \t]{0,3}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])){33,}`)
)

// dropMarkup takes the dialects' markup out of a Markdown text, except inside
// code fences, which go whole later on.
func dropMarkup(s string) string {
	var out, prose strings.Builder
	flush := func() {
		out.WriteString(dropInProse(prose.String()))
		prose.Reset()
	}
	fence := ""
	for line := range strings.Lines(s) {
		mark := fenceMark(line)
		switch {
		case fence == "" && mark != "":
			flush()
			fence = mark
			out.WriteString(line)
		case fence != "":
			out.WriteString(line)
			if strings.HasPrefix(mark, fence) && strings.Trim(strings.Trim(line, " \t\n>"), fence[:1]) == "" {
				fence = ""
			}
		default:
			// No one nests quotations so deep, and parsers are slow when one does.
			prose.WriteString(deepNests.ReplaceAllString(line, ""))
		}
	}
	flush()
	return out.String()
}

// fenceMark is the run of ` or ~ that begins a line, three or more of them.
func fenceMark(line string) string {
	line = strings.TrimLeft(line, " \t>")
	for _, c := range "`~" {
		n := 0
		for n < len(line) && line[n] == byte(c) {
			n++
		}
		if n >= 3 && (c == '~' || !strings.Contains(line[n:], "`")) {
			return line[:n]
		}
	}
	return ""
}

func dropInProse(s string) string {
	if strings.Contains(s, "{{") || strings.Contains(s, "{%") {
		for _, re := range enclosing {
			s = re.ReplaceAllString(s, "")
		}
		s = shortcode.ReplaceAllString(s, "")
		s = outsideCode(s, func(s string) string {
			return liquidExpr.ReplaceAllString(liquidTag.ReplaceAllString(s, ""), "")
		})
	}
	s = comment.ReplaceAllString(s, "")
	s = blockComment.ReplaceAllString(s, "")
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		bare := strings.TrimRight(line, "\n")
		switch {
		case divFence.MatchString(bare), attrLine.MatchString(bare):
			// A blank line, so that what comes before and after stay two blocks.
			lines[i] = "\n"
		case brokenRule.MatchString(bare) && i > 0 && strings.HasSuffix(lines[i-1], "  \n"):
			// A line of dashes in a poem, not the underlining of a heading.
			lines[i] = `\` + line
		case termLine.MatchString(bare) && (i == 0 || strings.TrimSpace(lines[i-1]) == ""):
			lines[i] = termLine.FindStringSubmatch(bare)[1] + "\n"
		case blockID.MatchString(bare) && (i+1 == len(lines) || strings.TrimSpace(lines[i+1]) == "" || listLine.MatchString(lines[i+1])):
			lines[i] = blockID.ReplaceAllString(bare, "") + "\n"
		}
	}
	s = strings.Join(lines, "")
	if strings.Contains(s, "]{") {
		s = spanAttr.ReplaceAllString(s, "$1")
	}
	return outsideCode(s, func(s string) string {
		if strings.Contains(s, "%%") {
			s = lineComment.ReplaceAllString(s, "$1")
		}
		if strings.Contains(s, "==") {
			s = highlight.ReplaceAllString(s, "$1$2")
		}
		if strings.Contains(s, "[[") {
			s = embed.ReplaceAllString(s, "")
			s = wikiLabel.ReplaceAllString(s, "$1")
			s = wikiLink.ReplaceAllString(s, "$1")
		}
		if strings.Contains(s, "{") {
			s = otherAttr.ReplaceAllString(s, "")
			s = bracedMark.ReplaceAllStringFunc(s, func(m string) string {
				if m[1] != m[len(m)-2] {
					return m
				}
				return m[2 : len(m)-2]
			})
		}
		if strings.ContainsAny(s, "{}") {
			s = bracedQuote.ReplaceAllString(s, "$1$2")
		}
		return s
	})
}

// outsideCode applies f to each line, but for the code spans in it.
func outsideCode(s string, f func(string) string) string {
	if !strings.ContainsAny(s, "{%=") && !strings.Contains(s, "[[") {
		return s
	}
	var b strings.Builder
	for line := range strings.Lines(s) {
		if !strings.Contains(line, "`") {
			b.WriteString(f(strings.TrimRight(line, "\n")))
			if strings.HasSuffix(line, "\n") {
				b.WriteByte('\n')
			}
			continue
		}
		for line != "" {
			i := strings.IndexByte(line, '`')
			if i < 0 {
				i = len(line)
			}
			body := strings.TrimRight(line[:i], "\n")
			b.WriteString(f(body))
			b.WriteString(line[len(body):i])
			line = line[i:]
			n := len(line) - len(strings.TrimLeft(line, "`"))
			if n == 0 {
				break
			}
			end := strings.Index(line[n:], line[:n])
			if end < 0 {
				b.WriteString(line) // a code span that goes on in the next line
				break
			}
			b.WriteString(line[:n+end+n])
			line = line[n+end+n:]
		}
	}
	return b.String()
}
