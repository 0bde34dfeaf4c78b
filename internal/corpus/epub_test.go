package corpus

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func epub(pages ...string) string { return guidedEPUB("", pages...) }

// guidedEPUB is a book with the references of a guide.
func guidedEPUB(guide string, pages ...string) string {
	files := map[string]string{
		"mimetype":               "application/epub+zip",
		"META-INF/container.xml": `<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>`,
	}
	var items, spine, toc strings.Builder
	for i, p := range pages {
		name := fmt.Sprintf("p %d.xhtml", i)
		files["OEBPS/"+name] = `<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>` + p + `</body></html>`
		fmt.Fprintf(&items, `<item id="p%d" href="p%%20%d.xhtml" media-type="application/xhtml+xml"/>`, i, i)
		fmt.Fprintf(&spine, `<itemref idref="p%d"/>`, i)
		fmt.Fprintf(&toc, `<li><a href="p%%20%d.xhtml#x">Page %d</a></li>`, i, i)
	}
	files["OEBPS/nav.xhtml"] = `<html><body><nav epub:type="toc"><ol>` + toc.String() + `</ol></nav></body></html>`
	files["OEBPS/book.opf"] = `<package><metadata xmlns:dc="d"><dc:title>The Book</dc:title><dc:date>1921-02-03</dc:date></metadata><manifest>` +
		`<item id="nav" href="nav.xhtml" properties="nav"/>` + items.String() + `</manifest><spine><itemref idref="nav"/>` + spine.String() + `</spine><guide>` + guide + `</guide></package>`
	return zipped(files)
}

func TestEPUB(t *testing.T) {
	r := read(t, map[string]string{"b.epub": epub(
		`<section epub:type="titlepage"><h1>The Book</h1><p>by nobody</p></section>`,
		`<h2>Chapter 1</h2><h3>The Pond</h3><p>`+prose("pond", 400)+`</p><blockquote><p>A letter in the story.</p></blockquote>`,
		`<p>`+prose("hill", 400)+`</p>`,
	)})
	if len(r.Documents) != 2 {
		t.Fatalf("%d documents; left %v", len(r.Documents), r.Left)
	}
	a, b := r.Documents[0], r.Documents[1]
	if a.Title != "Chapter 1. The Pond" || !strings.HasPrefix(a.Text, "pond0") || !strings.HasSuffix(a.Text, "A letter in the story.") {
		t.Errorf("first chapter: title %q, text %.40q", a.Title, a.Text)
	}
	if b.Title != "Page 2" || b.Source != "b.epub#2" || !strings.HasPrefix(b.Text, "hill0") {
		t.Errorf("second chapter: title %q, source %q, text %.40q", b.Title, b.Source, b.Text)
	}
	if a.Date.Year() != 1921 {
		t.Errorf("date %v", a.Date)
	}
}

// TestGuide leaves out a page that a book's guide names, and tells of it; one that the
// guide points into is read.
func TestGuide(t *testing.T) {
	pages := []string{`<h2>Contents</h2><p>All that is here</p>`, `<h2>One</h2><p>` + prose("pond", 400) + `</p>`}
	for _, c := range []struct {
		guide  string
		pages  []string
		titles []string
		left   []LeftOut
	}{
		{`<reference type="toc" href="p%200.xhtml"/>`, pages, []string{"The Book"},
			[]LeftOut{{Source: "b.epub", Reason: "pages beside the text of the book", Words: 5, Part: true}}},
		{`<reference type="toc" href="p%201.xhtml#toc"/>`, pages[1:], []string{"The Book"}, nil},
		{`<reference type="toc" href="p%200.xhtml#toc"/>`, []string{pages[1], `<h2>Two</h2><p>` + prose("hill", 400) + `</p>`}, []string{"One", "Two"}, nil},
		{`<reference type="index" href="p%200.xhtml"/>`, pages[1:], nil,
			[]LeftOut{{Source: "b.epub", Reason: "pages beside the text of the book", Words: 401}}},
	} {
		r, err := Read(t.Context(), write(t, map[string]string{"b.epub": guidedEPUB(c.guide, c.pages...)}), Options{})
		if (err == nil) != (c.titles != nil) {
			t.Fatalf("%s: %v", c.guide, err)
		}
		var titles []string
		for _, d := range r.Documents {
			titles = append(titles, d.Title)
		}
		if !slices.Equal(titles, c.titles) || !slices.Equal(r.Left, c.left) {
			t.Errorf("%s: read are %q, left out %+v", c.guide, titles, r.Left)
		}
	}
}

// TestAroundPages tells of the words around the text of a book's pages.
func TestAroundPages(t *testing.T) {
	r := read(t, map[string]string{"b.epub": epub(`<header><p>Of ponds</p></header><p>` + prose("pond", 400) + `</p><footer>Notes of mine</footer><nav><a href="x">On</a></nav>`)})
	want := []LeftOut{{Source: "b.epub", Reason: "headers, footers and navigation of its pages", Words: 6, Part: true}}
	if len(r.Documents) != 1 || !slices.Equal(r.Left, want) {
		t.Errorf("%d documents, left out %+v", len(r.Documents), r.Left)
	}
}

// TestTypesOfSections leaves out the section or the page whose type says that it is not
// the text, and nothing beside it.
func TestTypesOfSections(t *testing.T) {
	r := read(t, map[string]string{"b.epub": epub(
		`<section epub:type="titlepage"><p>The Book</p><p>by nobody</p></section><section epub:type="chapter"><h2>One</h2><p>`+prose("pond", 400)+`</p></section>`,
		`<h2>Two</h2><p>`+prose("hill", 400)+`</p><section epub:type="bodymatter"><section epub:type="index">Hill, 1</section><p>The end.</p></section>`,
	)})
	if len(r.Documents) != 2 || r.Documents[0].Title != "One" || !strings.HasPrefix(r.Documents[0].Text, "pond0") || !strings.HasSuffix(r.Documents[1].Text, "\n\nThe end.") {
		t.Errorf("read are %+v", r.Documents)
	}
	if len(r.Left) != 1 || r.Left[0].Words != 6 {
		t.Errorf("left out are %+v", r.Left)
	}
}
