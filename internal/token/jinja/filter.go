package jinja

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type filterFunc func(in *interp, v any, a arguments) (any, error)

var filters map[string]filterFunc

func init() {
	onText := func(f func(string) string) filterFunc {
		return func(in *interp, v any, a arguments) (any, error) {
			s, err := in.text(v)
			if err != nil {
				return nil, err
			}
			if err := in.memoryOf(len(s), 3); err != nil {
				return nil, err
			}
			return f(s), nil
		}
	}
	same := func(in *interp, v any, a arguments) (any, error) { return v, nil }
	filters = map[string]filterFunc{
		"upper": onText(upper), "lower": onText(lower), "capitalize": onText(capitalize), "title": onText(titleFilter),
		"string": onText(func(s string) string { return s }), "safe": same,
		"escape": onText(escape), "e": onText(escape), "forceescape": onText(escape),
		"wordcount": func(in *interp, v any, a arguments) (any, error) {
			s, err := in.text(v)
			if err != nil {
				return nil, err
			}
			inside, n := false, int64(0)
			for _, r := range s {
				word := r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r)
				if word && !inside {
					n++
				}
				inside = word
			}
			return n, in.step(len(s) >> 4)
		},
		"trim": func(in *interp, v any, a arguments) (any, error) {
			s, err := in.text(v)
			if err != nil {
				return nil, err
			}
			return stringMethods["strip"](in, s, a)
		},
		"length": length, "count": length,
		"first": end(func(items []any) any { return items[0] }), "last": end(func(items []any) any { return items[len(items)-1] }),
		"default": defaultFilter, "d": defaultFilter,
		"join":    joinFilter,
		"replace": replaceFilter,
		"tojson":  toJSON,
		"indent":  indent,
		"list": func(in *interp, v any, a arguments) (any, error) {
			items, err := in.iterate(v)
			if err != nil {
				return nil, err
			}
			return &list{items: append([]any(nil), items...)}, in.memoryOf(len(items), 16)
		},
		"items": func(in *interp, v any, a arguments) (any, error) {
			switch v := v.(type) {
			case *undefined:
				return &list{}, nil
			case *dict:
				return in.items(v)
			}
			return nil, fmt.Errorf("%s has no items", typeName(v))
		},
		"dictsort": func(in *interp, v any, a arguments) (any, error) {
			d, ok := v.(*dict)
			if !ok {
				return nil, fmt.Errorf("%s is no mapping", typeName(v))
			}
			pairs, err := in.items(d)
			if err != nil {
				return nil, err
			}
			by, err := a.str(1, "by", "key")
			if err != nil {
				return nil, err
			}
			which := 0
			if by == "value" {
				which = 1
			}
			return in.sorted(pairs.(*list).items, a, 0, 2, func(p any) (any, error) { return p.(*list).items[which], nil })
		},
		"sort": func(in *interp, v any, a arguments) (any, error) {
			items, err := in.iterate(v)
			if err != nil {
				return nil, err
			}
			attr, err := a.str(2, "attribute", "")
			if err != nil {
				return nil, err
			}
			return in.sorted(items, a, 1, 0, func(x any) (any, error) { return in.path(x, attr) })
		},
		"unique": func(in *interp, v any, a arguments) (any, error) {
			items, err := in.iterate(v)
			if err != nil {
				return nil, err
			}
			attr, err := a.str(1, "attribute", "")
			if err != nil {
				return nil, err
			}
			out, seen := &list{}, map[any]bool{}
			for _, x := range items {
				k, err := in.path(x, attr)
				if err != nil {
					return nil, err
				}
				if s, ok := k.(string); ok {
					k = strings.ToLower(s)
				}
				if k, err = hashKey(k); err != nil {
					return nil, err
				}
				if !seen[k] {
					seen[k] = true
					out.items = append(out.items, x)
				}
			}
			return out, in.memoryOf(len(items), 64)
		},
		"reverse": func(in *interp, v any, a arguments) (any, error) {
			items, err := in.iterate(v)
			if err != nil {
				return nil, err
			}
			if err := in.memoryOf(len(items), 16); err != nil {
				return nil, err
			}
			out := make([]any, len(items))
			for i, x := range items {
				out[len(items)-1-i] = x
			}
			if _, ok := v.(string); ok {
				return in.join("", out)
			}
			return &list{items: out}, nil
		},
		"map":    mapFilter,
		"select": selectFilter(false, false), "reject": selectFilter(false, true),
		"selectattr": selectFilter(true, false), "rejectattr": selectFilter(true, true),
		"sum": func(in *interp, v any, a arguments) (any, error) {
			items, err := in.iterate(v)
			if err != nil {
				return nil, err
			}
			attr, err := a.str(0, "attribute", "")
			if err != nil {
				return nil, err
			}
			total, ok := a.get(1, "start")
			if !ok {
				total = int64(0)
			}
			for _, x := range items {
				if x, err = in.path(x, attr); err != nil {
					return nil, err
				}
				if total, err = in.binary("+", total, x); err != nil {
					return nil, err
				}
			}
			return total, in.step(len(items))
		},
		"min": extreme(-1), "max": extreme(1),
		"abs": func(in *interp, v any, a arguments) (any, error) {
			if n, ok := asInt(v); ok {
				if n == math.MinInt64 {
					return nil, errRange
				}
				return max(n, -n), nil
			}
			f, ok := v.(float64)
			if !ok {
				return nil, fmt.Errorf("%s has no absolute value", typeName(v))
			}
			return math.Abs(f), nil
		},
		"round": func(in *interp, v any, a arguments) (any, error) {
			f, ok := asFloat(v)
			digits, err := a.num(0, "precision", 0)
			method, err2 := a.str(1, "method", "common")
			if !ok || err != nil || err2 != nil || digits < 0 || digits > 15 {
				return nil, errors.Join(err, err2, fmt.Errorf("%s cannot be rounded so", typeName(v)))
			}
			p := math.Pow10(int(digits))
			switch method {
			case "common":
				return strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(digits), 64), 64)
			case "ceil":
				return math.Ceil(f*p) / p, nil
			case "floor":
				return math.Floor(f*p) / p, nil
			}
			return nil, fmt.Errorf("the method %q is not known here", method)
		},
		"int": func(in *interp, v any, a arguments) (any, error) {
			switch x := v.(type) {
			case float64:
				if math.Abs(x) < 1<<62 {
					return int64(x), nil
				}
			case string:
				s := strings.TrimFunc(x, isSpace)
				if n, err := strconv.ParseInt(s, 10, 64); err == nil {
					return n, nil
				}
				if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<62 {
					return int64(f), nil
				}
			default:
				if n, ok := asInt(v); ok {
					return n, nil
				}
			}
			if d, ok := a.get(0, "default"); ok {
				return d, nil
			}
			return int64(0), nil
		},
		"float": func(in *interp, v any, a arguments) (any, error) {
			if f, ok := asFloat(v); ok {
				return f, nil
			}
			if s, ok := v.(string); ok {
				if f, err := strconv.ParseFloat(strings.TrimFunc(s, isSpace), 64); err == nil {
					return f, nil
				}
			}
			if d, ok := a.get(0, "default"); ok {
				return d, nil
			}
			return 0.0, nil
		},
		"attr": func(in *interp, v any, a arguments) (any, error) {
			name, err := a.str(0, "name", "")
			if err != nil {
				return nil, err
			}
			if x, ok := field(in, v, name); ok {
				return x, nil
			}
			return missing(v, name), nil
		},
		"batch": func(in *interp, v any, a arguments) (any, error) {
			items, err := in.iterate(v)
			n, err2 := a.num(0, "linecount", 0)
			if err != nil || err2 != nil || n < 1 || n > math.MaxInt32 {
				return nil, errors.Join(err, err2, fmt.Errorf("batches of %d", n))
			}
			fill, filled := a.get(1, "fill_with")
			if err := in.memoryOf(2*len(items)+1, 64); err != nil {
				return nil, err
			}
			out := &list{}
			for len(items) > 0 {
				m := min(int(n), len(items))
				row := append([]any(nil), items[:m]...)
				items = items[m:]
				if filled && fill != nil && m < int(n) {
					if err := in.memoryOf(int(n)-m, 16); err != nil {
						return nil, err
					}
					for len(row) < int(n) {
						row = append(row, fill)
					}
				}
				out.items = append(out.items, &list{items: row})
			}
			return out, nil
		},
		"format": func(in *interp, v any, a arguments) (any, error) {
			s, err := in.text(v)
			if err != nil {
				return nil, err
			}
			return in.printf(s, &list{a.pos, true})
		},
	}
}

