package corpus

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	stroke "github.com/getstroke/stroke"
)

// write puts files into a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, files map[string]string) *Reading {
	t.Helper()
	r, err := Read(t.Context(), write(t, files), Options{MinWords: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// one reads a folder of one file that holds one document.
func one(t *testing.T, name, text string) stroke.Document {
	t.Helper()
	r := read(t, map[string]string{name: text})
	if len(r.Documents) != 1 {
		t.Fatalf("%d documents, want 1; left out: %v", len(r.Documents), r.Left)
	}
	return r.Documents[0]
}

func leftOut(r *Reading, source string) *LeftOut {
	for i := range r.Left {
		if r.Left[i].Source == source {
			return &r.Left[i]
		}
	}
	return nil
}

// prose is n words that no other seed shares.
func prose(seed string, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s%d", seed, i)
		if i%12 == 11 {
			b.WriteByte('.')
		}
	}
	return b.String()
}

// TestBadFrontMatter holds that front matter which does not parse is told of and counted.
func TestBadFrontMatter(t *testing.T) {
	r := read(t, map[string]string{"a.md": "---\ntitle: [On Frost\ntags: {a\n---\n" + prose("own", 40)})
	if len(r.Documents) != 1 || strings.Contains(r.Documents[0].Text, "Frost") || len(r.Notes) != 1 {
		t.Errorf("documents %v, notes %v", r.Documents, r.Notes)
	}
	if len(r.Left) != 1 || r.Left[0].Words != 5 || !r.Left[0].Part {
		t.Errorf("left out are %v", r.Left)
	}
	// Settings stay settings where one of them has a colon too many.
	r = read(t, map[string]string{"a.md": "---\ntitle: Why I left: a memoir of my father\ndescription: It is a story about leaving home. And of what came after it.\nauthor: Jane Doe\n---\n" + prose("own", 40)})
	if len(r.Documents) != 1 || strings.Contains(r.Documents[0].Text, "memoir") || len(r.Left) != 1 || len(r.Notes) != 1 {
		t.Errorf("of a title with two colons: documents %v, left out %v, notes %v", r.Documents, r.Left, r.Notes)
	}
}

// TestLooseFootnotes tells of footnotes that nothing refers to.
func TestLooseFootnotes(t *testing.T) {
	r := read(t, map[string]string{"a.md": "Cold[^1] again.\n\n[^1]: Minus nine.\n[^2]: Never *said*, or\n    meant.\n\n> [^x]: In a quotation."})
	want := []LeftOut{{Source: "a.md", Reason: "footnotes that nothing refers to", Words: 7, Part: true}}
	if len(r.Documents) != 1 || r.Documents[0].Text != "Cold again.\n\nMinus nine." || !slices.Equal(r.Left, want) {
		t.Errorf("read are %+v, left out %+v", r.Documents, r.Left)
	}
}

func TestMarkdown(t *testing.T) {
	for _, c := range []struct{ name, in, title, want string }{
		{"a paragraph's lines are joined, its marks gone",
			"A *slow* walk, **twice**\nround the [pond](https://e.org \"t\").\n\nThen home --- \"late\"... & wet.",
			"", "A slow walk, twice round the pond.\n\nThen home --- \"late\"... & wet."},
		{"escapes and entities", "2 \\* 3 &amp; 4 &mdash; five\\_six", "", "2 * 3 & 4 — five_six"},
		{"front matter of YAML", "---\ntitle: \"On Frost: a note\"\ndate: 2021-02-03\ntags: [a, b]\n---\n\nCold.", "On Frost: a note", "Cold."},
		{"front matter of Jekyll", "---\n\ntitle: On Frost\ndate: 2021-02-03\n---\nCold.", "On Frost", "Cold."},
		{"front matter of TOML", "+++\ntitle = 'On Frost'\ndate = 2021-02-03T10:00:00Z\n+++\nCold.", "On Frost", "Cold."},
		{"the only top heading is the title", "# On Frost\n\nCold.\n\n## Later\n\nWarm.", "On Frost", "Cold.\n\nLater\n\nWarm."},
		{"code, tables, images and comments go",
			"Before.\n\n```go\nfunc main() {}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![alt](x.png)\n\n<!-- more -->\n\nUse `ls -l` after.",
			"", "Before.\n\nUse `ls -l` after."},
		{"quotations of others go", "He wrote:\n\n> To be or not.\n\nI disagree.", "", "He wrote:\n\nI disagree."},
		{"a note in quotation marks of GitHub stays", "> [!NOTE]\n> Mind the gap.", "", "Mind the gap."},
		{"lists keep their lines", "To buy:\n\n- milk\n- bread\n  - rye\n  - wheat\n\n1. first\n2. second", "",
			"To buy:\n\n- milk\n- bread\n  - rye\n  - wheat\n\n1. first\n2. second"},
		{"verse keeps its lines", "The fog comes\nOn little cat feet\nAnd then moves on.", "", "The fog comes\nOn little cat feet\nAnd then moves on."},
		{"sentences on lines are no verse", "It rained.\nWe stayed in.\nNobody minded.", "", "It rained. We stayed in. Nobody minded."},
		{"hard breaks stay", "12 Mill Lane  \nOakham", "", "12 Mill Lane\nOakham"},
		{"a rule between scenes stays, one at the end goes", "One.\n\n* * *\n\nTwo.\n\n---\n", "", "One.\n\n* * *\n\nTwo."},
		{"shortcodes of Hugo go, what they enclose stays",
			"{{<img src=\"a.png\" alt=\"b\">}}\n\n{{<notice type=\"info\">}}\nMind this.\n{{</notice>}}\n\n{{< highlight go >}}\nx := 1\n{{< /highlight >}}\n\nEnd.",
			"", "Mind this.\n\nEnd."},
		{"tags of Liquid go", "{% include a.html %}\nA {{ site.name }}walk.", "", "A walk."},
		{"marks of Djot go", "::: note\nPress [Alt+F4]{.kbd} {-not-} {+now+}.\n:::\n\n{.wide #x}\nSaid {\"so\"}.", "",
			"Press Alt+F4 not now.\n\nSaid \"so\"."},
		{"links of Obsidian", "See [[Frost]] and [[Notes/Snow|the snow]].\n\n![[pic.png]]", "", "See Frost and the snow."},
		{"comments of Obsidian go", "It rained %%all week?%% today.\n\n%%\nnote to self:\n\nask `Anna`\n%%\n\n%% or Bert %%\nUse `%%time%%` at 5 %% of 6 % of it.", "",
			"It rained  today.\n\nUse `%%time%%` at 5 %% of 6 % of it."},
		{"prose between comments of Obsidian stays", "%%a mark%% First it rained.\n\nThen not.\n\nWe went on %%look%% %%and this%%\n\n%%a line%%\n\n> %%\n> theirs\n\nEnd.", "",
			"First it rained.\n\nThen not.\n\nWe went on\n\nEnd."},
		{"prose between rules of percent signs stays", "%%%\n\nOne.\n\n%%%\n\nTwo.\n\n%%%%\n\nThree.\n\n%%%%", "", "%%%\n\nOne.\n\n%%%\n\nTwo.\n\n%%%%\n\nThree.\n\n%%%%"},
		{"doubled percent signs stay", "It took 50%% of it and 30%% of the rest, 20 %% of which and 5 %% of that were mine (%%d and %%s).", "",
			"It took 50%% of it and 30%% of the rest, 20 %% of which and 5 %% of that were mine (%%d and %%s)."},
		{"marks of Obsidian go", "A ==slow walk==, ==twice==; if x==y and y==z, or a == b == c.\n\n- one ^first-id\n- two ^37066d\n\nThree. ^3c\n\nA room of 12 m ^2\n\n^table\n\nI agree with\n^this and ^that, as 10^3 has it.", "",
			"A slow walk, twice; if x==y and y==z, or a == b == c.\n\n- one\n- two\n\nThree.\n\nA room of 12 m ^2\n\nI agree with ^this and ^that, as 10^3 has it."},
		{"a caret before brackets stays", "Cold^[Minus nine.] and 2^[x] wet.", "", "Cold^[Minus nine.] and 2^[x] wet."},
		{"footnotes stand behind", "Cold[^1] again.\n\n[^1]: Minus nine.", "", "Cold again.\n\nMinus nine."},
		{"HTML between paragraphs", "One.\n\n<div class=\"x\"><p>Two <b>bold</b>.</p></div>\n\n<script>\nvar a = 1;\n\nvar b;\n</script>\n\nThree<br>four.", "",
			"One.\n\nTwo bold.\n\nThree\nfour."},
		{"an unclosed fence of front matter is a rule", "---\n\nNot a header.", "", "Not a header."},
		{"prose between two rules", "---\n\nIt rained all week.\n\n---\n\nThen not.", "", "It rained all week.\n\n* * *\n\nThen not."},
		{"prose between two lines of front matter", "---\nIt rained all week.\n---\nThen not.", "", "It rained all week.\n\n* * *\n\nThen not."},
		{"prose with a colon between them", "---\nHe said: the ferry was late again, and nobody on it minded.\n---\nThen not.", "",
			"He said: the ferry was late again, and nobody on it minded.\n\n* * *\n\nThen not."},
		{"prose that is no YAML between them", "---\nShe had written: come at once, the \"ferry\" is late. Bring: boots, milk.\n\nI did not go.\n---\nThen not.", "",
			"She had written: come at once, the \"ferry\" is late. Bring: boots, milk.\n\nI did not go.\n\n* * *\n\nThen not."},
		{"front matter with nothing in it", "---\n# nothing\n---\nCold.", "", "Cold."},
		{"front matter that says much", "---\ndescription: Of frost, of ponds, and of what lies under both of them all winter.\n---\nCold.", "", "Cold."},
		{"spelling and spaces within", "Teh  cat ,  realy…  'tis — so!!", "", "Teh  cat ,  realy…  'tis — so!!"},
		{"contents that repeat the headings go", "# T\n\n- [One](#one)\n- [Two](#two)\n- [Three](#three)\n\n## One\n\nA.\n\n## Two\n\nB.\n\n## Three\n\nC.",
			"T", "One\n\nA.\n\nTwo\n\nB.\n\nThree\n\nC."},
		{"a fence inside a quotation ends", "> ```\n> code\n> ```\n\n{{<img src=\"x\">}}\n\nAfter.", "", "After."},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := one(t, "a.md", c.in)
			if d.Text != c.want || d.Title != c.title {
				t.Errorf("title %q, text\n%s\nwant title %q, text\n%s", d.Title, d.Text, c.title, c.want)
			}
			if d.Hash != stroke.HashText(d.Text) || d.Words != countWords(d.Text) {
				t.Error("the hash or the number of words is not the text's")
			}
		})
	}
}

