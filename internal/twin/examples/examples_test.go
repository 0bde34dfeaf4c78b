package examples

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/weights"
)

func tokenizer(t *testing.T) *token.Tokenizer {
	t.Helper()
	src, err := weights.Open(testkit.Toy(t, testkit.ToyShape{}))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	v, err := token.VocabFromGGUF(src.GGUF.Meta)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.New(v)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// documents are the pieces of the notebook.
func documents(t *testing.T) []stroke.Document {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testkit.Root(t), "examples", "notebook", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var out []stroke.Document
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimSpace(string(b))
		out = append(out, stroke.Document{Hash: stroke.HashText(text), Source: f, Title: filepath.Base(f), Text: text, Words: len(strings.Fields(text))})
	}
	return out
}

const answerMark, endMark = "<|im_start|>", "<|im_end|>"

func maker(t *testing.T, tok *token.Tokenizer, docs []stroke.Document) *Maker {
	t.Helper()
	near := map[string][]string{}
	for i, d := range docs {
		if i > 0 {
			near[d.Hash] = append(near[d.Hash], docs[i-1].Hash)
		}
		if i+1 < len(docs) {
			near[d.Hash] = append(near[d.Hash], docs[i+1].Hash)
		}
	}
	m := &Maker{Tokenizer: tok, First: tok.Separator(), Separator: tok.Separator(), Mix: DefaultMix(), Seed: 7,
		Near: func(h string) []string { return near[h] },
		Chat: func(request, answer string) (string, string, error) {
			return "Q: " + request + answerMark, answer + endMark, nil
		}}
	m.Add(docs)
	return m
}

// windows maps every run of n tokens of a document to the document; runs that
// are in several are left out.
func windows(tok *token.Tokenizer, docs []stroke.Document, n int) map[string][]int {
	out := map[string][]int{}
	for i, d := range docs {
		ids := tok.Encode(d.Text)
		for at := 0; at+n <= len(ids); at++ {
			k := key(ids[at : at+n])
			if !slices.Contains(out[k], i) {
				out[k] = append(out[k], i)
			}
		}
	}
	for k, in := range out {
		if len(in) > 1 {
			delete(out, k)
		}
	}
	return out
}

func key(ids []int32) string {
	b := make([]byte, 0, 2*len(ids))
	for _, id := range ids {
		b = append(b, byte(id), byte(id>>8))
	}
	return string(b)
}

// TestContext holds that what stands before a text without loss is never of the
// same document, nor of one next to it, and that about as many sequences have
// such passages as the mix says.
func TestContext(t *testing.T) {
	tok := tokenizer(t)
	t.Run("separator", func(t *testing.T) { context(t, tok, []int32{tok.Separator()}) })
	t.Run("text", func(t *testing.T) { context(t, tok, tok.Encode("\n~\n~\n")) }) // in no document
}

func context(t *testing.T, tok *token.Tokenizer, between []int32) {
	docs := documents(t)
	m := maker(t, tok, docs)
	m.Between, m.Mix.Context = between, 0.5
	const n = 40
	at := windows(tok, docs, n)
	with, all := 0, 0
	for epoch := range 4 {
		xs, err := m.Epoch(epoch)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range xs {
			if len(x.Loss) != len(x.Tokens) || x.Tokens[0] != m.Separator || x.Loss[0] {
				t.Fatalf("example %d begins with %d, counted: %v", i, x.Tokens[0], x.Loss[0])
			}
			first := slices.Index(x.Loss, true)
			if first < 0 {
				t.Fatalf("nothing counts in example %d", i)
			}
			all++
			// In packed text all behind the passages counts.
			end := 1
			for j := 1; j+len(between) <= first; j++ {
				if slices.Equal(x.Tokens[j:j+len(between)], between) {
					end = j + len(between)
				}
			}
			if end == 1 {
				continue
			}
			with++
			if end-1 > m.Mix.ContextTokens {
				t.Errorf("%d tokens of passages, at most %d are allowed", end-1, m.Mix.ContextTokens)
			}
			own := map[int]bool{}
			for j := first; j+n <= len(x.Tokens); j++ {
				for _, d := range at[key(x.Tokens[j:j+n])] {
					own[d] = true
				}
			}
			for j := 1; j+n <= end; j++ {
				for _, d := range at[key(x.Tokens[j:j+n])] {
					if own[d] || own[d-1] || own[d+1] {
						t.Fatalf("epoch %d, example %d: before it stands document %d of those of %v or next to them", epoch, i, d, own)
					}
				}
			}
		}
	}
	if share := float64(with) / float64(all); share < m.Mix.Context-0.15 || share > m.Mix.Context+0.15 {
		t.Errorf("%.2f of the sequences have passages before them, %.2f should", share, m.Mix.Context)
	}
}

