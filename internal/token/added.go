package token

import (
	"unicode"
	"unicode/utf8"
)

// matcher finds added tokens in a text: at each place the longest, from left
// to right, as the tokenizers library does.
type matcher struct {
	nodes  []matchNode
	first  [256]bool
	tokens []Added
	plain  bool // false: every token is special
}

type matchNode struct {
	next  map[byte]int32
	token int32 // index into tokens, -1
	plain int32 // the same for tokens that are not special
}

func newMatcher(tokens []Added) *matcher {
	if len(tokens) == 0 {
		return nil
	}
	m := &matcher{nodes: []matchNode{{token: -1, plain: -1}}, tokens: tokens}
	for i, t := range tokens {
		at := int32(0)
		for j := range len(t.Text) {
			next, ok := m.nodes[at].next[t.Text[j]]
			if !ok {
				next = int32(len(m.nodes))
				m.nodes = append(m.nodes, matchNode{token: -1, plain: -1})
				if m.nodes[at].next == nil {
					m.nodes[at].next = make(map[byte]int32)
				}
				m.nodes[at].next[t.Text[j]] = next
			}
			at = next
		}
		m.nodes[at].token = int32(i)
		if !t.Special {
			m.nodes[at].plain = int32(i)
			m.plain = true
		}
		m.first[t.Text[0]] = true
	}
	return m
}

// split calls text for each stretch between added tokens and token for each
// added token, in order. Special tokens count where special is set.
func (m *matcher) split(s string, special bool, text func(string), token func(int32)) {
	if m == nil || !special && !m.plain {
		text(s)
		return
	}
	start := 0 // of the stretch that is not given out yet
	for i := 0; i < len(s); {
		if !m.first[s[i]] {
			i++
			continue
		}
		t, n := m.longest(s[i:], special)
		if n == 0 {
			i++
			continue
		}
		from, to := i, i+n
		if t.SingleWord && (wordBefore(s[:from]) || wordAfter(s[to:])) {
			i = to
			continue
		}
		if t.LStrip {
			for from > start {
				r, n := utf8.DecodeLastRuneInString(s[start:from])
				if !unicode.Is(unicode.White_Space, r) {
					break
				}
				from -= n
			}
		}
		if t.RStrip {
			for to < len(s) {
				r, n := utf8.DecodeRuneInString(s[to:])
				if !unicode.Is(unicode.White_Space, r) {
					break
				}
				to += n
			}
		}
		if from > start {
			text(s[start:from])
		}
		token(t.ID)
		start, i = to, to
	}
	if start < len(s) {
		text(s[start:])
	}
}

func (m *matcher) longest(s string, special bool) (t *Added, n int) {
	at := int32(0)
	for i := range len(s) {
		next, ok := m.nodes[at].next[s[i]]
		if !ok {
			break
		}
		at = next
		hit := m.nodes[at].token
		if !special {
			hit = m.nodes[at].plain
		}
		if hit >= 0 {
			t, n = &m.tokens[hit], i+1
		}
	}
	return t, n
}

func wordBefore(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && isWord(r)
}

func wordAfter(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && isWord(r)
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r)
}