// titleFilter makes the first letter of each word large, where words begin
// after white space, hyphens and opening brackets, unlike the method's.
func titleFilter(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		switch {
		case start:
			b.WriteString(upper(string(r)))
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		start = isSpace(r) || strings.ContainsRune("-({[<", r)
	}
	return b.String()
}

var escape = strings.NewReplacer("&", "&amp;", ">", "&gt;", "<", "&lt;", "'", "&#39;", `"`, "&#34;").Replace

func length(in *interp, v any, a arguments) (any, error) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), in.step(len(v) >> 6)
	case *list:
		return int64(len(v.items)), nil
	case *dict:
		return int64(len(v.keys)), nil
	case *undefined:
		return int64(0), nil
	}
	return nil, fmt.Errorf("%s has no length", typeName(v))
}

func end(pick func([]any) any) filterFunc {
	return func(in *interp, v any, a arguments) (any, error) {
		items, err := in.iterate(v)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return &undefined{"an item of an empty sequence"}, nil
		}
		return pick(items), nil
	}
}

func defaultFilter(in *interp, v any, a arguments) (any, error) {
	also, _ := a.get(1, "boolean")
	if _, ok := v.(*undefined); ok || truthy(also) && !truthy(v) {
		if d, ok := a.get(0, "default_value"); ok {
			return d, nil
		}
		return "", nil
	}
	return v, nil
}

