package corpus

import (
	"slices"
	"testing"
)

const wordNS = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"`

func docx(body string) string {
	return zipped(map[string]string{
		"word/document.xml": `<?xml version="1.0" encoding="UTF-8"?><w:document ` + wordNS + `><w:body>` + body + `</w:body></w:document>`,
		"word/styles.xml": `<w:styles ` + wordNS + `><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>` +
			`<w:style w:styleId="Titel"><w:name w:val="Title"/></w:style><w:style w:styleId="Zitat"><w:name w:val="Quote"/></w:style></w:styles>`,
		"word/footnotes.xml": `<w:footnotes ` + wordNS + `><w:footnote w:type="separator"><w:p><w:r><w:t>---</w:t></w:r></w:p></w:footnote>` +
			`<w:footnote w:id="2"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>`,
		"docProps/core.xml": `<cp:coreProperties xmlns:cp="a" xmlns:dc="b" xmlns:dcterms="c"><dc:title>Document1</dc:title>` +
			`<dcterms:created>2021-02-03T00:00:00Z</dcterms:created></cp:coreProperties>`,
	})
}

func para(style, text string) string {
	if style != "" {
		style = `<w:pPr><w:pStyle w:val="` + style + `"/></w:pPr>`
	}
	return `<w:p>` + style + `<w:r><w:t xml:space="preserve">` + text + `</w:t></w:r></w:p>`
}

func TestDOCX(t *testing.T) {
	d := one(t, "a.docx", docx(para("Titel", "On Frost")+para("berschrift1", "Early")+
		`<w:p><w:r><w:t xml:space="preserve">It was </w:t></w:r><w:del><w:r><w:delText>hot</w:delText></w:r></w:del><w:ins><w:r><w:t>cold</w:t></w:r></w:ins>`+
		`<w:r><w:t> &amp; wet.</w:t><w:br/><w:t>So.</w:t><w:br w:type="page"/><w:t>Then.</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>`+
		para("Zitat", "Quoth he.")+
		`<w:tbl><w:tr><w:tc>`+para("", "cell")+`</w:tc></w:tr></w:tbl>`+
		`<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>one</w:t></w:r></w:p><w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>two</w:t></w:r></w:p>`+
		para("", "End.")))
	want := "Early\n\nIt was cold & wet.\nSo.\nThen.\n\n- one\n- two\n\nEnd.\n\nA note."
	if d.Title != "On Frost" || d.Text != want || d.Date.Year() != 2021 {
		t.Errorf("title %q, date %v, text\n%s\nwant\n%s", d.Title, d.Date, d.Text, want)
	}
}

// TestDOCXParts reads endnotes, counts text boxes once, and takes no style that a
// paragraph had before it was changed.
func TestDOCXParts(t *testing.T) {
	box := func(s string) string {
		return `<w:pict><v:textbox><w:txbxContent>` + para("", s) + `</w:txbxContent></v:textbox></w:pict>`
	}
	body := `<w:p><w:pPr><w:pPrChange><w:pPr><w:pStyle w:val="Zitat"/><w:numPr/></w:pPr></w:pPrChange></w:pPr><w:r><w:t>` + prose("own", 40) + `</w:t></w:r>` +
		`<w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice><w:drawing><w:txbxContent>` + para("", prose("box", 10)) + para("", "and more") + `</w:txbxContent></w:drawing></mc:Choice>` +
		`<mc:Fallback>` + box(prose("box", 10)+" and more") + `</mc:Fallback></mc:AlternateContent></w:r></w:p><w:p><w:r>` + box("three words here") + `</w:r></w:p>` + para("", "End.")
	r := read(t, map[string]string{"a.docx": zipped(map[string]string{
		"word/document.xml": `<w:document ` + wordNS + ` xmlns:v="v"><w:body>` + body + `</w:body></w:document>`,
		"word/styles.xml":   `<w:styles ` + wordNS + `><w:style w:styleId="Zitat"><w:name w:val="Quote"/></w:style></w:styles>`,
		"word/endnotes.xml": `<w:endnotes ` + wordNS + `><w:endnote w:type="separator">` + para("", "---") + `</w:endnote><w:endnote w:id="2">` + para("", "A note.") + `</w:endnote></w:endnotes>`,
	})})
	if len(r.Documents) != 1 || r.Documents[0].Text != prose("own", 40)+"\n\nEnd.\n\nA note." {
		t.Errorf("read are %+v", r.Documents)
	}
	if want := []LeftOut{{Source: "a.docx", Reason: "text boxes", Words: 15, Part: true}}; !slices.Equal(r.Left, want) {
		t.Errorf("left out are %+v", r.Left)
	}
}

// TestDOCXNames reads a document whose parts have other names than the usual ones, and one
// that names parts it does not have.
func TestDOCXNames(t *testing.T) {
	rel := func(kind, target string) string {
		return `<Relationship Id="a" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/` + kind + `" Target="` + target + `"/>`
	}
	document := `<w:document ` + wordNS + `><w:body>` + para("Zitat", "Quoth he.") + para("", "It was cold.") + `</w:body></w:document>`
	styles := `<w:styles ` + wordNS + `><w:style w:styleId="Zitat"><w:name w:val="Quote"/></w:style></w:styles>`
	note := func(kind, text string) string {
		return `<w:` + kind + `s ` + wordNS + `><w:` + kind + ` w:id="2">` + para("", text) + `</w:` + kind + `></w:` + kind + `s>`
	}
	for name, files := range map[string]map[string]string{
		"other names": {
			"_rels/.rels":                   `<Relationships>` + rel("extended-properties", "docProps/app.xml") + rel("officeDocument", "/word/document2.xml") + `</Relationships>`,
			"word/_rels/document2.xml.rels": `<Relationships>` + rel("styles", "styles2.xml") + rel("footnotes", "/word/notes.xml") + `</Relationships>`,
			"word/document2.xml":            document, "word/styles2.xml": styles,
			"word/notes.xml": note("footnote", "A note."), "word/endnotes.xml": note("endnote", "Another."),
		},
		"escaped names": {
			"_rels/.rels":                 `<Relationships>` + rel("officeDocument", "word/my%20text.xml") + `</Relationships>`,
			"word/_rels/my text.xml.rels": `<Relationships>` + rel("styles", "the%20styles.xml") + `</Relationships>`,
			"word/my text.xml":            document, "word/the styles.xml": styles,
			"word/footnotes.xml": note("footnote", "A note."), "word/endnotes.xml": note("endnote", "Another."),
		},
		"names of nothing": {
			"_rels/.rels":                  `<Relationships>` + rel("officeDocument", "") + rel("officeDocument", "word/document9.xml") + `</Relationships>`,
			"word/_rels/document.xml.rels": `<Relationships>` + rel("styles", "%zz.xml") + rel("footnotes", "../../notes.xml") + `</Relationships>`,
			"word/document.xml":            document, "word/styles.xml": styles,
			"word/footnotes.xml": note("footnote", "A note."), "word/endnotes.xml": note("endnote", "Another."),
		},
	} {
		if d := one(t, "a.docx", zipped(files)); d.Text != "It was cold.\n\nA note.\n\nAnother." {
			t.Errorf("%s: read is %q", name, d.Text)
		}
	}
}
