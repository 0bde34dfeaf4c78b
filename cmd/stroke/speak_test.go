package main

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/getstroke/stroke"
)

// TestReadText reads a text in the encodings that editors write, with line ends of one
// kind, and refuses what is none or too long.
func TestReadText(t *testing.T) {
	const want = "One été.\n\nTwo."
	wide := ""
	for _, u := range utf16.Encode([]rune("\ufeffOne été.\r\n\r\nTwo.\r\n")) {
		wide += string([]byte{byte(u), byte(u >> 8)})
	}
	for name, text := range map[string]string{"as it is": want, "line ends": "One été.\r\n\r\nTwo.\r\n", "a mark": "\ufeff" + want, "UTF-16": wide, "Latin-1": "One \xe9t\xe9.\r\n\r\nTwo."} {
		if got, err := readText(strings.NewReader(text), "x"); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, text := range map[string]string{"nothing": " \r\n", "binary": "\x00\x01\x02\x7fELF\x00\x00\x00\x01", "long": strings.Repeat("word ", mostText/5+1)} {
		if got, err := readText(strings.NewReader(text), "x"); stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}
