package corpus

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	readability "codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// readHTML reads a web page: of a page with navigation around it, the article
// that Readability finds, of any other, the whole.
func readHTML(data []byte) (*source, error) {
	text, note, err := decode(data, true)
	if err != nil {
		return nil, err
	}
	src, err := parsePage(text)
	if err != nil {
		return nil, err
	}
	if src.title == "Exported Data" || looksLikeChat(textLines(src.blocks), false) { // the title is Telegram's
		return nil, errChat
	}
	if note != "" {
		src.notes = append(src.notes, note)
	}
	return src, nil
}

func parsePage(text string) (*source, error) {
	doc, err := parseHTML(text)
	if err != nil {
		return nil, err
	}
	if marked(text) || generator(doc) == MarkName {
		return nil, errOwn
	}
	src := &source{}
	whole := htmlWalker{src: &source{}}
	whole.walk(doc)
	whole.flush()
	if n := find(doc, atom.Title); n != nil {
		src.title = strings.Join(strings.Fields(textOf(n)), " ")
	}
	src.date = pageDate(doc)
	src.blocks = whole.src.blocks
	if !whole.chrome {
		return src, nil
	}
	article, err := readability.FromDocument(doc, nil)
	if err != nil || article.Node == nil {
		return src, nil // what it cannot make out is read whole
	}
	part := htmlWalker{src: &source{}}
	part.walk(article.Node)
	part.flush()
	if n := blockWords(part.src.blocks); n >= 100 || n*2 >= blockWords(whole.src.blocks) {
		src.blocks = part.src.blocks
		src.leave("outside the article of the page", proseWords(whole.src.blocks)-proseWords(part.src.blocks))
		if t := strings.TrimSpace(article.Title()); t != "" {
			src.title = t
		}
	}
	return src, nil
}

// textLines is the text of blocks, each from a line of its own.
func textLines(bs []block) string {
	var b strings.Builder
	for _, x := range bs {
		b.WriteString(x.text + "\n")
	}
	return b.String()
}

// blockWords counts the words that can become text.
func blockWords(bs []block) int {
	n := 0
	for _, b := range bs {
		if b.kind != blockCode && b.kind != blockTable && b.kind != blockNotice {
			n += countWords(b.text)
		}
	}
	return n
}

// proseWords is blockWords without headings, of which Readability takes one for the title.
func proseWords(bs []block) int {
	return blockWords(slices.DeleteFunc(slices.Clone(bs), func(b block) bool { return b.kind == blockHeading }))
}

// fragmentBlocks reads HTML that stands between the blocks of a Markdown file.
func fragmentBlocks(raw string) []block {
	if manyNodes(raw) {
		return []block{{kind: blockCode, text: raw}}
	}
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(raw), body)
	if err != nil {
		return []block{{kind: blockCode, text: raw}}
	}
	w := htmlWalker{src: &source{}}
	for _, n := range nodes {
		w.walk(n)
	}
	w.flush()
	return w.src.blocks
}

// htmlWalker turns a tree of HTML into blocks. The parser bounds the depth of
// a tree (512 elements), and with it the recursion here.
type htmlWalker struct {
	src    *source
	line   bytes.Buffer // the paragraph being put together
	quote  int          // block quotations around it
	list   int          // lists around it
	notice int          // publisher's sections around it
	chrome bool         // the page has navigation and the like around its text
	around int          // words of that
}

func (w *htmlWalker) flush() {
	s := w.line.String()
	w.line.Reset()
	// Two line breaks in a row are how old pages part paragraphs.
	for para := range strings.SplitSeq(s, "\n\n") {
		w.emit(blockPara, 0, para)
	}
}

func (w *htmlWalker) emit(kind blockKind, level int, text string) {
	switch {
	case kind == blockCode || kind == blockTable:
	case w.notice > 0:
		kind = blockNotice
	case w.quote > 0:
		kind = blockQuote
	}
	w.src.add(kind, level, text)
}

