package token_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/token"
)

func toy(t testing.TB, name string) *token.Tokenizer {
	t.Helper()
	var f toyFile
	readJSON(t, "toy.json", &f)
	for _, toy := range f.Toys {
		if toy.Name == name {
			tok, err := token.ParseJSON(toy.Tokenizer)
			if err != nil {
				t.Fatal(err)
			}
			return tok
		}
	}
	t.Fatal("no vocabulary ", name)
	return nil
}

func TestBase(t *testing.T) {
	tok := fromGGUF(t, testkit.Base(t))
	if tok.Len() != 49152 || tok.BOS() != 1 || tok.EOS() != 2 || tok.Separator() != 0 || tok.AddBOS() || tok.AddEOS() {
		t.Errorf("len %d, bos %d, eos %d, separator %d, add %v %v", tok.Len(), tok.BOS(), tok.EOS(), tok.Separator(), tok.AddBOS(), tok.AddEOS())
	}
	for id := range int32(20) {
		if want := id == 0 || id == 2; tok.IsStop(id) != want {
			t.Errorf("IsStop(%d) is not %v", id, want)
		}
	}
	if id, ok := tok.ID("<|im_end|>"); !ok || id != 2 || tok.Token(2) != "<|im_end|>" || string(tok.Piece(2)) != "<|im_end|>" {
		t.Error("<|im_end|> is not token 2")
	}
	if got := tok.Encode("<|im_end|>"); slices.Contains(got, 2) || tok.Decode(got) != "<|im_end|>" {
		t.Errorf("plain text became a special token: %v", got)
	}
	if got := tok.EncodeSpecial("a<|im_end|>\n"); !slices.Contains(got, 2) || tok.Decode(got) != "a\n" {
		t.Errorf("special token not found: %v", got)
	}
	// Every digit is a token of its own.
	if got := tok.Encode("in 1987"); len(got) != 6 {
		t.Errorf("%d tokens in %q", len(got), "in 1987")
	}
	tmpl, err := tok.Template()
	if err != nil {
		t.Fatal(err)
	}
	text, err := tmpl.Render([]token.Message{{Role: "user", Content: "Hello."}}, true)
	want := "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n" +
		"<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\n"
	if err != nil || text != want {
		t.Errorf("template gives %q, %v", text, err)
	}
	if ids := tok.EncodeSpecial(text); ids[0] != 1 || tok.Piece(token.None) != nil {
		t.Errorf("ids %v", ids)
	}
}

func TestOutOfRange(t *testing.T) {
	tok := toy(t, "gpt2")
	for _, id := range []int32{-1, 1 << 30, -1 << 31} {
		if tok.Piece(id) != nil || tok.Token(id) != "" || tok.IsStop(id) || tok.IsSpecial(id) || tok.Decode([]int32{id}) != "" {
			t.Errorf("id %d is something", id)
		}
	}
}

// TestLongRuns encodes what would take for ever if the time to merge a word
// grew with the square of its length.
func TestLongRuns(t *testing.T) {
	for _, name := range []string{"gpt2", "qwen2", "llama-prepend", "metaspace-always"} {
		tok := toy(t, name)
		for _, unit := range []string{"a", " ", "\n", "the", "é", "1", "\xff", "<"} {
			text := strings.Repeat(unit, 1<<20/len(unit))
			start := time.Now()
			ids := tok.EncodeSpecial(text)
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("%s: a run of %q took %v", name, unit, d)
			}
			if name == "gpt2" && unit != "\xff" && tok.Decode(ids) != text {
				t.Errorf("%s: a run of %q does not come back", name, unit)
			}
		}
	}
}

