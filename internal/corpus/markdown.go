package corpus

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var markdownParser = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Footnote, extension.DefinitionList),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(looseNotes{}, 998))), // before that of footnotes, 999
).Parser()

// readMarkdown reads CommonMark with the common extensions, and with what
// Hugo, Jekyll, Djot, Pandoc and Obsidian put on top of it.
func readMarkdown(name string, data []byte) (*source, error) {
	text, note, err := decode(data, false)
	if err != nil {
		return nil, err
	}
	if marked(text) {
		return nil, errOwn
	}
	if looksLikeChat(text, false) {
		return nil, errChat
	}
	src := &source{}
	if note != "" {
		src.notes = append(src.notes, note)
	}
	f, body := frontMatter(text)
	if f.note != "" {
		src.notes = append(src.notes, f.note)
	}
	src.leave("front matter that does not parse", countWords(f.bad))
	if f.prose != "" {
		body = f.prose + "\n\n* * *\n\n" + body
	}
	src.title, src.sure, src.date = f.meta.title, f.meta.title != "", f.meta.date
	if strings.HasSuffix(strings.ToLower(name), ".mdx") {
		body = mdxLine.ReplaceAllString(body, "")
	}
	md := []byte(dropMarkup(body))
	pc := parser.NewContext()
	root := markdownParser.Parse(gmtext.NewReader(md), parser.WithContext(pc))
	src.leave("footnotes that nothing refers to", pc.Get(looseNoteWords).(int))
	w := mdWalker{md: md, src: src}
	w.children(root)
	return src, nil
}

// mdWalker turns the tree of a Markdown file into blocks.
type mdWalker struct {
	md  []byte
	src *source
}

func (w *mdWalker) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.block(c)
	}
}

func (w *mdWalker) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		w.src.add(blockHeading, n.Level, strings.ReplaceAll(w.inline(n), "\n", " "))
	case *ast.Paragraph, *ast.TextBlock, *east.DefinitionTerm:
		kind := blockPara
		if s := string(n.Lines().Value(w.md)); pipeTable(s) {
			kind = blockTable
		}
		w.src.add(kind, 0, w.inline(n))
	case *ast.List:
		text, rest := w.list(n, "")
		w.src.add(blockList, 0, text)
		w.src.blocks = append(w.src.blocks, rest...)
	case *ast.Blockquote:
		w.quote(n)
	case *ast.FencedCodeBlock:
		w.src.add(blockCode, 0, string(n.Lines().Value(w.md)))
	case *ast.CodeBlock:
		if s := string(n.Lines().Value(w.md)); looksLikeProse(s) {
			for _, para := range indentedParagraphs(s) {
				w.src.add(blockPara, 0, para)
			}
		} else {
			w.src.add(blockCode, 0, s)
		}
	case *ast.HTMLBlock:
		raw := string(n.Lines().Value(w.md))
		if n.HasClosure() {
			raw += string(n.ClosureLine.Value(w.md))
		}
		w.src.blocks = append(w.src.blocks, fragmentBlocks(raw)...)
	case *ast.ThematicBreak:
		w.src.add(blockRule, 0, "* * *")
	case *east.Table:
		w.src.add(blockTable, 0, w.words(n))
	case *east.FootnoteBacklink:
	default: // definition descriptions, footnotes and what other nodes hold blocks
		w.children(n)
	}
}

var alertLine = regexp.MustCompile(`^\[!(\w+)\][+-]?\s*`)

// quote keeps a quotation apart, except for the notes that GitHub and Obsidian
// write as quotations, which are the writer's own unless they are called quotations.
// https://help.obsidian.md/callouts
func (w *mdWalker) quote(n *ast.Blockquote) {
	before := len(w.src.blocks)
	w.children(n)
	inner := w.src.blocks[before:]
	kind := blockQuote
	if len(inner) > 0 {
		if m := alertLine.FindStringSubmatch(inner[0].text); m != nil {
			if inner[0].text = inner[0].text[len(m[0]):]; inner[0].text == "" {
				w.src.blocks = append(w.src.blocks[:before], inner[1:]...)
				inner = w.src.blocks[before:]
			}
			if name := strings.ToLower(m[1]); name != "quote" && name != "cite" {
				return
			}
			kind = blockCited
		}
	}
	for i := range inner {
		if k := inner[i].kind; k != blockCode && k != blockTable {
			inner[i].kind = kind
		}
	}
}

