// Package modeltest holds what the tests of architectures share: reading toy
// models and the dumps of what PyTorch computes for them, passes over whole
// sequences, and comparisons. It is imported by tests alone.
package modeltest

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/weights"
)

// Sequence is a text of a dump. Mask[t] is 1 where the loss of token t counts.
type Sequence struct {
	IDs  []int32
	Mask []int
}

// Tensors are the tensors of a dump, all float32.
type Tensors map[string]weights.Tensor

// ReadDump fills into from dump.json in dir and gives the tensors of
// dump.safetensors, which stay mapped until the test ends.
func ReadDump(t *testing.T, dir string, into any) Tensors {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "dump.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
	f, err := weights.OpenSafetensors(filepath.Join(dir, "dump.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Tensors
}

// Floats are the numbers of the tensor of that name.
func (d Tensors) Floats(t *testing.T, name string) []float32 {
	t.Helper()
	x, ok := d[name]
	if !ok {
		t.Fatalf("the dump has no %s", name)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x.Data))), len(x.Data)/4)
}

// Open opens the model at path until the test ends. Where config names a file,
// it takes the place of config.json.
func Open(t *testing.T, path, config string) *weights.Source {
	t.Helper()
	src, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	if config != "" {
		b, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		src.Folder.Config = nil
		if err := json.Unmarshal(b, &src.Folder.Config); err != nil {
			t.Fatal(err)
		}
	}
	return src
}

