package bench

import (
	"slices"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
)

// linearFlops counts the operations of the linears of all layers for a token,
// those of the base and those of an adapter of the given rank on all of them.
func linearFlops(m *model.Model, rank int) (base, adapter float64) {
	s := m.Shape()
	for i := range lora.Modules {
		base += 2 * float64(s.In[i]) * float64(s.Out[i])
		adapter += 2 * float64(rank) * float64(s.In[i]+s.Out[i])
	}
	return base * float64(s.Layers), adapter * float64(s.Layers)
}

// attentionFlops counts the operations of causal attention for a token in a
// sequence of n: the two products, each with half of the positions.
func attentionFlops(m *model.Model, n int) float64 {
	return 2 * 2 * float64(m.Layers*m.Heads*m.HeadSize) * float64(n) / 2
}

// forwardFlops counts the operations of a forward pass for a token in a
// sequence of n, without the head.
func forwardFlops(m *model.Model, n, rank int) float64 {
	base, adapter := linearFlops(m, rank)
	return base + adapter + attentionFlops(m, n)
}

// StepFlops counts the operations of a training step of a LoRA adapter for a
// token: each of the base's products forward and for the gradient of its input,
// an adapter's products forward and twice backward, attention forward and its
// five products backward (of which one repeats the scores), the head forward
// and backward. What is computed again to save memory is not counted.
func StepFlops(m *model.Model, n, rank int) float64 {
	base, adapter := linearFlops(m, rank)
	head := 2 * float64(m.Vocab) * float64(m.Dim)
	return 2*base + 3*adapter + 3*attentionFlops(m, n) + 2*head
}

// TuneFlops counts the operations of a training step of weights of a base for a
// token in a sequence of n: forward the same as ever, backward the gradients of
// inputs down to the lowest layer that is trained, and those of the weights that
// are. What is computed again to save memory is not counted. The error is a
// model.SelectionError.
func TuneFlops(m *model.Model, n int, s model.Selection) (float64, error) {
	trained, err := m.Weights(s)
	if err != nil {
		return 0, err
	}
	lowest := 0
	if len(s.Layers) > 0 && !slices.Contains(s.Modules, model.EmbedModule) {
		lowest = slices.Min(s.Layers)
	}
	base, _ := linearFlops(m, 0)
	attention, head := attentionFlops(m, n), 2*float64(m.Vocab)*float64(m.Dim)
	back := float64(m.Layers-lowest) / float64(m.Layers)
	return base + attention + head + back*(base+2*attention) + head + 2*float64(trained), nil
}
