package token

import (
	"strings"
	"unicode/utf8"
)

// quote stands inside what would be a special token and is text. It is no character, and
// set aside by Unicode for such use within a program.
const quote = "\uFDD0"

// Quoted is messages for a [Template], with a mark inside whatever in their contents reads
// like a special token: [Tokenizer.EncodeQuoted] then takes it for the text that it is.
// Contents without any stay as they are, but for U+FDD0, which is left out.
func (t *Tokenizer) Quoted(messages []Message) []Message {
	out := make([]Message, len(messages))
	for i, m := range messages {
		out[i] = Message{Role: m.Role, Content: t.quoted(strings.ReplaceAll(m.Content, quote, ""))}
	}
	return out
}

// quoted puts a mark behind the first character of each special token in a text.
func (t *Tokenizer) quoted(s string) string {
	if t.special == nil {
		return s
	}
	var b strings.Builder
	from := 0
	for i := range len(s) {
		if !t.special.first[s[i]] {
			continue
		}
		if _, n := t.special.longest(s[i:], true); n > 0 {
			_, first := utf8.DecodeRuneInString(s[i:])
			b.WriteString(s[from : i+first])
			b.WriteString(quote)
			from = i + first
		}
	}
	return b.String() + s[from:]
}

// EncodeQuoted is [Tokenizer.EncodeSpecial] for what a template made of messages that
// [Tokenizer.Quoted] gave.
func (t *Tokenizer) EncodeQuoted(text string) []int32 { return t.encode(text, true, true) }
