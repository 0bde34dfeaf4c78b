package twin

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/train"
)

// TestTooLittleMemory asks for a run over all weights with less and less memory:
// what it is told would fit does, and then there is less of it.
func TestTooLittleMemory(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	o.Base = testkit.Toy(t, testkit.ToyShape{Hidden: 256, FFN: 1024, Layers: 6})
	o.Change = func(r *Recipe) {
		r.Epochs = 1
		r.Mix.Context = 0.5 // longer sequences take more memory
		r.Tune(Full, model.Selection{})
	}
	refused := func(memory int64) string {
		t.Helper()
		o.Memory = memory
		err := Train(context.Background(), o, func(stroke.Event) {})
		if code(t, err, stroke.CodeInput); !strings.Contains(err.Error(), "may take") {
			t.Fatal(err)
		}
		return stroke.HintOf(err)
	}
	hint := refused(219e6)
	for _, want := range []string{"--memory", "--method full --optimizer adafactor (1", "--method partial --layers 2-5 (2", "--method lora ("} {
		if !strings.Contains(hint, want) {
			t.Errorf("with 219 MB %q is not in %q", want, hint)
		}
	}
	hint = refused(170e6)
	if strings.Contains(hint, "adafactor") {
		t.Errorf("with 170 MB adafactor is said to fit: %q", hint)
	}
	m := regexp.MustCompile(`--layers (\d)-5`).FindStringSubmatch(hint)
	if m == nil {
		t.Fatalf("with 170 MB no layers are said to fit: %q", hint)
	}
	var first int
	if _, err := fmt.Sscan(m[1], &first); err != nil || first < 2 {
		t.Errorf("with 170 MB the layers from %d on are said to fit", first)
	}
	if hint = refused(1e6); !strings.Contains(hint, "smaller base") || strings.Contains(hint, "fits") {
		t.Errorf("with 1 MB: %q", hint)
	}
	// What is said to fit is planned within it.
	o.Memory = 170e6
	o.Change = func(r *Recipe) {
		r.Epochs = 1
		var layers []int
		for l := first; l < 6; l++ {
			layers = append(layers, l)
		}
		r.Tune(Partial, model.Selection{Layers: layers})
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var forecast stroke.ForecastEvent
	err := Train(ctx, o, func(e stroke.Event) {
		if f, ok := e.(stroke.ForecastEvent); ok {
			forecast = f
			cancel()
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted || forecast.Memory == 0 || forecast.Memory > 170e6 || forecast.Parameters == 0 || forecast.Disk == 0 {
		t.Errorf("the forecast is %+v (%v)", forecast, err)
	}
}

// TestTooLittleForAdapter gives a run of an adapter less than it takes: it says what it
// takes and which rank would fit, and that is planned within it.
func TestTooLittleForAdapter(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	o.Base = testkit.Toy(t, testkit.ToyShape{Hidden: 256, FFN: 1024, Layers: 6})
	rank := 256
	o.Change = func(r *Recipe) { small(r); r.Options.LoRA.Rank = rank }
	o.Memory = 1e6
	err := Train(context.Background(), o, func(stroke.Event) {})
	if code(t, err, stroke.CodeInput); !strings.Contains(err.Error(), "may take 1 MB") || !strings.Contains(stroke.HintOf(err), "smaller base") {
		t.Errorf("with 1 MB: %v, %q", err, stroke.HintOf(err))
	}
	o.Memory = 260e6
	err = Train(context.Background(), o, func(stroke.Event) {})
	code(t, err, stroke.CodeInput)
	m := regexp.MustCompile(`--rank (\d+) `).FindStringSubmatch(stroke.HintOf(err))
	if m == nil {
		t.Fatalf("with 260 MB no rank is said to fit: %v, %q", err, stroke.HintOf(err))
	}
	if _, err := fmt.Sscan(m[1], &rank); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err = Train(ctx, o, func(e stroke.Event) {
		if f, ok := e.(stroke.ForecastEvent); ok {
			if f.Memory > o.Memory {
				t.Errorf("with rank %d %d bytes are planned", rank, f.Memory)
			}
			cancel()
		}
	})
	code(t, err, stroke.CodeInterrupted)
}

// TestForecastMemory holds what is forecast of a base of the catalog by its shape to what
// a run on it is planned to take at the least.
func TestForecastMemory(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	o.Base = testkit.Base(t)
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	e, err := base.Find(testkit.BaseName)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rank       int
		share      float64 // with context
		arithmetic train.Arithmetic
	}{{16, 0, train.F32}, {16, 0, train.BF16}, {64, 0, train.F32}, {16, 1, train.BF16}} {
		r.recipe.Options.LoRA.Rank, r.recipe.Mix.Context, r.recipe.Options.Arithmetic = c.rank, c.share, c.arithmetic
		epochs, err := r.examples()
		if err != nil {
			t.Fatal(err)
		}
		least, err := train.Floor(train.Job{Model: r.b.model, Options: r.recipe.Options, Epochs: epochs})
		if err != nil {
			t.Fatal(err)
		}
		least += r.beside(&r.recipe.Options)
		if n := forecastMemory(e, &r.recipe); n < least || n > least+least/20 {
			t.Errorf("%+v: %d bytes are forecast and %d planned", c, n, least)
		}
	}
}
