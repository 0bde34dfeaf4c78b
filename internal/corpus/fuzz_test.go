package corpus

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	stroke "github.com/getstroke/stroke"
)

// checkPieces holds what is promised of every document, whatever bytes the
// file held: valid UTF-8, paragraphs parted by one empty line, no blank at
// either end, no control characters, and nothing made up.
func checkPieces(t *testing.T, f format, name string, data []byte) {
	src, err := parse(f, name, data)
	if err != nil {
		if strings.TrimSpace(err.Error()) == "" {
			t.Fatal("a reason without words")
		}
		return
	}
	pieces, left := split(src, 1)
	for _, p := range pieces {
		if !utf8.ValidString(p.text) {
			t.Fatalf("not UTF-8: %q", p.text)
		}
		if p.text == "" || strings.TrimSpace(p.text) != p.text {
			t.Fatalf("blank or blanks around it: %q", p.text)
		}
		if strings.Contains(p.text, "\n\n\n") || strings.ContainsAny(p.text, "\r\x00\u2028\u2029") {
			t.Fatalf("line ends: %q", p.text)
		}
	}
	for _, l := range left {
		if l.Reason == "" || l.Words < 0 {
			t.Fatalf("left out: %+v", l)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{
		"---\ntitle: a\ndate: 2021-02-03\n---\n# A\n\nb *c* `d`\n\n> e\n\n- f\n  1. g\n",
		"+++\ntitle = 'a'\n+++\n\n| a |\n|---|\n| b |\n\n```\nc\n```\n[^1]\n\n[^1]: d\n",
		"{{<a>}}\nb\n{{</a>}}\n::: c\n[d]{.e}\n{-f-}\n:::\n\n: g\n\n  h\n",
		"<div>\n<p>a\n\n<!-- b --> c\n</div>\n", "## 2024-03-05\n\na\n\n## 2024-03-06\n\nb", "a  \n---  \nb", "\\* &amp; &#0; &#x10ffff; [[a|b]]",
		"---\na: &x [*x, *x]\ntitle: *x\n---\n", "\xff\xfea\x00", "[a]: b\n\n[a][a] ![c](d) <http://e>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkPieces(t, formatMarkdown, "a.md", data) })
}

func FuzzFrontMatter(f *testing.F) {
	for _, s := range []string{"---\ntitle: a\n---\nb", "+++\ndate = 2021-02-03\n+++\n", "---\n? a\n: b\n---\n", "---\n---\n", "---\ntitle: !!binary x\n...\n", "---\ntitle: >\n  a\n  b\n---\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		f, body := frontMatter(s)
		if !strings.HasSuffix(s, body) {
			t.Fatalf("the body is not the end of the file: %q", body)
		}
		if f != (front{}) && body == s {
			t.Fatalf("front matter that was not found is %+v", f)
		}
		if f.prose != "" && (f.bad != "" || f.meta != (meta{})) {
			t.Fatalf("text is front matter too: %+v", f)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"A title\n\nb\nc", "CHAPTER I\n\na\n\nCHAPTER II\n\nb", "- a\n- b\n", "\xff\xfe\x00", "a\x93b\x94", "\xef\xbb\xbfa", "5 March 1924\na\n6 March 1924\nb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkPieces(t, formatText, "a.txt", data) })
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{"<p>a<br><br>b", "<nav>a</nav><article><h1>b</h1><p>c</p></article>", "<table><tr><td><p>a</table>", "<ul><li>a<ol start=3><li>b</ul>", "<meta charset=utf-16><p>a", "<pre>a</pre><blockquote>b", "<title>a</title><h2>Chapter 1</h2>b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkPieces(t, formatHTML, "a.html", data) })
}

// FuzzDOCX and FuzzEPUB fuzz the parts; the archive around them is that of the
// standard library, which FuzzArchive fuzzes with ours.
func FuzzDOCX(f *testing.F) {
	f.Add([]byte(para("Titel", "A")+para("", "b")), []byte("<w:styles/>"))
	f.Add([]byte("<w:tbl><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tbl>"), []byte("<"))
	f.Add([]byte("<w:p><w:r><w:t>a<w:x/>b</w:t><w:br/></w:r></w:p>"), []byte(""))
	f.Fuzz(func(t *testing.T, body, styles []byte) {
		checkPieces(t, formatDOCX, "a.docx", []byte(zipped(map[string]string{
			"word/document.xml": "<w:document>" + string(body) + "</w:document>", "word/styles.xml": string(styles)})))
	})
}

func FuzzEPUB(f *testing.F) {
	f.Add([]byte(`<package><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>`), []byte("<h1>A</h1><p>b"))
	f.Add([]byte(`<package><manifest><item id="a" href="../a.xhtml"/></manifest><spine toc="a"><itemref idref="a"/><itemref idref="a"/></spine></package>`), []byte("<title/><p>b"))
	f.Fuzz(func(t *testing.T, opf, page []byte) {
		checkPieces(t, formatEPUB, "a.epub", []byte(zipped(map[string]string{
			"META-INF/container.xml": `<container><rootfiles><rootfile full-path="o/b.opf"/></rootfiles></container>`,
			"o/b.opf":                string(opf), "o/a.xhtml": string(page), "a.xhtml": string(page)})))
	})
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte(docx(para("", "a"))))
	f.Add([]byte(epub("<p>a</p>")))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkPieces(t, formatDOCX, "a.docx", data)
		checkPieces(t, formatEPUB, "a.epub", data)
	})
}

// FuzzLedger holds that what is read can be written and read again the same.
func FuzzLedger(f *testing.F) {
	var b bytes.Buffer
	l := &Ledger{}
	if _, err := Assign(l, []stroke.Document{document("a", 700)}, AssignOptions{Now: noon}); err != nil {
		f.Fatal(err)
	}
	if err := WriteLedger(&b, l); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("{}\n\n{\"hash\":1}\nnull\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ReadLedger(bytes.NewReader(data))
		if l == nil {
			t.Fatal("no ledger")
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
		var out bytes.Buffer
		if err := WriteLedger(&out, l); err != nil {
			t.Fatal(err)
		}
		again, err := ReadLedger(&out)
		if err != nil || !reflect.DeepEqual(l, again) {
			t.Fatalf("read again: %v", err)
		}
	})
}
