package corpus

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

const hintDOCX = "open it in the program that wrote it and save it again, as .docx or .txt"

// readDOCX reads the text of a WordprocessingML document (ECMA-376): the
// paragraphs of its main part, mostly word/document.xml, with the styles that
// word/styles.xml names and the lists of word/numbering.xml, and the footnotes
// and endnotes behind them. Deleted text, comments, fields, drawings, text boxes
// and tables are left out.
func readDOCX(data []byte) (*source, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, err
	}
	src, err := a.document()
	if src == nil {
		src = &source{}
	}
	src.unpacked = a.spent
	return src, err
}

// document reads the parts of a DOCX.
func (a *archive) document() (*source, error) {
	main := a.related("", "officeDocument", "word/document.xml")
	body, err := a.read(main)
	if errors.Is(err, errNoEntry) {
		return nil, &unreadable{reason: "damaged: it holds no Word document", hint: hintDOCX}
	} else if err != nil {
		return nil, docxError(err)
	}
	src := &source{}
	w := docxWalker{src: src}
	if s, err := a.read(a.related(main, "styles", "word/styles.xml")); err == nil {
		w.styles = docxStyles(s)
	}
	if s, err := a.read(a.related(main, "numbering", "word/numbering.xml")); err == nil {
		w.lists = docxLists(s)
	}
	if err := w.walk(body); err != nil {
		return nil, docxError(err)
	}
	for _, notes := range []string{"footnotes", "endnotes"} {
		if s, err := a.read(a.related(main, notes, "word/"+notes+".xml")); err == nil {
			if err := w.walk(s); err != nil {
				src.notes = append(src.notes, "its "+notes+" cannot be read: "+err.Error())
			}
		}
	}
	src.leave("text boxes", w.boxes)
	if s, err := a.read("docProps/core.xml"); err == nil {
		var core struct {
			Title   string `xml:"title"`
			Created string `xml:"created"`
		}
		if unmarshalXML(s, &core) == nil {
			src.date = parseDate(core.Created)
			if src.title == "" && !templateTitle.MatchString(core.Title) {
				src.title = strings.TrimSpace(core.Title)
			}
		}
	}
	return src, nil
}

// related is the part that a part, or the package where that is "", names as its one of a
// kind (ECMA-376, part 2, 6.5): Word on the web calls parts as it likes. It is usual where
// none is named that the archive has.
func (a *archive) related(part, kind, usual string) string {
	var rels struct {
		Rel []struct {
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	dir, name := path.Split(part)
	b, err := a.read(dir + "_rels/" + name + ".rels")
	if err != nil || unmarshalXML(b, &rels) != nil {
		return usual
	}
	for _, r := range rels.Rel {
		if !strings.HasSuffix(r.Type, "/"+kind) {
			continue
		}
		target := r.Target
		if t, err := url.PathUnescape(target); err == nil {
			target = t
		}
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", dir, target)
		}
		if target = path.Clean(target)[1:]; a.files[target] != nil {
			return target
		}
	}
	return usual
}

// templateTitle is what programs put for a title when nobody gave one.
var templateTitle = regexp.MustCompile(`(?i)^(microsoft word\b.*|document ?\d*|untitled.*|normal|title)$`)

func docxError(err error) error {
	var u *unreadable
	if errors.As(err, &u) {
		return err
	}
	return &unreadable{reason: "damaged", hint: hintDOCX, err: err}
}

// docxStyle is a style of paragraphs.
type docxStyle struct {
	name string // in English and lower case, as in the standard
	list string // the number of the list that it makes
}

// docxStyles gives each style by its id, which is in the language of the program that
// wrote it.
func docxStyles(data []byte) map[string]docxStyle {
	type value struct {
		Val string `xml:"val,attr"`
	}
	var s struct {
		Styles []struct {
			ID   string `xml:"styleId,attr"`
			Name value  `xml:"name"`
			List value  `xml:"pPr>numPr>numId"`
		} `xml:"style"`
	}
	m := map[string]docxStyle{}
	if unmarshalXML(data, &s) != nil {
		return m // without them headings are paragraphs
	}
	for _, st := range s.Styles {
		m[st.ID] = docxStyle{name: strings.ToLower(st.Name.Val), list: st.List.Val}
	}
	return m
}

type docxWalker struct {
	src    *source
	styles map[string]docxStyle
	lists  map[string]*docxList

	line  strings.Builder
	style docxStyle
	item  bool   // the paragraph says of itself whether it is an item of a list
	list  string // the number of the list, "0" of none
	level int    // in the list
	prev  bool   // the paragraph before was an item of a list
	skip  bool   // a separator among the notes
	boxes int    // words in text boxes
}

// walk reads the paragraphs of one part.
func (w *docxWalker) walk(data []byte) error {
	d := newXML(data)
	depth, tables := 0, 0
	var table strings.Builder
	w.prev = false
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return fmt.Errorf("nested more than %d deep", maxXMLDepth)
			}
			switch t.Name.Local {
			case "del", "moveFrom", "instrText", "Fallback", "delText", "annotationRef", "pPrChange":
				if err := d.Skip(); err != nil {
					return err
				}
				depth--
			case "drawing", "pict", "object", "txbxContent":
				n, err := drawnWords(d)
				if err != nil {
					return err
				}
				w.boxes += n
				depth--
			case "footnote", "endnote":
				typ := xmlAttr(t, "type")
				w.skip = typ != "" && typ != "normal"
			case "tbl":
				tables++
			case "p":
				w.line.Reset()
				w.style, w.item, w.list, w.level = docxStyle{}, false, "", 0
			case "pStyle":
				w.style = w.styles[xmlAttr(t, "val")]
				if w.style.name == "" {
					w.style.name = strings.ToLower(xmlAttr(t, "val"))
				}
			case "numPr":
				w.item = true
			case "numId":
				w.list = xmlAttr(t, "val")
			case "ilvl":
				w.level = docxLevel(xmlAttr(t, "val"))
			case "tab":
				w.line.WriteByte('\t')
			case "br", "cr": // of a line, a column or a page
				w.line.WriteByte('\n')
			case "noBreakHyphen":
				w.line.WriteRune('\u2011')
			case "t":
				s, err := elementText(d)
				if err != nil {
					return err
				}
				depth--
				w.line.WriteString(s)
			}
		case xml.EndElement:
			depth--
			switch t.Name.Local {
			case "tbl":
				if tables--; tables == 0 {
					w.src.add(blockTable, 0, table.String())
					table.Reset()
				}
			case "p":
				if tables > 0 {
					table.WriteString(w.line.String() + "\n")
				} else if !w.skip {
					w.paragraph()
				}
			case "footnote", "endnote":
				w.skip = false
			}
		}
	}
}

