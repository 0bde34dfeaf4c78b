package jinja

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// strip takes characters of a set, white space where none is given, from the
// left, the right or both ends.
func strip(left, right bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		chars, err := a.str(0, "chars", "")
		if err != nil {
			return nil, err
		}
		if err := in.step(len(s) >> 6); err != nil {
			return nil, err
		}
		drop := isSpace
		if v, ok := a.get(0, "chars"); ok && v != nil {
			if err := in.step(len(chars)); err != nil {
				return nil, err
			}
			set := make(map[rune]bool)
			for _, r := range chars {
				set[r] = true
			}
			drop = func(r rune) bool { return set[r] }
		}
		if left {
			s = strings.TrimLeftFunc(s, drop)
		}
		if right {
			s = strings.TrimRightFunc(s, drop)
		}
		return s, nil
	}
}

func upper(s string) string { return cases.Upper(language.Und).String(s) }
func lower(s string) string { return cases.Lower(language.Und, cases.HandleFinalSigma(true)).String(s) }

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return string(titleRunes(s[:n])) + lower(s[n:])
}

func titleRunes(s string) []rune {
	out := []rune(s)
	for i, r := range out {
		out[i] = unicode.ToTitle(r)
	}
	return out
}

// title makes the first letter of each run of letters large.
func title(s string) string {
	var b strings.Builder
	inside := false
	for _, r := range s {
		switch {
		case !unicode.IsLetter(r):
			inside = false
		case inside:
			r = unicode.ToLower(r)
		default:
			r, inside = unicode.ToTitle(r), true
		}
		b.WriteRune(r)
	}
	return b.String()
}

// mapped is a method that makes a string of about the same length.
func mapped(f func(string) string) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		if err := in.memoryOf(len(s), 3); err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// all is a method that asks something of every character; an empty string
// has none.
func all(f func(rune) bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		if err := in.step(len(s) >> 4); err != nil {
			return nil, err
		}
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !f(r) }) < 0, nil
	}
}

// cased asks that there are letters with a case, and that none has the other.
func cased(has, hasNot func(rune) bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		if err := in.step(len(s) >> 4); err != nil {
			return nil, err
		}
		return strings.IndexFunc(s, has) >= 0 && strings.IndexFunc(s, hasNot) < 0, nil
	}
}

// affix says whether a string begins or ends with another, or one of several.
func affix(has func(s, x string) bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		v, _ := a.get(0, "prefix")
		if l, ok := v.(*list); ok && l.tuple {
			if err := in.step(len(l.items)); err != nil {
				return nil, err
			}
			for _, x := range l.items {
				if t, ok := x.(string); ok && has(s, t) {
					return true, nil
				}
			}
			return false, nil
		}
		t, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("a string does not begin or end with %s", typeName(v))
		}
		return has(s, t), nil
	}
}

func find(index func(s, x string) int, must bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		x, err := a.str(0, "sub", "")
		if err != nil {
			return nil, err
		}
		if err := in.step(len(s) >> 4); err != nil {
			return nil, err
		}
		i := index(s, x)
		if i < 0 {
			if must {
				return nil, errors.New("substring not found")
			}
			return int64(-1), nil
		}
		return int64(utf8.RuneCountInString(s[:i])), nil
	}
}

