package token

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// pre is a way of cutting text into words, inside which bytes are merged.
type pre uint8

const (
	preUnknown pre = iota
	preGPT2        // letters, digits and the rest apart, each with the space before it
	preSmolLM      // as preGPT2, with every digit a word of its own
	preLlama3      // up to three digits to a word, line ends with what stands before them
	preQwen2       // as preLlama3, with every digit a word of its own
)

// preTokenizers holds GGUF's names of the pre-tokenizers that are known here.
var preTokenizers = map[string]pre{
	"gpt-2": preGPT2, "gpt2": preGPT2, "phi-2": preGPT2, "mpt": preGPT2, "olmo": preGPT2,
	"smollm": preSmolLM, "starcoder": preSmolLM, "refact": preSmolLM, "command-r": preSmolLM,
	"llama-bpe": preLlama3, "llama3": preLlama3, "llama-v3": preLlama3, "smaug-bpe": preLlama3,
	"qwen2": preQwen2, "deepseek-r1-qwen": preQwen2,
}

// wholeWords says whether a GGUF file with that pre-tokenizer means Llama 3's ways as well:
// BOS before a text, and words that are tokens left whole. smaug-bpe is its pattern alone.
func wholeWords(name string) bool { return preTokenizers[name] == preLlama3 && name != "smaug-bpe" }

// The patterns that the scanners below stand for, as tokenizer.json writes
// them. Go's regexp has no look-ahead, and a scanner is faster.
const (
	patternGPT2   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	patternLlama3 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternQwen2  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// class is what a pattern can ask of a character.
type class uint8

const (
	classOther  class = iota // [^\s\p{L}\p{N}]
	classLetter              // \p{L}
	classNumber              // \p{N}
	classSpace               // \s
)

// classes gives the class of every character of the basic plane.
var classes = sync.OnceValue(func() *[1 << 16]class {
	t := new([1 << 16]class)
	fill := func(table *unicode.RangeTable, c class) {
		for _, r := range table.R16 {
			for x := uint32(r.Lo); x <= uint32(r.Hi); x += uint32(r.Stride) {
				t[x] = c
			}
		}
	}
	fill(unicode.L, classLetter)
	fill(unicode.N, classNumber)
	fill(unicode.White_Space, classSpace)
	return t
})

// scanner walks over a text. A byte that is no UTF-8 is a character of class
// other, so that every byte is in some word.
type scanner struct {
	text  string
	table *[1 << 16]class
}

// at gives the class of the character at byte i and its length in bytes, 0 at
// the end of the text.
func (s *scanner) at(i int) (class, int) {
	if i >= len(s.text) {
		return classOther, 0
	}
	if c := s.text[i]; c < utf8.RuneSelf {
		return s.table[c], 1
	}
	r, n := utf8.DecodeRuneInString(s.text[i:])
	if r == utf8.RuneError && n == 1 {
		return classOther, 1
	}
	if r < 1<<16 {
		return s.table[r], n
	}
	switch {
	case unicode.Is(unicode.L, r):
		return classLetter, n
	case unicode.Is(unicode.N, r):
		return classNumber, n
	}
	return classOther, n
}

// run gives the end of the run of characters of class c that begins at i.
func (s *scanner) run(i int, c class) int {
	for {
		k, n := s.at(i)
		if n == 0 || k != c {
			return i
		}
		i += n
	}
}

// space gives the end of the word that begins at i with white space that no
// rule before took: all of it at the end of the text, else all but its last
// character, which goes with the word that follows, unless it stands alone.
func (s *scanner) space(i, end int) int {
	if end == len(s.text) {
		return end
	}
	_, last := utf8.DecodeLastRuneInString(s.text[i:end])
	if end-last > i {
		return end - last
	}
	return end
}

// words calls f for each word of text, in order; together they are the text.
func (p pre) words(text string, f func(word string)) {
	s := scanner{text: text, table: classes()}
	switch p {
	case preGPT2:
		s.each(s.gpt2, f)
	case preSmolLM:
		// Digits are cut out first; what is between them is a text of its own,
		// so that a space before a digit ends a text and stands alone.
		start := 0
		for i := 0; i < len(text); {
			k, n := s.at(i)
			if k == classNumber {
				part := scanner{text: text[start:i], table: s.table}
				part.each(part.gpt2, f)
				f(text[i : i+n])
				start = i + n
			}
			i += n
		}
		part := scanner{text: text[start:], table: s.table}
		part.each(part.gpt2, f)
	case preLlama3:
		s.each(func(i int) int { return s.llama3(i, 3) }, f)
	case preQwen2:
		s.each(func(i int) int { return s.llama3(i, 1) }, f)
	}
}

func (s *scanner) each(next func(int) int, f func(string)) {
	for i := 0; i < len(s.text); {
		j := next(i)
		f(s.text[i:j])
		i = j
	}
}

// gpt2 gives the end of the word that begins at i, by patternGPT2.
func (s *scanner) gpt2(i int) int {
	c := s.text[i]
	if c == '\'' {
		if rest := s.text[i+1:]; rest != "" {
			switch rest[0] {
			case 's', 't', 'm', 'd':
				return i + 2
			}
			if strings.HasPrefix(rest, "re") || strings.HasPrefix(rest, "ve") || strings.HasPrefix(rest, "ll") {
				return i + 3
			}
		}
	}
	j := i
	if c == ' ' {
		j++
	}
	if k, n := s.at(j); n > 0 && k != classSpace {
		return s.run(j+n, k)
	}
	return s.space(i, s.run(i, classSpace))
}

// llama3 gives the end of the word that begins at i, by patternLlama3 or,
// with digits 1, patternQwen2.
func (s *scanner) llama3(i, digits int) int {
	c := s.text[i]
	if c == '\'' {
		if n := contraction(s.text[i+1:]); n > 0 {
			return i + 1 + n
		}
	}
	k, n := s.at(i)
	if k == classLetter {
		return s.run(i+n, classLetter)
	}
	if k != classNumber && c != '\r' && c != '\n' {
		if k2, n2 := s.at(i + n); n2 > 0 && k2 == classLetter {
			return s.run(i+n+n2, classLetter)
		}
	}
	if k == classNumber {
		j := i + n
		for d := 1; d < digits; d++ {
			k2, n2 := s.at(j)
			if n2 == 0 || k2 != classNumber {
				break
			}
			j += n2
		}
		return j
	}
	j := i
	if c == ' ' {
		j++
	}
	if k2, n2 := s.at(j); n2 > 0 && k2 == classOther {
		j = s.run(j+n2, classOther)
		for j < len(s.text) && (s.text[j] == '\r' || s.text[j] == '\n') {
			j++
		}
		return j
	}
	end := s.run(i, classSpace)
	if nl := strings.LastIndexAny(s.text[i:end], "\r\n"); nl >= 0 {
		return i + nl + 1
	}
	return s.space(i, end)
}

// contraction gives the length in bytes of s, t, re, ve, m, ll or d at the
// start of text, in either case; 0 where there is none. The long s (ſ) is an
// s to a pattern that ignores case.
func contraction(text string) int {
	if text == "" {
		return 0
	}
	low := func(i int) byte {
		if i < len(text) {
			return text[i] | 0x20
		}
		return 0
	}
	switch low(0) {
	case 's', 't', 'm', 'd':
		return 1
	case 'r', 'v':
		if low(1) == 'e' {
			return 2
		}
	case 'l':
		if low(1) == 'l' {
			return 2
		}
	}
	if strings.HasPrefix(text, "ſ") {
		return len("ſ")
	}
	return 0
}
