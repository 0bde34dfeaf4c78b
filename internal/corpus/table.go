package corpus

import (
	"cmp"
	"slices"
	"strings"
	"time"

	stroke "github.com/getstroke/stroke"
)

// Row is a line of the table that a writer sees: one document, or something
// that was left out.
type Row struct {
	Source string      `json:"source"`
	Title  string      `json:"title,omitempty"`
	Words  int         `json:"words"`
	Role   stroke.Role `json:"role,omitempty"` // empty for what was left out
	Why    string      `json:"why"`
	Hint   string      `json:"hint,omitempty"`
	Files  int         `json:"files,omitempty"` // where the line stands for several
	Part   bool        `json:"part,omitempty"`  // left out of a file that was read otherwise
	Date   string      `json:"date,omitempty"`  // of the document, 2006-01-02, where known
	Gone   bool        `json:"gone,omitempty"`  // in the ledger, no longer among the files
}

// Table says what became of everything that was read, ordered by source. A
// document that was cut has a row for each block. Without a reading the table
// is that of the ledger; with one, what the ledger knows and the reading did
// not find is marked as gone.
func Table(r *Reading, l *Ledger) []Row {
	var rows []Row
	byHash := make(map[string]*Entry, len(l.Entries))
	blocks := map[string][]*Entry{}
	for i := range l.Entries {
		e := &l.Entries[i]
		byHash[e.Hash] = e
		if e.Parent != "" {
			blocks[e.Parent] = append(blocks[e.Parent], e)
		}
	}
	row := func(e *Entry) Row {
		return Row{Source: e.Source, Title: e.Title, Words: e.Words, Role: e.Role, Why: e.Why}
	}
	gone := func(e *Entry) Row {
		rw := row(e)
		rw.Gone, rw.Why = true, "no longer among the files; "+rw.Why
		return rw
	}
	if r == nil {
		for i := range l.Entries {
			if e := &l.Entries[i]; e.Gone {
				rows = append(rows, gone(e))
			} else {
				rows = append(rows, row(e))
			}
		}
		return ordered(rows)
	}
	without := "it has no role yet: the twin was not trained since it came"
	if len(l.Entries) == 0 || Enough(r.Words()) != nil {
		without = "it has no role: there is too little writing"
	}
	here := map[*Entry]bool{}
	for _, d := range r.Documents {
		if e := byHash[d.Hash]; e != nil {
			here[e] = true
			rw := row(e)
			rw.Source, rw.Date = d.Source, day(d.Date)
			rows = append(rows, rw)
			continue
		}
		if bs := blocks[d.Hash]; len(bs) > 0 {
			for _, e := range bs {
				here[e] = true
				rw := row(e)
				rw.Date = day(d.Date)
				rows = append(rows, rw)
			}
			continue
		}
		rows = append(rows, Row{Source: d.Source, Title: d.Title, Words: d.Words, Date: day(d.Date), Why: without})
	}
	for i := range l.Entries {
		if e := &l.Entries[i]; !here[e] {
			rows = append(rows, gone(e))
		}
	}
	for _, o := range r.Left {
		rows = append(rows, Row{Source: o.Source, Words: o.Words, Why: o.Reason, Hint: o.Hint, Files: o.Files, Part: o.Part})
	}
	return ordered(rows)
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// ordered sorts rows by source, the parts of a file by their number, and what
// was left out of a file behind what was read of it.
func ordered(rows []Row) []Row {
	slices.SortStableFunc(rows, func(a, b Row) int {
		af, an := sourceParts(a.Source)
		bf, bn := sourceParts(b.Source)
		return cmp.Or(strings.Compare(af, bf), rank(a)-rank(b), slices.Compare(an, bn))
	})
	return rows
}

func rank(r Row) int {
	if r.Role == "" {
		return 1
	}
	return 0
}

// sourceParts parts "a.md#2.3" into "a.md" and 2, 3.
func sourceParts(s string) (file string, n []int) {
	file, tail, ok := strings.Cut(s, "#")
	if !ok {
		return s, nil
	}
	for p := range strings.SplitSeq(tail, ".") {
		v := 0
		for _, c := range p {
			if c < '0' || c > '9' || v > 1<<20 {
				return s, nil // a "#" in the file's own name
			}
			v = v*10 + int(c-'0')
		}
		n = append(n, v)
	}
	return file, n
}
