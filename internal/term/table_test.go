package term

import (
	"io"
	"math"
	"strings"
	"testing"
)

// TestTableFits holds what gives way where a table is too wide: first what can be spared,
// then the width of the widest column, and at last the columns.
func TestTableFits(t *testing.T) {
	heading := []string{"name", "what it is for", "note", ""}
	rows := [][]string{{"one", "a thing of many words that take some room in a line", "spare", "yes"}, {"two", "little", "", ""}}
	whole := "name  what it is for                                       note\n" +
		"one   a thing of many words that take some room in a line  spare  yes\n" +
		"two   little\n"
	if w := New(io.Discard, io.Discard, Plain).TableWidth(); w != math.MaxInt {
		t.Errorf("where no terminal reads it, a table has %d columns", w)
	}
	for width, want := range map[int]string{
		math.MaxInt: whole,
		80:          whole,
		66: "name  what it is for\n" +
			"one   a thing of many words that take some room in a line  yes\n" +
			"two   little\n",
		40: "name  what it is for\n" +
			"one   a thing of many words that  yes\n" +
			"      take some room in a line\n" +
			"two   little\n",
		20: "name: one\nwhat it is for: a\nthing of many words\nthat take some room\nin a line\nnote: spare\nyes\n\n" +
			"name: two\nwhat it is for:\nlittle\n\n",
	} {
		var b strings.Builder
		if err := Table(&b, width, heading, rows, 2); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want {
			t.Errorf("%d columns:\n%s\nnot\n%s", width, got, want)
		}
	}
}

// TestHelp holds that help is no wider than asked for, and what goes on stands below what
// it belongs to.
func TestHelp(t *testing.T) {
	if got, want := Prose("One two\nthree four.\n\n/undo  take the last exchange back\n/quit  end\n", 28), "One two three four.\n\n/undo  take the last\n       exchange back\n/quit  end"; got != want {
		t.Errorf("prose is\n%s\nnot\n%s", got, want)
	}
	for width, want := range map[int]string{
		60: "  -n, --name string   name of the twin, which is that of its\n                      folder",
		36: "  -n, --name string\n      name of the twin, which is\n      that of its folder",
	} {
		if got := Hang("  -n, --name string   name of the twin, which is that of its folder", width); got != want {
			t.Errorf("%d columns:\n%s\nnot\n%s", width, got, want)
		}
	}
}