// TestPacked holds that without pairs every token of every document counts
// exactly once an epoch.
func TestPacked(t *testing.T) {
	tok, docs := tokenizer(t), documents(t)
	m := maker(t, tok, docs)
	m.Chat, m.Mix.Context = nil, 0
	xs, err := m.Epoch(0)
	if err != nil {
		t.Fatal(err)
	}
	var stream []int32
	for _, x := range xs {
		if len(x.Tokens) > m.Mix.Length+1 {
			t.Errorf("a sequence of %d tokens", len(x.Tokens))
		}
		for i, id := range x.Tokens {
			if x.Loss[i] {
				stream = append(stream, id)
			}
		}
	}
	if len(stream) != m.Tokens() {
		t.Fatalf("%d tokens count, there are %d", len(stream), m.Tokens())
	}
	left := map[string]int{}
	for _, d := range docs {
		left[key(tok.Encode(d.Text))]++
	}
	from := 0
	for i, id := range stream {
		if id != m.Separator {
			continue
		}
		k := key(stream[from:i])
		if left[k] == 0 {
			t.Fatalf("the tokens %d to %d are no document", from, i)
		}
		left[k]--
		from = i + 1
	}
}

// TestPairs holds that of a pair the answer alone counts, with what ends it, and
// that it is the writer's own text.
func TestPairs(t *testing.T) {
	tok, docs := tokenizer(t), documents(t)
	m := maker(t, tok, docs)
	m.Mix.Opening, m.Mix.Title, m.Mix.Notes, m.Mix.Context = 1, 1, 1, 0
	xs, err := m.Epoch(1)
	if err != nil {
		t.Fatal(err)
	}
	mark := tok.EncodeSpecial(answerMark)
	if len(mark) != 1 {
		t.Fatalf("%s has %d tokens", answerMark, len(mark))
	}
	pairs := 0
	for _, x := range xs {
		at := slices.Index(x.Tokens, mark[0])
		if at < 0 {
			continue
		}
		pairs++
		for i, counts := range x.Loss {
			if counts != (i > at) {
				t.Fatalf("of a pair whose answer begins at %d the token %d counts: %v", at+1, i, counts)
			}
		}
		answer := tok.Decode(x.Tokens[at+1:])
		if end := tok.EncodeSpecial(endMark); x.Tokens[len(x.Tokens)-1] != end[0] && len(x.Tokens) != m.Mix.Length+1 {
			t.Errorf("an answer of %d tokens does not end", len(x.Tokens)-at-1)
		}
		answer = strings.TrimRight(answer, "\ufffd")
		if !slices.ContainsFunc(docs, func(d stroke.Document) bool { return strings.Contains(d.Text, answer) }) {
			t.Errorf("the answer %.60q is not the writer's", answer)
		}
	}
	if pairs < 2*len(docs) {
		t.Errorf("%d pairs of %d documents", pairs, len(docs))
	}
}

// TestSeed holds that examples depend on the seed and the epoch, and on nothing
// else.
func TestSeed(t *testing.T) {
	tok, docs := tokenizer(t), documents(t)
	epoch := func(seed uint64, e int) any {
		m := maker(t, tok, docs)
		m.Seed = seed
		if e > 0 {
			if _, err := m.Epoch(e - 1); err != nil {
				t.Fatal(err)
			}
		}
		xs, err := m.Epoch(e)
		if err != nil {
			t.Fatal(err)
		}
		return xs
	}
	want := epoch(7, 1)
	if !reflect.DeepEqual(want, epoch(7, 1)) {
		t.Error("the same seed makes other examples")
	}
	if reflect.DeepEqual(want, epoch(8, 1)) || reflect.DeepEqual(want, epoch(7, 2)) {
		t.Error("another seed or epoch makes the same examples")
	}
	m := maker(t, tok, docs)
	if _, err := m.Epoch(0); err != nil {
		t.Fatal(err)
	}
	if xs, err := m.Epoch(1); err != nil || !reflect.DeepEqual(want, any(xs)) {
		t.Error("an epoch depends on those before it")
	}
}

// TestAnswerGoesOn holds that the answer of a pair is encoded as what goes on from the
// request: with a vocabulary that puts a space before a text it has none.
func TestAnswerGoesOn(t *testing.T) {
	v := token.NewVocab()
	v.Model = "llama"
	v.Tokens = []string{"<s>", "</s>", "\u2581", "a", "b", ":", "\u2581a", "\n", "bb"}
	v.Types = []token.TokenType{3, 3, 1, 1, 1, 1, 1, 1, 1}
	v.Scores = []float32{0, 0, -9, -9, -9, -9, -1, -9, -2}
	v.Normalize = []token.Step{{Kind: token.StepPrepend, To: "\u2581"}, {Kind: token.StepReplace, From: " ", To: "\u2581"}}
	v.BOS, v.EOS, v.AddBOS = 0, 1, true
	tok, err := token.New(v)
	if err != nil {
		t.Fatal(err)
	}
	m := &Maker{Tokenizer: tok}
	for _, c := range []struct {
		before, after string
		ids, answer   []int32
	}{
		{"<s>b:\n", "a b</s>", []int32{2, 4, 5, 7}, []int32{3, 2, 4, 1}},
		{"b:", " a</s>", []int32{2, 4, 5}, []int32{6, 1}},
		{"b:b", "b</s>", []int32{2, 4, 5, 4}, []int32{2, 4, 1}}, // a token would span them
	} {
		ids, answer := m.parts(c.before, c.after)
		if !slices.Equal(ids, c.ids) || !slices.Equal(answer, c.answer) {
			t.Errorf("%q and %q are %v and %v, want %v and %v", c.before, c.after, ids, answer, c.ids, c.answer)
		}
	}
}
