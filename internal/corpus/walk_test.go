package corpus

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	stroke "github.com/getstroke/stroke"
)

// TestIgnoreFiles leaves out what an ignore file names, in whatever encoding an editor
// or a shell wrote it and in whatever form the letters of the names are.
func TestIgnoreFiles(t *testing.T) {
	var wide []byte
	for _, u := range utf16.Encode([]rune("\ufeffsmith.md\r\n\u00c9crits.md\r\n")) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, rules := range map[string]string{
		"UTF-16":         string(wide),
		"a mark of UTF8": "\ufeffsmith.md\n\u00c9crits.md\n",
		"apart":          "# of others\n\nsmith.md\nE\u0301crits.md",
	} {
		r := read(t, map[string]string{".strokeignore": rules, "smith.md": prose("smith", 40), "E\u0301crits.md": prose("other", 40), "own.md": prose("own", 40)})
		var sources []string
		for _, d := range r.Documents {
			sources = append(sources, d.Source)
		}
		if !slices.Equal(sources, []string{"own.md"}) {
			t.Errorf("%s: read are %q", name, sources)
		}
	}
}

// TestLegalNames leaves out licences, and not pieces that begin with such a word.
func TestLegalNames(t *testing.T) {
	for _, name := range []string{"LICENSE", "license-mit.txt", "COPYING", "NOTICE", "Security.md", "CODE_OF_CONDUCT.md", "changelog.md"} {
		if kindOf(name).reason == "" {
			t.Errorf("%s is read", name)
		}
	}
	for _, name := range []string{"notice-to-quit.md", "security-and-sleep.md", "authors-i-love.md", "licensed.md"} {
		if why := kindOf(name).reason; why != "" {
			t.Errorf("%s is left out: %s", name, why)
		}
	}
}

// TestMarked leaves out what bears the mark of what Stroke writes.
func TestMarked(t *testing.T) {
	said := prose("said", 60)
	files := map[string]string{"own.md": "As the page has it, " + Mark + "\n\n" + prose("own", 60), "talk.md": Mark + "\n\n" + said, "talk.txt": "\n" + Mark + "\n\n" + said,
		"talk.html": Mark + "<p>" + said, "report.html": `<!doctype html><html><head><meta name="Generator" content="` + MarkName + `"></head><body><p>` + said,
		"page.html": `<!doctype html><html><head><meta name="generator" content="Hugo"></head><body><p>` + prose("page", 60)}
	r := read(t, files)
	if len(r.Documents) != 2 || len(r.Left) != 4 {
		t.Errorf("read are %v, left out %v", r.Documents, r.Left)
	}
	for _, l := range r.Left {
		if l.Reason != MarkName || l.Hint == "" {
			t.Errorf("%+v", l)
		}
	}
}

// TestLooked counts the files of a folder while they are read.
func TestLooked(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.txt", "b.txt", "c.bin"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("The gate was left open for whoever came by. ", 10)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var told []int
	if _, err := Read(t.Context(), dir, Options{Looked: func(files int) { told = append(told, files) }}); err != nil {
		t.Fatal(err)
	}
	if len(told) != 3 || told[2] != 3 {
		t.Errorf("told %v", told)
	}
}

// TestCopies keeps of equal texts the one with the shorter path, and of paths as long the
// older.
func TestCopies(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	text := strings.Repeat("The ferry had not come by noon. ", 20)
	doc := func(source string, n int) stroke.Document {
		return stroke.Document{Hash: stroke.HashText(text), Source: source, Text: text, Words: 140, Date: day(n)}
	}
	for _, docs := range [][]stroke.Document{
		{doc("ferry copy.md", 3), doc("ferry.md", 2), doc("old/ferry.md", 1)},
		{doc("ferry.md", 1), doc("gerry.md", 2)},
		{doc("gerry.md", 2), doc("ferry.md", 1)},
	} {
		kept, dropped, _ := dropDuplicates(docs)
		if len(kept) != 1 || kept[0].Source != "ferry.md" || len(dropped) != len(docs)-1 {
			t.Fatalf("kept %v", kept)
		}
		for _, d := range dropped {
			if !d.same || d.of.Source != "ferry.md" || d.doc.Source == "ferry.md" {
				t.Errorf("%s is left out for %s", d.doc.Source, d.of.Source)
			}
		}
	}
}