func split(right bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		sep, err := a.str(0, "sep", "")
		if err != nil {
			return nil, err
		}
		limit, err := a.num(1, "maxsplit", -1)
		if err != nil {
			return nil, err
		}
		if limit < 0 {
			limit = math.MaxInt32
		}
		v, ok := a.get(0, "sep")
		white := !ok || v == nil
		if !white && sep == "" {
			return nil, errors.New("empty separator")
		}
		var parts []string
		switch {
		case white && !right:
			for s = strings.TrimLeftFunc(s, isSpace); s != ""; s = strings.TrimLeftFunc(s, isSpace) {
				n := strings.IndexFunc(s, isSpace)
				if n < 0 || int64(len(parts)) >= limit {
					n = len(s)
				}
				parts = append(parts, s[:n])
				s = s[n:]
			}
		case white:
			for s = strings.TrimRightFunc(s, isSpace); s != ""; s = strings.TrimRightFunc(s, isSpace) {
				n := strings.LastIndexFunc(s, isSpace)
				from := 0
				if n >= 0 && int64(len(parts)) < limit {
					_, size := utf8.DecodeRuneInString(s[n:])
					from = n + size
				}
				parts = append(parts, s[from:])
				s = s[:from]
			}
		case !right:
			for int64(len(parts)) < limit {
				before, after, ok := strings.Cut(s, sep)
				if !ok {
					break
				}
				parts, s = append(parts, before), after
			}
			parts = append(parts, s)
		default:
			for int64(len(parts)) < limit {
				i := strings.LastIndex(s, sep)
				if i < 0 {
					break
				}
				parts, s = append(parts, s[i+len(sep):]), s[:i]
			}
			parts = append(parts, s)
		}
		if err := in.memoryOf(len(parts), 48); err != nil {
			return nil, err
		}
		out := &list{items: make([]any, len(parts))}
		for i, p := range parts {
			if right {
				i = len(parts) - 1 - i
			}
			out.items[i] = p
		}
		return out, in.step(len(s) >> 6)
	}
}

func partition(last bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		sep, err := a.str(0, "sep", "")
		if err != nil || sep == "" {
			return nil, errors.Join(err, errors.New("partition needs a separator"))
		}
		i := strings.Index(s, sep)
		if last {
			i = strings.LastIndex(s, sep)
		}
		parts := []any{s, "", ""}
		switch {
		case i >= 0:
			parts = []any{s[:i], sep, s[i+len(sep):]}
		case last:
			parts = []any{"", "", s}
		}
		return &list{parts, true}, in.memory(48 + len(s)>>6)
	}
}

func (in *interp) replace(s, old, new string, n int64) (string, error) {
	count := int64(strings.Count(s, old))
	if n >= 0 {
		count = min(count, n)
	}
	if err := in.memory(len(s)); err != nil {
		return "", err
	}
	if err := in.memoryOf(int(count), len(new)); err != nil {
		return "", err
	}
	return strings.Replace(s, old, new, int(count)), nil
}

func (in *interp) join(sep string, items []any) (string, error) {
	parts := make([]string, len(items))
	n := 0
	for i, v := range items {
		s, err := in.text(v)
		if err != nil {
			return "", err
		}
		parts[i] = s
		n += len(s)
	}
	if err := in.memory(n); err != nil {
		return "", err
	}
	if err := in.memoryOf(len(items), len(sep)+16); err != nil {
		return "", err
	}
	return strings.Join(parts, sep), nil
}

func pad(left, right bool) func(*interp, string, arguments) (any, error) {
	return func(in *interp, s string, a arguments) (any, error) {
		width, err := a.num(0, "width", 0)
		if err != nil {
			return nil, err
		}
		fill, err := a.str(1, "fillchar", " ")
		if err != nil {
			return nil, err
		}
		n := width - int64(utf8.RuneCountInString(s))
		if n <= 0 {
			return s, nil
		}
		before := int64(0)
		switch {
		case left && right:
			before = n/2 + n&width&1 // where the odd space goes in Python
		case left:
			before = n
		}
		l, err := in.repeat(fill, before)
		if err != nil {
			return nil, err
		}
		r, err := in.repeat(fill, n-before)
		if err != nil {
			return nil, err
		}
		return in.binary("+", l.(string)+s, r)
	}
}

var stringMethods map[string]func(*interp, string, arguments) (any, error)
var listMethods map[string]func(*interp, *list, arguments) (any, error)
var dictMethods map[string]func(*interp, *dict, arguments) (any, error)