// TestDeepEmphasis reads emphasis that nests deep in little stack: a stack that is
// exhausted ends the process.
func TestDeepEmphasis(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(2 << 20))
	const n = 20_000
	deep := strings.Repeat("*a ", n) + "b" + strings.Repeat(" a*", n)
	r := read(t, map[string]string{"a.md": deep + "\n\n| c |\n|---|\n| " + deep + " |"})
	if len(r.Documents) != 1 || r.Documents[0].Words != 2*n+1 || len(r.Left) != 1 || r.Left[0].Words != 2*n+2 {
		t.Errorf("%d documents, left out %+v", len(r.Documents), r.Left)
	}
}

func TestDates(t *testing.T) {
	for name, text := range map[string]string{
		"2021-02-03-frost.md": "Cold.",
		"a.md":                "---\ndate: \"2021-02-03\"\n---\nCold.",
		"b.md":                "---\ndate: 2021-02-03 00:00:00\n---\nCold.",
		"c.md":                "+++\ndate = 2021-02-03\n+++\nCold.",
		"d.html":              "<meta name=date content=2021-02-03><p>Cold.",
	} {
		if d := one(t, name, text); !d.Date.Equal(time.Date(2021, 2, 3, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: date %v", name, d.Date)
		}
	}
}

func TestFrontMatterThatDoesNotParse(t *testing.T) {
	r := read(t, map[string]string{"a.md": "---\ntitle: [unclosed\n  - : :\n---\nCold."})
	if len(r.Documents) != 1 || r.Documents[0].Text != "Cold." || len(r.Notes) != 1 {
		t.Errorf("documents %v, notes %v", r.Documents, r.Notes)
	}
}

func TestText(t *testing.T) {
	wrapped := "It was a bright cold day in the month of April and all of the clocks in\n" +
		"the old town were striking at once, as though they had been told to do\n" +
		"so by somebody who had long since gone away and left no word behind her.\n\n" +
		"    And then came the verse that everybody knew, or said that they knew it,\n" +
		"which was the same thing in that town at that time, as it is in others.\n\n" +
		"Roses are red\nViolets are blue\n\n" +
		"- one thing\n- another thing\n"
	d := one(t, "a.txt", wrapped)
	want := "It was a bright cold day in the month of April and all of the clocks in " +
		"the old town were striking at once, as though they had been told to do " +
		"so by somebody who had long since gone away and left no word behind her.\n\n" +
		"And then came the verse that everybody knew, or said that they knew it, " +
		"which was the same thing in that town at that time, as it is in others.\n\n" +
		"Roses are red\nViolets are blue\n\n" +
		"- one thing\n- another thing"
	if d.Text != want {
		t.Errorf("got\n%s\nwant\n%s", d.Text, want)
	}

	long := prose("a", 60) + "\n" + prose("b", 60) + "\n" + prose("c", 60)
	if d := one(t, "b.txt", long); strings.Count(d.Text, "\n\n") != 2 {
		t.Errorf("lines that are paragraphs: %q", d.Text)
	}
	if d := one(t, "c.txt", "My First Winter\n\nIt was cold, and we said so."); d.Title != "My First Winter" || d.Text != "It was cold, and we said so." {
		t.Errorf("title %q, text %q", d.Title, d.Text)
	}
	if d := one(t, "letter", "Dear Anna,\n\nit is cold.\n\nYours,\nB."); d.Title != "" || d.Text != "Dear Anna,\n\nit is cold.\n\nYours,\nB." {
		t.Errorf("title %q, text %q", d.Title, d.Text)
	}
}

func TestEncodings(t *testing.T) {
	const text = "Die Straße war naß — “gut”, sagte er."
	utf16le := []byte{0xff, 0xfe}
	var utf16be []byte
	for _, u := range utf16.Encode([]rune(text)) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
		utf16be = append(utf16be, byte(u>>8), byte(u))
	}
	cp1252 := "Die Stra\xdfe war na\xdf \x97 \x93gut\x94, sagte er."
	for name, c := range map[string]struct {
		data string
		note bool
	}{
		"UTF-8":                {text, false},
		"UTF-8 with a mark":    {"\ufeff" + text, false},
		"UTF-16 with a mark":   {string(utf16le), true},
		"UTF-16 without":       {string(utf16be), true},
		"windows-1252":         {cp1252, true},
		"lines of old systems": {strings.ReplaceAll(text, " war", "\r\nwar"), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := read(t, map[string]string{"a.txt": c.data})
			if got := strings.ReplaceAll(r.Documents[0].Text, "\n", " "); got != text {
				t.Errorf("%q", got)
			}
			if (len(r.Notes) > 0) != c.note {
				t.Errorf("notes %v", r.Notes)
			}
		})
	}
	r := read(t, map[string]string{"a.txt": "Grüße aus Köln, schöne Tage, \xff übrig."})
	if r.Documents[0].Text != "Grüße aus Köln, schöne Tage,  übrig." || len(r.Notes) != 1 {
		t.Errorf("invalid UTF-8: %q, %v", r.Documents[0].Text, r.Notes)
	}
	for _, data := range []string{"\xff\xfeS\x00o\x00\x00\xd8.\x00", "\x93So\x81\x94"} {
		r := read(t, map[string]string{"a.txt": data})
		if !strings.Contains(r.Documents[0].Text, "So") || len(r.Notes) != 1 || !strings.HasSuffix(r.Notes[0].Text, "; 1 characters of it could not be read and were left out") {
			t.Errorf("%q: %q, %v", data, r.Documents[0].Text, r.Notes)
		}
	}
	if d := one(t, "a.html", "<meta charset=iso-8859-1><p>Stra\xdfe"); d.Text != "Straße" {
		t.Errorf("stated encoding: %q", d.Text)
	}
}

