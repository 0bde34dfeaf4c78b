package corpus

import (
	"cmp"
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

// element is one that formats: its tag as it is written, and itself with its attributes.
type element struct {
	tag  string
	size int
}

// formatting is what a paragraph opens anew. A cell and a caption have their own.
type formatting struct {
	open  map[atom.Atom][]element
	alike map[string]int
	again int // elements and attributes
}

func newFormatting() *formatting {
	return &formatting{open: map[atom.Atom][]element{}, alike: map[string]int{}}
}

func (f *formatting) add(a atom.Atom, e element) {
	f.open[a] = append(f.open[a], e)
	if f.alike[e.tag]++; f.alike[e.tag] <= mostAlike {
		f.again += e.size
	}
}

func (f *formatting) end(a atom.Atom) {
	n := len(f.open[a])
	if n == 0 {
		return
	}
	e := f.open[a][n-1]
	f.open[a] = f.open[a][:n-1]
	if f.alike[e.tag]--; f.alike[e.tag] < mostAlike {
		f.again -= e.size
	}
}

// tables follows the tables that a page opens and the cells and captions in them, as far
// as those part what formats from what is around them. Elements in which a parser takes
// tables otherwise, or which part it too, end that for good: from there on what formats is
// taken to last.
type tables struct {
	in    []atom.Atom   // tables, cells and captions that are open
	parts []atom.Atom   // of each table, the one of its head, body and foot that is open
	lists []*formatting // of the page, and of each cell and caption
	over  bool
}

// now is what a paragraph opens anew here.
func (t *tables) now() *formatting { return t.lists[len(t.lists)-1] }

func (t *tables) top() atom.Atom {
	if len(t.in) == 0 {
		return 0
	}
	return t.in[len(t.in)-1]
}

// leave ends the table, the cell or the caption that is open.
func (t *tables) leave() {
	if t.top() == atom.Table {
		t.parts = t.parts[:len(t.parts)-1]
	} else {
		t.lists = t.lists[:len(t.lists)-1]
	}
	t.in = t.in[:len(t.in)-1]
}

func (t *tables) cell() bool { return t.top() == atom.Td || t.top() == atom.Th }

func (t *tables) start(a atom.Atom) {
	if t.over {
		return
	}
	switch a {
	case atom.Table:
		if t.top() == atom.Table {
			t.leave() // it ends where the next begins
		}
		t.in, t.parts = append(t.in, a), append(t.parts, 0)
	case atom.Td, atom.Th, atom.Caption, atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot, atom.Col, atom.Colgroup:
		if t.cell() || t.top() == atom.Caption && a != atom.Th { // that one the parser ignores
			t.leave()
		}
		if t.top() != atom.Table {
			return
		}
		part := &t.parts[len(t.parts)-1]
		switch a {
		case atom.Td, atom.Th, atom.Tr:
			*part = cmp.Or(*part, atom.Tbody)
		case atom.Tbody, atom.Thead, atom.Tfoot:
			*part = a
		default:
			*part = 0
		}
		if a == atom.Td || a == atom.Th || a == atom.Caption {
			t.in = append(t.in, a)
			t.lists = append(t.lists, newFormatting())
		}
	case atom.Svg, atom.Math, atom.Select, atom.Template, atom.Object, atom.Applet, atom.Marquee:
		all := newFormatting()
		for _, f := range t.lists {
			for a, es := range f.open {
				for _, e := range es {
					all.add(a, e)
				}
			}
		}
		t.in, t.parts, t.lists, t.over = nil, nil, []*formatting{all}, true
	}
}

func (t *tables) end(a atom.Atom) {
	switch a {
	case atom.Td, atom.Th, atom.Caption:
		if t.top() == a {
			t.leave()
		}
	case atom.Tr:
		if t.cell() {
			t.leave()
		}
	case atom.Tbody, atom.Thead, atom.Tfoot:
		if len(t.parts) == 0 || t.parts[len(t.parts)-1] != a || t.top() == atom.Caption {
			return
		}
		if t.cell() {
			t.leave()
		}
		t.parts[len(t.parts)-1] = 0
	case atom.Table:
		if len(t.in) > 0 && t.top() != a {
			t.leave()
		}
		if len(t.in) > 0 {
			t.leave()
		}
	}
}

// manyNodes reports whether a page may be parsed into more than mostNodes, before any of
// them is made.
func manyNodes(text string) bool {
	t := tables{lists: []*formatting{newFormatting()}}
	nodes := 0
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
			t.start(a)
			f := t.now()
			nodes += e.size + f.again
			if a == atom.A {
				f.end(a) // it holds no other
			}
			if formats(a) {
				f.add(a, e)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			t.now().end(a)
			t.end(a)
			if a == atom.P {
				nodes += t.now().again // it may be one of its own
			}
		}
	}
	return true
}
