package corpus

import (
	"encoding/xml"
	"errors"
	"net/url"
	"path"
	"regexp"
	"strings"

	"golang.org/x/net/html/atom"
)

const hintEPUB = "convert it again, for instance with Calibre, or save it as text"

// epubPackage is what is read of a package document (EPUB 2 and 3).
type epubPackage struct {
	Title    []string `xml:"metadata>title"`
	Date     []string `xml:"metadata>date"`
	Manifest []struct {
		ID         string `xml:"id,attr"`
		Href       string `xml:"href,attr"`
		Type       string `xml:"media-type,attr"`
		Properties string `xml:"properties,attr"`
	} `xml:"manifest>item"`
	Spine struct {
		Toc   string `xml:"toc,attr"`
		Items []struct {
			IDRef  string `xml:"idref,attr"`
			Linear string `xml:"linear,attr"`
		} `xml:"itemref"`
	} `xml:"spine"`
	Guide []struct {
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	} `xml:"guide>reference"`
}

// readEPUB reads the pages of a book in the order of its spine. A page that
// the book's table of contents names begins a chapter.
func readEPUB(data []byte) (*source, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, err
	}
	src, err := a.book()
	if src == nil {
		src = &source{}
	}
	src.unpacked = a.spent
	return src, err
}

// book reads the container of an EPUB, its package and its pages.
func (a *archive) book() (*source, error) {
	if _, ok := a.files["META-INF/encryption.xml"]; ok {
		if b, err := a.read("META-INF/encryption.xml"); err == nil && !onlyFonts(b) {
			return nil, &unreadable{reason: "it is encrypted", hint: "only a book without copy protection can be read"}
		}
	}
	var container struct {
		Root []struct {
			Path string `xml:"full-path,attr"`
		} `xml:"rootfiles>rootfile"`
	}
	b, err := a.read("META-INF/container.xml")
	if err == nil {
		err = unmarshalXML(b, &container)
	}
	if err == nil && len(container.Root) == 0 {
		err = errors.New("its container names no package")
	}
	if err != nil {
		return nil, epubError(err)
	}
	opf := container.Root[0].Path
	var p epubPackage
	if b, err = a.read(opf); err == nil {
		err = unmarshalXML(b, &p)
	}
	if err != nil {
		return nil, epubError(err)
	}
	return a.pages(path.Dir(opf), &p)
}

func (a *archive) pages(dir string, p *epubPackage) (*source, error) {
	src := &source{}
	if len(p.Title) > 0 {
		src.title = strings.Join(strings.Fields(p.Title[0]), " ")
	}
	if len(p.Date) > 0 {
		src.date = parseDate(p.Date[0])
	}
	names := map[string]string{} // by id
	toc := ""
	skip := map[string]bool{}
	for _, it := range p.Manifest {
		name := resolve(dir, it.Href)
		names[it.ID] = name
		props := " " + it.Properties + " "
		if strings.Contains(props, " nav ") {
			toc, skip[name] = name, true
		} else if toc == "" && it.ID == p.Spine.Toc {
			toc = name
		}
		if strings.Contains(props, " cover-image ") {
			skip[name] = true
		}
	}
	for _, g := range p.Guide {
		if strings.Contains(g.Href, "#") {
			continue // it is a part of that page alone
		}
		switch g.Type {
		case "cover", "toc", "title-page", "copyright-page", "index":
			skip[resolve(dir, g.Href)] = true
		}
	}
	labels := a.labels(toc)
	failed, read, beside, around := 0, 0, 0, 0
	seen := map[string]bool{} // a page that a damaged spine names twice is read once
	for _, ref := range p.Spine.Items {
		name := names[ref.IDRef]
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		b, err := a.read(name)
		var pageBlocks []block
		words := 0
		if err == nil {
			pageBlocks, words, err = pageOf(b)
		}
		if errors.Is(err, errTooMuch) {
			return nil, err
		}
		if skip[name] || ref.Linear == "no" {
			beside += countWords(textLines(pageBlocks))
			continue
		}
		if err != nil {
			failed++
			continue
		}
		read++
		around += words
		src.blocks = append(src.blocks, markStart(pageBlocks, labels[name])...)
	}
	src.leave("pages beside the text of the book", beside)
	src.leave("headers, footers and navigation of its pages", around)
	if read == 0 && beside == 0 {
		return nil, &unreadable{reason: "damaged: none of its pages can be read", hint: hintEPUB}
	}
	if failed > 0 {
		src.notes = append(src.notes, "some of its pages are damaged and were left out")
	}
	return src, nil
}