func TestHTML(t *testing.T) {
	d := one(t, "a.html", `<html><head><title>Frost</title><style>p{}</style></head><body>
<h1>Frost</h1><p>It was
   cold<sup><a href="#f">1</a></sup>,   and <em>we</em> said so.</p><pre><code>x = {1}</code></pre>
<blockquote><p>Quoth he.</p></blockquote><ul><li>one</li><li>two<ul><li>deep</li></ul></li></ul>
<p>Line<br>break.</p><p hidden>secret</p><hr><p>End&nbsp;here.</p></body></html>`)
	want := "It was cold, and we said so.\n\n- one\n- two\n  - deep\n\nLine\nbreak.\n\n* * *\n\nEnd\u00a0here."
	if d.Title != "Frost" || d.Text != want {
		t.Errorf("title %q\n%q\nwant\n%q", d.Title, d.Text, want)
	}

	page := `<html><head><title>A walk | My site</title></head><body><nav><a href=/>Home</a> <a href=/b>Blog</a></nav>
<div class="sidebar"><aside>Subscribe to the newsletter now</aside></div>
<article><h1>A walk</h1>` + strings.Repeat("<p>"+prose("walk", 50)+", and so on, with a comma or two.</p>", 6) + `</article>
<footer>Copyright 2020 by all of us</footer></body></html>`
	r := read(t, map[string]string{"a.html": page})
	d = r.Documents[0]
	for _, bad := range []string{"Subscribe", "Copyright", "Blog"} {
		if strings.Contains(d.Text, bad) {
			t.Errorf("%q is in the text", bad)
		}
	}
	if countWords(d.Text) < 300 {
		t.Errorf("%d words of the article are left", countWords(d.Text))
	}
	if len(r.Left) != 1 || r.Left[0].Words != 5 || !strings.Contains(r.Left[0].Reason, "outside the article") {
		t.Errorf("left out are %+v", r.Left)
	}
}

