// Package mistral reads models of the architecture mistral from Hugging Face
// folders: llama with a window on attention where config.json gives one. In
// GGUF files such models are of the architecture llama.
package mistral

import (
	"fmt"

	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "mistral") }

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	if src.GGUF != nil {
		return nil, fmt.Errorf("it says mistral where GGUF files of such models say llama")
	}
	m, r, err := model.FolderDecoder(src, model.Defaults{Theta: 10000, KVHeads: 8})
	if err != nil {
		return nil, err
	}
	window := r.Window(4096)
	for l := range m.Layer {
		m.Layer[l].Window = window
	}
	return m, r.Err()
}
