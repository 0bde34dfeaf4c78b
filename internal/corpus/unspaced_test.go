package corpus

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	stroke "github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/word"
)

// unspaced makes paragraphs of sentences in a script without spaces between
// words: comma and stop stand behind clauses.
func unspaced(r *rand.Rand, first rune, letters, paragraphs int, comma, stop string) []string {
	out := make([]string, paragraphs)
	for i := range out {
		var b strings.Builder
		for range 3 + r.IntN(5) {
			for clause := range 2 {
				for range 6 + r.IntN(6) {
					b.WriteRune(first + rune(r.IntN(letters)))
				}
				b.WriteString([]string{comma, stop}[clause])
			}
		}
		out[i] = strings.TrimSpace(b.String())
	}
	return out
}

// TestUnspaced reads a folder of a writer in a script without spaces, and cuts
// what it holds into blocks as it would be cut in any other.
func TestUnspaced(t *testing.T) {
	for _, c := range []struct {
		name          string
		first         rune
		letters       int
		comma, stop   string
		before, after string // of a paragraph in the file
		language      string
		most          int // letters of a block
	}{
		{"Chinese with blank lines", '\u4e00', 3000, "，", "。", "", "\n\n", "zh", 2 * BlockMax},
		{"Chinese with wide spaces", '\u4e00', 3000, "，", "。", "\u3000\u3000", "\n", "zh", 2 * BlockMax},
		{"Japanese", '\u3042', 80, "、", "！」", "「", "\n\n", "ja", 2 * BlockMax},
		{"Thai", '\u0e01', 40, " ", " ", "", "\n\n", "th", 4 * BlockMax},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			dir := t.TempDir()
			want := unspaced(r, c.first, c.letters, 120, c.comma, c.stop)
			for i := range want {
				want[i] = strings.TrimSpace(c.before + want[i])
			}
			text := c.before + strings.Join(want, c.after+c.before)
			text = strings.ReplaceAll(text, "「「", "「")
			if err := os.WriteFile(filepath.Join(dir, "novel.txt"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			reading, err := Read(context.Background(), dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			d := reading.Documents[0]
			if got := strings.Split(d.Text, "\n\n"); len(reading.Documents) != 1 || !slices.Equal(got, want) {
				t.Fatalf("%d documents, %d paragraphs of %d, the first %q, want %q", len(reading.Documents), len(got), len(want), got[0], want[0])
			}
			if l, _ := reading.Language(); l != c.language {
				t.Errorf("language %q", l)
			}
			docs, err := Assign(&Ledger{}, reading.Documents, AssignOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(docs) < 5 {
				t.Fatalf("%d blocks of %d words", len(docs), d.Words)
			}
			var all strings.Builder
			for _, b := range docs {
				letters := 0
				for _, r := range b.Text {
					if word.Unspaced(r) {
						letters++
					}
				}
				if b.Words > BlockMax || letters > c.most {
					t.Errorf("a block of %d words, %d letters", b.Words, letters)
				}
				all.WriteString(b.Text)
			}
			if got, want := strip(all.String()), strip(d.Text); got != want {
				t.Error("the blocks joined are not the document")
			}
		})
	}
}

func strip(s string) string { return strings.Join(strings.Fields(s), "") }

// TestCutUnspaced cuts one paragraph behind its sentences, and one without any
// between letters.
func TestCutUnspaced(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	long := strings.Join(unspaced(r, '\u4e00', 3000, 100, "，", "。”"), "")
	for _, text := range []string{long, strings.NewReplacer("，", "", "。”", "").Replace(long)} {
		d := stroke.Document{Hash: stroke.HashText(text), Source: "a.txt", Text: text, Words: word.Count(text)}
		blocks := Cut(d)
		all := ""
		for i, b := range blocks {
			all += b.Document.Text
			if b.Document.Words > BlockMax || !utf8.ValidString(b.Document.Text) {
				t.Errorf("block %d of %d has %d words", i+1, len(blocks), b.Document.Words)
			}
			if strings.Contains(text, "。") && !strings.HasSuffix(b.Document.Text, "。”") {
				t.Errorf("block %d of %d is cut within a sentence", i+1, len(blocks))
			}
		}
		if len(blocks) < 5 || all != text {
			t.Errorf("%d blocks", len(blocks))
		}
	}
}

// TestWrappedUnspaced joins lines that were wrapped between any two letters.
func TestWrappedUnspaced(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	want := unspaced(r, '\u4e00', 3000, 20, "，", "。")
	var b strings.Builder
	for _, p := range want {
		rs := []rune(p)
		for lo := 0; lo < len(rs); lo += 50 {
			b.WriteString(string(rs[lo:min(lo+50, len(rs))]) + "\n")
		}
		b.WriteString("\n")
	}
	var got []string
	for _, p := range textBlocks(b.String()) {
		got = append(got, p.text)
	}
	if len(got) != len(want) {
		t.Fatalf("%d paragraphs, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

// TestDraftUnspaced finds a text again in which a few clauses were changed.
func TestDraftUnspaced(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	clauses := strings.SplitAfter(strings.Join(unspaced(r, '\u4e00', 3000, 20, "，", "。"), ""), "，")
	draft := slices.Clone(clauses)
	for i := 0; i < len(draft); i += 6 {
		draft[i] = "天" + draft[i]
	}
	if c := containment(shingles(strings.Join(clauses, "")), shingles(strings.Join(draft, ""))); c < nearDuplicate {
		t.Errorf("containment %.2f", c)
	}
}