func TestDecoder(t *testing.T) {
	tok := toy(t, "gpt2")
	text := "A heron — цапля, 鷺, 👩‍👩‍👧‍👦!"
	check := func(ids []int32) {
		t.Helper()
		d := tok.NewDecoder()
		got := ""
		for _, id := range ids {
			s := d.Next(id)
			if !utf8.ValidString(s) {
				t.Fatalf("%q is no UTF-8", s)
			}
			got += s
		}
		if got += d.Flush(); got != tok.Decode(ids) {
			t.Errorf("streamed %q, decoded %q", got, tok.Decode(ids))
		}
	}
	ids := tok.Encode(text)
	check(ids)
	for i := range ids {
		check(ids[:i]) // breaks off inside characters
		check(ids[i:]) // begins inside them
	}
	d := tok.NewDecoder()
	if s := d.Next(tok.Encode("\xe2")[0]); s != "" {
		t.Errorf("half a character gives %q", s)
	}
	if s := d.Flush(); s != "\ufffd" {
		t.Errorf("half a character ends as %q", s)
	}
	if s := d.Next(tok.Encode("\xff")[0]); s != "\ufffd" {
		t.Errorf("a byte that never begins a character gives %q", s)
	}
	// As many U+FFFD as Rust's from_utf8_lossy gives.
	for in, want := range map[string]string{
		"\xf0\x9f\x98": "\ufffd", "\xe2\x82x": "\ufffdx", "\xe0\x80": "\ufffd\ufffd", "\xed\xa0\x80": "\ufffd\ufffd\ufffd",
		"\xf4\x90\x80\x80": "\ufffd\ufffd\ufffd\ufffd", "\xc3\xc3\xa9": "\ufffdé", "a\xffb": "a\ufffdb",
	} {
		if got := tok.Decode(tok.Encode(in)); got != want {
			t.Errorf("%q decodes to %q, want %q", in, got, want)
		}
	}
	sp := toy(t, "llama-prepend")
	ids = sp.Encode("the water")
	d = sp.NewDecoder()
	got := ""
	for _, id := range ids {
		got += d.Next(id)
	}
	if got != " the water" || sp.Decode(ids) != "the water" {
		t.Errorf("streamed %q, decoded %q", got, sp.Decode(ids))
	}
}

// TestConcurrent is for the race detector.
// TestEnding asks of texts where they end.
func TestEnding(t *testing.T) {
	tok := fromGGUF(t, testkit.Base(t))
	for text, want := range map[string]string{
		"One.\n\nTwo.\n\n\nThree.\n\n\n\nFour.": "One.\n\nTwo.\n\n\nThree.",
		"One.\n\n\n\n\n\nTwo.":                  "One.",
		"a\n b\n c\n d\n e":                     "a\n b\n c\n d\n e",
	} {
		ends, out := tok.Ending(4), []int32(nil)
		for _, id := range tok.Encode(text) {
			if ends(id) {
				break
			}
			out = append(out, id)
		}
		if got := strings.TrimRight(tok.Decode(out), "\n"); got != want {
			t.Errorf("%q ends behind %q, want %q", text, got, want)
		}
		none := tok.Ending(0)
		if slices.ContainsFunc(tok.Encode(text), none) || !none(tok.Separator()) {
			t.Errorf("line ends that do not count end %q, or the separator does not", text)
		}
	}
}

func TestConcurrent(t *testing.T) {
	tok := toy(t, "llama-bpe")
	text := mixedText(3, 20_000)
	want := tok.Encode(text)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if !slices.Equal(tok.Encode(text), want) {
				t.Error("another result in another goroutine")
			}
		})
	}
	wg.Wait()
}

