package twin

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/word"
)

// unspaced is a text of Chinese letters by chance, in paragraphs of sentences.
func unspaced(r *rand.Rand, paragraphs int) string {
	out := make([]string, paragraphs)
	for i := range out {
		var b strings.Builder
		for range 5 {
			for _, end := range []string{"，", "。"} {
				for range 8 {
					b.WriteRune('\u4e00' + rune(r.IntN(400)))
				}
				b.WriteString(end)
			}
		}
		out[i] = b.String()
	}
	return strings.Join(out, "\n\n")
}

// TestUnspaced makes a twin of a writer whose script has no spaces between
// words: the text is cut into pieces that are judged, passages stand before
// them, and texts begin in them.
func TestUnspaced(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"spring.txt", "summer.txt", "autumn.txt", "winter.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(unspaced(r, 15)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, v := trained(t, options(t, dir))
	if v.Verdict.Units < 2 {
		t.Errorf("the verdict stands on too little: %+v", v.Verdict)
	}
	m, err := measure(context.Background(), f.Dir, "", func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	if len(m.judge) < 2 {
		t.Fatalf("%d judge documents", len(m.judge))
	}
	for _, p := range m.passages.pieces(m.judge, 0) {
		if n := word.Count(p.asked); n != askWords {
			t.Errorf("%d words are asked with", n)
		}
	}
	// The toy's tokenizer has three tokens for a letter: the words fill a piece.
	found := false
	for _, p := range m.passages.pieces(m.judge, pieceTokens) {
		if asked := m.b.tok.Decode(p.plain.Tokens[:p.plain.From]); asked != p.asked || len(p.plain.Tokens) < 2*p.plain.From {
			t.Errorf("%d of %d tokens are asked with, %q", p.plain.From, len(p.plain.Tokens), p.asked)
		}
		found = found || len(p.rival.Context) > 1
	}
	if !found {
		t.Error("no passages stand before any judge document")
	}
	list := openings(m.judge, 12, 20, 30, 60, 80)
	if len(list) < 2 {
		t.Errorf("%d openings", len(list))
	}
	for _, o := range list {
		if !strings.Contains(o.doc.Text, o.text+o.own) || word.Count(o.text) != 20 || word.Count(o.own) < 30 {
			t.Errorf("an opening of %d words, %q", word.Count(o.text), o.text)
		}
	}
	for _, d := range m.train {
		if begin, _ := head(d.Text, 40); !m.passages.holding(begin)[d.Hash] {
			t.Errorf("%s is not known by its beginning", d.Source)
		}
	}
}

// TestPortionsUnspaced cuts a line behind its sentences, which no space parts.
func TestPortionsUnspaced(t *testing.T) {
	a, b, c := "他说：「今天天气很好！」", "雨下了一整夜，屋顶漏水。", "海面上什么也没有。"
	got := portions(a+b+c+a, 11, 15)
	if want := []portion{{"\n\n", a + b}, {"", c + a}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
