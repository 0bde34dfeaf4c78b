package token

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// TokenType says what a token is, with the numbers that GGUF uses.
type TokenType int32

// The types of tokens.
const (
	TypeNormal      TokenType = 1 // a piece of text
	TypeUnknown     TokenType = 2 // stands for what cannot be written
	TypeControl     TokenType = 3 // special: never made from plain text
	TypeUserDefined TokenType = 4 // found in any text before it is cut into words
	TypeUnused      TokenType = 5 // an id that nothing is written with
	TypeByte        TokenType = 6 // one byte, written <0x41>
)

// None is the id of a token that a vocabulary does not have.
const None int32 = -1

// maxTokens bounds a vocabulary; the largest in use has under 300,000 tokens.
const maxTokens = 1 << 22

// maxAdded bounds the text of all added tokens, in bytes: each byte may take a
// node of a [matcher] or two, of over a hundred bytes. Models that write speech
// as added tokens come near it, others have under 100 KB.
const maxAdded = 1 << 20

// Added is a token that is found in the text before anything else is done to
// it, as tokenizer.json lists it under added_tokens.
type Added struct {
	ID         int32
	Text       string // as it stands in the text; never empty, at most 1,024 bytes
	Special    bool   // found by EncodeSpecial only
	LStrip     bool   // takes the white space before it along
	RStrip     bool   // takes the white space after it along
	SingleWord bool   // only where no letter or digit touches it
	Normalized bool   // looked for after normalization, and itself normalized
}

// Vocab is everything that a file says about a tokenizer. The zero value of
// an id is token 0: start from [NewVocab], where ids are [None].
type Vocab struct {
	Model string // "gpt2": byte-level BPE; "llama": BPE over characters with byte fall-back
	Pre   string // the pre-tokenizer, by GGUF's name; for model "llama" not used

	Tokens []string    // by id, as the file writes them
	Types  []TokenType // by id; nil: all normal
	Scores []float32   // by id; model "llama" without Merges: higher is merged first
	Merges [][2]string // in order of rank; pieces of Tokens
	Added  []Added     // nil: made from Types

	Normalize    []Step // done to each stretch of text between added tokens, in order
	Mark         []Step // the same, after normalized added tokens are found as well: Metaspace
	IgnoreMerges bool   // a word that is a token is that token, whatever the merges say
	SplitEach    bool   // model "llama": every ▁ begins a new word, as Metaspace with split has it
	FuseUnknown  bool   // unknown characters that stand together are one token
	StripStart   int    // model "llama": how many spaces at the start Decode takes away

	BOS, EOS, EOT, Unknown, Padding int32   // None where there is none
	Separator                       int32   // between documents; None: chosen by New
	Stops                           []int32 // further tokens that end a text
	AddBOS, AddEOS                  bool    // whether the model was trained with them around a text

	ChatTemplate string // Jinja source; empty where the file has none
}

// NewVocab gives a Vocab without any token, all ids None.
func NewVocab() Vocab {
	return Vocab{BOS: None, EOS: None, EOT: None, Unknown: None, Padding: None, Separator: None}
}

// VocabFromGGUF reads the keys tokenizer.ggml.* and tokenizer.chat_template
// of a GGUF file's metadata. Arrays may be typed slices or []any, numbers of
// any kind.
func VocabFromGGUF(meta map[string]any) (Vocab, error) {
	v := NewVocab()
	r := metaReader{meta: meta}

	v.Model = r.text("tokenizer.ggml.model")
	v.Pre = r.text("tokenizer.ggml.pre")
	v.Tokens = r.texts("tokenizer.ggml.tokens")
	v.ChatTemplate = r.text("tokenizer.chat_template")
	for _, t := range r.ints("tokenizer.ggml.token_type") {
		v.Types = append(v.Types, TokenType(t))
	}
	v.Scores = r.floats("tokenizer.ggml.scores")
	merges := r.texts("tokenizer.ggml.merges")
	v.BOS = r.id("tokenizer.ggml.bos_token_id")
	v.EOS = r.id("tokenizer.ggml.eos_token_id")
	v.EOT = r.id("tokenizer.ggml.eot_token_id")
	v.Unknown = r.id("tokenizer.ggml.unknown_token_id")
	v.Padding = r.id("tokenizer.ggml.padding_token_id")

	spm := v.Model == "llama"
	v.AddBOS = r.flag("tokenizer.ggml.add_bos_token", spm || wholeWords(v.Pre))
	v.AddEOS = r.flag("tokenizer.ggml.add_eos_token", false)
	prefix := r.flag("tokenizer.ggml.add_space_prefix", spm)
	if r.err != nil {
		return Vocab{}, fmt.Errorf("read tokenizer metadata: %w", r.err)
	}
	if v.Model == "" {
		return Vocab{}, errors.New("read tokenizer metadata: tokenizer.ggml.model is missing")
	}

	v.Merges = make([][2]string, len(merges))
	for i, m := range merges {
		// A piece may begin with a space, so the one that parts the two is
		// looked for from the second byte on.
		cut := -1
		if len(m) > 1 {
			cut = strings.IndexByte(m[1:], ' ') + 1
		}
		if cut < 1 {
			return Vocab{}, fmt.Errorf("read tokenizer metadata: merge %d, %q, is not two pieces", i, m)
		}
		v.Merges[i] = [2]string{m[:cut], m[cut+1:]}
	}

	if spm {
		v.Merges = nil // SentencePiece merges by score
		if prefix {
			v.Normalize = append(v.Normalize, Step{Kind: StepPrepend, To: "▁"})
			v.StripStart = 1
		}
		v.Normalize = append(v.Normalize, Step{Kind: StepReplace, From: " ", To: "▁"})
	} else {
		v.IgnoreMerges = wholeWords(v.Pre)
		if v.Pre == "qwen2" {
			v.Normalize = []Step{{Kind: StepNFC}} // the family's tokenizer.json asks for it; the file cannot say so
		}
	}
	if name := strings.ToLower(r.text("general.name")); strings.Contains(name, "phi-3") || strings.Contains(name, "phi3") {
		v.Added = addedByType(v)
		stripPhi3(v.Added)
	}
	return v, nil
}

