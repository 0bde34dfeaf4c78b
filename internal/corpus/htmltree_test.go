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
