package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a lexical token.
type kind uint8

const (
	tokData  kind = iota // text outside of tags
	tokBlock             // {%
	tokBlockEnd
	tokVar // {{
	tokVarEnd
	tokName
	tokString // val is unescaped
	tokInt
	tokFloat
	tokOp
	tokEOF
)

type lexeme struct {
	kind kind
	val  string
	line int
}

// SyntaxError says where a template is wrong.
type SyntaxError struct {
	Line int
	Msg  string
}

// Error names the line and what is wrong.
func (e *SyntaxError) Error() string { return fmt.Sprintf("template line %d: %s", e.Line, e.Msg) }

// isSpace is what Python calls white space in a string.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// lexer cuts a template into lexemes, with the white space control of Jinja
// under trim_blocks and lstrip_blocks.
type lexer struct {
	src       string
	pos, line int
	out       []lexeme
	lineStart bool // what stood before the text at pos ended a line
}

func lex(src string) ([]lexeme, error) {
	src = strings.ReplaceAll(src, "\r\n", "\n")
	src = strings.ReplaceAll(src, "\r", "\n")
	src = strings.TrimSuffix(src, "\n")
	l := &lexer{src: src, line: 1, lineStart: true}
	for l.pos < len(l.src) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.out = append(l.out, lexeme{kind: tokEOF, line: l.line})
	return l.out, nil
}

func (l *lexer) fail(format string, args ...any) error {
	return &SyntaxError{Line: l.line, Msg: fmt.Sprintf(format, args...)}
}

func (l *lexer) emit(k kind, val string) {
	l.out = append(l.out, lexeme{kind: k, val: val, line: l.line})
}

// move goes on by n bytes and counts their lines.
func (l *lexer) move(n int) {
	l.line += strings.Count(l.src[l.pos:l.pos+n], "\n")
	l.pos += n
}

// next reads the text up to the next tag, and the tag.
func (l *lexer) next() error {
	rest := l.src[l.pos:]
	at := strings.IndexByte(rest, '{')
	for at >= 0 && (at+1 >= len(rest) || !strings.ContainsRune("{%#", rune(rest[at+1]))) {
		next := strings.IndexByte(rest[at+1:], '{')
		if next < 0 {
			at = -1
			break
		}
		at += 1 + next
	}
	if at < 0 {
		l.emit(tokData, rest)
		l.move(len(rest))
		return nil
	}
	open, sign := rest[at:at+2], byte(0)
	if at+2 < len(rest) && (rest[at+2] == '-' || rest[at+2] == '+') {
		sign = rest[at+2]
	}
	if text := l.before(rest[:at], sign, open != "{{"); text != "" {
		l.emit(tokData, text)
	}
	l.move(at + 2)
	if sign != 0 {
		l.move(1)
	}
	switch open {
	case "{#":
		end := strings.Index(l.src[l.pos:], "#}")
		if end < 0 {
			return l.fail("a comment does not end")
		}
		sign := byte(0)
		if end > 0 {
			sign = l.src[l.pos+end-1]
		}
		l.move(end + 2)
		l.after(sign, true)
		return nil
	case "{{":
		l.emit(tokVar, "")
		return l.tag("}}", tokVarEnd)
	}
	if n, sign := rawTag(l.src[l.pos:], "raw"); n > 0 {
		l.move(n)
		l.after(sign, false)
		return l.raw()
	}
	l.emit(tokBlock, "")
	return l.tag("%}", tokBlockEnd)
}

// before strips the end of the text before a tag as the tag's sign says.
func (l *lexer) before(text string, sign byte, block bool) string {
	switch {
	case sign == '-':
		return strings.TrimRightFunc(text, isSpace)
	case sign == '+' || !block:
		return text
	}
	nl := strings.LastIndexByte(text, '\n') + 1
	if (nl > 0 || l.lineStart) && strings.TrimLeftFunc(text[nl:], isSpace) == "" {
		return text[:nl]
	}
	return text
}

// after strips what follows a tag: all white space after a -, one line end
// after a block.
func (l *lexer) after(sign byte, block bool) {
	from := l.pos
	switch {
	case sign == '-':
		rest := l.src[l.pos:]
		l.move(len(rest) - len(strings.TrimLeftFunc(rest, isSpace)))
	case sign != '+' && block && strings.HasPrefix(l.src[l.pos:], "\n"):
		l.move(1)
	}
	l.lineStart = l.pos > from && l.src[l.pos-1] == '\n'
}

// rawTag gives the length of the rest of a raw or endraw tag at the start of
// s, 0 where there is none, and its closing sign.
func rawTag(s, name string) (n int, sign byte) {
	rest := strings.TrimLeftFunc(s, isSpace)
	rest, ok := strings.CutPrefix(rest, name)
	if !ok {
		return 0, 0
	}
	rest = strings.TrimLeftFunc(rest, isSpace)
	if rest != "" && (rest[0] == '-' || rest[0] == '+' && name == "endraw") {
		sign, rest = rest[0], rest[1:]
	}
	if rest, ok = strings.CutPrefix(rest, "%}"); !ok {
		return 0, 0
	}
	return len(s) - len(rest), sign
}

