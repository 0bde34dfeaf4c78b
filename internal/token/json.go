package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseJSON makes a tokenizer from a tokenizer.json alone. That file does not
// say which tokens begin and end a text; [ParseHF] takes the files beside it
// that do.
func ParseJSON(b []byte) (*Tokenizer, error) { return ParseHF(b, nil, nil, nil) }

// ParseHF makes a tokenizer from the files of a Hugging Face folder:
// tokenizer.json, and, each nil where the folder lacks it,
// tokenizer_config.json, generation_config.json and chat_template.jinja.
func ParseHF(tokenizer, config, generation, template []byte) (*Tokenizer, error) {
	v, err := VocabHF(tokenizer, config, generation, template)
	if err != nil {
		return nil, err
	}
	return New(v)
}

// VocabHF reads the vocabulary in the files that ParseHF takes.
func VocabHF(tokenizer, config, generation, template []byte) (Vocab, error) {
	v, err := VocabFromJSON(tokenizer)
	if err == nil && config != nil {
		err = v.ReadConfig(config)
	}
	if err == nil && generation != nil {
		err = v.ReadGeneration(generation)
	}
	if err != nil {
		return Vocab{}, err
	}
	if template != nil {
		v.ChatTemplate = string(template)
	}
	return v, nil
}

// fileJSON is a tokenizer.json as the tokenizers library writes it.
type fileJSON struct {
	AddedTokens   []addedJSON     `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

type addedJSON struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

type modelJSON struct {
	Type         string           `json:"type"`
	Dropout      *float64         `json:"dropout"`
	Unknown      *string          `json:"unk_token"`
	Prefix       *string          `json:"continuing_subword_prefix"`
	Suffix       *string          `json:"end_of_word_suffix"`
	FuseUnknown  bool             `json:"fuse_unk"`
	ByteFallback bool             `json:"byte_fallback"`
	IgnoreMerges bool             `json:"ignore_merges"`
	Vocab        map[string]int32 `json:"vocab"`
	Merges       []mergeJSON      `json:"merges"`
}

// mergeJSON is a merge, written as ["a","b"] or, by older versions, "a b".
type mergeJSON [2]string

// UnmarshalJSON reads either form.
func (m *mergeJSON) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		var two []string
		if err := json.Unmarshal(b, &two); err != nil {
			return err
		}
		if len(two) != 2 {
			return fmt.Errorf("merge of %d pieces", len(two))
		}
		*m = mergeJSON(two)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	left, right, ok := strings.Cut(s, " ")
	if !ok || strings.Contains(right, " ") {
		return fmt.Errorf("merge %q is not two pieces", s)
	}
	*m = mergeJSON{left, right}
	return nil
}

// partJSON is a normalizer, pre-tokenizer, post-processor or decoder; each
// type uses some of the fields.
type partJSON struct {
	Type           string          `json:"type"`
	Normalizers    []partJSON      `json:"normalizers"`
	PreTokenizers  []partJSON      `json:"pretokenizers"`
	Processors     []partJSON      `json:"processors"`
	Decoders       []partJSON      `json:"decoders"`
	Prepend        string          `json:"prepend"`
	Pattern        patternJSON     `json:"pattern"`
	Content        string          `json:"content"`
	Behavior       string          `json:"behavior"`
	Invert         bool            `json:"invert"`
	Individual     bool            `json:"individual_digits"`
	AddPrefixSpace *bool           `json:"add_prefix_space"`
	UseRegex       *bool           `json:"use_regex"`
	Replacement    string          `json:"replacement"`
	PrependScheme  string          `json:"prepend_scheme"`
	Split          *bool           `json:"split"`
	Start          int             `json:"start"`
	Stop           int             `json:"stop"`
	Single         json.RawMessage `json:"single"`
}

type patternJSON struct {
	String *string
	Regex  *string
}

func (p patternJSON) text() string {
	switch {
	case p.Regex != nil:
		return *p.Regex
	case p.String != nil:
		return *p.String
	}
	return ""
}

// isSet says whether a part is there: absent and null are not.
func isSet(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

// VocabFromJSON reads a tokenizer.json with a BPE model. What it describes
// that is not known here is an error that names it, never passed over.
func VocabFromJSON(b []byte) (Vocab, error) {
	v, err := vocabFromJSON(b)
	if err != nil {
		return Vocab{}, fmt.Errorf("read tokenizer.json: %w", err)
	}
	return v, nil
}

func vocabFromJSON(b []byte) (Vocab, error) {
	v := NewVocab()
	var f fileJSON
	if err := json.Unmarshal(b, &f); err != nil {
		return v, err
	}
	if !isSet(f.Model) {
		return v, errors.New("it has no model")
	}
	var kind struct {
		Type   string          `json:"type"`
		Merges json.RawMessage `json:"merges"`
	}
	if err := json.Unmarshal(f.Model, &kind); err != nil {
		return v, fmt.Errorf("model: %w", err)
	}
	if kind.Type != "BPE" && (kind.Type != "" || !isSet(kind.Merges)) {
		return v, &UnknownModelError{Name: kind.Type}
	}
	var m modelJSON
	if err := json.Unmarshal(f.Model, &m); err != nil {
		return v, fmt.Errorf("model: %w", err)
	}
	switch {
	case m.Dropout != nil && *m.Dropout != 0:
		return v, errors.New("a model with dropout gives other ids each time")
	case m.Prefix != nil && *m.Prefix != "":
		return v, fmt.Errorf("continuing_subword_prefix %q is not known", *m.Prefix)
	case m.Suffix != nil && *m.Suffix != "":
		return v, fmt.Errorf("end_of_word_suffix %q is not known", *m.Suffix)
	}
	v.FuseUnknown, v.IgnoreMerges = m.FuseUnknown, m.IgnoreMerges
	if err := v.readTokens(m, f.AddedTokens); err != nil {
		return v, err
	}
	for _, part := range []struct {
		name string
		raw  json.RawMessage
		read func(partJSON) error
	}{
		{"normalizer", f.Normalizer, v.readNormalizer},
		{"pre_tokenizer", f.PreTokenizer, v.readPreTokenizer},
		{"post_processor", f.PostProcessor, v.readPostProcessor},
		{"decoder", f.Decoder, v.readDecoder},
	} {
		if !isSet(part.raw) {
			continue
		}
		var p partJSON
		if err := json.Unmarshal(part.raw, &p); err != nil {
			return v, fmt.Errorf("%s: %w", part.name, err)
		}
		if err := part.read(p); err != nil {
			return v, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if v.Model == "" {
		// No ByteLevel anywhere: characters are merged as they are.
		v.Model = "llama"
	}
	if v.Model == "gpt2" && m.ByteFallback {
		return v, errors.New("byte_fallback with a byte-level pre-tokenizer is not known")
	}
	if v.Model == "gpt2" && v.Pre == "" {
		return v, &UnknownPreTokenizerError{}
	}
	if v.Model == "llama" && !m.ByteFallback {
		// <0x41> is then a token like any other.
		for i, t := range v.Types {
			if t == TypeByte {
				v.Types[i] = TypeNormal
			}
		}
	}
	return v, nil
}

// readTokens lays the tokens out by id.
func (v *Vocab) readTokens(m modelJSON, added []addedJSON) error {
	top := int32(-1)
	check := func(text string, id int32) error {
		if id < 0 || id >= maxTokens {
			return fmt.Errorf("token %q has id %d", text, id)
		}
		top = max(top, id)
		return nil
	}
	for text, id := range m.Vocab {
		if err := check(text, id); err != nil {
			return err
		}
	}
	for _, a := range added {
		if err := check(a.Content, a.ID); err != nil {
			return err
		}
	}
	// Gaps are for ids that a model reserves; a list that is mostly gaps is no
	// vocabulary but a way of asking for memory.
	if n := len(m.Vocab) + len(added); int(top) > 8*n+65536 {
		return fmt.Errorf("%d tokens with ids up to %d", n, top)
	}
	v.Tokens = make([]string, top+1)
	v.Types = make([]TokenType, top+1)
	for i := range v.Types {
		v.Types[i] = TypeUnused
	}
	for text, id := range m.Vocab {
		if v.Types[id] != TypeUnused {
			return fmt.Errorf("tokens %q and %q both have id %d", v.Tokens[id], text, id)
		}
		v.Tokens[id], v.Types[id] = text, TypeNormal
		if _, ok := byteValue(text); ok && m.ByteFallback {
			v.Types[id] = TypeByte
		}
	}
	if m.Unknown != nil {
		id, ok := m.Vocab[*m.Unknown]
		if !ok {
			for _, a := range added {
				if a.Content == *m.Unknown {
					id, ok = a.ID, true
				}
			}
		}
		if ok {
			v.Unknown, v.Types[id] = id, TypeUnknown
		}
	}
	v.Added = make([]Added, 0, len(added))
	for _, a := range added {
		if a.Content == "" {
			return fmt.Errorf("added token %d is empty", a.ID)
		}
		v.Tokens[a.ID] = a.Content
		if a.Special {
			v.Types[a.ID] = TypeControl
		} else {
			v.Types[a.ID] = TypeUserDefined
		}
		v.Added = append(v.Added, Added{ID: a.ID, Text: a.Content, Special: a.Special, LStrip: a.LStrip,
			RStrip: a.RStrip, SingleWord: a.SingleWord, Normalized: a.Normalized})
	}
	v.Merges = make([][2]string, len(m.Merges))
	for i, p := range m.Merges {
		v.Merges[i] = p
	}
	return nil
}

func (v *Vocab) readNormalizer(p partJSON) error {
	switch p.Type {
	case "Sequence":
		for _, q := range p.Normalizers {
			if err := v.readNormalizer(q); err != nil {
				return err
			}
		}
	case "NFC":
		v.Normalize = append(v.Normalize, Step{Kind: StepNFC})
	case "Prepend":
		v.Normalize = append(v.Normalize, Step{Kind: StepPrepend, To: p.Prepend})
	case "Replace":
		if p.Pattern.String == nil || *p.Pattern.String == "" {
			return fmt.Errorf("a Replace of the pattern %q is not known", p.Pattern.text())
		}
		v.Normalize = append(v.Normalize, Step{Kind: StepReplace, From: *p.Pattern.String, To: p.Content})
	default:
		return fmt.Errorf("type %q is not known", p.Type)
	}
	return nil
}

func (v *Vocab) readPreTokenizer(p partJSON) error {
	parts := []partJSON{p}
	if p.Type == "Sequence" {
		parts = p.PreTokenizers
	}
	unknown := func() error {
		var names []string
		for _, q := range parts {
			name := q.Type
			if q.Type == "Split" {
				name += fmt.Sprintf(" at %q", q.Pattern.text())
			}
			names = append(names, name)
		}
		return &UnknownPreTokenizerError{Name: strings.Join(names, ", ")}
	}
	if len(parts) == 0 {
		return nil
	}
	last := parts[len(parts)-1]
	if last.Type == "ByteLevel" {
		v.Model = "gpt2"
		if last.AddPrefixSpace == nil || *last.AddPrefixSpace {
			return &UnknownPreTokenizerError{Name: "ByteLevel with add_prefix_space"}
		}
		regex := last.UseRegex == nil || *last.UseRegex
		switch {
		case len(parts) == 1 && regex:
			v.Pre = "gpt-2"
		case len(parts) == 2 && regex && parts[0].Type == "Digits" && parts[0].Individual:
			v.Pre = "smollm"
		case len(parts) == 2 && !regex && parts[0].Type == "Split" && parts[0].Behavior == "Isolated" &&
			!parts[0].Invert && parts[0].Pattern.Regex != nil:
			switch *parts[0].Pattern.Regex {
			case patternGPT2:
				v.Pre = "gpt-2"
			case patternLlama3:
				v.Pre = "llama-bpe"
			case patternQwen2:
				v.Pre = "qwen2"
			default:
				return unknown()
			}
		default:
			return unknown()
		}
		return nil
	}
	if len(parts) != 1 {
		return unknown()
	}
	switch p.Type {
	case "Split":
		// Gemma's: at spaces, of which its normalizer leaves none.
		if p.Pattern.String == nil || *p.Pattern.String != " " ||
			!slices.ContainsFunc(v.Normalize, func(s Step) bool { return s.Kind == StepReplace && s.From == " " }) {
			return unknown()
		}
	case "Metaspace":
		if p.Replacement != "▁" {
			return fmt.Errorf("a Metaspace with %q is not known", p.Replacement)
		}
		v.Mark = append(v.Mark, Step{Kind: StepReplace, From: " ", To: "▁"})
		scheme := p.PrependScheme
		if scheme == "" {
			scheme = "always"
			if p.AddPrefixSpace != nil && !*p.AddPrefixSpace {
				scheme = "never"
			}
		}
		switch scheme {
		case "always":
			v.Mark = append(v.Mark, Step{Kind: StepPrefix, To: "▁"})
		case "first":
			v.Mark = append(v.Mark, Step{Kind: StepFirst, To: "▁"})
		case "never":
		default:
			return fmt.Errorf("a Metaspace with prepend_scheme %q is not known", scheme)
		}
		v.SplitEach = p.Split == nil || *p.Split
	default:
		return unknown()
	}
	return nil
}

// readPostProcessor finds out which tokens are put around a text.
func (v *Vocab) readPostProcessor(p partJSON) error {
	switch p.Type {
	case "Sequence":
		for _, q := range p.Processors {
			if err := v.readPostProcessor(q); err != nil {
				return err
			}
		}
	case "ByteLevel":
	case "TemplateProcessing":
		var items []struct {
			SpecialToken *struct {
				ID string `json:"id"`
			}
			Sequence *struct {
				ID string `json:"id"`
			}
		}
		if err := json.Unmarshal(p.Single, &items); err != nil {
			return err
		}
		before := true
		for _, it := range items {
			if it.Sequence != nil {
				before = false
			}
			if it.SpecialToken == nil {
				continue
			}
			i := slices.Index(v.Tokens, it.SpecialToken.ID)
			if i < 0 {
				return fmt.Errorf("special token %q is not in the vocabulary", it.SpecialToken.ID)
			}
			if before {
				v.BOS, v.AddBOS = int32(i), true
			} else {
				v.EOS, v.AddEOS = int32(i), true
			}
		}
	default:
		return fmt.Errorf("type %q is not known", p.Type)
	}
	return nil
}

// readDecoder finds out what Decode takes away at the start; the rest of a
// decoder follows from the model.
func (v *Vocab) readDecoder(p partJSON) error {
	switch p.Type {
	case "Sequence":
		for _, q := range p.Decoders {
			if err := v.readDecoder(q); err != nil {
				return err
			}
		}
	case "ByteLevel":
		if v.Model != "gpt2" {
			return errors.New("a ByteLevel without a pre-tokenizer of that type is not known")
		}
	case "ByteFallback", "Fuse":
	case "Replace":
		if p.Pattern.String == nil || *p.Pattern.String != "▁" || p.Content != " " {
			return fmt.Errorf("a Replace of %q by %q is not known", p.Pattern.text(), p.Content)
		}
	case "Strip":
		if p.Content != " " || p.Start < 0 || p.Start > 16 || p.Stop != 0 {
			return fmt.Errorf("a Strip of %q, %d and %d is not known", p.Content, p.Start, p.Stop)
		}
		v.StripStart = p.Start
	case "Metaspace":
		if p.PrependScheme != "never" {
			v.StripStart = 1
		}
	default:
		return fmt.Errorf("type %q is not known", p.Type)
	}
	return nil
}

// tokenJSON is a token in tokenizer_config.json: a string, or an object with
// its content.
type tokenJSON string

// UnmarshalJSON reads either form.
func (t *tokenJSON) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var o struct {
			Content string `json:"content"`
		}
		if err := json.Unmarshal(b, &o); err != nil {
			return err
		}
		*t = tokenJSON(o.Content)
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// ReadConfig takes from a tokenizer_config.json what tokenizer.json does not
// say: BOS, EOS, padding, whether they are added, and the chat template (the
// one named default where there are several).
func (v *Vocab) ReadConfig(b []byte) error {
	var c struct {
		BOS      *tokenJSON      `json:"bos_token"`
		EOS      *tokenJSON      `json:"eos_token"`
		Padding  *tokenJSON      `json:"pad_token"`
		AddBOS   *bool           `json:"add_bos_token"`
		AddEOS   *bool           `json:"add_eos_token"`
		Template json.RawMessage `json:"chat_template"`
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("read tokenizer_config.json: %w", err)
	}
	for _, f := range []struct {
		name string
		from *tokenJSON
		to   *int32
	}{{"bos_token", c.BOS, &v.BOS}, {"eos_token", c.EOS, &v.EOS}, {"pad_token", c.Padding, &v.Padding}} {
		if f.from == nil || *f.from == "" {
			continue
		}
		i := slices.Index(v.Tokens, string(*f.from))
		if i < 0 {
			return fmt.Errorf("read tokenizer_config.json: %s %q is not in the vocabulary", f.name, *f.from)
		}
		*f.to = int32(i)
	}
	if c.AddBOS != nil {
		v.AddBOS = *c.AddBOS
	}
	if c.AddEOS != nil {
		v.AddEOS = *c.AddEOS
	}
	if !isSet(c.Template) {
		return nil
	}
	if c.Template[0] == '"' {
		return json.Unmarshal(c.Template, &v.ChatTemplate)
	}
	var several []struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	}
	if err := json.Unmarshal(c.Template, &several); err != nil {
		return fmt.Errorf("read tokenizer_config.json: chat_template: %w", err)
	}
	for _, t := range several {
		if t.Name == "default" {
			v.ChatTemplate = t.Template
		}
	}
	return nil
}

// ReadGeneration takes the tokens that end a text from a
// generation_config.json.
func (v *Vocab) ReadGeneration(b []byte) error {
	var c struct {
		EOS json.RawMessage `json:"eos_token_id"`
	}
	err := json.Unmarshal(b, &c)
	if err == nil && isSet(c.EOS) {
		if c.EOS[0] == '[' {
			err = json.Unmarshal(c.EOS, &v.Stops)
		} else {
			var id int32
			err = json.Unmarshal(c.EOS, &id)
			v.Stops = []int32{id}
		}
	}
	if err != nil {
		return fmt.Errorf("read generation_config.json: %w", err)
	}
	return nil
}
