// Package qwen2 reads models of the architecture qwen2 (Qwen 2 and 2.5): llama
// with biases on q, k and v, and a window on the upper layers where config.json
// asks for it.
package qwen2

import (
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "qwen2") }

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	if src.GGUF != nil {
		m, _, err := model.GGUFDecoder(src, "qwen2", "qwen2", false)
		return m, err
	}
	m, r, err := model.FolderDecoder(src, model.Defaults{Theta: 10000, KVHeads: 32})
	if err != nil {
		return nil, err
	}
	if r.BoolOr("use_sliding_window", false) {
		r.Windows(m, 4096, func(l int) bool { return l >= r.IntOr("max_window_layers", 28) })
	}
	return m, r.Err()
}