// addedByType makes the list of added tokens from the types of tokens.
func addedByType(v Vocab) []Added {
	var added []Added
	for id, t := range v.Types {
		if id >= len(v.Tokens) || v.Tokens[id] == "" {
			continue
		}
		switch t {
		case TypeControl, TypeUnknown:
			added = append(added, Added{ID: int32(id), Text: v.Tokens[id], Special: true})
		case TypeUserDefined:
			added = append(added, Added{ID: int32(id), Text: v.Tokens[id]})
		}
	}
	return added
}

// stripPhi3 sets what a GGUF file cannot say: the special tokens of Phi-3
// take the white space after them along, but for four.
func stripPhi3(added []Added) {
	for i := range added {
		switch added[i].Text {
		case "<unk>", "<s>", "<|endoftext|>":
		default:
			added[i].RStrip = true
		}
	}
}

// metaReader takes values of a kind out of untyped metadata and keeps the
// first error.
type metaReader struct {
	meta map[string]any
	err  error
}

func (r *metaReader) fail(key string, v any, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is %T, not %s", key, v, want)
	}
}

func (r *metaReader) text(key string) string {
	switch v := r.meta[key].(type) {
	case nil:
	case string:
		return v
	case []byte:
		return string(v)
	default:
		r.fail(key, v, "a string")
	}
	return ""
}

func (r *metaReader) flag(key string, def bool) bool {
	switch v := r.meta[key].(type) {
	case nil:
	case bool:
		return v
	default:
		r.fail(key, v, "a boolean")
	}
	return def
}

func (r *metaReader) id(key string) int32 {
	v := r.meta[key]
	if v == nil {
		return None
	}
	n, ok := integer(v)
	if !ok {
		r.fail(key, v, "a whole number")
		return None
	}
	if n < 0 || n >= maxTokens {
		return None // writers put -1, or its unsigned image, where a model has no such token
	}
	return int32(n)
}

func (r *metaReader) texts(key string) []string {
	switch v := r.meta[key].(type) {
	case nil:
	case []string:
		return v
	case []any:
		out := make([]string, len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				r.fail(key, e, "a string")
				return nil
			}
			out[i] = s
		}
		return out
	default:
		r.fail(key, v, "a list of strings")
	}
	return nil
}

func (r *metaReader) ints(key string) []int32 {
	switch v := r.meta[key].(type) {
	case nil:
	case []int32:
		return v
	case []uint32:
		return convert[uint32, int32](v)
	case []int64:
		return convert[int64, int32](v)
	case []uint64:
		return convert[uint64, int32](v)
	case []int8:
		return convert[int8, int32](v)
	case []uint8:
		return convert[uint8, int32](v)
	case []int16:
		return convert[int16, int32](v)
	case []uint16:
		return convert[uint16, int32](v)
	case []int:
		return convert[int, int32](v)
	case []any:
		out := make([]int32, len(v))
		for i, e := range v {
			n, ok := integer(e)
			if !ok {
				r.fail(key, e, "a whole number")
				return nil
			}
			out[i] = int32(n)
		}
		return out
	default:
		r.fail(key, v, "a list of whole numbers")
	}
	return nil
}

func (r *metaReader) floats(key string) []float32 {
	switch v := r.meta[key].(type) {
	case nil:
	case []float32:
		return v
	case []float64:
		return convert[float64, float32](v)
	case []any:
		out := make([]float32, len(v))
		for i, e := range v {
			switch f := e.(type) {
			case float32:
				out[i] = f
			case float64:
				out[i] = float32(f)
			default:
				r.fail(key, e, "a number")
				return nil
			}
		}
		return out
	default:
		r.fail(key, v, "a list of numbers")
	}
	return nil
}

type number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

func convert[A, B number](in []A) []B {
	out := make([]B, len(in))
	for i, x := range in {
		out[i] = B(x)
	}
	return out
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case uint8:
		return int64(n), true
	case uint16:
		return int64(n), true
	case uint32:
		return int64(n), true
	case uint64:
		return int64(min(n, math.MaxInt64)), true
	}
	return 0, false
}
