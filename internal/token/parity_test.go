package token_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/token"
	"golang.org/x/text/unicode/norm"
)

// The lists of testdata/parity.py.
var (
	scripts = [][2]rune{
		{0x61, 0x7A}, {0x61, 0x7A}, {0x61, 0x7A}, {0x61, 0x7A}, {0x41, 0x5A}, {0xC0, 0xF6}, {0x100, 0x17F}, {0x370, 0x3FF},
		{0x410, 0x44F}, {0x531, 0x556}, {0x5D0, 0x5EA}, {0x621, 0x64A}, {0x905, 0x939}, {0xE01, 0xE30}, {0x10D0, 0x10F0},
		{0x1100, 0x1175}, {0x1780, 0x17B3}, {0x1E00, 0x1EFF}, {0x3041, 0x3096}, {0x30A1, 0x30FA}, {0x4E00, 0x9FA5},
		{0xAC00, 0xD7A3}, {0xFF21, 0xFF5A}, {0x10400, 0x1044F}, {0x1D400, 0x1D454}, {0x20000, 0x2A6D6},
	}
	digits = []string{"0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "²³¹¼½¾", "ⅠⅡⅢⅣⅷ", "①②③", "０１２３", "𝟘𝟙𝟚"}
	marks  = []string{"\u0300", "\u0301", "\u0308", "\u0323", "\u0327", "\u093c", "\u094d", "\u0e49", "\u3099", "\u200d", "\ufe0f"}
	signs  = []string{"!", "?", ".", ",", "...", "—", "–", "-", "\"", "“", "”", "‘", "’", "(", ")", "[", "]", "{", "}", "/", "\\", "*",
		"**", "#", "##", "$", "€", "₿", "%", "&", "@", "+", "=", "<", ">", "|", "~", "^", "_", "`", "```", "\u0000", "\u007f",
		"\ufffd", "、", "。", "「", "」", "،", "؟", "।", "¡", "¿", "§", "™", "\u00ad", "\u200b", "\ufeff", "\ue000"}
	spaces = []string{" ", " ", " ", "  ", "   ", "        ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r\n", "\r", " \n", "\n ", " \t", "\t ",
		"\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\u000b", "\u000c", "\u1680", "\u202f", " \u00a0 "}
	ends  = []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'vE", "'Ll", "'ſ", "'x", "'", "''", "’s", "'é", "'1"}
	emoji = []string{"😀", "🚀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "❤️", "🇩🇪", "☕", "✅", "1️⃣", "🦙"}
)

// mixedText is mixed of testdata/parity.py.
func mixedText(seed uint64, size int) string {
	state := seed
	draw := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int((state >> 33) % uint64(n))
	}
	from := func(list []string) string { return list[draw(len(list))] }
	var b strings.Builder
	var words []string
	for b.Len() < size {
		kind := draw(32)
		var s string
		switch {
		case kind < 10:
			r := scripts[draw(len(scripts))]
			for range 1 + draw(9) {
				s += string(r[0] + rune(draw(int(r[1]-r[0])+1)))
			}
			if len(words) < 512 {
				words = append(words, s)
			} else {
				words[draw(512)] = s
			}
		case kind < 16 && len(words) > 0:
			s = words[draw(len(words))]
		case kind < 18:
			d := []rune(from(digits))
			for range 1 + draw(7) {
				s += string(d[draw(len(d))])
			}
		case kind < 19:
			s = from(marks)
		case kind < 21:
			s = from(signs)
		case kind < 29:
			s = from(spaces)
		case kind < 30:
			s = from(ends)
		case kind < 31:
			s = from(emoji)
		default:
			s = strings.Repeat(from(signs), 1+draw(12))
		}
		b.WriteString(s)
	}
	return b.String()
}

func digest(ids []int32) string {
	h := sha256.New()
	var b [4]byte
	for _, id := range ids {
		binary.LittleEndian.PutUint32(b[:], uint32(id))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestLarge encodes 2 MB of many scripts as the tokenizers library does.
func TestLarge(t *testing.T) {
	var want struct {
		Seed  uint64
		Bytes int
		Text  string
		IDs   map[string]struct {
			Count  int
			SHA256 string
		}
	}
	readJSON(t, "large.json", &want)
	text := mixedText(want.Seed, 2_000_000)
	if sum := sha256.Sum256([]byte(text)); len(text) != want.Bytes || hex.EncodeToString(sum[:]) != want.Text {
		t.Fatalf("the text is not the script's: %d bytes, want %d", len(text), want.Bytes)
	}
	for name, w := range want.IDs {
		t.Run(name, func(t *testing.T) {
			var tok *token.Tokenizer
			if name == "smollm2" {
				tok = fromGGUF(t, testkit.Base(t))
			} else {
				tok = fromJSON(t, name)
			}
			start := time.Now()
			ids := tok.EncodeSpecial(text)
			t.Logf("%d bytes in %v", len(text), time.Since(start))
			if len(ids) != w.Count || digest(ids) != w.SHA256 {
				t.Errorf("%d ids, digest %s; want %d, %s", len(ids), digest(ids), w.Count, w.SHA256)
				compareIDs(t, tok, name, ids)
			}
			back := text
			if name == "qwen3" {
				back = norm.NFC.String(text)
			}
			if tok.Decode(ids) != back {
				t.Error("the text does not come back")
			}
		})
	}
}

// compareIDs finds the first id that differs from those that parity.py writes
// into the folder given it as its last argument, STROKE_TEST_IDS here.
func compareIDs(t *testing.T, tok *token.Tokenizer, name string, got []int32) {
	dir := os.Getenv("STROKE_TEST_IDS")
	if dir == "" {
		return
	}
	b, err := os.ReadFile(dir + "/" + name + ".ids")
	if err != nil {
		t.Error(err)
		return
	}
	var want []int32
	if err := json.Unmarshal([]byte("["+strings.ReplaceAll(strings.TrimSpace(string(b)), "\n", ",")+"]"), &want); err != nil {
		t.Error(err)
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			from, to := max(0, i-5), i+10
			t.Errorf("id %d: %v %q, want %v %q", i, got[from:min(to, len(got))], tok.Decode(got[from:min(to, len(got))]),
				want[from:min(to, len(want))], tok.Decode(want[from:min(to, len(want))]))
			return
		}
	}
}

type toyFile struct {
	Toys []struct {
		Name      string
		Tokenizer json.RawMessage
		Vectors   []struct {
			Text, Decoded  string
			Plain, Special []int32
		}
	}
}

// TestToys holds each rule of tokenizer.json against the tokenizers library
// by a small vocabulary of our own.
func TestToys(t *testing.T) {
	var f toyFile
	readJSON(t, "toy.json", &f)
	if len(f.Toys) < 9 {
		t.Fatalf("%d vocabularies", len(f.Toys))
	}
	for _, toy := range f.Toys {
		t.Run(toy.Name, func(t *testing.T) {
			tok, err := token.ParseJSON(toy.Tokenizer)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range toy.Vectors {
				if got := tok.Encode(v.Text); !slices.Equal(got, v.Plain) {
					t.Errorf("%q plain:\n got %v\nwant %v", v.Text, got, v.Plain)
				}
				if got := tok.EncodeSpecial(v.Text); !slices.Equal(got, v.Special) {
					t.Errorf("%q special:\n got %v\nwant %v", v.Text, got, v.Special)
				}
				if got := tok.Decode(v.Plain); got != v.Decoded {
					t.Errorf("decode %q: got %q, want %q", v.Text, got, v.Decoded)
				}
			}
		})
	}
}
