package jinja

import "strconv"

// tuple reads one expression, or several with commas between them; cond
// says whether "a if b" may stand in it.
func (p *parser) tuple(cond bool) (expr, error) {
	read := p.or
	if cond {
		read = p.expression
	}
	e, err := read()
	if err != nil || !p.isOp(",") {
		return e, err
	}
	items := []expr{e}
	for p.skip(tokOp, ",") {
		if t := p.peek(); t.kind == tokVarEnd || t.kind == tokBlockEnd || p.isOp(")") {
			break
		}
		if e, err = read(); err != nil {
			return nil, err
		}
		items = append(items, e)
	}
	return &tupleExpr{items}, nil
}

func (p *parser) expression() (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.or()
	for err == nil && p.skip(tokName, "if") {
		if err = p.link(); err != nil {
			return nil, err
		}
		var cond, no expr
		if cond, err = p.or(); err != nil {
			return nil, err
		}
		if p.skip(tokName, "else") {
			if no, err = p.expression(); err != nil {
				return nil, err
			}
		}
		e = &condExpr{cond, e, no}
	}
	return e, err
}

// left reads operands by next with any of ops between them, from the left.
func (p *parser) left(k kind, next func() (expr, error), ops ...string) (expr, error) {
	e, err := next()
	for err == nil {
		op := ""
		for _, o := range ops {
			if p.is(k, o) {
				op = o
			}
		}
		if op == "" {
			return e, nil
		}
		line := p.take().line
		if err = p.link(); err != nil {
			return nil, err
		}
		var right expr
		if right, err = next(); err != nil {
			return nil, err
		}
		e = &binaryExpr{op, e, right, line}
	}
	return nil, err
}

func (p *parser) or() (expr, error)  { return p.left(tokName, p.and, "or") }
func (p *parser) and() (expr, error) { return p.left(tokName, p.not, "and") }

func (p *parser) not() (expr, error) {
	if !p.skip(tokName, "not") {
		return p.compare()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.not()
	return &unaryExpr{"not", e}, err
}

func (p *parser) compare() (expr, error) {
	e, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := &compareExpr{first: e}
	for {
		op := ""
		switch t := p.peek(); {
		case t.kind == tokOp && (t.val == "==" || t.val == "!=" || t.val == "<" || t.val == "<=" || t.val == ">" || t.val == ">="):
			op = t.val
			p.at++
		case p.skip(tokName, "in"):
			op = "in"
		case p.is(tokName, "not") && p.toks[p.at+1].kind == tokName && p.toks[p.at+1].val == "in":
			op = "not in"
			p.at += 2
		}
		if op == "" {
			if len(c.ops) == 0 {
				return e, nil
			}
			return c, nil
		}
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, right)
	}
}

func (p *parser) sum() (expr, error) { return p.left(tokOp, p.concat, "+", "-") }

func (p *parser) concat() (expr, error) {
	e, err := p.product()
	if err != nil || !p.isOp("~") {
		return e, err
	}
	c := &concatExpr{[]expr{e}}
	for p.skip(tokOp, "~") {
		if e, err = p.product(); err != nil {
			return nil, err
		}
		c.parts = append(c.parts, e)
	}
	return c, nil
}

func (p *parser) product() (expr, error) { return p.left(tokOp, p.power, "*", "/", "//", "%") }

func (p *parser) power() (expr, error) {
	return p.left(tokOp, func() (expr, error) { return p.unary(true) }, "**")
}

func (p *parser) unary(filters bool) (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var e expr
	var err error
	switch {
	case p.skip(tokOp, "-"):
		e, err = p.unary(false)
		e = &unaryExpr{"-", e}
	case p.skip(tokOp, "+"):
		e, err = p.unary(false)
		e = &unaryExpr{"+", e}
	default:
		e, err = p.primary()
	}
	if err == nil {
		e, err = p.postfix(e)
	}
	if err == nil && filters {
		e, err = p.filtered(e)
	}
	return e, err
}

func (p *parser) primary() (expr, error) {
	t := p.take()
	switch t.kind {
	case tokName:
		switch t.val {
		case "true", "True":
			return &constExpr{true}, nil
		case "false", "False":
			return &constExpr{false}, nil
		case "none", "None":
			return &constExpr{nil}, nil
		}
		return &nameExpr{t.val}, nil
	case tokString:
		s := t.val
		for p.peek().kind == tokString {
			s += p.take().val
		}
		return &constExpr{s}, nil
	case tokInt:
		n, err := strconv.ParseInt(t.val, 10, 64)
		if err != nil {
			return nil, p.fail("the number %s is too large", t.val)
		}
		return &constExpr{n}, nil
	case tokFloat:
		f, err := strconv.ParseFloat(t.val, 64)
		if err != nil {
			return nil, p.fail("the number %s is too large", t.val)
		}
		return &constExpr{f}, nil
	case tokOp:
		switch t.val {
		case "(":
			if p.skip(tokOp, ")") {
				return &tupleExpr{}, nil
			}
			e, err := p.tuple(true)
			if err != nil {
				return nil, err
			}
			return e, p.want(tokOp, ")")
		case "[":
			items, err := p.items("]")
			return &listExpr{items}, err
		case "{":
			return p.dict()
		}
	}
	p.at--
	return nil, p.fail("unexpected %s", p.found())
}

