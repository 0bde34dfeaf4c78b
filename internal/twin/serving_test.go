package twin

import (
	"fmt"
	"testing"

	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
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

// shaped is a model of the shape of a base of the catalog without its weights: it
// takes the memory that the base would.
func shaped(e base.Entry) *model.Model {
	s := e.Shape
	q, _ := s.Widths()
	m := &model.Model{Config: model.Config{Dim: s.Hidden, Layers: s.Layers, Heads: s.Heads, KVHeads: s.KVHeads, HeadSize: q / s.Heads, FFN: s.FFN, Vocab: s.Vocab,
		Context: e.Context, Rope: model.Rope{Theta: 1e6}}, Name: e.Name, Layer: make([]model.Layer, s.Layers)}
	for l := range m.Layer {
		m.Layer[l].QNorm, m.Layer[l].KNorm = make([]float32, m.HeadSize), make([]float32, m.HeadSize)
	}
	return m
}

// TestCatalogStarts starts what writes during training and in a report on every base
// of the catalog, in float32 and what is fastest: one text of the context, with an
// adapter, has room.
func TestCatalogStarts(t *testing.T) {
	b, err := openBase("toy", toyFile(t))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	larger := 0
	for _, entry := range base.Catalog() {
		m := shaped(entry)
		a := lora.New(m.Shape(), lora.Options{Rank: 16, Alpha: 16, Targets: []lora.Module{lora.QProj, lora.VProj}}, 1, nil)
		l := &learnt{adapter: a}
		for _, o := range []engine.Options{
			{Streams: 4, Context: 4*(sampleGiven+sampleWords) + 64, Memory: 256 << 20},
			{Streams: 1, Context: 2048, Memory: 256 << 20},
			{Streams: 4, Context: 1400 + 3*250 + 256, Memory: 512 << 20},
			{Streams: 4, Memory: 512 << 20},
		} {
			for _, exact := range []bool{true, false} {
				o := l.serving(o, exact)
				what := fmt.Sprintf("%s, %d positions in %s", entry.Name, o.Context, o.Arithmetic)
				if o.Context > 0 && engine.Least(m, o) > o.Memory {
					larger++
				}
				e, err := b.start(m, o)
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				if o.Context = min(o.Context, m.Context); o.Context > 0 && e.Context() != o.Context {
					t.Errorf("%s: a context of %d", what, e.Context())
				}
				pages := (e.Context() + model.PageLen - 1) / model.PageLen
				if room := 4*int64(pages*m.PageSize(o.KV)) + engine.AdapterBytes(a); e.Budget().Left() < room {
					t.Errorf("%s: %d bytes are left where a text and its adapter take %d", what, e.Budget().Left(), room)
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if larger == 0 {
		t.Error("no base needs more than the memory that is usual: the test shows nothing")
	}
}
