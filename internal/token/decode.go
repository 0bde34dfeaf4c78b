package token

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Len is the number of tokens.
func (t *Tokenizer) Len() int { return len(t.vocab.Tokens) }

// Vocab gives what the tokenizer was made from, with what New settled. Its
// slices are not to be changed.
func (t *Tokenizer) Vocab() Vocab { return t.vocab }

// BOS is the token that begins a text, None where there is none.
func (t *Tokenizer) BOS() int32 { return t.vocab.BOS }

// EOS is the token that ends a text or a turn, None where there is none.
func (t *Tokenizer) EOS() int32 { return t.vocab.EOS }

// AddBOS says whether the model was trained with BOS before every text.
func (t *Tokenizer) AddBOS() bool { return t.vocab.AddBOS && t.vocab.BOS != None }

// WithoutBOS is ids less the BOS that they begin with, where the model was trained with
// one before every text: what stands before them brings it.
func (t *Tokenizer) WithoutBOS(ids []int32) []int32 {
	if t.AddBOS() && len(ids) > 0 && ids[0] == t.vocab.BOS {
		return ids[1:]
	}
	return ids
}

// AddEOS says whether the model was trained with EOS after every text.
func (t *Tokenizer) AddEOS() bool { return t.vocab.AddEOS && t.vocab.EOS != None }

// Separator is the token between the documents of a training sequence:
// <|endoftext|> or <|end_of_text|> where the vocabulary has it (for SmolLM2,
// whose EOS ends a turn, that is not EOS), else EOS; None where there is
// neither.
func (t *Tokenizer) Separator() int32 { return t.vocab.Separator }

// ID gives the id of a token as the vocabulary writes it, such as <|im_end|>
// or Ġthe.
func (t *Tokenizer) ID(token string) (int32, bool) {
	id, ok := t.ids[token]
	return id, ok
}

// Token gives a token as the vocabulary writes it, empty for None and ids out
// of range.
func (t *Tokenizer) Token(id int32) string {
	if !t.has(id) {
		return ""
	}
	return t.vocab.Tokens[id]
}

// IsStop says whether a token ends what a model writes: EOS, the end of a
// turn, what generation_config.json lists, and the special tokens that are
// known by name to do so.
func (t *Tokenizer) IsStop(id int32) bool { return t.stops[id] }

// Ending gives a test that is asked of each token of one text in turn: whether the
// text ends there, with a token that [Tokenizer.IsStop] knows or, where breaks is
// above 0, with so many line ends in a row, as stand between the texts of a prompt.
func (t *Tokenizer) Ending(breaks int) func(id int32) bool {
	row := 0
	return func(id int32) bool {
		if t.IsStop(id) {
			return true
		}
		piece := t.Piece(id)
		ends := len(piece) - len(bytes.TrimRight(piece, "\n"))
		if ends < len(piece) {
			row = 0
		}
		row += ends
		return breaks > 0 && row >= breaks
	}
}

// IsSpecial says whether a token is a control token: no part of the text.
func (t *Tokenizer) IsSpecial(id int32) bool {
	return t.has(id) && (t.kind(id) == TypeControl || t.kind(id) == TypeUnknown)
}

// Piece gives the bytes that a token stands for; they need not be UTF-8 by
// themselves. A special token is its own name, an id out of range nothing.
// The slice is the tokenizer's: it is not to be changed.
func (t *Tokenizer) Piece(id int32) []byte {
	if !t.has(id) {
		return nil
	}
	return t.pieces[t.offset[id]:t.offset[id+1]:t.offset[id+1]]
}

// Decode gives the text of ids. Special tokens are left out, and U+FFFD stands
// for bytes that are no UTF-8. Vocabularies that put a space before a text
// when encoding have it taken away again.
func (t *Tokenizer) Decode(ids []int32) string {
	var b []byte
	for _, id := range ids {
		if !t.IsSpecial(id) {
			b = append(b, t.Piece(id)...)
		}
	}
	for range t.vocab.StripStart {
		if len(b) > 0 && b[0] == ' ' {
			b = b[1:]
		}
	}
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	writeValid(&out, b, true)
	return out.String()
}

// Decoder decodes a stream of tokens and gives out whole characters only.
// The stream is taken to go on from a text before it: no space is taken away
// at its start. The zero value is not usable; see [Tokenizer.NewDecoder].
type Decoder struct {
	t    *Tokenizer
	held []byte // the beginning of a character
}

// NewDecoder gives a decoder for one stream.
func (t *Tokenizer) NewDecoder() *Decoder { return &Decoder{t: t} }

// Next takes one token and gives the characters that are whole now, none for
// a special token. U+FFFD stands for bytes that can no longer become a
// character.
func (d *Decoder) Next(id int32) string {
	if d.t.IsSpecial(id) {
		return ""
	}
	d.held = append(d.held, d.t.Piece(id)...)
	if utf8.Valid(d.held) {
		s := string(d.held)
		d.held = d.held[:0]
		return s
	}
	var out strings.Builder
	rest := writeValid(&out, d.held, false)
	d.held = append(d.held[:0], rest...)
	return out.String()
}

// Flush ends the stream: U+FFFD where it breaks off inside a character.
func (d *Decoder) Flush() string {
	var out strings.Builder
	writeValid(&out, d.held, true)
	d.held = d.held[:0]
	return out.String()
}

// writeValid writes b as UTF-8, with one U+FFFD for each longest beginning of
// a character that goes on wrongly, as Unicode recommends and Rust's
// from_utf8_lossy does. Unless it is the end, the beginning of a character
// with which b breaks off is given back.
func writeValid(out *strings.Builder, b []byte, end bool) (rest []byte) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			out.Write(b[:n])
			b = b[n:]
			continue
		}
		n = beginning(b)
		if n == len(b) && n > 0 && !end {
			return b
		}
		out.WriteRune(utf8.RuneError)
		b = b[max(n, 1):]
	}
	return nil
}

// beginning is the number of bytes at the start of b that could begin a
// character, given that b does not start with a whole one; 0 for a byte that
// never can.
func beginning(b []byte) int {
	lo, hi, size := byte(0x80), byte(0xbf), 0
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		size = 2
	case c >= 0xe0 && c <= 0xef:
		size = 3
		if c == 0xe0 {
			lo = 0xa0
		} else if c == 0xed {
			hi = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		size = 4
		if c == 0xf0 {
			lo = 0x90
		} else if c == 0xf4 {
			hi = 0x8f
		}
	}
	n := 0
	for n < size && n < len(b) {
		if n > 0 {
			if b[n] < lo || b[n] > hi {
				break
			}
			lo, hi = 0x80, 0xbf
		}
		n++
	}
	return n
}
