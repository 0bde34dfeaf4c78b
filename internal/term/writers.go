package term

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke"
)

// shownFiles are named of each side where there are two writers.
const shownFiles = 6

// writers says that there seem to be two, with the files of each.
func writers(e stroke.WritersEvent) string {
	var b strings.Builder
	b.WriteString("these files may be by two writers: they differ more than one writer's own kinds of text do")
	for i, s := range e.Sides {
		side := [2]string{"one side", "the other"}[i]
		files := s.Files
		more := ""
		if n := len(files) - shownFiles; n > 1 {
			files, more = files[:shownFiles], fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(&b, "\n  %s, %s in %s: %s%s", side, some(s.Words, "word"), some(len(s.Files), "file"), name(strings.Join(files, ", ")), more)
	}
	for i, t := range e.Tells {
		if i == 0 {
			b.WriteString("\n  in a thousand words of each side: ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "“%s” %.1f and %.1f", t.Word, t.Rates[0], t.Rates[1])
	}
	if e.Hint != "" {
		b.WriteString("\n" + e.Hint)
	}
	return b.String()
}
