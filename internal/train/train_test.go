package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/llama"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/weights"
)

func open(t *testing.T, path string) *model.Model {
	t.Helper()
	src, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	m, err := model.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func toy(t *testing.T) *model.Model {
	return open(t, filepath.Join("..", "testkit", "testdata", "tiny", "base"))
}

// options are those of a run in miniature.
func options() Options {
	return Options{LoRA: lora.Options{Rank: 4, Alpha: 8}, Rate: 5e-3, Warmup: 0.1, Schedule: Cosine, TokensPerStep: 60,
		Clip: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Seed: 7}
}

// sequences repeat patterns, so that there is something to learn.
func sequences(rng *rand.Rand, count, longest, vocab int) []Example {
	var out []Example
	for range count {
		n := 2 + rng.IntN(longest-1)
		x := Example{Tokens: make([]int32, n)}
		step := int32(1 + rng.IntN(3))
		x.Tokens[0] = int32(rng.IntN(vocab))
		for i := 1; i < n; i++ {
			x.Tokens[i] = (x.Tokens[i-1] + step) % int32(vocab)
		}
		if rng.IntN(2) == 0 {
			x.Loss = make([]bool, n)
			for i := n / 3; i < n; i++ {
				x.Loss[i] = true
			}
		}
		out = append(out, x)
	}
	return out
}

func job(m *model.Model, o Options, epochs int) Job {
	rng := rand.New(rand.NewPCG(2, 3))
	j := Job{Model: m, Options: o, Batch: 48}
	for range epochs {
		j.Epochs = append(j.Epochs, sequences(rng, 20, 40, m.Vocab))
	}
	return j
}

func start(t *testing.T, j Job) *Trainer {
	t.Helper()
	tr, err := New(j)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func run(t *testing.T, tr *Trainer, steps int) (losses []float64) {
	t.Helper()
	for range steps {
		i, ok, err := tr.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		losses = append(losses, i.Loss)
	}
	return losses
}

// bits are the bits of an adapter.
func bits(a *lora.Adapter) []byte {
	var b []byte
	a.Each(func(_ int, _ lora.Module, p *op.Pair) {
		b = append(append(b, tensor.Bytes(p.A)...), tensor.Bytes(p.B)...)
	})
	return b
}

func TestLossFalls(t *testing.T) {
	tr := start(t, job(toy(t), options(), 4))
	losses := run(t, tr, tr.Steps())
	first, last := losses[0], losses[len(losses)-1]
	t.Logf("%d steps, loss from %.3f to %.3f", len(losses), first, last)
	if last > first-0.3 {
		t.Errorf("the loss goes from %.3f to %.3f", first, last)
	}
}

// keeping is the memory in which so many layers of a job are kept.
func keeping(t *testing.T, j Job, layers int) int64 {
	t.Helper()
	p, err := j.plan()
	if err != nil {
		t.Fatal(err)
	}
	p.lim.Kept = layers
	return 4*int64(p.floats) + j.Model.Need(p.lim)
}

// TestExact runs the same job with other memory, for all layers, none and one of them,
// and other workers, and demands the same bits.
func TestExact(t *testing.T) {
	m := toy(t)
	workers := kernel.Workers()
	defer kernel.SetWorkers(workers)
	for name, c := range map[string]struct {
		drop float32
		a    Arithmetic
	}{"plain": {0, F32}, "dropout": {0.2, F32}, "bf16": {0, BF16}, "bf16, dropout": {0.2, BF16}} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.LoRA.Dropout, o.Arithmetic = c.drop, c.a
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
				got := bits(tr.Adapter())
				if want == nil {
					want = got
				} else if !bytes.Equal(got, want) {
					t.Errorf("with %d layers kept and %d workers other bits come out", kept, i+1)
				}
			}
		})
	}
}

func save(t *testing.T, tr *Trainer, extra any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "checkpoint")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := tr.Save(f, extra); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestResume stops after every step in turn and demands the bits of an
// undisturbed run.
func TestResume(t *testing.T) {
	for _, a := range []Arithmetic{F32, BF16} {
		t.Run(string(a), func(t *testing.T) {
			o := options()
			o.Arithmetic = a
			resumes(t, o)
		})
	}
}