func init() {
	stringMethods = map[string]func(*interp, string, arguments) (any, error){
		"strip": strip(true, true), "lstrip": strip(true, false), "rstrip": strip(false, true),
		"upper": mapped(upper), "lower": mapped(lower), "title": mapped(title), "capitalize": mapped(capitalize),
		"casefold": mapped(func(s string) string { return cases.Fold().String(s) }),
		"isdigit":  all(unicode.IsDigit), "isalpha": all(unicode.IsLetter), "isspace": all(isSpace),
		"isnumeric": all(unicode.IsNumber), "isalnum": all(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
		"isupper": cased(unicode.IsUpper, unicode.IsLower), "islower": cased(unicode.IsLower, unicode.IsUpper),
		"startswith": affix(strings.HasPrefix), "endswith": affix(strings.HasSuffix),
		"find": find(strings.Index, false), "rfind": find(strings.LastIndex, false),
		"index": find(strings.Index, true), "rindex": find(strings.LastIndex, true),
		"split": split(false), "rsplit": split(true), "partition": partition(false), "rpartition": partition(true),
		"ljust": pad(false, true), "rjust": pad(true, false), "center": pad(true, true),
		"count": func(in *interp, s string, a arguments) (any, error) {
			x, err := a.str(0, "sub", "")
			if err != nil {
				return nil, err
			}
			return int64(strings.Count(s, x)), in.step(len(s) >> 4)
		},
		"replace": func(in *interp, s string, a arguments) (any, error) {
			old, err1 := a.str(0, "old", "")
			new, err2 := a.str(1, "new", "")
			n, err3 := a.num(2, "count", -1)
			if err := errors.Join(err1, err2, err3); err != nil {
				return nil, err
			}
			return in.replace(s, old, new, n)
		},
		"removeprefix": func(in *interp, s string, a arguments) (any, error) {
			x, err := a.str(0, "prefix", "")
			return strings.TrimPrefix(s, x), err
		},
		"removesuffix": func(in *interp, s string, a arguments) (any, error) {
			x, err := a.str(0, "suffix", "")
			return strings.TrimSuffix(s, x), err
		},
		"join": func(in *interp, s string, a arguments) (any, error) {
			v, _ := a.get(0, "iterable")
			items, err := in.iterate(v)
			if err != nil {
				return nil, err
			}
			for _, v := range items {
				if _, ok := v.(string); !ok {
					return nil, fmt.Errorf("join of %s", typeName(v))
				}
			}
			return in.join(s, items)
		},
		"splitlines": func(in *interp, s string, a arguments) (any, error) {
			out := &list{}
			for s != "" {
				i := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
				if i < 0 {
					out.items = append(out.items, s)
					break
				}
				out.items = append(out.items, s[:i])
				if strings.HasPrefix(s[i:], "\r\n") {
					i++
				}
				_, n := utf8.DecodeRuneInString(s[i:])
				s = s[i+n:]
			}
			return out, in.memoryOf(len(out.items), 48)
		},
		"format": func(in *interp, s string, a arguments) (any, error) { return in.format(s, a) },
	}
	listMethods = map[string]func(*interp, *list, arguments) (any, error){
		"count": func(in *interp, l *list, a arguments) (any, error) {
			x, _ := a.get(0, "value")
			n := int64(0)
			for _, v := range l.items {
				eq, err := in.equal(v, x, 0)
				if err != nil {
					return nil, err
				}
				if eq {
					n++
				}
			}
			return n, nil
		},
		"index": func(in *interp, l *list, a arguments) (any, error) {
			x, _ := a.get(0, "value")
			for i, v := range l.items {
				if eq, err := in.equal(v, x, 0); eq || err != nil {
					return int64(i), err
				}
			}
			return nil, errors.New("the value is not in the list")
		},
	}
	dictMethods = map[string]func(*interp, *dict, arguments) (any, error){
		"get": func(in *interp, d *dict, a arguments) (any, error) {
			k, _ := a.get(0, "key")
			if v, ok := d.get(k); ok {
				return v, nil
			}
			v, _ := a.get(1, "default")
			return v, nil
		},
		"keys": func(in *interp, d *dict, a arguments) (any, error) {
			return &list{items: append([]any(nil), d.keys...)}, in.memoryOf(len(d.keys), 16)
		},
		"values": func(in *interp, d *dict, a arguments) (any, error) {
			return &list{items: append([]any(nil), d.vals...)}, in.memoryOf(len(d.keys), 16)
		},
		"items": func(in *interp, d *dict, a arguments) (any, error) { return in.items(d) },
	}
}

func (in *interp) items(d *dict) (any, error) {
	if err := in.memoryOf(len(d.keys), 80); err != nil {
		return nil, err
	}
	out := &list{}
	for i, k := range d.keys {
		out.items = append(out.items, &list{[]any{k, d.vals[i]}, true})
	}
	return out, nil
}

// format fills {} {0} and {name}; conversions and format specifications are
// refused.
func (in *interp) format(s string, a arguments) (any, error) {
	var b strings.Builder
	next := 0
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		if err := in.memory(i); err != nil {
			return nil, err
		}
		b.WriteString(s[:i])
		if s = s[i:]; s == "" {
			break
		}
		if len(s) > 1 && s[1] == s[0] {
			b.WriteByte(s[0])
			s = s[2:]
			continue
		}
		end := strings.IndexByte(s, '}')
		if s[0] == '}' || end < 0 {
			return nil, errors.New("a brace without its other half in a format")
		}
		name := s[1:end]
		s = s[end+1:]
		var v any
		ok := false
		if n, err := strconv.Atoi(name); name == "" || err == nil {
			if name == "" {
				n = next
				next++
			}
			v, ok = a.get(n, "")
		} else {
			v, ok = a.get(-1, name)
		}
		if !ok {
			return nil, fmt.Errorf("nothing for {%s} in a format", name)
		}
		text, err := in.text(v)
		if err != nil {
			return nil, err
		}
		if err := in.memory(len(text)); err != nil {
			return nil, err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// printf is the % operator on a string: %s %d %i %f %x %r and %%, with
// flags, width and precision.
func (in *interp) printf(s string, arg any) (any, error) {
	args := []any{arg}
	if l, ok := arg.(*list); ok && l.tuple {
		args = l.items
	}
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			i = len(s)
		}
		if err := in.memory(i); err != nil {
			return nil, err
		}
		b.WriteString(s[:i])
		if s = s[i:]; s == "" {
			break
		}
		n := 1
		for n < len(s) && strings.IndexByte("-+ #0123456789.", s[n]) >= 0 {
			n++
		}
		if n >= len(s) || n > 8 {
			return nil, errors.New("bad format after %")
		}
		spec, verb := s[:n], s[n]
		s = s[n+1:]
		if verb == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			return nil, errors.New("not enough arguments for a format")
		}
		v := args[0]
		args = args[1:]
		if err := in.memory(1 << 10); err != nil {
			return nil, err
		}
		if digits := strings.IndexFunc(spec, unicode.IsDigit); digits >= 0 && len(spec)-digits > 4 {
			return nil, errors.New("too wide a format")
		}
		switch verb {
		case 's', 'r':
			text, err := in.text(v)
			if str, ok := v.(string); ok && verb == 'r' {
				var q strings.Builder
				err = in.repr(&q, str, 0)
				text = q.String()
			}
			if err != nil {
				return nil, err
			}
			if err := in.memory(len(text)); err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, spec+"s", text)
		case 'd', 'i', 'x':
			n, ok := asInt(v)
			if f, isFloat := v.(float64); isFloat && verb != 'x' && math.Abs(f) < 1<<62 {
				n, ok = int64(f), true
			}
			if !ok {
				return nil, fmt.Errorf("%%%c of %s", verb, typeName(v))
			}
			fmt.Fprintf(&b, spec+map[byte]string{'d': "d", 'i': "d", 'x': "x"}[verb], n)
		case 'f':
			f, ok := asFloat(v)
			if !ok {
				return nil, fmt.Errorf("%%f of %s", typeName(v))
			}
			fmt.Fprintf(&b, spec+"f", f)
		default:
			return nil, fmt.Errorf("the format %%%c is not known here", verb)
		}
	}
	if len(args) > 0 && !(len(args) == 1 && isDict(arg)) {
		return nil, errors.New("not all arguments of a format were used")
	}
	return b.String(), nil
}

func isDict(v any) bool { _, ok := v.(*dict); return ok }
