package testkit

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// ToyShape is the shape of a toy base. The zero value is that of [Toy].
type ToyShape struct {
	Architecture  string // "llama"
	Hidden, FFN   int    // 32 and 64
	Layers, Heads int    // 2 and 4
	MoreTokens    int    // of the tokenizer, beyond those of the embedding
	Seed          uint64 // of its numbers
	BOS           bool   // a token <s> stands before every text, and the chat template writes it
}

// toyTemplate is the chat template of toy bases.
const toyTemplate = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

// Toy writes a base of toy size with random weights to a GGUF file and gives its
// path: an architecture, a byte-level tokenizer with whole words for the most
// usual of English, a chat template. With it a whole run takes a second; what it
// writes makes no sense.
func Toy(t testing.TB, s ToyShape) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "toy.gguf")
	if err := WriteToy(path, s); err != nil {
		t.Fatal(err)
	}
	return path
}

// WriteToy writes what [Toy] does to path.
func WriteToy(path string, s ToyShape) error {
	if s.Architecture == "" {
		s.Architecture = "llama"
	}
	or := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	or(&s.Hidden, 32)
	or(&s.FFN, 64)
	or(&s.Layers, 2)
	or(&s.Heads, 4)
	tokens, kinds, merges := toyVocab()
	bos, template := 1, toyTemplate
	if s.BOS {
		bos, template = len(tokens), "{{ bos_token }}"+toyTemplate
		tokens, kinds = append(tokens, "<s>"), append(kinds, 3)
	}
	vocab := len(tokens)
	for i := range s.MoreTokens {
		tokens, kinds = append(tokens, fmt.Sprintf("<|more_%d|>", i)), append(kinds, 3)
	}
	a := s.Architecture + "."
	meta := []weights.MetaEntry{
		{Key: "general.architecture", Value: s.Architecture}, {Key: "general.name", Value: "toy"},
		{Key: a + "block_count", Value: uint32(s.Layers)}, {Key: a + "context_length", Value: uint32(2048)},
		{Key: a + "embedding_length", Value: uint32(s.Hidden)}, {Key: a + "feed_forward_length", Value: uint32(s.FFN)},
		{Key: a + "attention.head_count", Value: uint32(s.Heads)}, {Key: a + "attention.head_count_kv", Value: uint32(s.Heads / 2)},
		{Key: a + "attention.layer_norm_rms_epsilon", Value: float32(1e-5)}, {Key: a + "rope.freq_base", Value: float32(10000)},
		{Key: a + "rope.dimension_count", Value: uint32(s.Hidden / s.Heads)}, {Key: a + "vocab_size", Value: uint32(vocab)},
		{Key: "tokenizer.ggml.model", Value: "gpt2"}, {Key: "tokenizer.ggml.pre", Value: "smollm"},
		{Key: "tokenizer.ggml.tokens", Value: tokens}, {Key: "tokenizer.ggml.token_type", Value: kinds},
		{Key: "tokenizer.ggml.merges", Value: merges},
		{Key: "tokenizer.ggml.bos_token_id", Value: uint32(bos)}, {Key: "tokenizer.ggml.add_bos_token", Value: s.BOS}, {Key: "tokenizer.ggml.eos_token_id", Value: uint32(2)},
		{Key: "tokenizer.ggml.unknown_token_id", Value: uint32(0)}, {Key: "tokenizer.ggml.padding_token_id", Value: uint32(2)},
		{Key: "tokenizer.chat_template", Value: template},
	}
	rng := rand.New(rand.NewPCG(1+s.Seed, 2))
	var all []weights.Tensor
	add := func(name string, spread float64, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		b := make([]byte, 0, 4*n)
		for range n {
			x := 1.0
			if spread > 0 {
				x = spread * rng.NormFloat64()
			}
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
		}
		all = append(all, weights.Tensor{Name: name, DType: tensor.F32, Shape: shape, Data: b})
	}
	h, kv := s.Hidden, s.Hidden/2
	wide, deep := 1/math.Sqrt(float64(h)), 1/math.Sqrt(float64(s.FFN))
	add("token_embd.weight", 1, vocab, h)
	for l := range s.Layers {
		p := fmt.Sprintf("blk.%d.", l)
		add(p+"attn_norm.weight", 0, h)
		add(p+"attn_q.weight", wide, h, h)
		add(p+"attn_k.weight", wide, kv, h)
		add(p+"attn_v.weight", wide, kv, h)
		add(p+"attn_output.weight", wide, h, h)
		add(p+"ffn_norm.weight", 0, h)
		add(p+"ffn_gate.weight", wide, s.FFN, h)
		add(p+"ffn_up.weight", wide, s.FFN, h)
		add(p+"ffn_down.weight", deep, h, s.FFN)
	}
	add("output_norm.weight", 0, h)
	add("output.weight", 0.3*wide, vocab, h)
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write toy base: %w", err)
	}
	err = weights.WriteGGUF(f, meta, all)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write toy base: %w", err)
	}
	return nil
}

// toyVocab gives the tokens, their types as GGUF numbers them, and the merges.
func toyVocab() (tokens []string, kinds []int32, merges []string) {
	known := map[string]bool{}
	add := func(s string, kind int32) {
		if !known[s] {
			known[s] = true
			tokens, kinds = append(tokens, s), append(kinds, kind)
		}
	}
	for _, s := range []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"} {
		add(s, 3)
	}
	// GPT-2's alphabet: printable bytes stand for themselves, the others for the
	// characters from U+0100 on.
	other := 0x100
	for b := range 256 {
		r := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae) {
			r = rune(other)
			other++
		}
		add(string(r), 1)
	}
	for w := range strings.FieldsSeq(`the and of to a in it is was that he for his have not with as at on by be had from are they this but
		I which you one all has so when an or my were who will would there what out if no up about been more some them than only its time
		could into other then do now like after made over did down first any new long little very good man before must through years where
		much your way well should because each people how too state old never most people day house said made under last right here go ing
		ed er ly tion ent ion est ness ment able`) {
		for _, word := range []string{w, "\u0120" + w} {
			parts := []rune(word)
			whole := string(parts[0])
			for _, r := range parts[1:] {
				if !known[whole+string(r)] {
					merges = append(merges, whole+" "+string(r))
				}
				whole += string(r)
				add(whole, 1)
			}
		}
	}
	return tokens, kinds, merges
}
