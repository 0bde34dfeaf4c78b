package twin

import (
	"testing"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// TestServing: an adapter, and the bare base, write in what is fastest of the
// proven; weights of the base, and whoever asks for it, in float32.
func TestServing(t *testing.T) {
	writing, reading := engine.Fastest()
	adapter, weights := &learnt{adapter: &lora.Adapter{}}, &learnt{tuned: &tuned{}}
	for _, c := range []struct {
		name             string
		l                *learnt
		exact            bool
		writing, reading op.Arithmetic
		kv               tensor.DType
	}{
		{"base", nil, false, writing, reading, engine.FastestKV()},
		{"adapter", adapter, false, writing, reading, engine.FastestKV()},
		{"adapter, exact", adapter, true, op.F32, op.F32, tensor.F32},
		{"weights", weights, false, op.F32, op.F32, tensor.F32},
	} {
		v := &Voice{options: c.l.serving(engine.Options{Streams: 3}, c.exact)}
		if w, r := v.Arithmetics(); w != string(c.writing) || r != string(c.reading) || v.options.KV != c.kv || v.options.Streams != 3 {
			t.Errorf("%s: writes in %s, reads in %s and keeps %s, not %s, %s and %s; %d streams", c.name, w, r, v.options.KV, c.writing, c.reading, c.kv, v.options.Streams)
		}
	}
}
