package corpus

import (
	"strings"
	"testing"
)

// TestIndented reads manuscripts whose paragraphs are all indented, and leaves indented
// code and listings out.
func TestIndented(t *testing.T) {
	tired := "He was tired; he slept."
	long := strings.Repeat("So we went on round the pond, and nobody said a word. ", 4) + "Then it rained."
	more := strings.Repeat("There was a light in the house that we had not seen before. ", 6) + "It was late."
	code := "\tfunc main() {\n\t\tfmt.Println(\"Never. Say so.\");\n\t}\n"
	listing := "    card.json        what it is; what it was made from.\n    run/             the training at hand; the state of it.\n"
	own := prose("own", 40)
	for _, c := range []struct{ name, file, in, want string }{
		{"a semicolon", "a.md", "\t" + long + "\n\n\t" + tired, long + "\n\n" + tired},
		{"a price", "a.md", "\t" + long + "\n\n\tIt was $5, or ($3.50) for two.", long + "\n\nIt was $5, or ($3.50) for two."},
		{"a mark of code in a chapter", "a.md", "    " + long + "\n\n    In it I read x=1.\n\n    " + more, long + "\n\nIn it I read x=1.\n\n" + more},
		{"no blank lines", "a.md", "\t" + long + "\n\t" + tired + "\n\t" + more, long + "\n\n" + tired + "\n\n" + more},
		{"wrapped, the first lines indented more", "a.md", "      It was late when\n    we came to the pond; and\n    cold.\n      So we went on.", "It was late when we came to the pond; and cold.\n\nSo we went on."},
		{"verse", "a.md", "    The fog comes, it\n    On little cat feet;\n      It sits\n    And then moves on.", "The fog comes, it\nOn little cat feet;\nIt sits\nAnd then moves on."},
		{"code", "a.md", own + "\n\n" + code, own},
		{"a listing", "a.md", own + "\n\n" + listing, own},
		{"a page", "a.html", "<pre>" + more + "\n\nHe was tired; he slept.</pre>", more + "\n\nHe was tired; he slept."},
		{"code of a page", "a.html", "<p>" + own + "<pre>" + strings.ReplaceAll(code, "\t", "") + "</pre>", own},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := one(t, c.file, c.in); d.Text != c.want {
				t.Errorf("read is\n%s\nwant\n%s", d.Text, c.want)
			}
		})
	}
}
