package token

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is an entry of a GGUF file's metadata.
type Entry struct {
	Key   string
	Value any // string, bool, uint32, []string, []int32 or []float32
}

// MetadataError says what of a tokenizer a GGUF file cannot say.
type MetadataError struct {
	What string
}

// Error names it.
func (e *MetadataError) Error() string {
	return "the tokenizer has " + e.What + ", which a GGUF file cannot say"
}

// Hint says what to do.
func (e *MetadataError) Hint() string {
	return "use the model's own GGUF file, or the folder as it is"
}

// Metadata gives the entries tokenizer.ggml.* and tokenizer.chat_template that say
// in a GGUF file what v says, for a model of size tokens: VocabFromGGUF is its
// inverse, and llama.cpp reads the same. Ids that the vocabulary leaves open are
// filled up, as llama.cpp's converter does. v is as VocabFromJSON, ReadConfig and
// ReadGeneration leave it.
//
// The error is a MetadataError where GGUF has no words for what v does. Two things
// it has none for are passed over, as every converter does: white space that special
// tokens take along, and that a space goes before the beginning of a text only and
// not behind each special token.
func (v *Vocab) Metadata(size int) ([]Entry, error) {
	if len(v.Tokens) > size {
		return nil, fmt.Errorf("write tokenizer metadata: %d tokens for a model of %d", len(v.Tokens), size)
	}
	for _, a := range v.Added {
		if !a.Special && (a.LStrip || a.RStrip || a.SingleWord) {
			return nil, &MetadataError{fmt.Sprintf("the token %q with rules for what stands beside it", a.Text)}
		}
	}
	spm := v.Model == "llama"
	if spm && v.FuseUnknown && !slices.Contains(v.Types, TypeByte) {
		return nil, &MetadataError{"no tokens for bytes, and one for all unknown characters that stand together"}
	}
	tokens, types := slices.Clone(v.Tokens), make([]int32, len(v.Tokens), size)
	for i := range tokens {
		t := TypeNormal
		if v.Types != nil {
			t = v.Types[i]
		}
		types[i] = int32(t)
		switch {
		case tokens[i] == "":
			tokens[i], types[i] = fmt.Sprintf("[PAD%d]", i), int32(TypeUnused)
		case spm && t == TypeUserDefined:
			// They are looked for in text as it stands.
			tokens[i] = strings.ReplaceAll(tokens[i], "▁", " ")
		}
	}
	for i := len(tokens); i < size; i++ {
		tokens, types = append(tokens, fmt.Sprintf("[PAD%d]", i)), append(types, int32(TypeUnused))
	}
	out := []Entry{{"tokenizer.ggml.model", v.Model}}
	add := func(key string, value any) { out = append(out, Entry{"tokenizer.ggml." + key, value}) }
	if spm {
		prefix, err := v.spacePrefix()
		if err != nil {
			return nil, err
		}
		add("pre", "default")
		add("tokens", tokens)
		add("scores", v.scores(size))
		add("token_type", types)
		add("add_space_prefix", prefix)
	} else {
		if err := v.sayable(); err != nil {
			return nil, err
		}
		add("pre", v.Pre)
		add("tokens", tokens)
		add("token_type", types)
		merges := make([]string, len(v.Merges))
		for i, m := range v.Merges {
			if strings.Contains(m[0][min(1, len(m[0])):]+m[1], " ") {
				return nil, &MetadataError{fmt.Sprintf("a merge of %q and %q", m[0], m[1])}
			}
			merges[i] = m[0] + " " + m[1]
		}
		add("merges", merges)
	}
	eos, eot := v.EOS, v.EOT
	for _, id := range v.Stops {
		if eos == None {
			eos = id
		}
		if eot == None && id != eos {
			eot = id
		}
	}
	for _, x := range []struct {
		key string
		id  int32
	}{{"bos", v.BOS}, {"eos", eos}, {"eot", eot}, {"unknown", v.Unknown}, {"padding", v.Padding}} {
		if x.id != None {
			add(x.key+"_token_id", uint32(x.id))
		}
	}
	add("add_bos_token", v.AddBOS)
	add("add_eos_token", v.AddEOS)
	if v.ChatTemplate != "" {
		out = append(out, Entry{"tokenizer.chat_template", v.ChatTemplate})
	}
	return out, nil
}

// sayable says whether GGUF's name of the pre-tokenizer stands for all that a
// byte-level vocabulary does to a text.
func (v *Vocab) sayable() error {
	nfc := len(v.Normalize) == 1 && v.Normalize[0].Kind == StepNFC && v.Pre == "qwen2"
	switch {
	case len(v.Mark) > 0 || len(v.Normalize) > 0 && !nfc:
		return &MetadataError{"a normalizer"}
	case v.IgnoreMerges != wholeWords(v.Pre):
		return &MetadataError{fmt.Sprintf("ignore_merges %v with the pre-tokenizer %s", v.IgnoreMerges, v.Pre)}
	}
	return nil
}

// spacePrefix says whether a space goes before a text, where that and spaces that
// become ▁ are all that is done to it.
func (v *Vocab) spacePrefix() (bool, error) {
	prefix, replaced := false, false
	for _, s := range append(slices.Clone(v.Normalize), v.Mark...) {
		switch {
		case s.Kind == StepReplace && s.From == " " && s.To == "▁":
			replaced = true
		case (s.Kind == StepPrepend || s.Kind == StepPrefix || s.Kind == StepFirst) && s.To == "▁":
			prefix = true
		default:
			return false, &MetadataError{"a normalizer"}
		}
	}
	if !replaced {
		return false, &MetadataError{"spaces that stay spaces"}
	}
	return prefix, nil
}

// scores gives each token the place of the first merge that makes it, less than
// zero and falling, which is what a vocabulary of SentencePiece has: where merges
// were made from such scores, merging by either is the same. What no merge makes
// comes last. Scores that the vocabulary has stay.
func (v *Vocab) scores(size int) []float32 {
	if v.Scores != nil {
		return append(slices.Clone(v.Scores), make([]float32, size-len(v.Scores))...)
	}
	of := make(map[string]float32, len(v.Merges))
	for _, m := range v.Merges {
		if whole := m[0] + m[1]; of[whole] == 0 {
			of[whole] = -float32(len(of) + 1)
		}
	}
	scores := make([]float32, size)
	for i := range scores {
		scores[i] = -float32(len(v.Merges) + 2)
		if i < len(v.Tokens) {
			if s, ok := of[v.Tokens[i]]; ok {
				scores[i] = s
			}
		}
	}
	return scores
}
