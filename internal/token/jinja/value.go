package jinja

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
)

// Values are nil (none), bool, int64, float64, string, *list, *dict,
// *undefined, *loop and callable.

type list struct {
	items []any
	tuple bool
}

// dict keeps its keys in the order in which they came.
type dict struct {
	keys, vals []any
	at         map[any]int
	space      bool // a namespace: its entries are attributes and can be set
}

// undefined is what a missing name, attribute or item is.
type undefined struct{ name string }

func (u *undefined) err() error { return fmt.Errorf("%s is undefined", u.name) }

// callable is a function, method or macro.
type callable func(in *interp, a arguments) (any, error)

type arguments struct {
	pos   []any
	names []string
	named []any
}

// get gives the argument at a place or of a name.
func (a arguments) get(i int, name string) (any, bool) {
	if i >= 0 && i < len(a.pos) {
		return a.pos[i], true
	}
	if j := slices.Index(a.names, name); j >= 0 {
		return a.named[j], true
	}
	return nil, false
}

// after are the arguments behind the first, which may have been given by its name.
func (a arguments) after(first string) arguments {
	out := arguments{pos: a.pos[min(1, len(a.pos)):]}
	for i, n := range a.names {
		if n != first {
			out.names, out.named = append(out.names, n), append(out.named, a.named[i])
		}
	}
	return out
}

func (a arguments) str(i int, name, def string) (string, error) {
	v, ok := a.get(i, name)
	if !ok || v == nil {
		return def, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("argument %s is %s, not a string", name, typeName(v))
	}
	return s, nil
}

func (a arguments) num(i int, name string, def int64) (int64, error) {
	v, ok := a.get(i, name)
	if !ok || v == nil {
		return def, nil
	}
	n, ok := asInt(v)
	if !ok {
		return 0, fmt.Errorf("argument %s is %s, not a whole number", name, typeName(v))
	}
	return n, nil
}

func newDict() *dict { return &dict{at: map[any]int{}} }

// hashKey makes equal keys the same: 1, 1.0 and true.
func hashKey(k any) (any, error) {
	switch k := k.(type) {
	case nil, string, int64:
		return k, nil
	case bool:
		if k {
			return int64(1), nil
		}
		return int64(0), nil
	case float64:
		if k == math.Trunc(k) && math.Abs(k) < 1<<53 {
			return int64(k), nil
		}
		return k, nil
	}
	return nil, fmt.Errorf("%s cannot be a key", typeName(k))
}

func (d *dict) set(k, v any) error {
	h, err := hashKey(k)
	if err != nil {
		return err
	}
	if i, ok := d.at[h]; ok {
		d.vals[i] = v
		return nil
	}
	d.at[h] = len(d.keys)
	d.keys, d.vals = append(d.keys, k), append(d.vals, v)
	return nil
}

func (d *dict) get(k any) (any, bool) {
	h, err := hashKey(k)
	if err != nil {
		return nil, false
	}
	if i, ok := d.at[h]; ok {
		return d.vals[i], true
	}
	return nil, false
}

// Object is a dictionary whose order is kept, for variables of a template.
type Object []Field

// Field is an entry of an [Object].
type Field struct {
	Name  string
	Value any
}

// value makes a value of a Go value.
func value(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case int:
		return int64(v), nil
	case []any:
		l := &list{}
		for _, e := range v {
			x, err := value(e)
			if err != nil {
				return nil, err
			}
			l.items = append(l.items, x)
		}
		return l, nil
	case []Object:
		l := &list{}
		for _, e := range v {
			x, err := value(e)
			if err != nil {
				return nil, err
			}
			l.items = append(l.items, x)
		}
		return l, nil
	case Object:
		d := newDict()
		for _, f := range v {
			x, err := value(f.Value)
			if err != nil {
				return nil, err
			}
			if err := d.set(f.Name, x); err != nil {
				return nil, err
			}
		}
		return d, nil
	case func(string) (string, error):
		return callable(func(in *interp, a arguments) (any, error) {
			s, err := a.str(0, "text", "")
			if err != nil {
				return nil, err
			}
			out, err := v(s)
			if err != nil {
				return nil, err
			}
			return out, in.memory(len(out))
		}), nil
	}
	return nil, fmt.Errorf("a variable of type %T is not known", v)
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case string:
		return "a string"
	case *list:
		return "a list"
	case *dict:
		return "a mapping"
	case *undefined:
		return "undefined (" + v.name + ")"
	}
	return "an object"
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case *list:
		return len(v.items) > 0
	case *dict:
		return v.space || len(v.keys) > 0
	case *undefined:
		return false
	}
	return true
}

// asInt takes whole numbers and booleans, as Python does.
func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func asFloat(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n, ok := asInt(v)
	return float64(n), ok
}

// maxDeep bounds how far values within values are followed.
const maxDeep = 100

var errDeep = errors.New("values are nested too deep")

