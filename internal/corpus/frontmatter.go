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

// frontMatter parts the front matter of a Markdown file from its body: YAML
// between lines of "---", or TOML between lines of "+++". A first line of
// "---" with no second one is a rule, and stays in the body. Front matter
// that does not parse is taken away all the same, and the note says so.
func frontMatter(text string) (m meta, body, note string) {
	fence, _, ok := strings.Cut(text, "\n")
	fence = strings.TrimRight(fence, " \t")
	if !ok || fence != "---" && fence != "+++" {
		return meta{}, text, ""
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
			var err error
			if fence == "---" {
				m, err = yamlMeta(text[at:pos])
			} else {
				m, err = tomlMeta(text[at:pos])
			}
			if err != nil {
				note = fmt.Sprintf("its front matter does not parse, so that its title and date are unknown: %s", firstLine(err.Error()))
			}
			return m, text[next:], note
		}
		pos = next
	}
	return meta{}, text, ""
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// yamlMeta reads the syntax tree alone: nothing is decoded, so that no alias
// is ever expanded.
func yamlMeta(s string) (meta, error) {
	f, err := parser.ParseBytes([]byte(s), 0)
	if err != nil {
		return meta{}, err
	}
	var m meta
	for _, d := range f.Docs {
		var values []*ast.MappingValueNode
		switch b := d.Body.(type) {
		case *ast.MappingNode:
			values = b.Values
		case *ast.MappingValueNode:
			values = []*ast.MappingValueNode{b}
		}
		for _, v := range values {
			if v.Key == nil || v.Key.GetToken() == nil || v.Value == nil {
				continue
			}
			switch strings.ToLower(v.Key.GetToken().Value) {
			case "title":
				m.title = yamlScalar(v.Value)
			case "date", "created", "published":
				if t := parseDate(yamlScalar(v.Value)); !t.IsZero() && m.date.IsZero() {
					m.date = t
				}
			}
		}
	}
	return m, nil
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
