package jinja

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

func (e *constExpr) eval(*interp, *scope) (any, error) { return e.v, nil }

func (e *nameExpr) eval(in *interp, s *scope) (any, error) {
	if err := in.step(1); err != nil {
		return nil, err
	}
	if v, ok := s.get(e.name); ok {
		return v, nil
	}
	return &undefined{"'" + e.name + "'"}, nil
}

func (in *interp) evalAll(list []expr, s *scope) ([]any, error) {
	if err := in.memoryOf(len(list), 16); err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, e := range list {
		if err := in.step(1); err != nil {
			return nil, err
		}
		v, err := e.eval(in, s)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (e *listExpr) eval(in *interp, s *scope) (any, error) {
	items, err := in.evalAll(e.items, s)
	return &list{items: items}, err
}

func (e *tupleExpr) eval(in *interp, s *scope) (any, error) {
	items, err := in.evalAll(e.items, s)
	return &list{items: items, tuple: true}, err
}

func (e *dictExpr) eval(in *interp, s *scope) (any, error) {
	keys, err := in.evalAll(e.keys, s)
	if err != nil {
		return nil, err
	}
	vals, err := in.evalAll(e.values, s)
	if err != nil {
		return nil, err
	}
	d := newDict()
	for i, k := range keys {
		if err := d.set(k, vals[i]); err != nil {
			return nil, err
		}
	}
	return d, in.memoryOf(len(keys), 64)
}

func (e *attrExpr) eval(in *interp, s *scope) (any, error) {
	v, err := e.of.eval(in, s)
	if err != nil {
		return nil, err
	}
	return in.attr(v, e.name)
}

// attr is v.name: a method or field, else an item.
func (in *interp) attr(v any, name string) (any, error) {
	if err := in.step(1); err != nil {
		return nil, err
	}
	if u, ok := v.(*undefined); ok {
		return nil, u.err()
	}
	if x, ok := field(in, v, name); ok {
		return x, nil
	}
	if d, ok := v.(*dict); ok {
		if x, ok := d.get(name); ok {
			return x, nil
		}
	}
	return missing(v, name), nil
}

func missing(v any, name string) *undefined {
	return &undefined{fmt.Sprintf("'%s', which %s has not,", name, typeName(v))}
}

// field is what a value has besides its items. Names that begin with an
// underscore are not to be had, as in the sandbox.
func field(in *interp, v any, name string) (any, bool) {
	if strings.HasPrefix(name, "_") {
		return nil, false
	}
	switch v := v.(type) {
	case string:
		if m, ok := stringMethods[name]; ok {
			return callable(func(in *interp, a arguments) (any, error) { return m(in, v, a) }), true
		}
	case *list:
		if m, ok := listMethods[name]; ok {
			return callable(func(in *interp, a arguments) (any, error) { return m(in, v, a) }), true
		}
	case *dict:
		if m, ok := dictMethods[name]; ok && !v.space {
			return callable(func(in *interp, a arguments) (any, error) { return m(in, v, a) }), true
		}
	case *loop:
		return v.attr(in, name)
	}
	return nil, false
}

func (e *itemExpr) eval(in *interp, s *scope) (any, error) {
	v, err := e.of.eval(in, s)
	if err != nil {
		return nil, err
	}
	k, err := e.key.eval(in, s)
	if err != nil {
		return nil, err
	}
	return in.item(v, k)
}

// item is v[k]: an item, else, where k is a string, an attribute.
func (in *interp) item(v, k any) (any, error) {
	if err := in.step(1); err != nil {
		return nil, err
	}
	name, isName := k.(string)
	if !isName {
		name = "item"
		if n, ok := asInt(k); ok {
			name = fmt.Sprint(n)
		}
	}
	switch v := v.(type) {
	case *undefined:
		return nil, v.err()
	case *dict:
		if x, ok := v.get(k); ok {
			return x, nil
		}
	case *list:
		if i, ok := asInt(k); ok {
			if i < 0 {
				i += int64(len(v.items))
			}
			if i >= 0 && i < int64(len(v.items)) {
				return v.items[i], nil
			}
		}
	case string:
		if i, ok := asInt(k); ok {
			if err := in.step(len(v) >> 6); err != nil {
				return nil, err
			}
			n := int64(utf8.RuneCountInString(v))
			if i < 0 {
				i += n
			}
			if i < 0 || i >= n {
				break
			}
			for _, r := range v {
				if i == 0 {
					return string(r), nil
				}
				i--
			}
		}
	}
	if isName {
		if x, ok := field(in, v, name); ok {
			return x, nil
		}
	}
	return missing(v, name), nil
}

func (e *sliceExpr) eval(in *interp, s *scope) (any, error) {
	v, err := e.of.eval(in, s)
	if err != nil {
		return nil, err
	}
	var part [3]*int64
	for i, x := range []expr{e.start, e.stop, e.gap} {
		if x == nil {
			continue
		}
		v, err := x.eval(in, s)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		n, ok := asInt(v)
		if !ok {
			return nil, fmt.Errorf("a slice from %s", typeName(v))
		}
		part[i] = &n
	}
	switch v := v.(type) {
	case *undefined:
		return nil, v.err()
	case string:
		if err := in.memoryOf(len(v), 5); err != nil {
			return nil, err
		}
		runes := []rune(v)
		at, err := slice(len(runes), part)
		if err != nil {
			return nil, err
		}
		out := make([]rune, len(at))
		for i, j := range at {
			out[i] = runes[j]
		}
		return string(out), nil
	case *list:
		if err := in.memoryOf(len(v.items), 24); err != nil {
			return nil, err
		}
		at, err := slice(len(v.items), part)
		if err != nil {
			return nil, err
		}
		out := make([]any, len(at))
		for i, j := range at {
			out[i] = v.items[j]
		}
		return &list{out, v.tuple}, nil
	}
	return nil, fmt.Errorf("%s cannot be sliced", typeName(v))
}

// slice gives the places that a slice of n items takes.
func slice(n int, part [3]*int64) ([]int, error) {
	gap := int64(1)
	if part[2] != nil {
		gap = *part[2]
	}
	if gap == 0 {
		return nil, errors.New("slice step cannot be zero")
	}
	size := int64(n)
	low, high := int64(0), size
	if gap < 0 {
		low, high = -1, size-1
	}
	bound := func(p *int64, def int64) int64 {
		if p == nil {
			return def
		}
		i := *p
		if i < 0 {
			i += size
		}
		return min(max(i, low), high)
	}
	start, stop := bound(part[0], low), bound(part[1], high)
	if gap < 0 {
		start, stop = bound(part[0], high), bound(part[1], low)
	}
	var at []int
	for i := start; gap > 0 && i < stop || gap < 0 && i > stop; {
		at = append(at, int(i))
		if gap > size || gap < -size-1 {
			break // the next would be past either end, and might overflow
		}
		i += gap
	}
	return at, nil
}

func (in *interp) args(e *callExpr, s *scope) (arguments, error) {
	pos, err := in.evalAll(e.args, s)
	if err != nil {
		return arguments{}, err
	}
	named, err := in.evalAll(e.kwargs, s)
	return arguments{pos, e.names, named}, err
}

func (e *callExpr) eval(in *interp, s *scope) (any, error) {
	fn, err := e.fn.eval(in, s)
	if err != nil {
		return nil, err
	}
	a, err := in.args(e, s)
	if err != nil {
		return nil, err
	}
	switch f := fn.(type) {
	case callable:
		v, err := f(in, a)
		return v, at(err, e.line)
	case *loop:
		if f.again != nil {
			v, err := f.again(in, a)
			return v, at(err, e.line)
		}
	case *undefined:
		return nil, at(f.err(), e.line)
	}
	return nil, at(fmt.Errorf("%s cannot be called", typeName(fn)), e.line)
}

// placed is an error with the line of the template that it comes from.
type placed struct {
	line int
	err  error
}

func (p *placed) Error() string { return fmt.Sprintf("template line %d: %v", p.line, p.err) }
func (p *placed) Unwrap() error { return p.err }

// at puts a line to an error that has none. What a template raises is its own
// sentence, and a limit is of the whole.
func at(err error, line int) error {
	var p *placed
	var raised *RaisedError
	var limit *LimitError
	if err == nil || line == 0 || errors.As(err, &p) || errors.As(err, &raised) || errors.As(err, &limit) {
		return err
	}
	return &placed{line, err}
}

func (f filterCall) apply(in *interp, s *scope, v any) (any, error) {
	a, err := in.args(f.args, s)
	if err != nil {
		return nil, err
	}
	if err := in.step(1); err != nil {
		return nil, err
	}
	filter, ok := filters[f.name]
	if !ok {
		// Jinja, too, says so only where the filter is reached.
		return nil, at(fmt.Errorf("the filter %q is not known here", f.name), f.args.line)
	}
	out, err := filter(in, v, a)
	if err != nil {
		return nil, at(fmt.Errorf("filter %s: %w", f.name, err), f.args.line)
	}
	return out, nil
}

func (e *filterExpr) eval(in *interp, s *scope) (any, error) {
	v, err := e.of.eval(in, s)
	if err != nil {
		return nil, err
	}
	return e.call.apply(in, s, v)
}

func (e *testExpr) eval(in *interp, s *scope) (any, error) {
	v, err := e.of.eval(in, s)
	if err != nil {
		return nil, err
	}
	a, err := in.args(e.args, s)
	if err != nil {
		return nil, err
	}
	test, known := tests[e.name]
	if !known {
		return nil, at(fmt.Errorf("the test %q is not known here", e.name), e.args.line)
	}
	ok, err := test(in, v, a)
	if err != nil {
		return nil, at(fmt.Errorf("test %s: %w", e.name, err), e.args.line)
	}
	return ok != e.negate, nil
}

func (e *condExpr) eval(in *interp, s *scope) (any, error) {
	v, err := e.cond.eval(in, s)
	if err != nil {
		return nil, err
	}
	if truthy(v) {
		return e.yes.eval(in, s)
	}
	if e.no == nil {
		return &undefined{"the value of an if without else"}, nil
	}
	return e.no.eval(in, s)
}

func (e *concatExpr) eval(in *interp, s *scope) (any, error) {
	parts := make([]string, len(e.parts))
	n := 0
	for i, x := range e.parts {
		v, err := x.eval(in, s)
		if err != nil {
			return nil, err
		}
		if parts[i], err = in.text(v); err != nil {
			return nil, err
		}
		n += len(parts[i])
	}
	if err := in.memory(n); err != nil {
		return nil, err
	}
	return strings.Join(parts, ""), nil
}

func (e *compareExpr) eval(in *interp, s *scope) (any, error) {
	left, err := e.first.eval(in, s)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := e.rest[i].eval(in, s)
		if err != nil {
			return nil, err
		}
		ok, err := in.compare(op, left, right)
		if !ok || err != nil {
			return false, err
		}
		left = right
	}
	return true, nil
}

func (in *interp) compare(op string, a, b any) (bool, error) {
	switch op {
	case "==":
		return in.equal(a, b, 0)
	case "!=":
		eq, err := in.equal(a, b, 0)
		return !eq, err
	case "in":
		return in.contains(b, a)
	case "not in":
		ok, err := in.contains(b, a)
		return !ok, err
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(*undefined); ok {
			return false, u.err()
		}
	}
	c, err := in.order(a, b, 0)
	switch op {
	case "<":
		return c < 0, err
	case "<=":
		return c <= 0, err
	case ">":
		return c > 0, err
	}
	return c >= 0, err
}

// contains says whether x is in v.
func (in *interp) contains(v, x any) (bool, error) {
	switch v := v.(type) {
	case string:
		s, ok := x.(string)
		if !ok {
			return false, fmt.Errorf("%s is never in a string", typeName(x))
		}
		if err := in.step(len(v) >> 6); err != nil {
			return false, err
		}
		return strings.Contains(v, s), nil
	case *list:
		for _, y := range v.items {
			if eq, err := in.equal(x, y, 0); eq || err != nil {
				return eq, err
			}
		}
		return false, nil
	case *dict:
		if !v.space {
			_, ok := v.get(x)
			return ok, nil
		}
	case *undefined:
		return false, nil
	}
	return false, fmt.Errorf("nothing can be in %s", typeName(v))
}

func (e *unaryExpr) eval(in *interp, s *scope) (any, error) {
	v, err := e.of.eval(in, s)
	if err != nil {
		return nil, err
	}
	if e.op == "not" {
		return !truthy(v), nil
	}
	if n, ok := asInt(v); ok {
		if e.op == "-" {
			if n == math.MinInt64 {
				return nil, errRange
			}
			n = -n
		}
		return n, nil
	}
	if f, ok := v.(float64); ok {
		if e.op == "-" {
			f = -f
		}
		return f, nil
	}
	return nil, fmt.Errorf("%s has no sign", typeName(v))
}

func (e *binaryExpr) eval(in *interp, s *scope) (any, error) {
	if err := in.step(1); err != nil {
		return nil, err
	}
	left, err := e.left.eval(in, s)
	if err != nil {
		return nil, err
	}
	if e.op == "and" && !truthy(left) || e.op == "or" && truthy(left) {
		return left, nil
	}
	right, err := e.right.eval(in, s)
	if err != nil || e.op == "and" || e.op == "or" {
		return right, err
	}
	for _, v := range []any{left, right} {
		if u, ok := v.(*undefined); ok {
			return nil, at(u.err(), e.line)
		}
	}
	v, err := in.binary(e.op, left, right)
	return v, at(err, e.line)
}