// meta is a small vocabulary as GGUF metadata, in typed slices or untyped.
func meta(untyped bool) map[string]any {
	tokens := []string{"<unk>", "<s>", "</s>", "a", "b", "ab", "▁", "▁ab", "<tool>"}
	scores := []float32{0, 0, 0, -10, -11, -1, -12, -2, 0}
	types := []int32{2, 3, 3, 1, 1, 1, 1, 1, 4}
	m := map[string]any{
		"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.scores": scores,
		"tokenizer.ggml.token_type": types, "tokenizer.ggml.bos_token_id": uint32(1), "tokenizer.ggml.eos_token_id": uint32(2),
		"tokenizer.ggml.unknown_token_id": uint32(0), "tokenizer.chat_template": "{{ bos_token }}",
	}
	if untyped {
		anys := func(n int, at func(int) any) (out []any) {
			for i := range n {
				out = append(out, at(i))
			}
			return out
		}
		m["tokenizer.ggml.tokens"] = anys(len(tokens), func(i int) any { return tokens[i] })
		m["tokenizer.ggml.scores"] = anys(len(scores), func(i int) any { return float64(scores[i]) })
		m["tokenizer.ggml.token_type"] = anys(len(types), func(i int) any { return uint64(types[i]) })
		m["tokenizer.ggml.bos_token_id"] = int64(1)
	}
	return m
}

func TestVocabFromGGUF(t *testing.T) {
	for _, untyped := range []bool{false, true} {
		v, err := token.VocabFromGGUF(meta(untyped))
		if err != nil {
			t.Fatal(err)
		}
		tok, err := token.New(v)
		if err != nil {
			t.Fatal(err)
		}
		if !tok.AddBOS() || tok.BOS() != 1 || tok.Separator() != 2 || !tok.IsStop(2) {
			t.Errorf("bos %d, separator %d", tok.BOS(), tok.Separator())
		}
		// ▁ab is merged by score, not from the left; <tool> is found in plain
		// text, <s> is not, and z is unknown.
		if got := tok.Encode("ab<tool>zz"); !slices.Equal(got, []int32{7, 8, 6, 0, 0}) {
			t.Errorf("ids %v", got)
		}
		if got := tok.EncodeSpecial("<s>a"); !slices.Equal(got, []int32{1, 6, 3}) {
			t.Errorf("ids %v", got)
		}
	}
	m := meta(false)
	m["general.name"] = "Phi-3-mini"
	v, err := token.VocabFromGGUF(m)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.New(v)
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.EncodeSpecial("</s> \n a"); !slices.Equal(got, []int32{2, 6, 3}) {
		t.Errorf("Phi-3 keeps white space after a special token: %v", got)
	}
}

