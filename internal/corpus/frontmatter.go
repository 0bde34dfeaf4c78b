package corpus

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFrontMatter bounds what is taken for front matter.
const maxFrontMatter = 64 << 10

// meta is what front matter says of a document.
type meta struct {
	title string
	date  time.Time
}

// front is what stands between the fences at the beginning of a Markdown file.
type front struct {
	meta  meta
	prose string // where it is the writer's text between two rules
	bad   string // where it does not parse and is left out: all of it
	note  string
}

// frontMatter parts the front matter of a Markdown file from its body: YAML
// between lines of "---", or TOML between lines of "+++". A first line of
// "---" with no second one, or with a blank line behind it and then no key, is a rule,
// as it is for Pandoc, and stays in the body; Jekyll reads keys there.
// https://pandoc.org/MANUAL.html#extension-yaml_metadata_block
func frontMatter(text string) (f front, body string) {
	fence, rest, ok := strings.Cut(text, "\n")
	fence = strings.TrimRight(fence, " \t")
	if !ok || fence != "---" && fence != "+++" {
		return front{}, text
	}
	if line, _, _ := strings.Cut(rest, "\n"); fence == "---" && strings.TrimSpace(line) == "" && !keyLine.MatchString(strings.TrimLeft(rest, " \t\n")) {
		return front{}, text
	}
	at := strings.IndexByte(text, '\n') + 1
	for pos := at; pos < len(text) && pos < maxFrontMatter; {
		line := text[pos:]
		next := len(text)
		if i := strings.IndexByte(line, '\n'); i >= 0 {
			line, next = line[:i], pos+i+1
		}
		line = strings.TrimRight(line, " \t")
		if line == fence || fence == "---" && line == "..." {
			return newFront(fence == "---", text[at:pos]), text[next:]
		}
		pos = next
	}
	return front{}, text
}

// newFront reads what stands between two fences.
func newFront(yaml bool, s string) (f front) {
	var err error
	settings := true
	if yaml {
		f.meta, settings, err = yamlMeta(s)
	} else {
		f.meta, err = tomlMeta(s)
	}
	switch {
	case err == nil && settings:
		return f
	case err == nil || looksLikeProse(s) && !setsKeys(s):
		return front{prose: s}
	}
	return front{bad: s, note: fmt.Sprintf("its front matter does not parse, so that its title and date are unknown: %s", firstLine(err.Error()))}
}

// keyLine begins as a line that sets something does.
var keyLine = regexp.MustCompile(`^[A-Za-z_][\w-]*:(\s|$)`)

// setsKeys reports whether most of the lines do.
func setsKeys(s string) bool {
	lines, keys := 0, 0
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		lines++
		if keyLine.MatchString(line) {
			keys++
		}
	}
	return keys*2 > lines
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// yamlMeta reads the syntax tree alone: nothing is decoded, so that no alias
// is ever expanded. settings is false of text that YAML can read and that sets
// nothing: all of it is a value, or its only keys are the beginnings of sentences.
func yamlMeta(s string) (m meta, settings bool, err error) {
	f, err := parser.ParseBytes([]byte(s), 0)
	if err != nil {
		return meta{}, false, err
	}
	said := looksLikeProse(s)
	for _, d := range f.Docs {
		var values []*ast.MappingValueNode
		switch b := d.Body.(type) {
		case *ast.MappingNode:
			values = b.Values
		case *ast.MappingValueNode:
			values = []*ast.MappingValueNode{b}
		case nil, *ast.NullNode, *ast.CommentGroupNode, *ast.AnchorNode, *ast.TagNode, *ast.DirectiveNode:
			said = false
		default:
			return meta{}, false, nil
		}
		for _, v := range values {
			if v.Key == nil || v.Key.GetToken() == nil || v.Value == nil {
				continue
			}
			key := v.Key.GetToken().Value
			said = said && strings.Contains(strings.TrimSpace(key), " ")
			switch strings.ToLower(key) {
			case "title":
				m.title = yamlScalar(v.Value)
			case "date", "created", "published":
				if t := parseDate(yamlScalar(v.Value)); !t.IsZero() && m.date.IsZero() {
					m.date = t
				}
			}
		}
	}
	return m, !said, nil
}

func yamlScalar(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return strings.TrimSpace(n.Value)
	case *ast.LiteralNode:
		if n.Value != nil {
			return strings.Join(strings.Fields(n.Value.Value), " ")
		}
	case *ast.NullNode, *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, *ast.AliasNode, *ast.AnchorNode, *ast.TagNode:
		return ""
	}
	if t := n.GetToken(); t != nil {
		return strings.TrimSpace(t.Value)
	}
	return ""
}

func tomlMeta(s string) (meta, error) {
	var v struct {
		Title any `toml:"title"`
		Date  any `toml:"date"`
	}
	if _, err := toml.Decode(s, &v); err != nil {
		return meta{}, err
	}
	var m meta
	m.title, _ = v.Title.(string)
	switch d := v.Date.(type) {
	case time.Time:
		m.date = time.Date(d.Year(), d.Month(), d.Day(), d.Hour(), d.Minute(), d.Second(), 0, time.UTC)
	case string:
		m.date = parseDate(d)
	}
	return m, nil
}

// dateLayouts are how a stated date may look, most exact first.
var dateLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02", "2006/01/02", "2006.01.02", "02.01.2006",
	"2 January 2006", "January 2, 2006", "January 2 2006", "2 Jan 2006", "Jan 2, 2006", "Jan 2 2006", "January 2006",
}

// parseDate gives a stated date, in UTC, or zero.
func parseDate(s string) time.Time {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return time.Time{}
	}
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, s); err == nil && t.Year() > 0 {
			return t.UTC()
		}
	}
	return time.Time{}
}

var nameDate = regexp.MustCompile(`^(\d{4})[-_.](\d{2})[-_.](\d{2})(?:\D|$)`)

// dateOfName is the date at the front of a file's name, as in
// "2024-03-05-a-walk.md", or zero.
func dateOfName(name string) time.Time {
	m := nameDate.FindStringSubmatch(path.Base(name))
	if m == nil {
		return time.Time{}
	}
	return parseDate(m[1] + "-" + m[2] + "-" + m[3])
}
