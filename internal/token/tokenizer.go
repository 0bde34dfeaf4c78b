package token

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Tokenizer turns text into token ids and back. It is safe for use by several
// goroutines.
type Tokenizer struct {
	vocab     Vocab
	pre       pre
	byteLevel bool

	ids    map[string]int32 // by the token as the vocabulary writes it
	pieces []byte           // what each token stands for, one after another
	offset []uint32         // token id's piece is pieces[offset[id]:offset[id+1]]
	stops  map[int32]bool

	raw, normal *matcher // added tokens looked for before and after normalization
	special     *matcher // all special tokens, as they stand in a text

	merges    map[uint64]merge // by the ids of left and right
	bytes     [256]int32       // the token of each byte, None
	words     map[string]int32 // with IgnoreMerges: by the bytes that a token stands for
	cuts      bool             // model "llama": words may be cut before ▁ without a change
	longest   int              // bytes of the longest token, model "llama"
	allBytes  bool             // every byte has a token
	encodings sync.Pool        // *encoding
}

type merge struct {
	rank uint32
	id   int32
}

// UnknownPreTokenizerError says that a file names, or describes, a way of
// cutting text into words that is not known here.
type UnknownPreTokenizerError struct {
	Name string // as the file has it
}

// Error names the pre-tokenizer.
func (e *UnknownPreTokenizerError) Error() string {
	if e.Name == "" {
		return "the pre-tokenizer is not named"
	}
	return "unknown pre-tokenizer " + e.Name
}

// Hint says which are known.
func (e *UnknownPreTokenizerError) Hint() string {
	return "known are those of GPT-2, SmolLM, Llama 3, Qwen 2 and 3 and DeepSeek-R1-Qwen; take a model of one of these families"
}

// UnknownModelError says that a file holds a kind of tokenizer that is not
// known here, such as WordPiece or Unigram.
type UnknownModelError struct {
	Name string // as the file has it
}

// Error names the model.
func (e *UnknownModelError) Error() string { return "unknown tokenizer model " + e.Name }

// Hint says which are known.
func (e *UnknownModelError) Hint() string {
	return "known are byte-level BPE (gpt2) and SentencePiece BPE (llama)"
}

// New makes a tokenizer, and says what is wrong with a vocabulary that cannot
// be one. It keeps v's slices: they are not to be changed afterwards.
func New(v Vocab) (*Tokenizer, error) {
	t := &Tokenizer{vocab: v}
	if err := t.build(); err != nil {
		return nil, fmt.Errorf("make tokenizer: %w", err)
	}
	return t, nil
}

func (t *Tokenizer) build() error {
	v := &t.vocab
	switch v.Model {
	case "gpt2":
		t.byteLevel = true
		if t.pre = preTokenizers[v.Pre]; t.pre == preUnknown {
			return &UnknownPreTokenizerError{Name: v.Pre}
		}
	case "llama":
	default:
		return &UnknownModelError{Name: v.Model}
	}
	switch n := len(v.Tokens); {
	case n == 0:
		return errors.New("the vocabulary is empty")
	case n > maxTokens:
		return fmt.Errorf("the vocabulary has %d tokens, more than %d", n, maxTokens)
	case v.Types != nil && len(v.Types) != n:
		return fmt.Errorf("%d tokens but %d token types", n, len(v.Types))
	case v.Scores != nil && len(v.Scores) != n:
		return fmt.Errorf("%d tokens but %d scores", n, len(v.Scores))
	}
	if v.Added == nil {
		v.Added = addedByType(*v)
	}
	for _, id := range append([]int32{v.BOS, v.EOS, v.EOT, v.Unknown, v.Padding, v.Separator}, v.Stops...) {
		if id != None && !t.has(id) {
			return fmt.Errorf("special token %d is not one of the %d tokens", id, len(v.Tokens))
		}
	}

	t.index()
	if err := t.addMatchers(); err != nil {
		return err
	}
	if err := t.addMerges(); err != nil {
		return err
	}
	t.choose()
	t.encodings.New = func() any { return &encoding{t: t} }
	return nil
}