// items reads expressions up to a closing bracket.
func (p *parser) items(end string) ([]expr, error) {
	var items []expr
	for !p.skip(tokOp, end) {
		if len(items) > 0 {
			if err := p.want(tokOp, ","); err != nil {
				return nil, err
			}
			if p.skip(tokOp, end) {
				break
			}
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, e)
	}
	return items, nil
}

func (p *parser) dict() (expr, error) {
	d := &dictExpr{}
	for !p.skip(tokOp, "}") {
		if len(d.keys) > 0 {
			if err := p.want(tokOp, ","); err != nil {
				return nil, err
			}
			if p.skip(tokOp, "}") {
				break
			}
		}
		k, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.want(tokOp, ":"); err != nil {
			return nil, err
		}
		v, err := p.expression()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
	}
	return d, nil
}

// postfix reads attributes, items and calls after an expression.
func (p *parser) postfix(e expr) (expr, error) {
	for err := error(nil); ; err = p.link() {
		if err != nil {
			return nil, err
		}
		switch {
		case p.skip(tokOp, "."):
			switch t := p.take(); t.kind {
			case tokName:
				e = &attrExpr{e, t.val}
			case tokInt:
				n, err := strconv.ParseInt(t.val, 10, 64)
				if err != nil {
					return nil, p.fail("the number %s is too large", t.val)
				}
				e = &itemExpr{e, &constExpr{n}}
			default:
				p.at--
				return nil, p.fail("expected a name after the dot, found %s", p.found())
			}
		case p.skip(tokOp, "["):
			var err error
			if e, err = p.subscript(e); err != nil {
				return nil, err
			}
		case p.isOp("("):
			c, err := p.call()
			if err != nil {
				return nil, err
			}
			c.fn = e
			e = c
		default:
			return e, nil
		}
	}
}

func (p *parser) subscript(of expr) (expr, error) {
	var part [3]expr
	n := 0
	for !p.skip(tokOp, "]") {
		if p.skip(tokOp, ":") {
			if n++; n > 2 {
				return nil, p.fail("a slice has at most three parts")
			}
			continue
		}
		if part[n] != nil {
			return nil, p.fail("expected \"]\", found %s", p.found())
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		part[n] = e
	}
	if n > 0 {
		return &sliceExpr{of, part[0], part[1], part[2]}, nil
	}
	if part[0] == nil {
		return nil, p.fail("nothing between the brackets")
	}
	return &itemExpr{of, part[0]}, nil
}

// call reads the arguments of a call, brackets included.
func (p *parser) call() (*callExpr, error) {
	c := &callExpr{line: p.peek().line}
	if err := p.want(tokOp, "("); err != nil {
		return nil, err
	}
	for first := true; !p.skip(tokOp, ")"); first = false {
		if !first {
			if err := p.want(tokOp, ","); err != nil {
				return nil, err
			}
			if p.skip(tokOp, ")") {
				break
			}
		}
		if t := p.peek(); t.kind == tokName && p.toks[p.at+1].kind == tokOp && p.toks[p.at+1].val == "=" {
			p.at += 2
			e, err := p.expression()
			if err != nil {
				return nil, err
			}
			c.names, c.kwargs = append(c.names, t.val), append(c.kwargs, e)
			continue
		}
		if len(c.names) > 0 {
			return nil, p.fail("an argument without a name after one with")
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, e)
	}
	return c, nil
}

// filter reads the name and the arguments of a filter.
func (p *parser) filter() (filterCall, error) {
	name, err := p.name()
	if err != nil {
		return filterCall{}, err
	}
	f := filterCall{name: name, args: &callExpr{line: p.peek().line}}
	if p.isOp("(") {
		f.args, err = p.call()
	}
	return f, err
}

// filters reads any number of filters, each after a bar.
func (p *parser) filters(have ...filterCall) ([]filterCall, error) {
	for p.skip(tokOp, "|") {
		f, err := p.filter()
		if err != nil {
			return nil, err
		}
		have = append(have, f)
	}
	return have, nil
}

// filtered reads the filters and tests after an expression.
func (p *parser) filtered(e expr) (expr, error) {
	for err := error(nil); ; err = p.link() {
		if err != nil {
			return nil, err
		}
		switch {
		case p.skip(tokOp, "|"):
			f, err := p.filter()
			if err != nil {
				return nil, err
			}
			e = &filterExpr{e, f}
		case p.skip(tokName, "is"):
			t, err := p.test(e)
			if err != nil {
				return nil, err
			}
			e = t
		case p.isOp("("):
			c, err := p.call()
			if err != nil {
				return nil, err
			}
			c.fn = e
			e = c
		default:
			return e, nil
		}
	}
}

func (p *parser) test(of expr) (expr, error) {
	t := &testExpr{of: of, negate: p.skip(tokName, "not"), args: &callExpr{line: p.peek().line}}
	var err error
	if t.name, err = p.name(); err != nil {
		return nil, err
	}
	next := p.peek()
	switch {
	case p.isOp("("):
		t.args, err = p.call()
	case next.kind == tokString, next.kind == tokInt, next.kind == tokFloat, p.isOp("["), p.isOp("{"),
		next.kind == tokName && next.val != "else" && next.val != "or" && next.val != "and" && next.val != "if" &&
			next.val != "is" && next.val != "in" && next.val != "not" && next.val != "recursive":
		var arg expr
		if arg, err = p.primary(); err == nil {
			arg, err = p.postfix(arg)
		}
		t.args.args = []expr{arg}
	}
	return t, err
}
