// Package smollm3 reads models of the architecture smollm3: llama with layers
// whose positions do not turn, every fourth unless the model says otherwise.
package smollm3

import (
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/weights"
)

func init() { model.Register(Load, "smollm3") }

// Load reads a model of this architecture.
func Load(src *weights.Source) (*model.Model, error) {
	if src.GGUF != nil {
		m, _, err := model.GGUFDecoder(src, "smollm3", "smollm3", true)
		if err != nil {
			return nil, err
		}
		every(m, 4)
		return m, nil
	}
	m, r, err := model.FolderDecoder(src, model.Defaults{Theta: 2000000, Tied: true, KVHeads: 4})
	if err != nil {
		return nil, err
	}
	every(m, r.IntOr("no_rope_layer_interval", 4))
	if turns, ok := r.Value("no_rope_layers").([]any); ok {
		for l := range m.Layer {
			if l < len(turns) {
				m.Layer[l].NoRope = turns[l] == float64(0)
			}
		}
	}
	if r.BoolOr("use_sliding_window", false) {
		r.Windows(m, 0, func(l int) bool { return m.Layer[l].NoRope })
	}
	return m, r.Err()
}

// every makes each n-th layer one whose positions do not turn.
func every(m *model.Model, n int) {
	for l := range m.Layer {
		m.Layer[l].NoRope = n > 0 && (l+1)%n == 0
	}
}