func (t *Tokenizer) has(id int32) bool { return id >= 0 && int(id) < len(t.vocab.Tokens) }

func (t *Tokenizer) kind(id int32) TokenType {
	if t.vocab.Types == nil {
		return TypeNormal
	}
	return t.vocab.Types[id]
}

// index fills the tables from text to id and from id to bytes.
func (t *Tokenizer) index() {
	v := &t.vocab
	added := make(map[int32]bool, len(v.Added))
	for _, a := range v.Added {
		added[a.ID] = true
	}
	for i := range t.bytes {
		t.bytes[i] = None
	}
	t.ids = make(map[string]int32, len(v.Tokens))
	t.offset = make([]uint32, 1, len(v.Tokens)+1)
	if t.byteLevel && v.IgnoreMerges {
		t.words = make(map[string]int32, len(v.Tokens))
	}
	for i, token := range v.Tokens {
		id, start := int32(i), len(t.pieces)
		if token != "" {
			t.ids[token] = id
		}
		switch b, isByte := byteValue(token); {
		case added[id] && (t.byteLevel || v.Types == nil || v.Types[i] != TypeUserDefined):
			t.pieces = append(t.pieces, token...)
		case t.byteLevel:
			t.pieces = appendBytes(t.pieces, token)
			if t.words != nil && token != "" {
				t.words[string(t.pieces[start:])] = id
			}
		case isByte:
			t.pieces = append(t.pieces, b)
			t.bytes[b] = id
		default:
			t.pieces = append(t.pieces, strings.ReplaceAll(token, "▁", " ")...)
			t.longest = max(t.longest, len(token))
		}
		t.offset = append(t.offset, uint32(len(t.pieces)))
	}
	if t.byteLevel {
		for b, r := range byteRunes {
			if id, ok := t.ids[string(r)]; ok {
				t.bytes[b] = id
			}
		}
	}
	t.allBytes = !slices.Contains(t.bytes[:], None)
}

func (t *Tokenizer) addMatchers() error {
	var raw, normal, special []Added
	size := 0
	for _, a := range t.vocab.Added {
		switch {
		case a.Text == "":
			return fmt.Errorf("added token %d is empty", a.ID)
		case len(a.Text) > 1024:
			return fmt.Errorf("added token %d is %d bytes long, more than 1024", a.ID, len(a.Text))
		case size+len(a.Text) > maxAdded:
			return fmt.Errorf("the added tokens are more than %d bytes long together", maxAdded)
		case !t.has(a.ID):
			return fmt.Errorf("added token %q has id %d, of %d", a.Text, a.ID, len(t.vocab.Tokens))
		}
		size += len(a.Text)
		if a.Special {
			special = append(special, a)
		}
		switch {
		case a.Normalized:
			if a.Text = normalize(t.vocab.Normalize, a.Text, true); a.Text != "" {
				normal = append(normal, a)
			}
		default:
			raw = append(raw, a)
		}
	}
	t.raw, t.normal, t.special = newMatcher(raw), newMatcher(normal), newMatcher(special)
	return nil
}

func (t *Tokenizer) addMerges() error {
	v := &t.vocab
	if !t.byteLevel && v.Merges == nil {
		if v.Scores == nil {
			return errors.New("the vocabulary has neither scores nor merges")
		}
	}
	t.merges = make(map[uint64]merge, len(v.Merges))
	for rank, m := range v.Merges {
		left, okL := t.ids[m[0]]
		right, okR := t.ids[m[1]]
		both, okB := t.ids[m[0]+m[1]]
		if !okL || !okR || !okB {
			return fmt.Errorf("merge %d, %q with %q, needs a piece that the vocabulary lacks", rank, m[0], m[1])
		}
		t.merges[uint64(left)<<32|uint64(right)] = merge{rank: uint32(rank), id: both}
	}
	if !t.byteLevel {
		// Where no token goes on past the start of a ▁, nothing is ever merged
		// across it, and what stands between two can be merged by itself.
		t.cuts = true
		for _, token := range v.Tokens {
			if i := strings.LastIndex(token, "▁"); i > 0 && strings.Trim(token[:i], "▁") != "" {
				t.cuts = false
				break
			}
		}
	}
	return nil
}

