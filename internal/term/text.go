package term

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Count writes a number with commas.
func Count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// some writes a number of things by their name.
func some(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + thing + "s"
}

// Bytes writes a size in powers of ten.
func Bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

// Span writes seconds as people say them.
func Span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// Visible writes the control characters of a text as Go does, and those that turn the
// direction of writing: what a file is called, or holds, commands no terminal. Ends of
// lines and tabs stay.
func Visible(s string) string { return visible(s, "\n\t") }

// name writes what stands within a line, such as a file's name.
func name(s string) string { return visible(s, "") }

func visible(s, keep string) string {
	hidden := func(r rune) bool {
		return (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError) && !strings.ContainsRune(keep, r)
	}
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r != utf8.RuneError && hidden(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
		s = s[n:]
	}
	return b.String()
}

// wrap breaks lines at spaces so that none is longer than width characters where
// that can be.
func wrap(s string, width int) string {
	width = max(width, 20)
	var out []string
	for _, l := range strings.Split(Visible(s), "\n") {
		at := 0
		var b strings.Builder
		for i, w := range strings.Fields(l) {
			n := utf8.RuneCountInString(w)
			if i > 0 {
				if at+1+n > width {
					b.WriteByte('\n')
					at = 0
				} else {
					b.WriteByte(' ')
					at++
				}
			}
			b.WriteString(w)
			at += n
		}
		out = append(out, b.String())
	}
	return strings.Join(out, "\n")
}

// Width is the width of the terminal that the printer's error stream is on; 80
// where there is none.
func (p *Printer) Width() int { return p.width }

// TableWidth is the width of the terminal that the output is. Where it is none a table
// may be as wide as it is, so that what reads it has every column.
func (p *Printer) TableWidth() int { return p.table }

// Paragraphs breaks a text of several paragraphs into lines no wider than the
// terminal, 80 columns at the most, an empty line between paragraphs.
func (p *Printer) Paragraphs(s string) string {
	var out []string
	for _, part := range strings.Split(s, "\n\n") {
		out = append(out, wrap(strings.Join(strings.Fields(part), " "), min(p.width, 80)))
	}
	return strings.Join(out, "\n\n")
}

// Indent breaks a text into lines no wider than the terminal, 100 columns at the
// most, and sets each in by two columns.
func (p *Printer) Indent(s string) string {
	return "  " + strings.ReplaceAll(wrap(s, min(p.width, 100)-2), "\n", "\n  ")
}
