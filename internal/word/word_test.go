package word_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/getstroke/stroke/internal/word"
)

func words(text string) []string {
	var out []string
	for lo, hi := range word.All(text, unicode.IsSpace) {
		out = append(out, text[lo:hi])
	}
	return out
}

func TestAll(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{" \n\u3000", ""},
		{"我", "我"},
		{"今天天气很好。", "今天 天气 很好。"},
		{"他说：「你好！」然后走了", "他说： 「你好！」 然后 走了"},
		{"我在 Google 工作", "我在 Google 工作"},
		{"用Go写程序。", "用Go写 程序。"},
		{"コーヒーを飲む。", "コー ヒー を飲 む。"},
		{"ภาษาไทยไม่มีช่องว่าง", "ภาษา ไทยไ ม่มีช่อ งว่าง"},
		{"大韓 사람은 띄어 쓴다", "大韓 사람은 띄어 쓴다"},
	} {
		if got := strings.Join(words(c.text), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// TestSpaced holds that where words are parted by white space they are what
// stands between it.
func TestSpaced(t *testing.T) {
	for _, s := range []string{"", " a  b\n\nc\t", "He said: «Mais non\u00a0!» — and (then) left…", "“Quoted” text; don't.", "\xffa b\xc3",
		"Это было давно.", "한국어는 띄어 씁니다.", "هذا نص عربي", "यह हिन्दी है।", "Ǆ\u0301 \u2003x\u0085y"} {
		if got, want := words(s), strings.Fields(s); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func FuzzAll(f *testing.F) {
	f.Add("今天天气很好。He said “no”. ภาษาไทย 「あ」")
	f.Fuzz(func(t *testing.T, s string) {
		if i := strings.IndexFunc(s, word.Unspaced); i < 0 && !slices.Equal(words(s), strings.Fields(s)) {
			t.Errorf("%q: %q", s, words(s))
		}
		if got, want := strings.Join(words(s), ""), strings.Join(strings.Fields(s), ""); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	})
}