// path is x.a.b, or x where path is empty.
func (in *interp) path(x any, path string) (any, error) {
	if path == "" {
		return x, nil
	}
	for part := range strings.SplitSeq(path, ".") {
		var key any = part
		if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			key = n
		}
		var err error
		if x, err = in.item(x, key); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// sorted sorts a copy; the arguments say whether case counts and whether it
// goes backwards.
func (in *interp) sorted(items []any, a arguments, caseAt, reverseAt int, key func(any) (any, error)) (any, error) {
	exact, _ := a.get(caseAt, "case_sensitive")
	reverse, _ := a.get(reverseAt, "reverse")
	if err := in.memoryOf(len(items), 16); err != nil {
		return nil, err
	}
	out := append([]any(nil), items...)
	return &list{items: out}, in.sortValues(out, func(x any) (any, error) {
		k, err := key(x)
		if s, ok := k.(string); ok && !truthy(exact) {
			k = strings.ToLower(s)
		}
		return k, err
	}, truthy(reverse))
}

func extreme(sign int) filterFunc {
	return func(in *interp, v any, a arguments) (any, error) {
		items, err := in.iterate(v)
		if err != nil {
			return nil, err
		}
		attr, err := a.str(1, "attribute", "")
		if err != nil {
			return nil, err
		}
		var best, bestKey any = &undefined{"the extreme of an empty sequence"}, nil
		for i, x := range items {
			k, err := in.path(x, attr)
			if err != nil {
				return nil, err
			}
			if s, ok := k.(string); ok {
				k = strings.ToLower(s)
			}
			if i > 0 {
				c, err := in.order(k, bestKey, 0)
				if err != nil {
					return nil, err
				}
				if c*sign <= 0 {
					continue
				}
			}
			best, bestKey = x, k
		}
		return best, nil
	}
}

func joinFilter(in *interp, v any, a arguments) (any, error) {
	items, err := in.iterate(v)
	if err != nil {
		return nil, err
	}
	sep, err := a.str(0, "d", "")
	if err != nil {
		return nil, err
	}
	attr, err := a.str(1, "attribute", "")
	if err != nil {
		return nil, err
	}
	if attr != "" {
		if err := in.memoryOf(len(items), 16); err != nil {
			return nil, err
		}
		items = append([]any(nil), items...)
		for i, x := range items {
			if items[i], err = in.path(x, attr); err != nil {
				return nil, err
			}
		}
	}
	return in.join(sep, items)
}

func replaceFilter(in *interp, v any, a arguments) (any, error) {
	s, err := in.text(v)
	if err != nil {
		return nil, err
	}
	old, err1 := a.str(0, "old", "")
	new, err2 := a.str(1, "new", "")
	n, err3 := a.num(2, "count", -1)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return in.replace(s, old, new, n)
}

func indent(in *interp, v any, a arguments) (any, error) {
	s, err := in.text(v)
	if err != nil {
		return nil, err
	}
	var pad any
	if w, ok := a.get(0, "width"); ok {
		if t, ok := w.(string); ok {
			pad = t
		}
	}
	if pad == nil {
		n, err := a.num(0, "width", 4)
		if err != nil {
			return nil, err
		}
		if pad, err = in.repeat(" ", n); err != nil {
			return nil, err
		}
	}
	first, _ := a.get(1, "first")
	blank, _ := a.get(2, "blank")
	if err := in.memory(len(s)); err != nil {
		return nil, err
	}
	if err := in.memoryOf(strings.Count(s, "\n")+1, len(pad.(string))); err != nil {
		return nil, err
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if i == 0 && !truthy(first) || l == "" && !truthy(blank) && i > 0 {
			continue
		}
		lines[i] = pad.(string) + l
	}
	return strings.Join(lines, "\n"), nil
}

// mapFilter takes an attribute of each item, or puts each through a filter.
func mapFilter(in *interp, v any, a arguments) (any, error) {
	items, err := in.iterate(v)
	if err != nil {
		return nil, err
	}
	if err := in.memoryOf(len(items), 16); err != nil {
		return nil, err
	}
	attr, err := a.str(-1, "attribute", "")
	if err != nil {
		return nil, err
	}
	out := &list{items: make([]any, len(items))}
	if attr != "" {
		def, hasDef := a.get(-1, "default")
		for i, x := range items {
			y, err := in.path(x, attr)
			if err != nil {
				return nil, err
			}
			if _, ok := y.(*undefined); ok && hasDef {
				y = def
			}
			out.items[i] = y
		}
		return out, nil
	}
	name, err := a.str(0, "filter", "")
	if err != nil {
		return nil, err
	}
	f, ok := filters[name]
	if !ok {
		return nil, fmt.Errorf("the filter %q is not known here", name)
	}
	rest := a.after("filter")
	for i, x := range items {
		if err := in.step(1); err != nil {
			return nil, err
		}
		// A filter may be map again, which is the one way to nest without
		// anything in the source being nested.
		if err := in.nested(func() error { out.items[i], err = f(in, x, rest); return err }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// selectFilter keeps the items that pass a test, or do not.
func selectFilter(attribute, reject bool) filterFunc {
	return func(in *interp, v any, a arguments) (any, error) {
		items, err := in.iterate(v)
		if err != nil {
			return nil, err
		}
		attr, rest := "", a.pos
		if attribute {
			if attr, err = a.str(0, "attribute", ""); err != nil {
				return nil, err
			}
			if attr == "" || len(rest) == 0 {
				return nil, errors.New("no attribute named")
			}
			rest = rest[1:]
		}
		test := func(in *interp, v any, a arguments) (bool, error) { return truthy(v), nil }
		if len(rest) > 0 {
			name, _ := rest[0].(string)
			named, ok := tests[name]
			if !ok {
				return nil, fmt.Errorf("the test %q is not known here", name)
			}
			test, rest = named, rest[1:]
		}
		out := &list{}
		for _, x := range items {
			if err := in.step(1); err != nil {
				return nil, err
			}
			y, err := in.path(x, attr)
			if err != nil {
				return nil, err
			}
			ok, err := test(in, y, arguments{pos: rest, names: a.names, named: a.named})
			if err != nil {
				return nil, err
			}
			if ok != reject {
				out.items = append(out.items, x)
			}
		}
		return out, in.memoryOf(len(out.items), 16)
	}
}
