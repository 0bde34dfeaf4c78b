package llama_test

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
	_ "github.com/getstroke/stroke/internal/model/llama"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/weights"
)

const tiny = "../../testkit/testdata/tiny"

// dump is what PyTorch computed for the toy models; see make.py beside it.
type dump struct {
	Sequences []sequence
	Long      sequence
	Losses    map[string]float64
	Rope      map[string]any
	Train     struct {
		MicroBatches [][]sequence `json:"micro_batches"`
		LR           []float64
		Recipe       struct {
			MaxNorm float64 `json:"max_norm"`
		}
	}
	TrainF64 struct {
		Losses []float64
		Norms  []float64
		Final  float64 `json:"final_loss"`
	} `json:"train_f64"`
	tensors map[string]weights.Tensor
}

type sequence struct {
	IDs  []int32
	Mask []int
}

func loadDump(t *testing.T) *dump {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(tiny, "dump.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dump
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	f, err := weights.OpenSafetensors(filepath.Join(tiny, "dump.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	d.tensors = f.Tensors
	return &d
}

func (d *dump) floats(t *testing.T, name string) []float32 {
	t.Helper()
	x, ok := d.tensors[name]
	if !ok {
		t.Fatalf("the dump has no %s", name)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x.Data))), len(x.Data)/4)
}