// Load loads the model at path; see Open.
func Load(t *testing.T, path, config string) *model.Model {
	t.Helper()
	m, err := model.Load(Open(t, path, config))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Adapter reads a PEFT adapter for the base m.
func Adapter(t *testing.T, dir string, m *model.Model) *lora.Adapter {
	t.Helper()
	f, err := lora.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Adapter(m.Shape())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Session makes a session that is closed when the test ends.
func Session(t *testing.T, m *model.Model, l model.Limits) *model.Session {
	t.Helper()
	s, err := m.NewSession(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// EachKernel runs f once with each kind of kernel that the machine has.
func EachKernel(t *testing.T, f func(t *testing.T)) {
	was := kernel.Name()
	defer kernel.Use(was)
	for _, k := range kernel.Kinds() {
		if err := kernel.Use(k); err != nil {
			t.Fatal(err)
		}
		t.Run(k, f)
	}
}

// Places are the first n places of a batch.
func Places(n int) []int32 {
	at := make([]int32, n)
	for i := range at {
		at[i] = int32(i)
	}
	return at
}

// Logits runs one sequence and returns the logits after each of its tokens.
func Logits(t *testing.T, s *model.Session, m *model.Model, ids []int32, use []lora.Applied) []float32 {
	t.Helper()
	if err := s.Forward([]model.Row{{Tokens: ids, Adapters: use}}); err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, len(ids)*m.Vocab)
	if err := s.Logits(logits, Places(len(ids))); err != nil {
		t.Fatal(err)
	}
	return logits
}

// Batch runs forward, loss and backward over some sequences, with the gradient
// of scale times the sum of the losses that count, and returns that sum in nats.
func Batch(t *testing.T, s *model.Session, seqs []Sequence, use []lora.Applied, scale float64) float64 {
	t.Helper()
	var rows []model.Row
	var targets []int32
	for _, q := range seqs {
		rows = append(rows, model.Row{Tokens: q.IDs, Adapters: use})
		for i := range q.IDs {
			target := int32(-1)
			if i+1 < len(q.IDs) && q.Mask[i+1] == 1 {
				target = q.IDs[i+1]
			}
			targets = append(targets, target)
		}
	}
	weight := make([]float32, len(targets))
	for i := range weight {
		weight[i] = float32(scale)
	}
	if err := s.Forward(rows); err != nil {
		t.Fatal(err)
	}
	nll := make([]float32, len(targets))
	if err := s.Loss(nll, targets, weight, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Backward(); err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, l := range nll {
		sum += float64(l)
	}
	return sum
}

// Count is the number of tokens whose loss counts.
func Count(seqs []Sequence) (n int) {
	for _, q := range seqs {
		for _, m := range q.Mask {
			n += m
		}
	}
	return n
}

// Heap allocates n floats.
func Heap(n int) []float32 { return make([]float32, n) }

// Near fails where got is further than limit from want, relative to want's
// largest number.
func Near(t *testing.T, what string, got, want []float32, limit float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers where PyTorch has %d", what, len(got), len(want))
	}
	var worst, size float64
	for i := range want {
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
		size = max(size, math.Abs(float64(want[i])))
		if math.IsNaN(float64(got[i])) {
			worst = math.NaN()
			break
		}
	}
	if !(worst <= limit*size) {
		t.Errorf("%s: off by %.3g of %.3g", what, worst, size)
	}
}

// Within fails where got is further than limit from want, relative to want.
func Within(t *testing.T, what string, got, want, limit float64) {
	t.Helper()
	if !(math.Abs(got-want) <= limit*math.Abs(want)) {
		t.Errorf("%s is %.7f where PyTorch has %.7f", what, got, want)
	}
}

// Agree demands a cosine of at least 0.99999 and a norm within 1e-4.
func Agree(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers where PyTorch has %d", what, len(got), len(want))
	}
	var ab, aa, bb float64
	for i := range want {
		a, b := float64(got[i]), float64(want[i])
		ab += a * b
		aa += a * a
		bb += b * b
	}
	if cos := ab / math.Sqrt(aa*bb); !(cos >= 0.99999) {
		t.Errorf("%s: cosine %.7f", what, cos)
	}
	if r := math.Sqrt(aa / bb); !(math.Abs(r-1) <= 1e-4) {
		t.Errorf("%s: norm %.6f of PyTorch's", what, r)
	}
}

// Gradients compares the gradients of a's pairs with the tensors whose names
// are prefix and PEFT's name of the weight.
func (d Tensors) Gradients(t *testing.T, prefix string, a *lora.Adapter) {
	t.Helper()
	d.factors(t, prefix, a, func(p *op.Pair) ([]float32, []float32) { return p.GradA, p.GradB })
}

// Weights compares the weights of a's pairs in the same way.
func (d Tensors) Weights(t *testing.T, prefix string, a *lora.Adapter) {
	t.Helper()
	d.factors(t, prefix, a, func(p *op.Pair) ([]float32, []float32) {
		return flip(p.A, p.Pad, p.In), flip(p.B, p.Pad, p.Out)
	})
}

// factors compares A [rank, in] and B [out, rank] of every pair, given as
// [in, pad] and [out, pad].
func (d Tensors) factors(t *testing.T, prefix string, a *lora.Adapter, get func(p *op.Pair) (af, bf []float32)) {
	t.Helper()
	a.Each(func(l int, m lora.Module, p *op.Pair) {
		af, bf := get(p)
		ga, gb := make([]float32, p.Rank*p.In), make([]float32, p.Out*p.Rank)
		for r := range p.Rank {
			for j := range p.In {
				ga[r*p.In+j] = af[j*p.Pad+r]
			}
			for j := range p.Out {
				gb[j*p.Rank+r] = bf[j*p.Pad+r]
			}
		}
		Agree(t, prefix+peftName(l, m, "lora_A"), ga, d.Floats(t, prefix+peftName(l, m, "lora_A")))
		Agree(t, prefix+peftName(l, m, "lora_B"), gb, d.Floats(t, prefix+peftName(l, m, "lora_B")))
	})
}

// peftName is PEFT's name of a factor.
func peftName(l int, m lora.Module, factor string) string {
	block := "mlp"
	if m <= lora.OProj {
		block = "self_attn"
	}
	return "base_model.model.model.layers." + string(rune('0'+l)) + "." + block + "." + m.String() + "." + factor + ".weight"
}

// flip transposes [rows, cols].
func flip(x []float32, rows, cols int) []float32 {
	y := make([]float32, len(x))
	kernel.Transpose(y, rows, x, cols, rows, cols)
	return y
}