// endNames are the tokens that end a text or a turn in the families known, by
// name, for files that name one of them only.
var endNames = []string{"<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>",
	"<end_of_turn>", "<|end▁of▁sentence|>", "<｜end▁of▁sentence｜>", "<EOT>", "</s>", "<eos>"}

// choose settles which tokens end a text and which one parts documents.
func (t *Tokenizer) choose() {
	v := &t.vocab
	special := make(map[int32]bool)
	for _, a := range v.Added {
		if a.Special {
			special[a.ID] = true
		}
	}
	t.stops = make(map[int32]bool)
	for _, name := range endNames {
		if id, ok := t.ids[name]; ok && special[id] {
			t.stops[id] = true
			if v.Separator == None && (name == "<|endoftext|>" || name == "<|end_of_text|>") {
				v.Separator = id
			}
		}
	}
	for _, id := range append([]int32{v.EOS, v.EOT}, v.Stops...) {
		if id != None {
			t.stops[id] = true
		}
	}
	if v.Separator == None {
		v.Separator = v.EOS
	}
}

// encoding is what one call of Encode works with.
type encoding struct {
	t     *Tokenizer
	m     merger
	cache wordCache
	out   []int32
	first bool // nothing of the text is encoded yet
	quote bool // marks in the text are no part of it
}

// Encode gives the ids of a text. What looks like a special token in it is
// text like any other; tokens that are added but not special are found. It
// adds neither BOS nor EOS (see [Tokenizer.AddBOS]).
func (t *Tokenizer) Encode(text string) []int32 { return t.encode(text, false, false) }

// EncodeSpecial is [Tokenizer.Encode] with special tokens in the text, such
// as those that a chat template writes, taken for what they are.
func (t *Tokenizer) EncodeSpecial(text string) []int32 { return t.encode(text, true, false) }

func (t *Tokenizer) encode(text string, special, quoted bool) []int32 {
	e := t.encodings.Get().(*encoding)
	defer t.encodings.Put(e)
	// English text comes to about four bytes a token; a little more room keeps
	// the result from being copied as it grows.
	e.out = make([]int32, 0, len(text)/3+4)
	e.first, e.quote = true, quoted
	t.raw.split(text, special, func(s string) {
		t.normal.split(normalize(t.vocab.Normalize, s, e.first), special, e.stretch, e.token)
	}, e.token)
	out := e.out
	e.out = nil
	return out
}

func (e *encoding) token(id int32) {
	e.out = append(e.out, id)
	e.first = false
}

// stretch encodes normalized text without added tokens.
func (e *encoding) stretch(s string) {
	t := e.t
	s = normalize(t.vocab.Mark, s, e.first)
	e.first = false
	if e.quote {
		s = strings.ReplaceAll(s, quote, "")
	}
	if t.byteLevel {
		t.pre.words(s, e.word)
		return
	}
	switch {
	case t.vocab.SplitEach:
		for s != "" {
			n := len(s)
			if i := strings.Index(s[1:], "▁"); i >= 0 {
				n = i + 1
			}
			e.word(s[:n])
			s = s[n:]
		}
	case t.cuts:
		for s != "" {
			// A word is any number of ▁ and what follows up to the next one.
			n := len(s) - len(strings.TrimLeft(s, "▁"))
			if i := strings.Index(s[n:], "▁"); i >= 0 {
				n += i
			} else {
				n = len(s)
			}
			e.word(s[:n])
			s = s[n:]
		}
	default:
		e.word(s)
	}
}

