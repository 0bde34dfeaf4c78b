package prose

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Two megabytes of numbers without white space are looked at once, and not once for each
// mark in them, which would take hours: the test's own time is the bound.
func TestSentencesOfNoSpaces(t *testing.T) {
	text := strings.Repeat("0.1,", 500_000)
	if got := Sentences(text, Span{0, len(text)}); len(got) != 1 {
		t.Errorf("%d sentences", len(got))
	}
}

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"One. Two! Three?", []string{"One.", "Two!", "Three?"}},
		{`"Come!" he said. "Now."`, []string{`"Come!" he said.`, `"Now."`}},
		{"Mr. Jeeves came at 3.15 p.m. on Monday. He left.", []string{"Mr. Jeeves came at 3.15 p.m. on Monday.", "He left."}},
		{"J. R. Smith wrote, e.g. letters. So did I. We read them.", []string{"J. R. Smith wrote, e.g. letters.", "So did I.", "We read them."}},
		{"Wait... he thought. “Really?” she said.", []string{"Wait... he thought.", "“Really?” she said."}},
		{"Points:\n- one\n- two", []string{"Points:", "- one", "- two"}},
		{"No mark at the end", []string{"No mark at the end"}},
	} {
		var got []string
		for _, s := range Sentences(c.text, Span{0, len(c.text)}) {
			got = append(got, s.Of(c.text))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	const text = "Don’t pay 1,000.50 for the well-known O'Brien's 'tea', naïve as it's."
	var got []string
	for _, w := range Words(text) {
		got = append(got, w.Of(text))
	}
	if want := strings.Fields("Don’t pay 1,000.50 for the well known O'Brien's tea naïve as it's"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNormal(t *testing.T) {
	common := map[string]bool{}
	for _, w := range strings.Fields("the when he met in and they paid dollars no said it will they've") {
		common[w] = true
	}
	for _, c := range [][2]string{
		{"When he met Bertie Wooster in London, they paid 1,500 dollars.", "when he met ¤ in ¤, they paid 0 dollars."},
		{"Selden's hat -- the “new” one…", `¤'s hat—the "new" one...`},
		{"NO, said he.\n\nThe   HTTP/2 API — it will.", "no, said he. ¶ the ¤/0 ¤—it will."},
		{"They’ve *met*.", "they've met."},
	} {
		if got := Normal(c[0], func(w string) bool { return common[w] }); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

func TestStem(t *testing.T) {
	for _, same := range []string{"walk walks walked walking", "leak leaked leaks", "stop stops stopped stopping", "carry carries carried", "quick quickly"} {
		words := strings.Fields(same)
		for _, w := range words[1:] {
			if Stem(w) != Stem(words[0]) {
				t.Errorf("%s and %s are %q and %q", words[0], w, Stem(words[0]), Stem(w))
			}
		}
	}
}

// Whatever a text holds, parts lie within it, in order, and only white space
// and words are lost between them.
func FuzzParts(f *testing.F) {
	for _, s := range []string{"", "One. Two.", "a\n\nb\n - c\n1. d", "Mr. X… \"Come!\" I.\xff\n\u00a0\n’’s", "1,0.0'a-'b —¶", "\n\n \t\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, p := range Paragraphs(text) {
			if p.Lo < at || p.Hi <= p.Lo || p.Hi > len(text) || strings.TrimSpace(text[at:p.Lo]) != "" {
				t.Fatalf("paragraph %v after %d of %q", p, at, text)
			}
			in := p.Lo
			for _, s := range Sentences(text, p) {
				if s.Lo < in || s.Hi <= s.Lo || s.Hi > p.Hi || strings.TrimSpace(text[in:s.Lo]) != "" {
					t.Fatalf("sentence %v after %d of %q", s, in, text)
				}
				last := s.Lo
				for _, w := range Tokens(text, s, func(string) bool { return false }) {
					if w.Lo < last || w.Hi <= w.Lo || w.Hi > s.Hi {
						t.Fatalf("word %v after %d of %q", w.Span, last, text)
					}
					last = w.Hi
				}
				in = s.Hi
			}
			at = p.Hi
		}
		if n := Normal(text, func(string) bool { return false }); utf8.ValidString(text) && !utf8.ValidString(n) {
			t.Fatalf("%q becomes %q", text, n)
		}
	})
}
