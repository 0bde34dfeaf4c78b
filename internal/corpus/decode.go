package corpus

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode/utf32"

	xunicode "golang.org/x/text/encoding/unicode"
)

// Text is the text of a file of plain text or Markdown in whatever encoding it is, its
// lines ended by "\n". It is an error where the bytes are no text.
func Text(b []byte) (string, error) {
	text, _, err := decode(b, false)
	return text, err
}

// decode gives a file's bytes as UTF-8 with "\n" line ends. The note says
// what a writer should know of it, and is empty for UTF-8. Where isHTML is
// set, a page's own statement of its encoding is heard.
func decode(b []byte, isHTML bool) (text, note string, err error) {
	enc, label := byMark(b)
	switch {
	case enc != nil:
	case looksUTF16(b, 1):
		enc, label = xunicode.UTF16(xunicode.LittleEndian, xunicode.IgnoreBOM), "UTF-16"
	case looksUTF16(b, 0):
		enc, label = xunicode.UTF16(xunicode.BigEndian, xunicode.IgnoreBOM), "UTF-16"
	case looksBinary(b):
		return "", "", &unreadable{reason: "binary data, not text"}
	case utf8.Valid(b):
		return normalize(string(b)), "", nil
	case isHTML:
		if e, name, certain := charset.DetermineEncoding(b, "text/html"); certain && name != "utf-8" {
			enc, label = e, name
		}
	}
	if enc == nil {
		if text, bad, ok := mostlyUTF8(b); ok {
			return normalize(text), fmt.Sprintf("%d bytes of it are not valid UTF-8 and were left out", bad), nil
		}
		enc, label = guess(b)
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return "", "", &unreadable{reason: "its encoding, " + label + ", is damaged", hint: "save it as UTF-8", err: err}
	}
	text = strings.ReplaceAll(string(out), "\ufffd", "")
	if looksBinary([]byte(text)) {
		return "", "", &unreadable{reason: "binary data, not text"}
	}
	note = "read as " + label + ", it is not UTF-8"
	if bad := bytes.Count(out, []byte("\ufffd")); bad > 0 {
		note += fmt.Sprintf("; %d characters of it could not be read and were left out", bad)
	}
	return normalize(text), note, nil
}

// byMark is the encoding that a byte order mark names, nil where there is none.
func byMark(b []byte) (encoding.Encoding, string) {
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe, 0, 0}):
		return utf32.UTF32(utf32.LittleEndian, utf32.ExpectBOM), "UTF-32"
	case bytes.HasPrefix(b, []byte{0, 0, 0xfe, 0xff}):
		return utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM), "UTF-32"
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return xunicode.UTF16(xunicode.LittleEndian, xunicode.ExpectBOM), "UTF-16"
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return xunicode.UTF16(xunicode.BigEndian, xunicode.ExpectBOM), "UTF-16"
	}
	return nil, ""
}

// looksUTF16 reports whether nearly every other byte, from the given one on,
// is zero, as in UTF-16 of a Latin script without a mark.
func looksUTF16(b []byte, from int) bool {
	n := min(len(b), 4096) &^ 1
	if n < 8 {
		return false
	}
	zero, other := 0, 0
	for i := from; i < n; i += 2 {
		if b[i] == 0 {
			zero++
		}
		if b[i^1] == 0 {
			other++
		}
	}
	return zero*10 >= n/2*7 && other*20 <= n/2
}

// looksBinary reports zero bytes, or more control bytes than text has.
func looksBinary(b []byte) bool {
	head := b[:min(len(b), 64<<10)]
	ctl := 0
	for _, c := range head {
		switch {
		case c == 0:
			return true
		case c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b:
			ctl++
		}
	}
	return ctl*50 > len(head)
}

// mostlyUTF8 drops the invalid bytes of a text that is UTF-8 but for a few.
func mostlyUTF8(b []byte) (text string, bad int, ok bool) {
	multi := 0
	var out strings.Builder
	out.Grow(len(b))
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			if n > 1 {
				multi++
			}
			out.Write(rest[:n])
		}
		rest = rest[n:]
	}
	return out.String(), bad, multi > 2*bad
}

// guess names the encoding of a text that is not UTF-8. windows-1252 is what
// the old files of Western writers are in, and short texts mislead a detector,
// so that it needs to be sure before it says something else.
func guess(b []byte) (encoding.Encoding, string) {
	high, quotes := 0, 0
	for _, c := range b {
		if c >= 0x80 {
			high++
			if c == 0x85 || c >= 0x91 && c <= 0x97 {
				quotes++
			}
		}
	}
	if high*20 > len(b) || quotes*2 < high {
		if r, err := chardet.NewTextDetector().DetectBest(b[:min(len(b), 256<<10)]); err == nil && r.Confidence >= 50 {
			if e, err := htmlindex.Get(r.Charset); err == nil {
				name, _ := htmlindex.Name(e)
				return e, name
			}
		}
	}
	return charmap.Windows1252, "windows-1252"
}

// normalize makes line ends "\n" and drops what is not text: byte order marks,
// zero-width spaces, soft hyphens and control characters. Everything that can
// be seen stays as it is.
func normalize(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\t':
			return r
		case '\r', '\f', '\v', '\u0085', '\u2028', '\u2029':
			return '\n'
		case '\ufeff', '\u200b', '\u00ad', '\u2060':
			return -1
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}
