// Package mistral reads models of the architecture mistral from Hugging Face
// folders: llama with a window on attention where config.json gives one. In
// GGUF files such models are of the architecture llama.
package mistral

import (
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "mistral") }

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	if src.GGUF != nil {
		m, _, err := model.GGUFDecoder(src, "mistral", "mistral", true)
		return m, err
	}
	m, r, err := model.FolderDecoder(src, 10000, false)
	if err != nil {
		return nil, err
	}
	window := r.IntOr("sliding_window", 0)
	for l := range m.Layer {
		m.Layer[l].Window = window
	}
	return m, r.Err()
}
