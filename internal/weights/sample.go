package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
)

const (
	samplePage   = 4096 // bytes of a weight that are looked at in one place
	samplePlaces = 3    // of each weight: its beginning, its middle and its end
)

// Sample tells models of one shape apart whose numbers are others, or what text is to
// them: a SHA-256, in lower-case hex, of what stands before the weights in a file or, of a
// folder, its config.json, tokenizer and chat template; of the weights' names, types and
// shapes; and of three pages of each weight. Of generation_config.json, which says where a
// text ends and is often edited, there is nothing in it. Training changes nearly all
// numbers of a weight that it changes, so it need not read all, which takes seconds where
// this takes milliseconds; a few numbers that were changed by hand it may not see.
func (s *Source) Sample() (string, error) {
	h := sha256.New()
	err := Guard(func() error {
		if g := s.GGUF; g != nil {
			h.Write(g.mapping.data[:g.start])
		}
		if f := s.Folder; f != nil {
			for _, b := range [][]byte{f.Raw, f.Tokenizer, f.TokenizerConfig, f.ChatTemplate} {
				fmt.Fprintf(h, "%d bytes\n", len(b))
				h.Write(b)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Tensors)) {
			t := s.Tensors[name]
			fmt.Fprintf(h, "%q %s %v\n", name, t.DType, t.Shape)
			samplePages(h, t.Data)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// samplePages hashes the pages of a weight that are looked at, or all of a small one.
func samplePages(h hash.Hash, data []byte) {
	if len(data) <= samplePlaces*samplePage {
		h.Write(data)
		return
	}
	last := len(data) - samplePage
	for i := range samplePlaces {
		at := i * last / (samplePlaces - 1)
		h.Write(data[at : at+samplePage])
	}
}