// resumes stops a run after each step and goes on from a checkpoint.
func resumes(t *testing.T, o Options) {
	m := toy(t)
	whole := start(t, job(m, o, 2))
	run(t, whole, whole.Steps())
	want := bits(whole.Adapter())
	for stop := range whole.Steps() {
		tr := start(t, job(m, o, 2))
		run(t, tr, stop)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, _, err := tr.Step(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("a cancelled step says %v", err)
		}
		path := save(t, tr, map[string]int{"best": stop})
		again := start(t, job(m, o, 2))
		run(t, again, 1) // what was done before is forgotten
		extra, err := again.Restore(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(extra) != `{"best":`+string('0'+rune(stop))+`}` && stop < 10 {
			t.Errorf("kept %s", extra)
		}
		if again.Done() != stop {
			t.Errorf("resumed at %d and not at %d", again.Done(), stop)
		}
		run(t, again, again.Steps())
		if !bytes.Equal(bits(again.Adapter()), want) {
			t.Errorf("stopped after step %d, other bits come out", stop)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	m := toy(t)
	tr := start(t, job(m, options(), 1))
	run(t, tr, 2)
	path := save(t, tr, nil)
	other := options()
	other.Rate = 1e-3
	shape := options()
	shape.LoRA.Rank = 5
	more := job(m, options(), 1)
	more.Epochs[0] = more.Epochs[0][1:]
	batch := job(m, options(), 1)
	batch.Batch = 96
	for name, j := range map[string]Job{"batch": batch, "rate": job(m, other, 1), "rank": job(m, shape, 1), "data": more} {
		if _, err := start(t, j).Restore(path); !errors.Is(err, ErrOtherRun) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"truncated": func(b []byte) []byte { return b[:len(b)-100] },
		"a bit":     func(b []byte) []byte { b[len(b)-50] ^= 4; return b },
		"empty":     func(b []byte) []byte { return nil },
	} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, damage(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		tr := start(t, job(m, options(), 1))
		was := bits(tr.Adapter())
		if _, err := tr.Restore(bad); err == nil || errors.Is(err, ErrOtherRun) {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(bits(tr.Adapter()), was) {
			t.Errorf("%s: the adapter changed", name)
		}
	}
}

// TestOnTrained refuses to train on an adapter that another run trains.
func TestOnTrained(t *testing.T) {
	m := toy(t)
	j := job(m, options(), 1)
	j.On = []lora.Applied{{Adapter: start(t, job(m, options(), 1)).Adapter(), Strength: 1}}
	if _, err := New(j); err == nil || !strings.Contains(err.Error(), "in training itself") {
		t.Errorf("%v", err)
	}
}

// TestRestoreWithoutBatch goes on from a checkpoint in which no batch was kept.
func TestRestoreWithoutBatch(t *testing.T) {
	m := toy(t)
	tr := start(t, job(m, options(), 1))
	path := save(t, tr, nil)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	field := []byte(`\"batch\":48,`)
	if bytes.Count(whole, field) != 1 {
		t.Fatal("the batch is not in the checkpoint")
	}
	if err := os.WriteFile(path, bytes.Replace(whole, field, bytes.Repeat([]byte(" "), len(field)), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Restore(path); err != nil {
		t.Error(err)
	}
}

func TestNotFinite(t *testing.T) {
	tr := start(t, job(toy(t), options(), 1))
	run(t, tr, 1)
	tr.Adapter().Pairs[1][lora.UpProj].B[3] = float32(math.Inf(1))
	was := bits(tr.Adapter())
	_, _, err := tr.Step(context.Background())
	var bad *NotFiniteError
	if !errors.As(err, &bad) || bad.Step != 2 || bad.Hint() == "" {
		t.Errorf("the error is %v", err)
	}
	if !bytes.Equal(bits(tr.Adapter()), was) || tr.Done() != 1 {
		t.Error("the step was taken all the same")
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	tr := start(t, job(toy(t), options(), 6))
	run(t, tr, 6)
	if got := testing.AllocsPerRun(10, func() { run(t, tr, 0); tr.Step(context.Background()) }); got != 0 {
		t.Errorf("%g allocations a step", got)
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"rank": func(o *Options) { o.LoRA.Rank = 0 }, "alpha": func(o *Options) { o.LoRA.Alpha = math.NaN() },
		"dropout": func(o *Options) { o.LoRA.Dropout = 1 }, "rate": func(o *Options) { o.Rate = 0 },
		"warm-up": func(o *Options) { o.Warmup = 2 }, "schedule": func(o *Options) { o.Schedule = "step" },
		"tokens": func(o *Options) { o.TokensPerStep = 0 }, "clip": func(o *Options) { o.Clip = -1 },
		"no clip": func(o *Options) { o.Clip = math.Inf(1) }, "large alpha": func(o *Options) { o.LoRA.Alpha = 2 * lora.MaxAlpha },
		"endless eps": func(o *Options) { o.Eps = math.Inf(1) },
		"beta":        func(o *Options) { o.Beta2 = 1 }, "eps": func(o *Options) { o.Eps = 0 }, "decay": func(o *Options) { o.Decay = -0.1 },
	} {
		o := options()
		change(&o)
		if o.Validate() == nil {
			t.Errorf("%s out of range is taken", name)
		}
	}
	o := options()
	o.LoRA.Alpha = lora.MaxAlpha
	if err := o.Validate(); err != nil {
		t.Errorf("the largest alpha: %v", err)
	}
	for _, s := range []Schedule{Linear, Cosine, Constant} {
		o.Schedule = s
		if got := o.RateAt(9, 100); math.Abs(got-o.Rate) > 1e-12 {
			t.Errorf("%s: the rate is %g at the end of the warm-up", s, got)
		}
		if first, last := o.RateAt(0, 100), o.RateAt(99, 100); s != Constant && !(first < o.Rate/5 && last < o.Rate/50) {
			t.Errorf("%s: the rate is %g at first and %g at last", s, first, last)
		}
	}
}

// TestMiniature trains the real base for some steps: the loss falls, and the
// adapter is the same after a stop.
func TestMiniature(t *testing.T) {
	m := open(t, testkit.Base(t))
	var ids []int32
	rng := rand.New(rand.NewPCG(5, 5))
	for range 32 {
		ids = append(ids, int32(1000+rng.IntN(3000)))
	}
	o := options()
	o.TokensPerStep, o.Schedule, o.Rate = 32, Constant, 2e-3
	j := Job{Model: m, Options: o, Batch: 32}
	steps := 30
	if kernel.Name() == "go" {
		steps = 4
	}
	for range steps {
		j.Epochs = append(j.Epochs, []Example{{Tokens: ids}})
	}
	tr := start(t, j)
	losses := run(t, tr, steps/2)
	path := save(t, tr, nil)
	losses = append(losses, run(t, tr, steps)...)
	if first, last := losses[0], losses[len(losses)-1]; last > first-0.5 {
		t.Errorf("the loss goes from %.3f to %.3f", first, last)
	}
	again := start(t, j)
	if _, err := again.Restore(path); err != nil {
		t.Fatal(err)
	}
	run(t, again, steps)
	if !bytes.Equal(bits(again.Adapter()), bits(tr.Adapter())) {
		t.Error("after a resume other bits come out")
	}
}