// inline appends text with runs of white space made one space. A no-break
// space is not white space but the writer's.
func (w *htmlWalker) inline(s string) {
	const space = " \t\n\r\f"
	if s == "" {
		return
	}
	fields := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(space, r) })
	if strings.ContainsRune(space, rune(s[0])) || len(fields) == 0 {
		w.space()
	}
	w.line.WriteString(strings.Join(fields, " "))
	if len(fields) > 0 && strings.ContainsRune(space, rune(s[len(s)-1])) {
		w.space()
	}
}

func (w *htmlWalker) space() {
	if s := w.line.Bytes(); len(s) > 0 && s[len(s)-1] != ' ' && s[len(s)-1] != '\n' {
		w.line.WriteByte(' ')
	}
}

func (w *htmlWalker) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.walk(c)
	}
}

func (w *htmlWalker) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		w.inline(n.Data)
		return
	case html.ElementNode:
	case html.DocumentNode:
		w.children(n)
		return
	default:
		return
	}
	if _, hidden := attr(n, "hidden"); hidden {
		return
	}
	switch n.DataAtom {
	case atom.Head, atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Canvas, atom.Svg, atom.Math,
		atom.Iframe, atom.Object, atom.Video, atom.Audio, atom.Picture, atom.Img, atom.Figure, atom.Figcaption,
		atom.Button, atom.Input, atom.Select, atom.Textarea, atom.Label:
		return
	case atom.Nav, atom.Footer:
		w.flush()
		w.chrome = true
		w.around += countWords(textOf(n))
		return
	case atom.Aside, atom.Form:
		w.chrome = true
		w.group(n)
	case atom.Header:
		// The header of an article holds its title.
		if find(n, atom.H1) == nil && find(n, atom.H2) == nil {
			w.chrome = true
			w.around += countWords(textOf(n))
			return
		}
		w.group(n)
	case atom.Br:
		w.line.Truncate(len(bytes.TrimRight(w.line.Bytes(), " ")))
		w.line.WriteByte('\n')
	case atom.Hr:
		w.flush()
		w.emit(blockRule, 0, "* * *")
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.flush()
		w.children(n)
		s := strings.Join(strings.Fields(w.line.String()), " ")
		w.line.Reset()
		level, _ := strconv.Atoi(n.Data[1:])
		w.emit(blockHeading, level, s)
	case atom.Blockquote:
		w.flush()
		w.quote++
		w.children(n)
		w.flush()
		w.quote--
	case atom.Pre:
		w.flush()
		s := textOf(n)
		if looksLikeProse(s) || find(n, atom.Code) == nil && looksLikeVerse(trimmedLines(s)) {
			w.emit(blockPara, 0, s)
		} else {
			w.emit(blockCode, 0, s)
		}
	case atom.Code, atom.Tt:
		w.line.WriteString("`" + strings.Join(strings.Fields(textOf(n)), " ") + "`")
	case atom.Table:
		w.flush()
		// Old pages are laid out in tables: their cells hold paragraphs.
		if find(n, atom.Th) == nil && (find(n, atom.P) != nil || find(n, atom.Br) != nil) {
			w.children(n)
			w.flush()
		} else {
			w.emit(blockTable, 0, textOf(n))
		}
	case atom.Ul, atom.Ol, atom.Menu:
		w.flush()
		if w.list > 64 {
			return
		}
		w.list++
		lines, rest := w.items(n, "")
		w.list--
		w.emit(blockList, 0, strings.Join(lines, "\n"))
		for _, b := range rest {
			w.emit(b.kind, 0, b.text)
		}
	case atom.P, atom.Div, atom.Section, atom.Article, atom.Main, atom.Body, atom.Dl, atom.Dt, atom.Dd, atom.Li,
		atom.Address, atom.Center, atom.Details, atom.Summary, atom.Tr, atom.Td, atom.Fieldset, atom.Hgroup:
		w.group(n)
	case atom.Sup:
		// The mark of a footnote is no word of the sentence.
		if find(n, atom.A) == nil {
			w.children(n)
		}
	default:
		w.children(n)
	}
}