func (in *interp) equal(a, b any, deep int) (bool, error) {
	if deep > maxDeep {
		return false, errDeep
	}
	if err := in.step(1); err != nil {
		return false, err
	}
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case string:
		y, ok := b.(string)
		return ok && x == y, nil
	case *list:
		y, ok := b.(*list)
		if !ok || x.tuple != y.tuple || len(x.items) != len(y.items) {
			return false, nil
		}
		for i := range x.items {
			if eq, err := in.equal(x.items[i], y.items[i], deep+1); !eq || err != nil {
				return false, err
			}
		}
		return true, nil
	case *dict:
		y, ok := b.(*dict)
		if !ok || len(x.keys) != len(y.keys) || x.space || y.space {
			return x == y, nil
		}
		for i, k := range x.keys {
			v, ok := y.get(k)
			if !ok {
				return false, nil
			}
			if eq, err := in.equal(x.vals[i], v, deep+1); !eq || err != nil {
				return false, err
			}
		}
		return true, nil
	case *undefined:
		_, ok := b.(*undefined)
		return ok, nil
	case callable:
		return false, nil
	}
	if x, ok := asInt(a); ok {
		if y, ok := asInt(b); ok {
			return x == y, nil
		}
	}
	x, ok1 := asFloat(a)
	y, ok2 := asFloat(b)
	return ok1 && ok2 && x == y, nil
}

// order compares two values: below 0, 0 or above 0.
func (in *interp) order(a, b any, deep int) (int, error) {
	if deep > maxDeep {
		return 0, errDeep
	}
	if err := in.step(1); err != nil {
		return 0, err
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	}
	if x, ok := a.(*list); ok {
		if y, ok := b.(*list); ok && x.tuple == y.tuple {
			for i := range min(len(x.items), len(y.items)) {
				if c, err := in.order(x.items[i], y.items[i], deep+1); c != 0 || err != nil {
					return c, err
				}
			}
			return len(x.items) - len(y.items), nil
		}
	}
	if x, ok := asInt(a); ok {
		if y, ok := asInt(b); ok {
			switch {
			case x < y:
				return -1, nil
			case x > y:
				return 1, nil
			}
			return 0, nil
		}
	}
	x, ok1 := asFloat(a)
	y, ok2 := asFloat(b)
	if !ok1 || !ok2 {
		return 0, fmt.Errorf("%s and %s have no order", typeName(a), typeName(b))
	}
	switch {
	case x < y:
		return -1, nil
	case x > y:
		return 1, nil
	}
	return 0, nil
}

// text writes a value as str of Python does.
func (in *interp) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case *undefined:
		return "", nil
	}
	var b strings.Builder
	if err := in.repr(&b, v, 0); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (in *interp) repr(b *strings.Builder, v any, deep int) error {
	if deep > maxDeep {
		return errDeep
	}
	if err := in.step(1); err != nil {
		return err
	}
	before := b.Len()
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		if v {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(formatFloat(v))
	case string:
		reprString(b, v)
	case *undefined:
		b.WriteString("Undefined")
	case *list:
		open, end := "[", "]"
		if v.tuple {
			open, end = "(", ")"
			if len(v.items) == 1 {
				end = ",)"
			}
		}
		b.WriteString(open)
		for i, e := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := in.repr(b, e, deep+1); err != nil {
				return err
			}
		}
		b.WriteString(end)
		return in.memory(2)
	case *dict:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := in.repr(b, k, deep+1); err != nil {
				return err
			}
			b.WriteString(": ")
			if err := in.repr(b, v.vals[i], deep+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return in.memory(2)
	default:
		b.WriteString("<object>")
	}
	return in.memory(b.Len() - before)
}

// formatFloat writes a number as Python does: the shortest that reads back.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func reprString(b *strings.Builder, s string) {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
	b.WriteByte(quote)
}

// iterate gives what a loop goes over.
func (in *interp) iterate(v any) ([]any, error) {
	switch v := v.(type) {
	case *list:
		return v.items, nil
	case *dict:
		if !v.space {
			return v.keys, nil
		}
	case *undefined:
		return nil, nil
	case string:
		if err := in.memory(16 * len(v)); err != nil {
			return nil, err
		}
		var items []any
		for _, r := range v {
			items = append(items, string(r))
		}
		return items, nil
	}
	return nil, fmt.Errorf("%s cannot be looped over", typeName(v))
}

// sortValues sorts in place, stably.
func (in *interp) sortValues(items []any, key func(any) (any, error), reverse bool) error {
	if err := in.memory(32 * len(items)); err != nil {
		return err
	}
	keys := make([]any, len(items))
	index := make([]int, len(items))
	for i, v := range items {
		k, err := key(v)
		if err != nil {
			return err
		}
		keys[i], index[i] = k, i
	}
	var failed error
	sort.SliceStable(index, func(a, b int) bool {
		if failed != nil {
			return false
		}
		x, y := keys[index[a]], keys[index[b]]
		if reverse {
			x, y = y, x
		}
		c, err := in.order(x, y, 0)
		if err != nil {
			failed = err
		}
		return c < 0
	})
	if failed != nil {
		return failed
	}
	old := slices.Clone(items)
	for i, j := range index {
		items[i] = old[j]
	}
	return nil
}