// word encodes what nothing is merged across.
func (e *encoding) word(s string) {
	if s == "" {
		return
	}
	if ids, ok := e.cache.get(s); ok {
		e.out = append(e.out, ids...)
		return
	}
	start := len(e.out)
	if id, ok := e.t.words[s]; ok {
		e.out = append(e.out, id)
	} else if e.t.byteLevel {
		e.mergeBytes(s)
	} else {
		e.mergeChars(s)
	}
	e.cache.put(s, e.out[start:])
}

func (e *encoding) mergeBytes(s string) {
	t := e.t
	e.m.reset()
	for i := range len(s) {
		id := t.bytes[s[i]]
		if id == None {
			if id = t.vocab.Unknown; id == None {
				continue // as the reference does where there is nothing to write
			}
		}
		e.m.add(id, i, i+1)
	}
	e.m.run(t.byRank)
	e.emit(s)
}

func (e *encoding) mergeChars(s string) {
	t := e.t
	byRank := len(t.merges) > 0
	e.m.reset()
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		id, ok := t.ids[s[i:i+n]]
		switch {
		case ok:
			e.m.add(id, i, i+n)
		case !byRank:
			e.m.add(None, i, i+n) // may yet become part of a longer token
		default:
			e.spell(s, i, i+n)
		}
		i += n
	}
	if byRank {
		e.m.run(t.byRank)
	} else {
		e.m.run(func(a, b *symbol) (uint32, int32, bool) {
			if int(b.end-a.start) > t.longest {
				return 0, 0, false
			}
			id, ok := t.ids[s[a.start:b.end]]
			if !ok {
				return 0, 0, false
			}
			return descending(t.vocab.Scores[id]), id, true
		})
	}
	e.emit(s)
}

// spell adds the bytes of an unknown character as symbols, or the unknown
// token where some byte has none.
func (e *encoding) spell(s string, start, end int) {
	t := e.t
	for i := start; i < end; i++ {
		if t.bytes[s[i]] == None {
			if t.vocab.Unknown != None {
				e.m.add(t.vocab.Unknown, start, end)
			}
			return
		}
	}
	for i := start; i < end; i++ {
		e.m.add(t.bytes[s[i]], i, i+1)
	}
}

// emit appends the ids of the merged symbols.
func (e *encoding) emit(s string) {
	t := e.t
	if len(e.m.symbols) == 0 {
		return
	}
	unknown := false // the last id is the unknown token
	for i := int32(0); i >= 0; i = e.m.symbols[i].next {
		sym := &e.m.symbols[i]
		id := sym.id
		if id == None {
			if t.spelled(s[sym.start:sym.end]) {
				for j := sym.start; j < sym.end; j++ {
					e.out = append(e.out, t.bytes[s[j]])
				}
				unknown = false
				continue
			}
			if id = t.vocab.Unknown; id == None {
				continue
			}
		}
		if id == t.vocab.Unknown && unknown && t.vocab.FuseUnknown {
			continue
		}
		e.out = append(e.out, id)
		unknown = id == t.vocab.Unknown
	}
}

func (t *Tokenizer) spelled(s string) bool {
	if t.allBytes {
		return true
	}
	for i := range len(s) {
		if t.bytes[s[i]] == None {
			return false
		}
	}
	return true
}

func (t *Tokenizer) byRank(a, b *symbol) (uint32, int32, bool) {
	m, ok := t.merges[uint64(a.id)<<32|uint64(b.id)]
	return m.rank, m.id, ok
}

// descending maps scores to ranks: the higher the score, the lower the rank.
func descending(score float32) uint32 {
	bits := math.Float32bits(score + 0) // + 0 makes -0 equal to 0
	if bits>>31 == 0 {
		return ^(bits | 1<<31)
	}
	return bits
}
