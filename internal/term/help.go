package term

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Prose breaks the paragraphs of a help text into lines no wider than width. One in
// columns keeps its lines, each broken as [Hang] does; one that is set in, to be copied,
// stays as it is.
func Prose(s string, width int) string {
	parts := strings.Split(strings.TrimSpace(s), "\n\n")
	for i, p := range parts {
		switch {
		case strings.HasPrefix(p, " ") || strings.HasPrefix(p, "\t"):
		case columns.MatchString(p):
			parts[i] = Hang(p, width)
		default:
			parts[i] = wrap(strings.Join(strings.Fields(p), " "), width)
		}
	}
	return strings.Join(parts, "\n\n")
}

// columns is the gap between a name and what is said of it.
var columns = regexp.MustCompile(`[^ \n]( {2,})[^ ]`)

// Hang breaks lines wider than width: they go on below what is said of the name that
// they begin with, or where that leaves little room or there is none, below their
// beginning.
func Hang(s string, width int) string {
	const room = 20
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if utf8.RuneCountInString(l) <= width {
			continue
		}
		at := len(l) - len(strings.TrimLeft(l, " "))
		head := l[:at]
		gap := columns.FindStringSubmatchIndex(l)
		switch {
		case gap != nil && gap[3] <= width-room:
			at = gap[3]
			head = l[:at]
		case gap != nil:
			head = l[:gap[2]] + "\n" + strings.Repeat(" ", at+4)
			l = strings.Repeat(" ", at+4) + l[gap[3]:]
			at += 4
		}
		lines[i] = head + strings.ReplaceAll(wrap(l[at:], width-at), "\n", "\n"+strings.Repeat(" ", at))
	}
	return strings.Join(lines, "\n")
}