// selfClosed is an empty element as XML writes it. An HTML parser takes it for
// the beginning of one, and an empty title would swallow the page.
var selfClosed = regexp.MustCompile(`<(title|script|style|a|span|p|div|i|b|em|strong|td|th|iframe|h[1-6])(\s[^<>]*)?/>`)

// pageOf reads one page, and counts the words of what stands around its text.
func pageOf(data []byte) (bs []block, around int, err error) {
	text, _, err := decode(data, true)
	if err != nil {
		return nil, 0, err
	}
	doc, err := parseHTML(selfClosed.ReplaceAllString(text, "<$1$2></$1>"))
	if err != nil {
		return nil, 0, err
	}
	w := htmlWalker{src: &source{}}
	w.walk(doc)
	w.flush()
	return w.src.blocks, w.around, nil
}

// markStart marks the heading that begins a page as the start of a chapter;
// where a page that the table of contents names has none, its label is put there.
func markStart(bs []block, label string) []block {
	for i := range bs {
		if bs[i].kind == blockHeading {
			bs[i].start = true
			return bs
		}
		if bs[i].kind != blockRule && bs[i].kind != blockNotice {
			break
		}
	}
	if label == "" || len(bs) == 0 {
		return bs
	}
	return append([]block{{kind: blockHeading, level: 1, text: label, start: true}}, bs...)
}

// labels are the entries of a table of contents by the page they lead to, the
// first of each: of a navigation document (EPUB 3) or an NCX (EPUB 2).
func (a *archive) labels(toc string) map[string]string {
	m := map[string]string{}
	b, err := a.read(toc)
	if toc == "" || err != nil {
		return m // a book can be read without it
	}
	put := func(href, label string) {
		name := resolve(path.Dir(toc), href)
		if label = strings.Join(strings.Fields(label), " "); label != "" && m[name] == "" {
			m[name] = label
		}
	}
	if strings.HasSuffix(toc, ".ncx") {
		d := newXML(b)
		label, inText := "", false
		for {
			t, err := d.Token()
			if err != nil {
				return m
			}
			switch t := t.(type) {
			case xml.StartElement:
				switch t.Name.Local {
				case "text":
					label, inText = "", true
				case "content":
					put(xmlAttr(t, "src"), label)
				}
			case xml.CharData:
				if inText {
					label += string(t)
				}
			case xml.EndElement:
				inText = false
			}
		}
	}
	doc, err := parseHTML(string(b))
	if err != nil {
		return m
	}
	for d := range doc.Descendants() {
		if d.DataAtom == atom.A {
			href, _ := attr(d, "href")
			put(href, textOf(d))
		}
	}
	return m
}

// resolve is the name in the archive of a reference in dir.
func resolve(dir, href string) string {
	href, _, _ = strings.Cut(href, "#")
	if u, err := url.PathUnescape(href); err == nil {
		href = u
	}
	return path.Join(dir, href)
}

// onlyFonts reports whether what an encryption file names is fonts alone,
// which readers obfuscate in books that are otherwise free.
func onlyFonts(data []byte) bool {
	var e struct {
		Refs []struct {
			URI string `xml:"URI,attr"`
		} `xml:"EncryptedData>CipherData>CipherReference"`
	}
	if unmarshalXML(data, &e) != nil {
		return false
	}
	for _, r := range e.Refs {
		switch strings.ToLower(path.Ext(r.URI)) {
		case ".ttf", ".otf", ".woff", ".woff2":
		default:
			return false
		}
	}
	return true
}

func epubError(err error) error {
	var u *unreadable
	if errors.As(err, &u) {
		return err
	}
	return &unreadable{reason: "damaged: it is no EPUB", hint: hintEPUB, err: err}
}
