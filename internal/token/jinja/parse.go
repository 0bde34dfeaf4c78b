package jinja

import (
	"fmt"
	"slices"
	"strconv"
)

// Bounds on a template's source. The longest in use has under 30 KB.
const (
	maxSource = 256 << 10 // bytes
	maxNest   = 120       // brackets, operators and blocks within one another
	maxLinks  = 1000      // operators, filters, attributes and calls of one tag: each may have all before it as its operand
)

// Template is a parsed template. It is safe for use by several goroutines.
type Template struct{ body []stmt }

// Parse reads a template. The error is a *SyntaxError, or says that the
// source is too long.
func Parse(src string) (*Template, error) {
	if len(src) > maxSource {
		return nil, fmt.Errorf("template of %d bytes, more than %d", len(src), maxSource)
	}
	lexemes, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: lexemes}
	body, end, err := p.block()
	if err != nil {
		return nil, err
	}
	if end != "" {
		return nil, p.fail("unexpected %q", end)
	}
	return &Template{body: body}, nil
}

type parser struct {
	toks  []lexeme
	at    int
	depth int
	links int // of the tag so far
	loops int // for statements around the place
}

func (p *parser) peek() lexeme { return p.toks[p.at] }

func (p *parser) take() lexeme {
	t := p.toks[p.at]
	if t.kind != tokEOF {
		p.at++
	}
	return t
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{Line: p.toks[min(p.at, len(p.toks)-1)].line, Msg: fmt.Sprintf(format, args...)}
}

func (p *parser) is(k kind, val string) bool { t := p.peek(); return t.kind == k && t.val == val }
func (p *parser) isOp(op string) bool        { return p.is(tokOp, op) }

