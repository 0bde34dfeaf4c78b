package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
)

// tuning are the ways in which weights of the base are trained.
func tuning() map[string]Options {
	full, partial, factored := options(), options(), options()
	full.Weights = &model.Selection{}
	partial.Weights = &model.Selection{Layers: []int{1, 2}, Modules: []string{"q_proj", "down_proj", "norm"}}
	factored.Weights, factored.Optimizer, factored.Rate = &model.Selection{}, Adafactor, 5e-2
	narrow := full
	narrow.Arithmetic = BF16
	return map[string]Options{"full": full, "partial": partial, "adafactor": factored, "bf16": narrow}
}

// weightBits are the bits of the weights in training.
func weightBits(t *Trainer) []byte {
	var b []byte
	for _, p := range t.Params() {
		b = append(b, tensor.Bytes(p.W)...)
	}
	return b
}

func TestLossFallsOfWeights(t *testing.T) {
	m := toy(t)
	was := bytes.Clone(m.Layer[1].Weights[lora.QProj].Data)
	for name, o := range tuning() {
		tr := start(t, job(m, o, 4))
		losses := run(t, tr, tr.Steps())
		first, last := losses[0], losses[len(losses)-1]
		t.Logf("%s: %d steps, loss from %.3f to %.3f", name, len(losses), first, last)
		if last > first-0.3 {
			t.Errorf("%s: the loss goes from %.3f to %.3f", name, first, last)
		}
	}
	if !bytes.Equal(was, m.Layer[1].Weights[lora.QProj].Data) {
		t.Error("the base itself was changed")
	}
}

// TestExactOfWeights runs the same job with other memory, for all layers, none and one
// of them, and other workers, and demands the same bits.
func TestExactOfWeights(t *testing.T) {
	m := toy(t)
	workers := kernel.Workers()
	defer kernel.SetWorkers(workers)
	for name, o := range tuning() {
		t.Run(name, func(t *testing.T) {
			var want []byte
			for i, kept := range []int{m.Layers, 0, 1} {
				kernel.SetWorkers(i + 1)
				j := job(m, o, 2)
				j.Memory = keeping(t, j, kept)
				tr := start(t, j)
				if tr.Kept() != kept {
					t.Errorf("%d layers are kept in memory for %d", tr.Kept(), kept)
				}
				run(t, tr, tr.Steps())
				got := weightBits(tr)
				if want == nil {
					want = got
				} else if !bytes.Equal(got, want) {
					t.Errorf("with %d layers kept and %d workers other bits come out", kept, i+1)
				}
			}
		})
	}
}

// TestResumeOfWeights stops after every step in turn and demands the bits of an
// undisturbed run.
func TestResumeOfWeights(t *testing.T) {
	m := toy(t)
	for name, o := range tuning() {
		t.Run(name, func(t *testing.T) {
			whole := start(t, job(m, o, 1))
			run(t, whole, whole.Steps())
			want := weightBits(whole)
			for stop := range whole.Steps() {
				tr := start(t, job(m, o, 1))
				run(t, tr, stop)
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				if _, _, err := tr.Step(ctx); !errors.Is(err, context.Canceled) {
					t.Fatalf("a cancelled step says %v", err)
				}
				path := save(t, tr, nil)
				again := start(t, job(m, o, 1))
				run(t, again, 1) // what was done before is forgotten
				if _, err := again.Restore(path); err != nil {
					t.Fatal(err)
				}
				run(t, again, again.Steps())
				if !bytes.Equal(weightBits(again), want) {
					t.Errorf("stopped after step %d, other bits come out", stop)
				}
			}
			path := save(t, whole, nil)
			for other, o := range tuning() {
				if other == name {
					continue
				}
				if _, err := start(t, job(m, o, 1)).Restore(path); !errors.Is(err, ErrOtherRun) {
					t.Errorf("a run of %s takes a checkpoint of %s: %v", other, name, err)
				}
			}
		})
	}
}

func TestNotFiniteOfWeights(t *testing.T) {
	for name, o := range tuning() {
		tr := start(t, job(toy(t), o, 1))
		run(t, tr, 1)
		tr.Params()[len(tr.Params())-1].W[3] = float32(math.Inf(1))
		was := weightBits(tr)
		_, _, err := tr.Step(context.Background())
		if bad := (*NotFiniteError)(nil); !errors.As(err, &bad) || bad.Step != 2 {
			t.Errorf("%s: the error is %v", name, err)
		}
		if !bytes.Equal(weightBits(tr), was) || tr.Done() != 1 {
			t.Errorf("%s: the step was taken all the same", name)
		}
	}
}

func TestStepOfWeightsAllocatesNothing(t *testing.T) {
	for name, o := range tuning() {
		tr := start(t, job(toy(t), o, 6))
		run(t, tr, 6)
		if got := testing.AllocsPerRun(10, func() { tr.Step(context.Background()) }); got != 0 {
			t.Errorf("%s: %g allocations a step", name, got)
		}
	}
}

// TestFloor holds that what is forecast is what is taken.
func TestFloor(t *testing.T) {
	m := toy(t)
	counts := map[string]int{"full": 0, "partial": 2 * (32*32 + 32*88 + 2*32), "adafactor": 0}
	sizes, err := m.Sizes(model.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sizes {
		n := 1
		for _, d := range s {
			n *= d
		}
		counts["full"] += n
	}
	counts["adafactor"], counts["bf16"] = counts["full"], counts["full"]
	for name, o := range tuning() {
		j := job(m, o, 1)
		floor, err := Floor(j)
		if err != nil {
			t.Fatal(err)
		}
		j.Memory = floor
		tr := start(t, j)
		if n := tr.Parameters(); n != counts[name] {
			t.Errorf("%s: %d weights and not %d", name, n, counts[name])
		}
		if tr.Bytes() != floor || tr.Kept() != 0 {
			t.Errorf("%s: %d bytes are taken and %d forecast, with %d layers kept", name, tr.Bytes(), floor, tr.Kept())
		}
	}
	o := options()
	floor, err := Floor(job(m, o, 1))
	if err != nil {
		t.Fatal(err)
	}
	j := job(m, o, 1)
	j.Memory = floor
	if got := start(t, j).Bytes(); got != floor {
		t.Errorf("an adapter takes %d bytes and %d are forecast", got, floor)
	}
}

func TestSelectionRefused(t *testing.T) {
	m := toy(t)
	for what, s := range map[string]model.Selection{
		"there is no layer 3":        {Layers: []int{1, 3}},
		"there is no layer -1":       {Layers: []int{-1}},
		`there is no module "query"`: {Modules: []string{"query"}},
	} {
		o := options()
		o.Weights = &s
		_, err := New(job(m, o, 1))
		bad := (*model.SelectionError)(nil)
		if !errors.As(err, &bad) || bad.Error() != what || bad.Hint() == "" {
			t.Errorf("the error is %v where %q is expected", err, what)
		}
	}
	o := options()
	o.Optimizer = Adafactor
	if o.Validate() == nil {
		t.Error("an adapter is trained with adafactor")
	}
	o.Weights, o.Optimizer = &model.Selection{}, "sgd"
	if o.Validate() == nil {
		t.Error("an unknown optimizer is taken")
	}
}