// group walks an element whose text is its own paragraph.
func (w *htmlWalker) group(n *html.Node) {
	w.flush()
	publisher := publishers(n)
	if publisher {
		w.notice++
	}
	w.children(n)
	w.flush()
	if publisher {
		w.notice--
	}
}

// publishers reports whether an element is what Project Gutenberg puts around a book, or
// a page or section whose type in an EPUB says that it is not the text.
// https://www.w3.org/TR/epub-ssv-11/
func publishers(n *html.Node) bool {
	id, _ := attr(n, "id")
	class, _ := attr(n, "class")
	if id == "pg-header" || id == "pg-footer" || strings.Contains(class, "pg-boilerplate") {
		return true
	}
	if n.DataAtom != atom.Body && n.DataAtom != atom.Section {
		return false
	}
	types, _ := attr(n, "epub:type")
	for t := range strings.FieldsSeq(types) {
		switch t {
		case "cover", "toc", "copyright-page", "titlepage", "halftitlepage", "index", "landmarks", "loi", "lot":
			return true
		}
	}
	return false
}

// items are the lines of a list, nested ones indented by two spaces. What an
// item holds besides prose comes back as rest.
func (w *htmlWalker) items(n *html.Node, indent string) (lines []string, rest []block) {
	below := func(n *html.Node) []string {
		l, r := w.items(n, indent+"  ")
		rest = append(rest, r...)
		return l
	}
	number := 1
	if s, ok := attr(n, "start"); ok {
		if v, err := strconv.Atoi(s); err == nil {
			number = v
		}
	}
	for li := n.FirstChild; li != nil; li = li.NextSibling {
		if li.Type == html.TextNode {
			if s := strings.Join(strings.Fields(li.Data), " "); s != "" {
				lines = append(lines, indent+s)
			}
			continue
		}
		if li.Type != html.ElementNode {
			continue
		}
		if li.DataAtom == atom.Ul || li.DataAtom == atom.Ol {
			lines = append(lines, below(li)...)
			continue
		}
		marker := "- "
		if n.DataAtom == atom.Ol {
			marker = strconv.Itoa(number) + ". "
			number++
		}
		sub := htmlWalker{src: &source{}, list: w.list}
		var nested []string
		for c := li.FirstChild; c != nil; c = c.NextSibling {
			if c.DataAtom == atom.Ul || c.DataAtom == atom.Ol {
				if w.list < 64 {
					w.list++
					nested = append(nested, below(c)...)
					w.list--
				}
				continue
			}
			sub.walk(c)
		}
		sub.flush()
		first := true
		for _, b := range sub.src.blocks {
			switch {
			case b.kind == blockRule:
			case b.kind == blockCode || b.kind == blockTable || b.kind == blockQuote:
				rest = append(rest, b)
			case first:
				lines = append(lines, indent+marker+b.text)
				first = false
			default:
				lines = append(lines, indent+"  "+b.text)
			}
		}
		lines = append(lines, nested...)
	}
	return lines, rest
}

// attr is an attribute of an element.
func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// find is the first element of a kind under n, nil where there is none.
func find(n *html.Node, a atom.Atom) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.DataAtom == a {
			return d
		}
	}
	return nil
}

// textOf is all text under n.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// generator is the program that a page says it was made by.
func generator(doc *html.Node) string {
	for d := range doc.Descendants() {
		if d.Type == html.ElementNode && d.DataAtom == atom.Meta {
			if name, _ := attr(d, "name"); strings.EqualFold(name, "generator") {
				by, _ := attr(d, "content")
				return by
			}
		}
	}
	return ""
}

// pageDate is the date that a page states of itself, or zero.
func pageDate(doc *html.Node) time.Time {
	for d := range doc.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		var s string
		switch d.DataAtom {
		case atom.Meta:
			name, _ := attr(d, "name")
			prop, _ := attr(d, "property")
			switch strings.ToLower(name + prop) {
			case "date", "dc.date", "dcterms.created", "article:published_time":
				s, _ = attr(d, "content")
			}
		case atom.Time:
			s, _ = attr(d, "datetime")
		}
		if p := parseDate(s); !p.IsZero() {
			return p
		}
	}
	return time.Time{}
}
