package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// toJSON is transformers' tojson: json.dumps of Python, which keeps the order
// of keys and puts a space after commas and colons, with ensure_ascii off.
func toJSON(in *interp, v any, a arguments) (any, error) {
	w := jsonWriter{in: in, item: ", ", key: ": "}
	ascii, _ := a.get(0, "ensure_ascii")
	w.ascii = truthy(ascii)
	if x, ok := a.get(1, "indent"); ok && x != nil {
		w.lines, w.item = true, ","
		if s, ok := x.(string); ok {
			w.indent = s
		} else {
			n, err := a.num(1, "indent", 0)
			if err != nil {
				return nil, err
			}
			if n > 64 {
				return nil, fmt.Errorf("an indent of %d", n)
			}
			w.indent = strings.Repeat(" ", int(max(n, 0)))
		}
	}
	if x, ok := a.get(2, "separators"); ok && x != nil {
		l, ok := x.(*list)
		if !ok || len(l.items) != 2 {
			return nil, fmt.Errorf("separators are two strings")
		}
		item, ok1 := l.items[0].(string)
		key, ok2 := l.items[1].(string)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("separators are two strings")
		}
		w.item, w.key = item, key
	}
	sorted, _ := a.get(3, "sort_keys")
	w.sort = truthy(sorted)
	if err := w.write(v, 0); err != nil {
		return nil, err
	}
	return w.b.String(), nil
}

type jsonWriter struct {
	in          *interp
	b           strings.Builder
	item, key   string
	lines       bool
	indent      string
	ascii, sort bool
}

func (w *jsonWriter) put(s string) error {
	if err := w.in.memory(len(s)); err != nil {
		return err
	}
	w.b.WriteString(s)
	return nil
}

func (w *jsonWriter) newline(deep int) error {
	if !w.lines {
		return nil
	}
	if err := w.in.memoryOf(deep, len(w.indent)); err != nil {
		return err
	}
	return w.put("\n" + strings.Repeat(w.indent, deep))
}

func (w *jsonWriter) write(v any, deep int) error {
	if deep > maxDeep {
		return errDeep
	}
	if err := w.in.step(1); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		return w.put("null")
	case bool:
		return w.put(strconv.FormatBool(v))
	case int64:
		return w.put(strconv.FormatInt(v, 10))
	case float64:
		return w.put(jsonFloat(v))
	case string:
		return w.str(v)
	case *list:
		return w.group("[", "]", len(v.items), deep, func(i int) error { return w.write(v.items[i], deep+1) })
	case *dict:
		if v.space {
			break
		}
		keys, vals := v.keys, v.vals
		if w.sort {
			pairs, err := w.in.items(v)
			if err != nil {
				return err
			}
			l := pairs.(*list).items
			if err := w.in.sortValues(l, func(p any) (any, error) { return p.(*list).items[0], nil }, false); err != nil {
				return err
			}
			keys, vals = nil, nil
			for _, p := range l {
				keys, vals = append(keys, p.(*list).items[0]), append(vals, p.(*list).items[1])
			}
		}
		return w.group("{", "}", len(keys), deep, func(i int) error {
			name := ""
			switch k := keys[i].(type) {
			case string:
				name = k
			case nil:
				name = "null"
			case bool:
				name = strconv.FormatBool(k)
			case int64:
				name = strconv.FormatInt(k, 10)
			case float64:
				name = jsonFloat(k)
			}
			if err := w.str(name); err != nil {
				return err
			}
			if err := w.put(w.key); err != nil {
				return err
			}
			return w.write(vals[i], deep+1)
		})
	}
	return fmt.Errorf("%s cannot be written as JSON", typeName(v))
}

func (w *jsonWriter) group(open, end string, n, deep int, item func(int) error) error {
	if n == 0 {
		return w.put(open + end)
	}
	if err := w.put(open); err != nil {
		return err
	}
	for i := range n {
		if i > 0 {
			if err := w.put(w.item); err != nil {
				return err
			}
		}
		if err := w.newline(deep + 1); err != nil {
			return err
		}
		if err := item(i); err != nil {
			return err
		}
	}
	if err := w.newline(deep); err != nil {
		return err
	}
	return w.put(end)
}

func (w *jsonWriter) str(s string) error {
	if err := w.in.memoryOf(len(s)+2, 2); err != nil {
		return err
	}
	b := &w.b
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < 0x20 || w.ascii && r > 0x7e && r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		case w.ascii && r >= 0x10000:
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return nil
}

func jsonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	return formatFloat(f)
}
