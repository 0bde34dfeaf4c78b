package twin

import (
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
)

// speaker is what computes: the base, or weights in its place, and adapters beside it.
// done gives back the memory that it takes, where it is not nil.
type speaker struct {
	model    *model.Model
	adapters []lora.Applied
	done     func()
	learnt   *learnt // nil for none
}

// used is what was learnt with the writer's own part at a strength. The adapter that
// was learnt has what it stands on in it, so that this is set off. Without anything
// learnt it is what the run stands on.
func (r *run) used(final *learnt, strength float64) (speaker, error) {
	if final != nil && final.tuned != nil {
		m, use, done, err := final.at(r.b.model, float32(strength))
		return speaker{m, use, done, final}, err
	}
	s := speaker{model: r.b.model, adapters: r.start(), done: func() {}, learnt: final}
	if final == nil {
		return s, nil
	}
	use := []lora.Applied{{Adapter: final.adapter, Strength: float32(strength)}}
	if strength != 1 {
		for _, a := range s.adapters {
			a.Strength *= float32(1 - strength)
			use = append(use, a)
		}
	}
	s.adapters = use
	return s, nil
}