func TestVocabErrors(t *testing.T) {
	for _, c := range []struct {
		key  string
		val  any
		want string
	}{
		{"tokenizer.ggml.model", nil, "tokenizer.ggml.model is missing"},
		{"tokenizer.ggml.model", "bert", "unknown tokenizer model bert"},
		{"tokenizer.ggml.model", 3, "tokenizer.ggml.model is int, not a string"},
		{"tokenizer.ggml.tokens", nil, "the vocabulary is empty"},
		{"tokenizer.ggml.tokens", []any{"a", 1}, "is int, not a string"},
		{"tokenizer.ggml.tokens", []string{"a"}, "token types"},
		{"tokenizer.ggml.scores", []float32{1}, "9 tokens but 1 scores"},
		{"tokenizer.ggml.scores", nil, "neither scores nor merges"},
		{"tokenizer.ggml.bos_token_id", uint32(9), "special token 9 is not one of the 9 tokens"},
		{"tokenizer.ggml.bos_token_id", "1", "not a whole number"},
		{"tokenizer.ggml.merges", []string{"ab"}, "is not two pieces"},
		{"tokenizer.ggml.add_bos_token", "yes", "not a boolean"},
	} {
		m := meta(false)
		if c.val == nil {
			delete(m, c.key)
		} else {
			m[c.key] = c.val
		}
		v, err := token.VocabFromGGUF(m)
		if err == nil {
			_, err = token.New(v)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: error %v, want %q", c.key, c.val, err, c.want)
		}
	}
	m := meta(false)
	m["tokenizer.ggml.model"], m["tokenizer.ggml.pre"] = "gpt2", "tekken"
	v, err := token.VocabFromGGUF(m)
	if err != nil {
		t.Fatal(err)
	}
	_, err = token.New(v)
	var pre *token.UnknownPreTokenizerError
	if !errors.As(err, &pre) || pre.Name != "tekken" || pre.Hint() == "" {
		t.Errorf("error %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	var f toyFile
	readJSON(t, "toy.json", &f)
	parts := func(name string) map[string]any {
		for _, toy := range f.Toys {
			if toy.Name == name {
				var m map[string]any
				if err := json.Unmarshal(toy.Tokenizer, &m); err != nil {
					t.Fatal(err)
				}
				return m
			}
		}
		t.Fatal("no vocabulary ", name)
		return nil
	}
	type object = map[string]any
	for _, c := range []struct {
		from, part string
		set        any
		want       string
	}{
		{"gpt2", "model", nil, "it has no model"},
		{"gpt2", "model", object{"type": "WordPiece"}, "unknown tokenizer model WordPiece"},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": 0}, "merges": []any{"a a a"}}, `merge "a a a" is not two pieces`},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": 0}, "merges": []any{[]any{"a"}}}, "merge of 1 pieces"},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": 0, "b": 1}, "merges": []any{"a b"}}, "needs a piece that the vocabulary lacks"},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": -1}}, `token "a" has id -1`},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": 4000000}}, "tokens with ids up to 4000000"},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": 7, "b": 7}}, "both have id 7"},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": 0}, "dropout": 0.1}, "dropout"},
		{"gpt2", "model", object{"type": "BPE", "vocab": object{"a": 0}, "end_of_word_suffix": "</w>"}, "end_of_word_suffix"},
		{"gpt2", "pre_tokenizer", nil, "decoder: a ByteLevel without a pre-tokenizer of that type is not known"},
		{"gpt2", "pre_tokenizer", object{"type": "Whitespace"}, "unknown pre-tokenizer Whitespace"},
		{"gpt2", "pre_tokenizer", object{"type": "ByteLevel", "add_prefix_space": true}, "ByteLevel with add_prefix_space"},
		{"gpt2", "pre_tokenizer", object{"type": "Sequence", "pretokenizers": []any{object{"type": "Split", "pattern": object{"Regex": "x+"},
			"behavior": "Isolated"}, object{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}}}, `Split at "x+", ByteLevel`},
		{"gpt2", "normalizer", object{"type": "Lowercase"}, `normalizer: type "Lowercase" is not known`},
		{"gpt2", "normalizer", object{"type": "Replace", "pattern": object{"Regex": "a"}, "content": "b"}, "Replace of the pattern"},
		{"gpt2", "decoder", object{"type": "WordPiece"}, `decoder: type "WordPiece" is not known`},
		{"gpt2", "post_processor", object{"type": "BertProcessing"}, `post_processor: type "BertProcessing" is not known`},
		{"gpt2", "added_tokens", []any{object{"id": 1, "content": ""}}, "added token 1 is empty"},
		{"gpt2", "added_tokens", []any{object{"id": 1, "content": strings.Repeat("x", 2000)}}, "2000 bytes long"},
		{"gpt2", "added_tokens", slices.Repeat([]any{object{"id": 1, "content": strings.Repeat("x", 1024)}}, 1025), "more than 1048576 bytes long together"},
	} {
		m := parts(c.from)
		if c.set == nil {
			delete(m, c.part)
		} else {
			m[c.part] = c.set
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = token.ParseJSON(b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %s: error %v, want %q", c.part, c.from, err, c.want)
		}
	}
	for _, s := range []string{"", "{", "[]", "null", `{"model":[]}`} {
		if _, err := token.ParseJSON([]byte(s)); err == nil {
			t.Errorf("%q is a tokenizer", s)
		}
	}
}