func (l *lexer) raw() error {
	for at := l.pos; ; {
		i := strings.Index(l.src[at:], "{%")
		if i < 0 {
			return l.fail("a raw block does not end")
		}
		open := at + i
		at = open + 2
		sign := byte(0)
		if at < len(l.src) && (l.src[at] == '-' || l.src[at] == '+') {
			sign = l.src[at]
			at++
		}
		if n, end := rawTag(l.src[at:], "endraw"); n > 0 {
			if text := l.before(l.src[l.pos:open], sign, true); text != "" {
				l.emit(tokData, text)
			}
			l.move(at + n - l.pos)
			l.after(end, true)
			return nil
		}
	}
}

// operators, longest first.
var operators = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
	">", "<", "=", ".", ":", "|", ",", ";"}

// tag reads the inside of a tag and its end.
func (l *lexer) tag(end string, endKind kind) error {
	var open []byte // brackets not closed yet; inside them end is no end
	for {
		rest := l.src[l.pos:]
		l.move(len(rest) - len(strings.TrimLeftFunc(rest, isSpace)))
		rest = l.src[l.pos:]
		if rest == "" {
			return l.fail("a tag does not end")
		}
		if len(open) == 0 {
			sign := byte(0)
			s := rest
			if s[0] == '-' || s[0] == '+' && end == "%}" {
				sign, s = s[0], s[1:]
			}
			if strings.HasPrefix(s, end) {
				l.emit(endKind, "")
				l.move(len(rest) - len(s) + 2)
				l.after(sign, end == "%}")
				return nil
			}
		}
		c := rest[0]
		r, _ := utf8.DecodeRuneInString(rest)
		switch {
		case c >= '0' && c <= '9':
			if err := l.number(rest); err != nil {
				return err
			}
		case c == '_' || unicode.IsLetter(r):
			n := 0
			for i, r := range rest {
				if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
					break
				}
				n = i + utf8.RuneLen(r)
			}
			l.emit(tokName, rest[:n])
			l.move(n)
		case c == '"' || c == '\'':
			if err := l.str(rest); err != nil {
				return err
			}
		default:
			op := ""
			for _, o := range operators {
				if strings.HasPrefix(rest, o) {
					op = o
					break
				}
			}
			switch op {
			case "":
				return l.fail("unexpected character %q", r)
			case "(", "[", "{":
				open = append(open, map[string]byte{"(": ')', "[": ']', "{": '}'}[op])
			case ")", "]", "}":
				if len(open) == 0 || open[len(open)-1] != op[0] {
					return l.fail("unexpected %q", op)
				}
				open = open[:len(open)-1]
			}
			l.emit(tokOp, op)
			l.move(len(op))
		}
	}
}

func (l *lexer) number(s string) error {
	digits := func(i int) int {
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '_' && i > 0 && s[i-1] != '_') {
			i++
		}
		return i
	}
	if len(s) > 2 && s[0] == '0' && strings.ContainsRune("xXbBoO", rune(s[1])) {
		n := 2
		for n < len(s) && (s[n] == '_' || s[n] >= '0' && s[n] <= '9' || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'f') {
			n++
		}
		v, err := strconv.ParseInt(s[:n], 0, 64)
		if err != nil {
			return l.fail("bad number %s", s[:n])
		}
		l.emit(tokInt, strconv.FormatInt(v, 10))
		l.move(n)
		return nil
	}
	n, k := digits(0), tokInt
	if n+1 < len(s) && s[n] == '.' && s[n+1] >= '0' && s[n+1] <= '9' {
		n, k = digits(n+1), tokFloat
	}
	if n+1 < len(s) && s[n]|0x20 == 'e' {
		e := n + 1
		if s[e] == '+' || s[e] == '-' {
			e++
		}
		if e < len(s) && s[e] >= '0' && s[e] <= '9' {
			n, k = digits(e), tokFloat
		}
	}
	l.emit(k, strings.ReplaceAll(s[:n], "_", ""))
	l.move(n)
	return nil
}

// str reads a string with Python's escapes.
func (l *lexer) str(s string) error {
	var b strings.Builder
	for i := 1; i < len(s); {
		c := s[i]
		if c == s[0] {
			l.emit(tokString, b.String())
			l.move(i + 1)
			return nil
		}
		if c != '\\' || i+1 >= len(s) {
			b.WriteByte(c)
			i++
			continue
		}
		e := s[i+1]
		i += 2
		hex := 0
		switch e {
		case '\n':
		case '\\', '\'', '"':
			b.WriteByte(e)
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'v':
			b.WriteByte('\v')
		case 'x':
			hex = 2
		case 'u':
			hex = 4
		case 'U':
			hex = 8
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, n := rune(e-'0'), 1
			for n < 3 && i < len(s) && s[i] >= '0' && s[i] <= '7' {
				v = v*8 + rune(s[i]-'0')
				i, n = i+1, n+1
			}
			b.WriteRune(v)
		default:
			b.WriteByte('\\')
			b.WriteByte(e)
		}
		if hex > 0 {
			if i+hex > len(s) {
				return l.fail("a string breaks off in an escape")
			}
			v, err := strconv.ParseUint(s[i:i+hex], 16, 32)
			if err != nil || v > unicode.MaxRune {
				return l.fail("bad escape \\%c%s", e, s[i:i+hex])
			}
			b.WriteRune(rune(v))
			i += hex
		}
	}
	return l.fail("a string does not end")
}