// list renders a list with its markers as they were typed; nested lists are
// indented by two spaces. What an item holds besides prose comes back as rest.
func (w *mdWalker) list(l *ast.List, indent string) (text string, rest []block) {
	var items []string
	number := l.Start
	for it := l.FirstChild(); it != nil; it = it.NextSibling() {
		marker := string(l.Marker)
		if l.IsOrdered() {
			marker = fmt.Sprintf("%d%c", number, l.Marker)
			number++
		}
		var parts []string
		for c := it.FirstChild(); c != nil; c = c.NextSibling() {
			switch c := c.(type) {
			case *ast.List:
				t, r := w.list(c, indent+"  ")
				rest = append(rest, r...)
				if t != "" {
					parts = append(parts, t)
				}
			case *ast.Paragraph, *ast.TextBlock:
				t := tidy(w.inline(c))
				if t == "" {
					continue
				}
				if len(parts) == 0 {
					t = indent + marker + " " + t
				} else {
					t = "\n" + t
				}
				parts = append(parts, t)
			default:
				sub := mdWalker{md: w.md, src: &source{}}
				sub.block(c)
				rest = append(rest, sub.src.blocks...)
			}
		}
		if len(parts) > 0 {
			items = append(items, strings.Join(parts, "\n"))
		}
	}
	if l.IsTight {
		return strings.Join(items, "\n"), rest
	}
	return strings.Join(items, "\n\n"), rest
}

// Marks that stand for line breaks while a paragraph is put together; neither
// survives decoding, so that no file holds one.
const (
	softBreak = '\u2028'
	hardBreak = '\u2029'
)

// inline is the text of a paragraph, as a reader sees it. Emphasis marks are
// gone, the marks around code stay: without them a name of a command reads as
// a word.
func (w *mdWalker) inline(n ast.Node) string {
	var b strings.Builder
	w.inlineTo(&b, n)
	var out []string
	for hard := range strings.SplitSeq(b.String(), string(hardBreak)) {
		lines := strings.Split(hard, string(softBreak))
		for i := range lines {
			lines[i] = strings.Trim(lines[i], " \t")
		}
		out = append(out, joinLines(lines))
	}
	return strings.Join(out, "\n")
}

func (w *mdWalker) inlineTo(b *strings.Builder, root ast.Node) {
	for n, into := root.FirstChild(), false; n != nil; n = following(n, root, into) {
		into = false
		switch c := n.(type) {
		case *ast.Text:
			v := c.Segment.Value(w.md)
			if !c.IsRaw() {
				v = util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(v)))
			}
			b.Write(v)
			switch {
			case c.HardLineBreak():
				b.WriteRune(hardBreak)
			case c.SoftLineBreak():
				b.WriteRune(softBreak)
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.CodeSpan:
			var code strings.Builder
			for t := c.FirstChild(); t != nil; t = t.NextSibling() {
				if s, ok := t.(*ast.Text); ok {
					code.Write(s.Segment.Value(w.md))
				}
			}
			s := strings.ReplaceAll(code.String(), "\n", " ")
			b.WriteString("`" + s + "`")
		case *ast.AutoLink:
			b.Write(c.Label(w.md))
		case *ast.RawHTML:
			if strings.HasPrefix(strings.ToLower(string(c.Segments.Value(w.md))), "<br") {
				b.WriteRune(hardBreak)
			}
		case *ast.Image, *east.FootnoteLink, *east.FootnoteBacklink:
		default:
			into = true
		}
	}
}

// following is the node that comes after n in the tree under root, among those within n
// only where into is set; nil behind the last. Emphasis nests as deep as a file says, so
// that nothing here calls itself for it.
func following(n, root ast.Node, into bool) ast.Node {
	if c := n.FirstChild(); into && c != nil {
		return c
	}
	for ; n != root; n = n.Parent() {
		if s := n.NextSibling(); s != nil {
			return s
		}
	}
	return nil
}

// words is all text under a node, for counting.
func (w *mdWalker) words(root ast.Node) string {
	var b strings.Builder
	for n := root; n != nil; n = following(n, root, true) {
		if t, ok := n.(*ast.Text); ok {
			b.Write(t.Segment.Value(w.md))
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// pipeTable recognises a table without the line under its head, which Djot allows.
func pipeTable(s string) bool {
	for l := range strings.SplitSeq(strings.TrimSpace(s), "\n") {
		l = strings.TrimSpace(l)
		if len(l) < 3 || l[0] != '|' || l[len(l)-1] != '|' {
			return false
		}
	}
	return true
}

func trimmedLines(s string) []string {
	var out []string
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}