func (p *parser) skip(k kind, val string) bool {
	if p.is(k, val) {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(k kind, val string) error {
	if p.skip(k, val) {
		return nil
	}
	return p.fail("expected %q, found %s", map[kind]string{tokBlockEnd: "%}", tokVarEnd: "}}"}[k]+val, p.found())
}

func (p *parser) found() string {
	switch t := p.peek(); t.kind {
	case tokEOF:
		return "the end"
	case tokBlockEnd, tokVarEnd:
		return "the end of the tag"
	default:
		return strconv.Quote(t.val)
	}
}

func (p *parser) name() (string, error) {
	if t := p.peek(); t.kind == tokName {
		p.at++
		return t.val, nil
	}
	return "", p.fail("expected a name, found %s", p.found())
}

// enter counts nesting, so that neither parsing nor running can exhaust the
// stack.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxNest {
		return p.fail("nested more than %d deep", maxNest)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// link counts what takes the expression before it as an operand. Such a chain
// is read in a loop but run from within, one call in another for each link.
func (p *parser) link() error {
	if p.links++; p.links > maxLinks {
		return p.fail("more than %d operators, filters, attributes and calls in one tag", maxLinks)
	}
	return nil
}

// block reads statements up to the end or a tag whose name is one of ends; the
// name is taken, the rest of the tag is not.
func (p *parser) block(ends ...string) ([]stmt, string, error) {
	if err := p.enter(); err != nil {
		return nil, "", err
	}
	defer p.leave()
	var body []stmt
	for {
		p.links = 0
		switch t := p.take(); t.kind {
		case tokEOF:
			if len(ends) > 0 {
				return nil, "", p.fail("expected %q before the end", ends[len(ends)-1])
			}
			return body, "", nil
		case tokData:
			body = append(body, &textStmt{t.val})
		case tokVar:
			e, err := p.tuple(true)
			if err != nil {
				return nil, "", err
			}
			if err := p.want(tokVarEnd, ""); err != nil {
				return nil, "", err
			}
			body = append(body, &outputStmt{e})
		case tokBlock:
			name, err := p.name()
			if err != nil {
				return nil, "", err
			}
			if slices.Contains(ends, name) {
				return body, name, nil
			}
			s, err := p.statement(name)
			if err != nil {
				return nil, "", err
			}
			body = append(body, s)
		}
	}
}

// until reads a body up to its one end tag.
func (p *parser) until(end string) ([]stmt, error) {
	body, _, err := p.block(end)
	if err != nil {
		return nil, err
	}
	return body, p.want(tokBlockEnd, "")
}

func (p *parser) statement(name string) (stmt, error) {
	switch name {
	case "if":
		return p.ifStatement()
	case "for":
		return p.forStatement()
	case "set":
		return p.setStatement()
	case "macro":
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		m := &macroStmt{name: name}
		if err := p.params(m); err != nil {
			return nil, err
		}
		return m, p.macroBody(m, "endmacro")
	case "call":
		m := &macroStmt{}
		if p.isOp("(") {
			if err := p.params(m); err != nil {
				return nil, err
			}
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		call, ok := e.(*callExpr)
		if !ok {
			return nil, p.fail("expected a call")
		}
		return &callStmt{call, m}, p.macroBody(m, "endcall")
	case "filter":
		f, err := p.filter()
		if err != nil {
			return nil, err
		}
		filters, err := p.filters(f)
		if err != nil {
			return nil, err
		}
		if err := p.want(tokBlockEnd, ""); err != nil {
			return nil, err
		}
		body, err := p.until("endfilter")
		return &filterStmt{filters, body}, err
	case "with":
		w := &withStmt{}
		for p.peek().kind != tokBlockEnd {
			if len(w.targets) > 0 {
				if err := p.want(tokOp, ","); err != nil {
					return nil, err
				}
			}
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			if err := p.want(tokOp, "="); err != nil {
				return nil, err
			}
			v, err := p.expression()
			if err != nil {
				return nil, err
			}
			w.targets, w.values = append(w.targets, &nameExpr{name}), append(w.values, v)
		}
		p.at++
		var err error
		w.body, err = p.until("endwith")
		return w, err
	case "generation":
		if err := p.want(tokBlockEnd, ""); err != nil {
			return nil, err
		}
		body, err := p.until("endgeneration")
		return &scopeStmt{body}, err
	case "break", "continue":
		if p.loops == 0 {
			return nil, p.fail("%s outside of a loop", name)
		}
		if name == "break" {
			return breakStmt{}, p.want(tokBlockEnd, "")
		}
		return continueStmt{}, p.want(tokBlockEnd, "")
	}
	return nil, p.fail("the statement %q is not known here", name)
}

func (p *parser) ifStatement() (stmt, error) {
	s := &ifStmt{}
	for {
		cond, err := p.tuple(true)
		if err != nil {
			return nil, err
		}
		if err := p.want(tokBlockEnd, ""); err != nil {
			return nil, err
		}
		body, end, err := p.block("elif", "else", "endif")
		if err != nil {
			return nil, err
		}
		s.conds, s.bodies = append(s.conds, cond), append(s.bodies, body)
		if end == "elif" {
			continue
		}
		if err := p.want(tokBlockEnd, ""); err != nil {
			return nil, err
		}
		if end == "else" {
			body, err := p.until("endif")
			if err != nil {
				return nil, err
			}
			s.bodies = append(s.bodies, body)
		}
		return s, nil
	}
}

func (p *parser) forStatement() (stmt, error) {
	s := &forStmt{}
	var err error
	if s.target, err = p.target(false); err != nil {
		return nil, err
	}
	if err := p.want(tokName, "in"); err != nil {
		return nil, err
	}
	if s.iter, err = p.tuple(false); err != nil {
		return nil, err
	}
	if p.skip(tokName, "if") {
		if s.cond, err = p.expression(); err != nil {
			return nil, err
		}
	}
	s.recursive = p.skip(tokName, "recursive")
	if err := p.want(tokBlockEnd, ""); err != nil {
		return nil, err
	}
	p.loops++
	body, end, err := p.block("else", "endfor")
	p.loops--
	if err != nil {
		return nil, err
	}
	s.body = body
	if err := p.want(tokBlockEnd, ""); err != nil {
		return nil, err
	}
	if end == "else" {
		s.otherwise, err = p.until("endfor")
	}
	return s, err
}

func (p *parser) setStatement() (stmt, error) {
	s := &setStmt{}
	var err error
	if s.target, err = p.target(true); err != nil {
		return nil, err
	}
	if p.skip(tokOp, "=") {
		if s.value, err = p.tuple(true); err != nil {
			return nil, err
		}
		return s, p.want(tokBlockEnd, "")
	}
	if s.filter, err = p.filters(); err != nil {
		return nil, err
	}
	if err := p.want(tokBlockEnd, ""); err != nil {
		return nil, err
	}
	s.body, err = p.until("endset")
	return s, err
}

// target reads what is assigned to: names, groups of names in brackets, or,
// with attr, the attribute of a namespace.
func (p *parser) target(attr bool) (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var items []expr
	for {
		if p.skip(tokOp, "(") {
			group, err := p.target(false)
			if err != nil {
				return nil, err
			}
			if err := p.want(tokOp, ")"); err != nil {
				return nil, err
			}
			items = append(items, group)
		} else {
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			if attr && len(items) == 0 && p.skip(tokOp, ".") {
				field, err := p.name()
				return &attrExpr{&nameExpr{name}, field}, err
			}
			items = append(items, &nameExpr{name})
		}
		if !p.skip(tokOp, ",") || p.isOp(")") || p.isOp("=") || p.is(tokName, "in") {
			break
		}
	}
	if len(items) == 1 {
		return items[0], nil
	}
	return &tupleExpr{items}, nil
}

// params reads the parameters of a macro.
func (p *parser) params(m *macroStmt) error {
	if err := p.want(tokOp, "("); err != nil {
		return err
	}
	for !p.skip(tokOp, ")") {
		if len(m.params) > 0 {
			if err := p.want(tokOp, ","); err != nil {
				return err
			}
			if p.skip(tokOp, ")") {
				break
			}
		}
		name, err := p.name()
		if err != nil {
			return err
		}
		m.params = append(m.params, name)
		switch {
		case p.skip(tokOp, "="):
			e, err := p.expression()
			if err != nil {
				return err
			}
			m.defaults = append(m.defaults, e)
		case len(m.defaults) > 0:
			return p.fail("a parameter without a default after one with")
		}
	}
	return nil
}

func (p *parser) macroBody(m *macroStmt, end string) error {
	if err := p.want(tokBlockEnd, ""); err != nil {
		return err
	}
	loops := p.loops
	p.loops = 0
	body, err := p.until(end)
	p.loops = loops
	m.body = body
	return err
}
