// Package qwen3 reads models of the architecture qwen3: llama with an RMS norm
// on every head of q and k before it turns, and head sizes of their own.
package qwen3

import (
	"fmt"

	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "qwen3") }

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	var m *model.Model
	var err error
	if src.GGUF != nil {
		m, _, err = model.GGUFDecoder(src, "qwen3", "qwen3", false)
	} else {
		var r *model.Folder
		m, r, err = model.FolderDecoder(src, model.Defaults{Theta: 10000, KVHeads: 32, HeadSize: 128})
		if err == nil && r.BoolOr("use_sliding_window", false) {
			r.Windows(m, 4096, func(l int) bool { return l >= r.IntOr("max_window_layers", 28) })
			err = r.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	if m.Layer[0].QNorm == nil {
		return nil, fmt.Errorf("the norms of q and k are missing: the file is not whole")
	}
	return m, nil
}
