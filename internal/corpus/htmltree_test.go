package corpus

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestManyNodes refuses pages that are far larger as a tree than as text, and reads those of
// a sloppy hand.
func TestManyNodes(t *testing.T) {
	distinct := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	fonts := distinct(400, "<font size=%d>") + strings.Repeat("<p>x", 5000)
	for name, c := range map[string]struct {
		page string
		many bool
	}{
		"paragraphs":           {strings.Repeat("<p>", mostNodes+1), true},
		"attributes":           {"<p " + distinct(mostNodes+1, "a%d ") + ">", true},
		"fonts never closed":   {fonts, true},
		"anchors never closed": {distinct(5000, "<a name=p%d>") + strings.Repeat("<p>x", 5000), false},
		"bold never closed":    {strings.Repeat("<p><b>x", 50_000), false},
		"fonts closed":         {distinct(50_000, "<p><font size=%d><b>x</b></font>"), false},
		"cells":                {"<table>" + distinct(2500, "<tr><td><font color=\"#%06x\" size=2>cell</td></tr>"), false},
		"cells never closed":   {"<table>" + distinct(2500, "<tr><td><font color=\"#%06x\" size=2>cell<td>so"), false},
		"captions":             {distinct(2500, "<table><caption><font color=\"#%06x\" size=2>so</caption><tr><th>so</table>"), false},
		"tables in cells":      {distinct(2500, "<table><tr><td><font size=%d><table><tr><td><b>so</table></table>"), false},
		"fonts in a cell":      {"<table><tr><td>" + fonts, true},
		"cells of no table":    {strings.Replace(fonts, "<p>", "<td></table><td><p>", 1), true},
		"fonts around a table": {strings.Replace(fonts, "<p>", "<table><td>so</td></td></th></table></td><p>", 1), true},
		"a cell of a table":    {"<table><td>" + strings.Replace(fonts, "<p>", "<table></td></th></caption><p>", 1), true},
		"a cell of a drawing":  {"<table><td>" + strings.Replace(fonts, "<p>", "<svg><td></td></svg><p>", 1), true},
		"a heading in a title": {"<table><caption>" + strings.Replace(fonts, "<p>", "<th></tr></th><p>", 1), true},
		"behind a body":        {"<table><td></tbody>" + strings.Replace(fonts, "<p>", "</td><p>", 1), true},
		"behind no head":       {"<table><td></thead>" + strings.Replace(fonts, "<p>", "</td></table><p>", 1), false},
		"a table in a choice":  {strings.Replace(fonts, "<p>", "<select><table><td></select><p>", 1), true},
		"text":                 {"<p>" + strings.Repeat("So we went on. ", 300_000), false},
		"a script":             {"<script>" + strings.Repeat("<p>", mostNodes+1) + "</script>", false},
	} {
		if got := manyNodes(c.page); got != c.many {
			t.Errorf("%s: %v", name, got)
		}
	}
	page := fonts
	if _, err := parse(formatHTML, "a.html", []byte(page)); !errors.Is(err, errNodes) {
		t.Errorf("a page: %v", err)
	}
	src, err := parse(formatEPUB, "a.epub", []byte(epub("<p>so</p>", page)))
	if err != nil || len(src.notes) != 1 {
		t.Errorf("a page of a book: %v", err)
	}
	if bs := fragmentBlocks(page); len(bs) != 1 || bs[0].kind != blockCode {
		t.Errorf("in Markdown it is %d blocks", len(bs))
	}
}
