package corpus

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
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