func load(t *testing.T, folder string, config string) *model.Model {
	t.Helper()
	src, err := weights.Open(filepath.Join(tiny, folder))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	if config != "" {
		b, err := os.ReadFile(filepath.Join(tiny, config, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		src.Folder.Config = nil
		if err := json.Unmarshal(b, &src.Folder.Config); err != nil {
			t.Fatal(err)
		}
	}
	m, err := model.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readAdapter(t *testing.T, folder string) *lora.Adapter {
	t.Helper()
	f, err := lora.ReadDir(filepath.Join(tiny, folder))
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Adapter(3)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func session(t *testing.T, m *model.Model, l model.Limits) *model.Session {
	t.Helper()
	s, err := m.NewSession(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func eachKernel(t *testing.T, f func(t *testing.T)) {
	was := kernel.Name()
	defer kernel.Use(was)
	for _, k := range kernel.Kinds() {
		if err := kernel.Use(k); err != nil {
			t.Fatal(err)
		}
		t.Run(k, f)
	}
}

// near fails where got is further than limit from want, relative to want's
// largest number.
func near(t *testing.T, what string, got, want []float32, limit float64) {
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

// all puts every token's place in one batch.
func places(n int) []int32 {
	at := make([]int32, n)
	for i := range at {
		at[i] = int32(i)
	}
	return at
}

func TestForward(t *testing.T) {
	d := loadDump(t)
	for _, c := range []struct {
		folder, adapter, name string
		strength              float32
		layers                bool
	}{
		{"base", "", "base/none", 1, true}, {"base", "lora", "base/lora", 1, true}, {"base", "rslora", "base/rslora", 1, false},
		{"base", "lora", "base/lora@0.5", 0.5, false}, {"tied", "", "tied/none", 1, false}, {"bias", "", "bias/none", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := load(t, c.folder, "")
			var use []lora.Applied
			if c.adapter != "" {
				use = []lora.Applied{{Adapter: readAdapter(t, c.adapter), Strength: c.strength}}
			}
			eachKernel(t, func(t *testing.T) {
				s := session(t, m, model.Limits{Tokens: 64, Rows: 3, Context: 64, Pad: 16, Training: true, Kept: 3, Longest: 64})
				var rows []model.Row
				n := 0
				for _, q := range d.Sequences {
					rows = append(rows, model.Row{Tokens: q.IDs, Adapters: use})
					n += len(q.IDs)
				}
				if err := s.Forward(rows); err != nil {
					t.Fatal(err)
				}
				logits := make([]float32, n*m.Vocab)
				if err := s.Logits(logits, places(n)); err != nil {
					t.Fatal(err)
				}
				after, final := s.Layers()
				lo := 0
				for i, q := range d.Sequences {
					hi := lo + len(q.IDs)
					p := "f64/" + c.name + "/s" + string(rune('0'+i)) + "/"
					if c.layers {
						for l := range after {
							near(t, p+"layer", after[l][lo*m.Dim:hi*m.Dim], d.floats(t, p+"layer."+string(rune('0'+l))), 1e-5)
						}
						near(t, p+"norm", final[lo*m.Dim:hi*m.Dim], d.floats(t, p+"norm"), 1e-5)
					}
					near(t, p+"logits", logits[lo*m.Vocab:hi*m.Vocab], d.floats(t, p+"logits"), 1e-5)
					lo = hi
				}
			})
		})
	}
}

func TestRopeScalings(t *testing.T) {
	d := loadDump(t)
	for name := range d.Rope {
		t.Run(name, func(t *testing.T) {
			m := load(t, "base", "rope/"+name)
			s := session(t, m, model.Limits{Tokens: 64, Rows: 1, Context: 64})
			if err := s.Forward([]model.Row{{Tokens: d.Long.IDs}}); err != nil {
				t.Fatal(err)
			}
			n := len(d.Long.IDs)
			logits := make([]float32, n*m.Vocab)
			if err := s.Logits(logits, places(n)); err != nil {
				t.Fatal(err)
			}
			near(t, "logits", logits, d.floats(t, "f64/rope/"+name+"/s0/logits"), 1e-5)
		})
	}
}

// batch runs forward, loss and backward over some sequences and returns the
// mean loss.
func batch(t *testing.T, s *model.Session, seqs []sequence, use []lora.Applied, scale float64) float64 {
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

func count(seqs []sequence) (n int) {
	for _, q := range seqs {
		for _, m := range q.Mask {
			n += m
		}
	}
	return n
}

func heap(n int) []float32 { return make([]float32, n) }

// peftName is the name of a factor in the dump.
func peftName(l int, m lora.Module, factor string) string {
	block := "mlp"
	if m <= lora.OProj {
		block = "self_attn"
	}
	return "base_model.model.model.layers." + string(rune('0'+l)) + "." + block + "." + m.String() + "." + factor + ".weight"
}

// agree demands a cosine of at least 0.99999 and a norm within 1e-4.
func agree(t *testing.T, what string, got, want []float32) {
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

// factors compares A [rank, in] and B [out, rank] of every pair, given as
// [in, pad] and [out, pad].
func factors(t *testing.T, d *dump, prefix string, a *lora.Adapter, get func(p *op.Pair) (af, bf []float32)) {
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
		agree(t, prefix+peftName(l, m, "lora_A"), ga, d.floats(t, prefix+peftName(l, m, "lora_A")))
		agree(t, prefix+peftName(l, m, "lora_B"), gb, d.floats(t, prefix+peftName(l, m, "lora_B")))
	})
}

func TestGradients(t *testing.T) {
	d := loadDump(t)
	m := load(t, "base", "")
	for _, name := range []string{"lora", "rslora"} {
		for _, kept := range []int{3, 1, 0} {
			t.Run(name, func(t *testing.T) {
				eachKernel(t, func(t *testing.T) {
					a := readAdapter(t, name)
					a.Trainable(heap)
					s := session(t, m, model.Limits{Tokens: 64, Rows: 3, Context: 64, Pad: 16, Training: true, Kept: kept, Longest: 64})
					n := count(d.Sequences)
					loss := batch(t, s, d.Sequences, []lora.Applied{{Adapter: a, Strength: 1}}, 1/float64(n)) / float64(n)
					if want := d.Losses["f64/base/"+name]; math.Abs(loss-want) > 1e-5*want {
						t.Errorf("loss %.7f where PyTorch has %.7f", loss, want)
					}
					factors(t, d, "f64/base/"+name+"/grad/", a, func(p *op.Pair) ([]float32, []float32) { return p.GradA, p.GradB })
				})
			})
		}
	}
}

// TestTenSteps repeats ten steps of AdamW with accumulation, clipping and a
// warm-up.
func TestTenSteps(t *testing.T) {
	d := loadDump(t)
	m := load(t, "base", "")
	eachKernel(t, func(t *testing.T) {
		a := readAdapter(t, "lora")
		a.Trainable(heap)
		s := session(t, m, model.Limits{Tokens: 64, Rows: 3, Context: 64, Pad: 16, Training: true, Kept: 2, Longest: 64})
		o := train.NewOptimizer(a, &train.Options{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01}, heap)
		use := []lora.Applied{{Adapter: a, Strength: 1}}
		for i, rate := range d.Train.LR {
			both := d.Train.MicroBatches[2*i : 2*i+2]
			n := float64(count(both[0]) + count(both[1]))
			loss := (batch(t, s, both[0], use, 1/n) + batch(t, s, both[1], use, 1/n)) / n
			if want := d.TrainF64.Losses[i]; math.Abs(loss-want) > 1e-5*want {
				t.Errorf("step %d: loss %.7f where PyTorch has %.7f", i+1, loss, want)
			}
			norm := o.Norm()
			if want := d.TrainF64.Norms[i]; math.Abs(norm-want) > 1e-4*want {
				t.Errorf("step %d: norm %.6f where PyTorch has %.6f", i+1, norm, want)
			}
			o.Step(rate, train.ClipScale(norm, d.Train.Recipe.MaxNorm))
		}
		var sum float64
		n := 0
		for _, q := range d.Train.MicroBatches {
			sum += batch(t, s, q, use, 0)
			n += count(q)
		}
		if got, want := sum/float64(n), d.TrainF64.Final; math.Abs(got-want) > 1e-5*want {
			t.Errorf("loss after ten steps %.7f where PyTorch has %.7f", got, want)
		}
		factors(t, d, "f64/train/final/", a, func(p *op.Pair) ([]float32, []float32) {
			return flip(p.A, p.Pad, p.In), flip(p.B, p.Pad, p.Out)
		})
	})
}

// flip transposes [rows, cols].
func flip(x []float32, rows, cols int) []float32 {
	y := make([]float32, len(x))
	kernel.Transpose(y, rows, x, cols, rows, cols)
	return y
}