// TestHTMLLists reads what stands in a list beside its items, and tells of what is left
// out of them.
func TestHTMLLists(t *testing.T) {
	r := read(t, map[string]string{"a.html": `<p>To buy:</p><ul>for Anna <li>milk<pre><code>x = {1}</code></pre><ul><li>whole<blockquote>Quoth he.</blockquote></ul><li>bread<table><tr><th>rye</table></ul><p>End.`})
	if len(r.Documents) != 1 || r.Documents[0].Text != "To buy:\n\nfor Anna\n- milk\n  - whole\n- bread\n\nEnd." {
		t.Errorf("read are %+v", r.Documents)
	}
	words := map[string]int{}
	for _, l := range r.Left {
		words[l.Reason] = l.Words
	}
	if words["code"] != 3 || words["tables"] != 1 || words[reasonQuotes] != 2 {
		t.Errorf("left out are %+v", r.Left)
	}
}

// zipped makes an archive.
func zipped(files map[string]string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			panic(err)
		}
		f.Write([]byte(files[name]))
	}
	w.Close()
	return b.String()
}

// TestOneBadFileStopsNoOther holds every kind of bad input beside a good file.
func TestOneBadFileStopsNoOther(t *testing.T) {
	bomb := zipped(map[string]string{"word/document.xml": `<w:document ` + wordNS + `><w:body>` + strings.Repeat(" ", maxEntryBytes+1) + `</w:body></w:document>`})
	good := docx(para("", "fine"))
	files := map[string]string{
		"good.md":          prose("good", 40),
		"cut.docx":         good[:len(good)/2],
		"notzip.docx":      "this is no archive",
		"empty.docx":       zipped(map[string]string{"a": "b"}),
		"xml.docx":         zipped(map[string]string{"word/document.xml": "<w:document><w:body><w:p>"}),
		"bomb.docx":        bomb,
		"deep.docx":        zipped(map[string]string{"word/document.xml": strings.Repeat("<a>", 2000)}),
		"broken.epub":      zipped(map[string]string{"META-INF/container.xml": "<container/>"}),
		"deep.html":        strings.Repeat("<div>", 3000) + "x",
		"deep.md":          strings.Repeat(">", 100_000) + " x\n\n" + strings.Repeat("- ", 50_000) + "x",
		"brackets.md":      strings.Repeat("[", 20_000),
		"binary.txt":       "\x00\x01\x02\x03 text",
		"empty.md":         "",
		"paper.pdf":        "%PDF",
		"old.odt":          "x",
		"old.rtf":          "{\\rtf1}",
		"result.json":      `{"messages":[]}`,
		"package.json":     "{}",
		"_chat.txt":        "[31.12.23, 18:05:09] Anna: Hello there\n[31.12.23, 18:06:10] Bert: Hello\n[31.12.23, 18:07:11] Anna: So\n",
		"chat.zip":         "PK",
		"a.png":            "x",
		"b.png":            "x",
		"LICENSE":          "Permission is hereby granted",
		".hidden/x.md":     prose("hidden", 40),
		"short.md":         "Three words only.",
		"drafts/a.md":      prose("draft", 40),
		"private/diary.md": prose("diary", 40),
		".strokeignore":    "drafts/\nprivate/*\n!private/keep.md\n",
		"private/keep.md":  prose("keep", 40),
	}
	dir := write(t, files)
	outside := write(t, map[string]string{"secret.md": prose("secret", 40)})
	if err := os.Symlink(filepath.Join(outside, "secret.md"), filepath.Join(dir, "link.md")); err != nil {
		t.Log("no symbolic links here:", err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "linked")); err == nil {
		files["link.md"], files["linked"] = "", ""
	}
	r, err := Read(context.Background(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, d := range r.Documents {
		sources = append(sources, d.Source)
	}
	if !slices.Equal(sources, []string{"good.md", "private/keep.md"}) {
		t.Errorf("documents %v", sources)
	}
	for name, hint := range map[string]bool{
		"cut.docx": true, "notzip.docx": true, "empty.docx": true, "xml.docx": true, "bomb.docx": true, "deep.docx": true, "broken.epub": true,
		"deep.html": false, "binary.txt": false, "empty.md": false, "paper.pdf": true, "old.odt": true, "old.rtf": true,
		"result.json": true, "*.json": false, "_chat.txt": true, "chat.zip": true, "*.png": false, "LICENSE": false, "short.md": false,
		"drafts/": false, "private/diary.md": false, "hidden files and folders": false, "deep.md": false, "brackets.md": false,
	} {
		l := leftOut(r, name)
		if l == nil {
			t.Errorf("%s is not among what was left out", name)
			continue
		}
		if l.Reason == "" || l.Reason != strings.TrimSpace(l.Reason) || hint && l.Hint == "" {
			t.Errorf("%s: reason %q, hint %q", name, l.Reason, l.Hint)
		}
	}
	if l := leftOut(r, "*.png"); l != nil && l.Files != 2 {
		t.Errorf("*.png stands for %d files", l.Files)
	}
	if _, ok := files["linked"]; ok && (leftOut(r, "link.md") == nil || leftOut(r, "linked") == nil) {
		t.Error("a symbolic link is not among what was left out")
	}
}

func TestNothingToRead(t *testing.T) {
	if _, err := Read(t.Context(), filepath.Join(t.TempDir(), "none"), Options{}); stroke.CodeOf(err) != stroke.CodeNotFound || stroke.HintOf(err) == "" {
		t.Errorf("a missing folder: %v", err)
	}
	if _, err := Read(t.Context(), t.TempDir(), Options{}); stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
		t.Errorf("an empty folder: %v", err)
	}
	r, err := Read(t.Context(), write(t, map[string]string{"a.pdf": "%PDF"}), Options{})
	if stroke.CodeOf(err) != stroke.CodeInput || r == nil || len(r.Left) != 1 || !strings.Contains(err.Error(), "PDF") {
		t.Errorf("a folder of PDF: %v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, write(t, map[string]string{"a.md": "x"}), Options{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

func TestLimits(t *testing.T) {
	dir := write(t, map[string]string{"a.md": prose("a", 30), "b.md": prose("b", 3000), "c.md": prose("c", 30), "d.md": prose("d", 30)})
	r, err := Read(t.Context(), dir, Options{MaxTextBytes: 4000, MaxFiles: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Documents) != 2 || leftOut(r, "b.md") == nil || leftOut(r, "d.md") == nil {
		t.Errorf("%d documents, left %v", len(r.Documents), r.Left)
	}
}

// TestUnpackedLimit bounds what archives unpack to, whether they are read or refused, and
// not those of an ordinary folder.
func TestUnpackedLimit(t *testing.T) {
	blank := strings.Repeat(" ", 100_000)
	three := func(doc, book func(name string) string) map[string]string {
		files := map[string]string{}
		for _, name := range []string{"a", "b", "c"} {
			files[name+".docx"], files[name+".epub"] = doc(name), book(name)
		}
		return files
	}
	paras := func(name string) string { return docx(para("", prose(name, 40)) + blank) }
	pages := func(name string) string { return epub("<p>" + prose(name+name, 40) + "</p>" + blank) }
	for name, c := range map[string]struct {
		files  map[string]string
		most   int64
		read   int
		beyond int
	}{
		"all that are read":    {three(paras, pages), 160_000, 6, 0},
		"more than are read":   {three(paras, pages), 62_500, 3, 3},
		"more than is refused": {three(func(string) string { return docx(blank + "<w:p>") }, pages), 62_500, 1, 3},
		"broken books":         {three(paras, func(string) string { return zipped(map[string]string{"META-INF/container.xml": blank + "<a>"}) }), 62_500, 2, 3},
	} {
		r, err := Read(t.Context(), write(t, c.files), Options{MaxTotalBytes: c.most})
		if err != nil {
			t.Fatal(err)
		}
		beyond := 0
		for _, l := range r.Left {
			if strings.HasPrefix(l.Reason, "beyond") {
				beyond++
			}
		}
		if len(r.Documents) != c.read || beyond != c.beyond {
			t.Errorf("%s: %d documents, left out %+v", name, len(r.Documents), r.Left)
		}
	}
}

func TestSingleFile(t *testing.T) {
	dir := write(t, map[string]string{"a.md": prose("a", 30), "b.md": prose("b", 30)})
	r, err := Read(t.Context(), filepath.Join(dir, "b.md"), Options{})
	if err != nil || len(r.Documents) != 1 || r.Documents[0].Source != "b.md" {
		t.Errorf("%v, %v", r, err)
	}
}

func TestNearDuplicates(t *testing.T) {
	base := prose("x", 400)
	edited := strings.Replace(base, "x200", "y", 1) + " " + prose("end", 30)
	half := prose("x", 210)
	other := prose("z", 300)
	r := read(t, map[string]string{"draft.md": base, "final.md": edited, "half.md": half, "other.md": other, "copy.txt": other})
	var sources []string
	for _, d := range r.Documents {
		sources = append(sources, d.Source)
	}
	if len(sources) != 2 || sources[0] != "copy.txt" && sources[1] != "other.md" || !slices.Contains(sources, "final.md") {
		t.Errorf("kept %v", sources)
	}
	n := 0
	for _, k := range r.Kinds {
		n += k.Documents
	}
	if n != len(r.Documents) {
		t.Errorf("the kinds count %d documents of %d", n, len(r.Documents))
	}
	for _, name := range []string{"draft.md", "half.md"} {
		if l := leftOut(r, name); l == nil || !strings.Contains(l.Reason, "final.md") {
			t.Errorf("%s: %v", name, l)
		}
	}
	c := r.Clusters[stroke.HashText(edited)]
	if c == "" || c != r.Clusters[stroke.HashText(base)] || c != r.Clusters[stroke.HashText(half)] {
		t.Error("near duplicates are of different clusters")
	}
}

func TestLanguage(t *testing.T) {
	for lang, text := range map[string]string{
		"en": "It was the best of times, it was the worst of times, and nobody in the house had been told which of the two it would be.",
		"de": "Als er am Morgen aus dem Haus ging, war die Straße noch leer, und es war nicht zu sehen, ob sie auch so bleiben würde.",
		"fr": "Il était une fois dans une petite ville un homme qui ne voulait pas dire son nom, mais que tout le monde connaissait pour cette raison.",
		"es": "En un lugar de la ciudad vivía un hombre que no quería decir su nombre, pero que todos conocían por lo que había hecho.",
		"ru": "Он вышел из дома и пошёл по улице, но не знал, что это было так и что она его ждала.",
		"ja": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
		"zh": "从前有一座山，山里有一座庙，庙里有一个老和尚。",
		"el": "Μια φορά κι έναν καιρό ήταν ένας βασιλιάς.",
		"":   "12 34 5678 !?",
	} {
		if got, conf := Language(text); got != lang || lang != "" && conf < 0.3 {
			t.Errorf("%.20q: %q with %.2f, want %q", text, got, conf, lang)
		}
	}
}