func TestParseHF(t *testing.T) {
	var f toyFile
	readJSON(t, "toy.json", &f)
	file := f.Toys[0].Tokenizer
	tok, err := token.ParseHF(file, []byte(`{"bos_token": {"content": "<s>"}, "eos_token": "</s>", "add_bos_token": true,
		"chat_template": [{"name": "tools", "template": "x"}, {"name": "default", "template": "{{ bos_token }}!"}]}`),
		[]byte(`{"eos_token_id": [1, 5]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if tok.BOS() != 0 || tok.EOS() != 1 || !tok.AddBOS() || !tok.IsStop(5) || !tok.IsStop(1) || tok.IsStop(0) {
		t.Errorf("bos %d, eos %d", tok.BOS(), tok.EOS())
	}
	tmpl, err := tok.Template()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := tmpl.Render(nil, false); err != nil || s != "<s>!" {
		t.Errorf("template gives %q, %v", s, err)
	}
	if _, err := token.ParseHF(file, []byte(`{"bos_token": "<nope>"}`), nil, nil); err == nil || !strings.Contains(err.Error(), "<nope>") {
		t.Errorf("error %v", err)
	}
	if _, err := token.ParseHF(file, nil, []byte(`{"eos_token_id": 99999}`), nil); err == nil || !strings.Contains(err.Error(), "99999") {
		t.Errorf("error %v", err)
	}
}

// FuzzParseJSON: whatever the file, reading it, encoding and decoding do not
// panic.
func FuzzParseJSON(f *testing.F) {
	// The toys are too large to mutate well; these have their parts.
	for _, s := range []string{
		`{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"Ġ":3},"merges":["a b"]},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"added_tokens":[{"id":4,"content":"<s>","special":true,"lstrip":true}]}`,
		`{"model":{"vocab":{"<unk>":0,"▁":1,"a":2,"▁a":3,"<0x41>":4},"merges":[["▁","a"]],"unk_token":"<unk>","byte_fallback":true,"fuse_unk":true},"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},"decoder":{"type":"Strip","content":" ","start":1,"stop":0}}`,
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"ignore_merges":true},"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false}]}}`,
		`{"model":{"type":"BPE","vocab":{"a":0,"▁a":1,"▁":2},"merges":["▁ a"]},"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true},"added_tokens":[{"id":1,"content":"▁a","normalized":true,"single_word":true,"rstrip":true}]}`,
	} {
		f.Add([]byte(s), " a ab\n a<s> 12 é")
	}
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		tok, err := token.ParseJSON(b)
		if err != nil {
			return
		}
		ids := append(tok.Encode(text), tok.EncodeSpecial(text)...)
		for _, id := range ids {
			if id < 0 || int(id) >= tok.Len() {
				t.Fatalf("id %d of %d", id, tok.Len())
			}
		}
		if !utf8.ValidString(tok.Decode(ids)) {
			t.Error("decoded to no UTF-8")
		}
	})
}

// FuzzRoundTrip: every text comes back from a byte-level vocabulary, whole or
// streamed, and nothing that is no UTF-8 makes any vocabulary panic.
func FuzzRoundTrip(f *testing.F) {
	var toys toyFile
	readJSON(f, "toy.json", &toys)
	var level, other []*token.Tokenizer
	for _, toy := range toys.Toys {
		tok, err := token.ParseJSON(toy.Tokenizer)
		if err != nil {
			f.Fatal(err)
		}
		switch toy.Name {
		case "gpt2", "smollm", "llama-bpe":
			level = append(level, tok)
		default:
			other = append(other, tok)
		}
	}
	for _, v := range toys.Toys[0].Vectors {
		f.Add(v.Text)
	}
	f.Add("\xff\xfe a\xc3")
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range level {
			ids := tok.Encode(text)
			if back := tok.Decode(ids); utf8.ValidString(text) && !strings.Contains(text, "<mask>") && back != text {
				t.Errorf("%q comes back as %q", text, back)
			}
			d := tok.NewDecoder()
			got := ""
			for _, id := range ids {
				got += d.Next(id)
			}
			if got += d.Flush(); got != tok.Decode(ids) {
				t.Errorf("%q streamed is %q", tok.Decode(ids), got)
			}
		}
		for _, tok := range other {
			if !utf8.ValidString(tok.Decode(tok.EncodeSpecial(text))) {
				t.Errorf("%q decodes to no UTF-8", text)
			}
		}
	})
}
