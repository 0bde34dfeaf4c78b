// Package llama reads models of the architecture llama: RMS norms before
// attention and feed-forward, rotary positions, grouped-query attention and
// SwiGLU, from GGUF files and Hugging Face folders.
package llama

import (
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "llama") }

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	if src.GGUF != nil {
		m, _, err := model.GGUFDecoder(src, "llama", "llama", true)
		return m, err
	}
	m, _, err := model.FolderDecoder(src, model.Defaults{Theta: 10000})
	return m, err
}