// drawnWords skips the rest of an element and counts the words in its text boxes. What is
// there for older programs says the same again.
func drawnWords(d *xml.Decoder) (int, error) {
	var text strings.Builder
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return 0, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return 0, fmt.Errorf("nested more than %d deep", maxXMLDepth)
			}
			switch t.Name.Local {
			case "Fallback", "del", "moveFrom", "pPrChange":
				if err := d.Skip(); err != nil {
					return 0, err
				}
				depth--
			case "t":
				s, err := elementText(d)
				if err != nil {
					return 0, err
				}
				text.WriteString(s)
				depth--
			}
		case xml.EndElement:
			depth--
			if t.Name.Local == "p" {
				text.WriteByte(' ')
			}
		}
	}
	return countWords(text.String()), nil
}

// elementText reads the characters of an element that holds nothing else.
func elementText(d *xml.Decoder) (string, error) {
	var b strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			if err := d.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return b.String(), nil
		}
	}
}

func (w *docxWalker) paragraph() {
	text := normalize(w.line.String())
	if strings.TrimSpace(text) == "" {
		w.prev = false
		return
	}
	prev := w.prev
	w.prev = false
	switch s := w.style.name; {
	case s == "title":
		if w.src.title == "" && len(w.src.blocks) == 0 {
			w.src.title = strings.Join(strings.Fields(text), " ")
			w.src.sure = true
			return
		}
		w.src.add(blockHeading, 1, text)
	case strings.HasPrefix(s, "heading "):
		level, err := strconv.Atoi(s[len("heading "):])
		if err != nil || level < 1 || level > 9 {
			level = 6
		}
		w.src.add(blockHeading, min(level, 6), strings.Join(strings.Fields(text), " "))
	case strings.HasPrefix(s, "toc ") || s == "toc heading":
		w.src.add(blockNotice, 0, text)
	case s == "quote" || s == "intense quote" || s == "block text":
		w.src.add(blockQuote, 0, text)
	case s == "html preformatted" || strings.Contains(s, "source code"):
		w.src.add(blockCode, 0, text)
	default:
		mark := w.mark()
		if mark == "" {
			w.src.add(blockPara, 0, text)
			return
		}
		item := mark + tidy(text)
		if n := len(w.src.blocks); prev && n > 0 && w.src.blocks[n-1].kind == blockList {
			w.src.blocks[n-1].text += "\n" + item
		} else {
			w.src.add(blockList, 0, item)
		}
		w.prev = true
	}
}

// mark is what stands before a paragraph that is an item of a list, "" before any other.
// Paragraphs of the style that Word calls "List Paragraph", or goes on in an item with, are
// items only where they say so.
func (w *docxWalker) mark() string {
	s := w.style.name
	if !w.item && (!strings.HasPrefix(s, "list ") || s == "list paragraph" || strings.HasPrefix(s, "list continue")) {
		return ""
	}
	list := cmp.Or(w.list, w.style.list)
	if list == "0" {
		return ""
	}
	return w.lists[list].mark(w.level)
}

func xmlAttr(t xml.StartElement, local string) string {
	for _, a := range t.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}
