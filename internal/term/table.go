package term

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

const (
	tableGap  = 2  // spaces between columns
	tableFold = 24 // characters that a column which is broken into lines has at the least
)

// trailing is the room behind the last cell of a row.
var trailing = regexp.MustCompile(`(?m) +$`)

// Table writes rows under a heading in columns. Where they are beyond width, the columns
// spare are left out, one after another; then the widest is broken into lines. Where that
// does not do either, each row becomes lines of its own, with all that it has.
func Table(w io.Writer, width int, heading []string, rows [][]string, spare ...int) error {
	all := [][]string{heading}
	for _, r := range rows {
		shown := make([]string, len(r))
		for i, c := range r {
			shown[i] = name(c)
		}
		all = append(all, shown)
	}
	var b strings.Builder
	if cells, ok := fit(all, width, spare); ok {
		t := tabwriter.NewWriter(&b, 0, 4, tableGap, ' ', 0)
		for _, r := range cells {
			fmt.Fprintln(t, strings.Join(r, "\t"))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		text := trailing.ReplaceAllString(b.String(), "")
		b.Reset()
		b.WriteString(text)
	} else {
		for _, r := range all[1:] {
			for i, c := range r {
				if c != "" {
					fmt.Fprintln(&b, wrap(strings.TrimPrefix(heading[i]+": ", ": ")+c, width))
				}
			}
			fmt.Fprintln(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fit brings rows, the heading first, to a width, if it can.
func fit(rows [][]string, width int, spare []int) ([][]string, bool) {
	left := slices.Clone(spare)
	for beyond(rows, width) > 0 && len(left) > 0 {
		rows = without(rows, left[0])
		for i := range left {
			if left[i] > left[0] {
				left[i]--
			}
		}
		left = left[1:]
	}
	over := beyond(rows, width)
	if over == 0 {
		return rows, true
	}
	at, widest := 0, 0
	for i := range rows[0] {
		if n := columnWidth(rows, i); n > widest {
			at, widest = i, n
		}
	}
	if widest-over < tableFold {
		return nil, false
	}
	rows = folded(rows, at, widest-over)
	return rows, beyond(rows, width) == 0
}

// beyond is by how much rows are wider than width; 0 where they are not.
func beyond(rows [][]string, width int) int {
	all := 0
	for i := range rows[0] {
		all += columnWidth(rows, i) + tableGap
	}
	return max(0, all-tableGap-width)
}

func columnWidth(rows [][]string, i int) int {
	most := 0
	for _, r := range rows {
		most = max(most, utf8.RuneCountInString(r[i]))
	}
	return most
}

// without is rows without a column.
func without(rows [][]string, i int) [][]string {
	out := make([][]string, len(rows))
	for k, r := range rows {
		out[k] = slices.Delete(slices.Clone(r), i, i+1)
	}
	return out
}

// folded is rows with a column in lines of at most a width, as far as its words allow.
func folded(rows [][]string, at, width int) [][]string {
	var out [][]string
	for _, r := range rows {
		for i, l := range strings.Split(wrap(r[at], width), "\n") {
			line := make([]string, len(r))
			if i == 0 {
				copy(line, r)
			}
			line[at] = l
			out = append(out, line)
		}
	}
	return out
}
