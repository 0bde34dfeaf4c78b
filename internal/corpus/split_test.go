package corpus

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func titles(r *Reading) (out []string) {
	for _, d := range r.Documents {
		out = append(out, d.Title)
	}
	return out
}

func TestSplit(t *testing.T) {
	long := func(seed string) string { return prose(seed, 400) }
	for _, c := range []struct {
		name, file, in string
		want           []string // titles
	}{
		{"chapters of a book, whatever their level", "a.md",
			"# Title: The Pond\n\n## Author: N. N.\n\n-------\n\n## CHAPTER 1.\n\n" + long("a") + "\n\n### CHAPTER 2.\n\n" + long("b"),
			[]string{"The Pond, CHAPTER 1", "The Pond, CHAPTER 2"}},
		{"chapters with names", "a.md", "# The Pond\n\n## CHAPTER I - ICE\n\n" + long("a") + "\n\n## CHAPTER II - THAW\n\n" + long("b"),
			[]string{"CHAPTER I - ICE", "CHAPTER II - THAW"}},
		{"chapters of plain text, behind a table of contents", "a.txt",
			"THE POND\n\nCHAPTER I\nCHAPTER II\n\nCHAPTER I\n\n" + long("a") + "\n\nCHAPTER II\n\n" + long("b"),
			[]string{"THE POND, CHAPTER I", "THE POND, CHAPTER II"}},
		{"Roman numerals alone", "a.txt", "The Pond\n\nI\n\n" + long("a") + "\n\nII\n\n" + long("b"),
			[]string{"The Pond, I", "The Pond, II"}},
		{"parts and a prologue", "a.md", "# The Pond\n\n## Prologue\n\n" + long("p") + "\n\n# Part One\n\n## Chapter 1\n\n" + long("a") + "\n\n## Chapter 2\n\n" + long("b"),
			[]string{"The Pond, Prologue", "The Pond, Chapter 1", "The Pond, Chapter 2"}},
		{"stories under top headings", "a.md", "# Ice\n\n" + long("a") + "\n\n# Thaw\n\n" + long("b"), []string{"Ice", "Thaw"}},
		{"long stories under second headings", "a.md", "# Tales\n\n## Ice\n\n" + prose("a", 1200) + "\n\n## Thaw\n\n" + prose("b", 1200), []string{"Ice", "Thaw"}},
		{"sections of an essay are one piece", "a.md", "# Ponds\n\n## Ice\n\n" + long("a") + "\n\n## Thaw\n\n" + long("b"), []string{"Ponds"}},
		{"a post is one piece, whatever its headings", "2020-01-02-ponds.md", "# Ponds\n\nSo.\n\n# Part 1\n\n" + long("a") + "\n\n# Part 2\n\n" + long("b"), []string{"Ponds"}},
		{"entries of a journal", "a.md", "# Journal\n\n## 2024-03-05 - Ice\n\n" + prose("a", 40) + "\n\n## Wednesday, 6 March 2024\n\n" + prose("b", 40),
			[]string{"Ice", "Wednesday, 6 March 2024"}},
		{"entries of a journal in plain text", "a.txt", "March 5, 1924\n" + prose("a", 40) + "\n\nMarch 6th, 1924\n" + prose("b", 40),
			[]string{"March 5, 1924", "March 6th, 1924"}},
		{"a letter with its date is one piece", "a.txt", "5 March 1924\n\nDear Anna,\n\n" + prose("a", 40), []string{""}},
		{"a sentence that begins as a chapter does", "a.txt", "On Plans\n\nPart one of the plan failed. " + long("a") + "\n\nPart two of the plan failed too.\n\n" + long("b"), []string{"On Plans"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, map[string]string{c.file: c.in})
			if got := titles(r); !slices.Equal(got, c.want) {
				t.Errorf("titles %q, want %q; left out %v", got, c.want, r.Left)
			}
			for _, d := range r.Documents {
				if strings.Contains(d.Text, "CHAPTER") {
					t.Errorf("a chapter's heading is in the text of %q: %.60q", d.Title, d.Text)
				}
			}
		})
	}
}

func TestJournalDates(t *testing.T) {
	for s, want := range map[string]string{
		"2024-03-05":                     "2024-03-05",
		"2024/3/5":                       "2024-03-05",
		"05.03.2024":                     "2024-03-05",
		"5 March 2024":                   "2024-03-05",
		"5th of March, 2024":             "2024-03-05",
		"March 5, 2024":                  "2024-03-05",
		"Mar. 5th 2024":                  "2024-03-05",
		"Tuesday, March 5, 2024":         "2024-03-05",
		"Tue 5 Mar 2024, 7:30 pm":        "2024-03-05",
		"2024-03-05 (Tuesday)":           "2024-03-05",
		"2024-03-05: A walk":             "2024-03-05",
		"2024-02-31":                     "",
		"2024":                           "",
		"March 2024 was cold":            "",
		"On March 5, 2024 we left":       "",
		"2024-03-05 was the day we left": "",
	} {
		got, _ := journalDate(s)
		if f := got.Format(time.DateOnly); got.IsZero() != (want == "") || !got.IsZero() && f != want {
			t.Errorf("%q: %v, want %q", s, got, want)
		}
	}
}

func TestGutenberg(t *testing.T) {
	text := "The Project Gutenberg eBook of The Pond\n\nThis ebook is for the use of anyone anywhere at no cost, as they say.\n\n" +
		"*** START OF THE PROJECT GUTENBERG EBOOK THE POND ***\n\nProduced by Some Volunteers\n\nTHE POND\n\nContents\n\n" +
		"CHAPTER I.\n\n" + prose("a", 400) + "\n\nCHAPTER II.\n\n" + prose("b", 400) +
		"\n\n*** END OF THE PROJECT GUTENBERG EBOOK THE POND ***\n\nUpdated editions will replace the previous one."
	r := read(t, map[string]string{"pond.txt": text})
	if len(r.Documents) != 2 {
		t.Fatalf("titles %q", titles(r))
	}
	for _, d := range r.Documents {
		if strings.Contains(d.Text, "Gutenberg") || strings.Contains(d.Text, "editions") || strings.Contains(d.Text, "Produced") {
			t.Errorf("a notice is in %q", d.Title)
		}
	}
	found := false
	for _, l := range r.Left {
		found = found || strings.Contains(l.Reason, "Gutenberg") && l.Words > 20 && l.Part
	}
	if !found {
		t.Errorf("left out: %v", r.Left)
	}
}

func TestLicencesAndShortPieces(t *testing.T) {
	mit := "Permission is hereby granted, free of charge, to any person obtaining a copy " + prose("mit", 100)
	r := read(t, map[string]string{"a.md": prose("a", 30), "terms.txt": mit})
	if len(r.Documents) != 1 || leftOut(r, "terms.txt") == nil {
		t.Errorf("documents %q, left %v", titles(r), r.Left)
	}
}
