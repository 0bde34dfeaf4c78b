package corpus

import (
	"strings"
	"testing"
)

// TestDOCXLists reads items of lists as they are seen, and no other paragraph as one.
func TestDOCXLists(t *testing.T) {
	item := func(style, pr, text string) string {
		return `<w:p><w:pPr><w:pStyle w:val="` + style + `"/>` + pr + `</w:pPr><w:r><w:t>` + text + `</w:t></w:r></w:p>`
	}
	of := func(list, level string) string {
		return `<w:numPr><w:ilvl w:val="` + level + `"/><w:numId w:val="` + list + `"/></w:numPr>`
	}
	numbering := `<w:numbering ` + wordNS + `><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/></w:lvl>` +
		`<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>` +
		`<w:abstractNum w:abstractNumId="8"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="none"/></w:lvl></w:abstractNum>` +
		`<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>` +
		`<w:num w:numId="3"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num></w:numbering>`
	styles := `<w:styles ` + wordNS + `><w:style w:styleId="a"><w:name w:val="List Paragraph"/></w:style><w:style w:styleId="b"><w:name w:val="List Number"/>` +
		`<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style><w:style w:styleId="c"><w:name w:val="List Bullet"/></w:style></w:styles>`
	for _, c := range []struct{ name, body, want string }{
		{"a style alone", item("a", "", "one"), "one"},
		{"taken off", item("a", of("0", "0"), "one") + item("c", of("0", "0"), "two"), "one\n\ntwo"},
		{"bullets", item("a", of("2", "0"), "one") + item("c", "", "two"), "- one\n- two"},
		{"a level without a mark", item("a", of("2", "1"), "one"), "one"},
		{"numbers", item("a", of("1", "0"), "one") + item("b", "", "two"), "1. one\n2. two"},
		{"numbers in numbers", item("", of("1", "0"), "one") + item("", of("1", "1"), "a") + item("", of("1", "0"), "two") + item("", of("1", "1"), "a"),
			"1. one\n1. a\n2. two\n1. a"},
		{"counted on, and anew", item("", of("1", "0"), "one") + item("", "", "Well.") + item("", of("1", "0"), "two") + item("", of("3", "0"), "five") + item("", of("3", "0"), "six"),
			"1. one\n\nWell.\n\n2. two\n5. five\n6. six"},
		{"of no list that there is", item("", of("9", "99"), "one"), "- one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := one(t, "a.docx", zipped(map[string]string{"word/document.xml": `<w:document ` + wordNS + `><w:body>` + c.body + `</w:body></w:document>`,
				"word/styles.xml": styles, "word/numbering.xml": numbering}))
			if d.Text != c.want {
				t.Errorf("read is\n%s\nwant\n%s", d.Text, c.want)
			}
		})
	}
	if d := one(t, "a.docx", docx(strings.Repeat(item("", of("1", "0"), "one"), 2))); d.Text != "- one\n- one\n\nA note." {
		t.Errorf("without numbers: %q", d.Text)
	}
}
