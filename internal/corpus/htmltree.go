package corpus

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mostNodes is how many elements and attributes a page may have: some ten times those of
// any book, and a few hundred megabytes of memory as a tree.
const mostNodes = 2 << 20

var errNodes error = &unreadable{reason: "it has more elements than any page", hint: "save it as text"}

// parseHTML parses a page that is no larger as a tree than pages are.
func parseHTML(text string) (*html.Node, error) {
	if manyNodes(text) {
		return nil, errNodes
	}
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return nil, &unreadable{reason: "its HTML cannot be parsed", err: err}
	}
	return doc, nil
}

// Elements that are opened anew in each paragraph until they are closed, of those that are
// the same the last three.
// https://html.spec.whatwg.org/multipage/parsing.html#the-list-of-active-formatting-elements
const mostAlike = 3

func formats(a atom.Atom) bool {
	switch a {
	case atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Nobr, atom.S, atom.Small, atom.Strike, atom.Strong, atom.Tt, atom.U:
		return true
	}
	return false
}

// manyNodes reports whether a page may be parsed into more than mostNodes, before any of
// them is made.
func manyNodes(text string) bool {
	type element struct {
		tag  string
		size int
	}
	open := map[atom.Atom][]element{}
	alike := map[string]int{}
	nodes, again := 0, 0 // again is of those that a paragraph opens anew
	closed := func(a atom.Atom) {
		n := len(open[a])
		if n == 0 {
			return
		}
		e := open[a][n-1]
		open[a] = open[a][:n-1]
		if alike[e.tag]--; alike[e.tag] < mostAlike {
			again -= e.size
		}
	}
	z := html.NewTokenizer(strings.NewReader(text))
	for nodes <= mostNodes {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken, html.SelfClosingTagToken:
			e := element{tag: string(z.Raw()), size: 1}
			name, more := z.TagName()
			a := atom.Lookup(name)
			for more {
				_, _, more = z.TagAttr()
				e.size++
			}
			nodes += e.size + again
			if a == atom.A {
				closed(a) // it holds no other
			}
			if formats(a) {
				open[a] = append(open[a], e)
				if alike[e.tag]++; alike[e.tag] <= mostAlike {
					again += e.size
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			closed(a)
			if a == atom.P {
				nodes += again // it may be one of its own
			}
		}
	}
	return true
}
