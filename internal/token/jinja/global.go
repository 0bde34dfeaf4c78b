package jinja

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// tests are what may stand after "is".
var tests map[string]func(in *interp, v any, a arguments) (bool, error)

func init() {
	is := func(f func(any) bool) func(*interp, any, arguments) (bool, error) {
		return func(_ *interp, v any, _ arguments) (bool, error) { return f(v), nil }
	}
	compare := func(op string) func(*interp, any, arguments) (bool, error) {
		return func(in *interp, v any, a arguments) (bool, error) {
			x, ok := a.get(0, "other")
			if !ok {
				return false, errors.New("nothing to compare with")
			}
			return in.compare(op, v, x)
		}
	}
	parity := func(odd int64) func(*interp, any, arguments) (bool, error) {
		return func(_ *interp, v any, _ arguments) (bool, error) {
			n, ok := asInt(v)
			if !ok {
				return false, fmt.Errorf("%s is neither odd nor even", typeName(v))
			}
			return n&1 == odd, nil
		}
	}
	isUndefined := func(v any) bool { _, ok := v.(*undefined); return ok }
	isList := func(v any) bool { _, ok := v.(*list); return ok }
	isString := func(v any) bool { _, ok := v.(string); return ok }
	isInt := func(v any) bool { _, ok := v.(int64); return ok }
	isFloat := func(v any) bool { _, ok := v.(float64); return ok }
	isBool := func(v any) bool { _, ok := v.(bool); return ok }
	tests = map[string]func(*interp, any, arguments) (bool, error){
		"defined": is(func(v any) bool { return !isUndefined(v) }), "undefined": is(isUndefined),
		"none":    is(func(v any) bool { return v == nil }),
		"boolean": is(isBool), "integer": is(isInt), "float": is(isFloat), "string": is(isString),
		"number":   is(func(v any) bool { return isInt(v) || isFloat(v) || isBool(v) }),
		"mapping":  is(isDict),
		"sequence": is(func(v any) bool { return isList(v) || isDict(v) || isString(v) || isUndefined(v) }),
		"iterable": is(func(v any) bool { return isList(v) || isDict(v) || isString(v) || isUndefined(v) }),
		"callable": is(func(v any) bool { _, ok := v.(callable); return ok || isUndefined(v) }),
		"true":     is(func(v any) bool { return v == true }), "false": is(func(v any) bool { return v == false }),
		"odd": parity(1), "even": parity(0),
		"divisibleby": func(_ *interp, v any, a arguments) (bool, error) {
			n, ok := asInt(v)
			m, err := a.num(0, "num", 0)
			if !ok || err != nil || m == 0 {
				return false, errors.Join(err, errors.New("needs two whole numbers"))
			}
			return n%m == 0, nil
		},
		"sameas": func(in *interp, v any, a arguments) (bool, error) {
			x, _ := a.get(0, "other")
			switch v.(type) {
			case nil, bool, *list, *dict, *loop:
				return v == x, nil
			}
			return in.equal(v, x, 0)
		},
		"lower": func(in *interp, v any, _ arguments) (bool, error) {
			return hasCase(in, v, unicode.IsLower, unicode.IsUpper)
		},
		"upper": func(in *interp, v any, _ arguments) (bool, error) {
			return hasCase(in, v, unicode.IsUpper, unicode.IsLower)
		},
		"in": compare("in"),
		"filter": func(_ *interp, v any, _ arguments) (bool, error) {
			s, _ := v.(string)
			_, ok := filters[s]
			return ok, nil
		},
	}
	for op, names := range map[string][]string{"==": {"eq", "equalto", "=="}, "!=": {"ne", "!="}, "<": {"lt", "lessthan", "<"},
		"<=": {"le", "<="}, ">": {"gt", "greaterthan", ">"}, ">=": {"ge", ">="}} {
		for _, name := range names {
			tests[name] = compare(op)
		}
	}
}

func hasCase(in *interp, v any, has, hasNot func(rune) bool) (bool, error) {
	s, err := in.text(v)
	if err != nil {
		return false, err
	}
	return strings.IndexFunc(s, has) >= 0 && strings.IndexFunc(s, hasNot) < 0, in.step(len(s) >> 4)
}

// functions are the globals of every template.
var functions = map[string]any{
	"range": callable(func(in *interp, a arguments) (any, error) {
		var n [3]int64
		if len(a.pos) < 1 || len(a.pos) > 3 || len(a.names) > 0 {
			return nil, errors.New("range takes one to three numbers")
		}
		for i := range a.pos {
			var err error
			if n[i], err = a.num(i, "number", 0); err != nil {
				return nil, err
			}
		}
		start, stop, gap := n[0], n[1], n[2]
		if len(a.pos) == 1 {
			start, stop = 0, n[0]
		}
		if len(a.pos) < 3 {
			gap = 1
		}
		if gap == 0 {
			return nil, errors.New("range with a step of zero")
		}
		// Jinja's sandbox allows ranges of 100,000 numbers.
		const most = 100_000
		out := &list{}
		for i := start; gap > 0 && i < stop || gap < 0 && i > stop; {
			if len(out.items) == most {
				return nil, &LimitError{fmt.Sprintf("a range of more than %d numbers", most)}
			}
			if err := in.memory(24); err != nil {
				return nil, err
			}
			out.items = append(out.items, i)
			next := i + gap
			if (next > i) != (gap > 0) {
				break // past the last number there is
			}
			i = next
		}
		return out, in.step(len(out.items) >> 3)
	}),
	"namespace": callable(func(in *interp, a arguments) (any, error) {
		v, err := makeDict(in, a)
		if err == nil {
			v.space = true
		}
		return v, err
	}),
	"dict": callable(func(in *interp, a arguments) (any, error) { return makeDict(in, a) }),
	"joiner": callable(func(in *interp, a arguments) (any, error) {
		sep, err := a.str(0, "sep", ", ")
		first := true
		return callable(func(*interp, arguments) (any, error) {
			if first {
				first = false
				return "", nil
			}
			return sep, nil
		}), err
	}),
	"raise_exception": callable(func(in *interp, a arguments) (any, error) {
		v, _ := a.get(0, "message")
		s, err := in.text(v)
		if err != nil {
			return nil, err
		}
		return nil, &RaisedError{s}
	}),
}

func makeDict(in *interp, a arguments) (*dict, error) {
	d := newDict()
	if err := in.memoryOf(len(a.names)+1, 64); err != nil {
		return nil, err
	}
	if len(a.pos) > 0 {
		from, ok := a.pos[0].(*dict)
		if !ok {
			return nil, fmt.Errorf("a mapping from %s", typeName(a.pos[0]))
		}
		if err := in.memoryOf(len(from.keys), 64); err != nil {
			return nil, err
		}
		for i, k := range from.keys {
			if err := d.set(k, from.vals[i]); err != nil {
				return nil, err
			}
		}
	}
	for i, name := range a.names {
		if err := d.set(name, a.named[i]); err != nil {
			return nil, err
		}
	}
	return d, nil
}
