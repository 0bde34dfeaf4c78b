package token

import (
	"encoding/json"
	"fmt"
	"slices"
)

// FilesError says what of a tokenizer cannot be written as the files of a Hugging
// Face folder.
type FilesError struct {
	What string
}

// Error names it.
func (e *FilesError) Error() string {
	return "the tokenizer has " + e.What + ", which cannot be written as a tokenizer.json"
}

// Hint says what to do.
func (e *FilesError) Hint() string {
	return "write a GGUF file, or use the tokenizer.json that the model came with"
}

// object is a JSON object.
type object = map[string]any

// Files writes a byte-level vocabulary as the files that VocabHF reads:
// tokenizer.json, tokenizer_config.json and generation_config.json, as the
// libraries tokenizers and transformers take them. Ids that nothing is written
// with are left open. The error is a FilesError.
func (v *Vocab) Files() (tokenizer, config, generation []byte, err error) {
	if v.Model != "gpt2" {
		return nil, nil, nil, &FilesError{"no byte-level model"}
	}
	pre, err := v.preTokenizer()
	if err != nil {
		return nil, nil, nil, err
	}
	words, added := object{}, []object{}
	for id, text := range v.Tokens {
		kind := TypeNormal
		if v.Types != nil {
			kind = v.Types[id]
		}
		if kind == TypeUnused {
			continue
		}
		if _, twice := words[text]; twice {
			return nil, nil, nil, &FilesError{fmt.Sprintf("the token %q twice", text)}
		}
		words[text] = id
		if kind == TypeControl || kind == TypeUnknown || kind == TypeUserDefined {
			added = append(added, object{"id": id, "content": text, "special": kind != TypeUserDefined,
				"single_word": false, "lstrip": false, "rstrip": false, "normalized": false})
		}
	}
	for _, a := range v.Added {
		if a.LStrip || a.RStrip || a.SingleWord {
			return nil, nil, nil, &FilesError{fmt.Sprintf("rules for what stands beside the token %q", a.Text)}
		}
	}
	merges := v.Merges
	if merges == nil {
		merges = [][2]string{}
	}
	var normalizer any
	if len(v.Normalize) == 1 && v.Normalize[0].Kind == StepNFC {
		normalizer = object{"type": "NFC"}
	} else if len(v.Normalize)+len(v.Mark) > 0 {
		return nil, nil, nil, &FilesError{"a normalizer"}
	}
	level := object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	tokenizer, err = json.Marshal(object{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added, "normalizer": normalizer, "pre_tokenizer": pre,
		"post_processor": v.around(level), "decoder": level,
		"model": object{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
			"fuse_unk": false, "byte_fallback": false, "ignore_merges": v.IgnoreMerges, "vocab": words, "merges": merges},
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("write tokenizer.json: %w", err)
	}
	about := object{"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false, "add_bos_token": v.AddBOS, "add_eos_token": v.AddEOS}
	ids := object{}
	for name, id := range map[string]int32{"bos_token": v.BOS, "eos_token": v.EOS, "pad_token": v.Padding, "unk_token": v.Unknown} {
		if id != None {
			about[name] = v.Tokens[id]
			ids[name+"_id"] = id
		}
	}
	if v.ChatTemplate != "" {
		about["chat_template"] = v.ChatTemplate
	}
	delete(ids, "unk_token_id")
	stops := []int32{}
	for _, id := range append([]int32{v.EOS, v.EOT}, v.Stops...) {
		if id != None && !slices.Contains(stops, id) {
			stops = append(stops, id)
		}
	}
	if len(stops) > 1 {
		ids["eos_token_id"] = stops
	}
	if config, err = json.Marshal(about); err == nil {
		generation, err = json.Marshal(ids)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("write tokenizer_config.json: %w", err)
	}
	return tokenizer, config, generation, nil
}

// preTokenizer is how a text is cut into words.
func (v *Vocab) preTokenizer() (object, error) {
	level := object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	pattern := ""
	switch preTokenizers[v.Pre] {
	case preGPT2:
		return level, nil
	case preSmolLM:
		return object{"type": "Sequence", "pretokenizers": []object{{"type": "Digits", "individual_digits": true}, level}}, nil
	case preLlama3:
		pattern = patternLlama3
	case preQwen2:
		pattern = patternQwen2
	default:
		return nil, &FilesError{fmt.Sprintf("the pre-tokenizer %q", v.Pre)}
	}
	level["use_regex"] = false
	return object{"type": "Sequence", "pretokenizers": []object{
		{"type": "Split", "pattern": object{"Regex": pattern}, "behavior": "Isolated", "invert": false}, level}}, nil
}

// around puts the tokens around a text that the model was trained with.
func (v *Vocab) around(level object) object {
	if !v.AddBOS && !v.AddEOS {
		return level
	}
	single, special := []object{}, object{}
	put := func(on bool, id int32) {
		if on && id != None {
			text := v.Tokens[id]
			single = append(single, object{"SpecialToken": object{"id": text, "type_id": 0}})
			special[text] = object{"id": text, "ids": []int32{id}, "tokens": []string{text}}
		}
	}
	put(v.AddBOS, v.BOS)
	single = append(single, object{"Sequence": object{"id": "A", "type_id": 0}})
	put(v.AddEOS, v.EOS)
	pair := append(append([]object(nil), single...), object{"Sequence": object{"id": "B", "type_id": 1}})
	return object{"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}
}
