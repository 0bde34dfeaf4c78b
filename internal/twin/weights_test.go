package twin

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/testkit"
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
	hint := refused(195e6)
	for _, want := range []string{"--memory", "--method full --optimizer adafactor (1", "--method partial --layers 2-5 (1", "--method lora ("} {
		if !strings.Contains(hint, want) {
			t.Errorf("with 195 MB %q is not in %q", want, hint)
		}
	}
	hint = refused(152e6)
	if strings.Contains(hint, "adafactor") {
		t.Errorf("with 152 MB adafactor is said to fit: %q", hint)
	}
	m := regexp.MustCompile(`--layers (\d)-5`).FindStringSubmatch(hint)
	if m == nil {
		t.Fatalf("with 152 MB no layers are said to fit: %q", hint)
	}
	var first int
	if _, err := fmt.Sscan(m[1], &first); err != nil || first < 2 {
		t.Errorf("with 152 MB the layers from %d on are said to fit", first)
	}
	if hint = refused(1e6); !strings.Contains(hint, "smaller base") || strings.Contains(hint, "fits") {
		t.Errorf("with 1 MB: %q", hint)
	}
	// What is said to fit is planned within it.
	o.Memory = 152e6
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
	if stroke.CodeOf(err) != stroke.CodeInterrupted || forecast.Memory == 0 || forecast.Memory > 152e6 || forecast.Parameters == 0 || forecast.Disk == 0 {
		t.Errorf("the forecast is %+v (%v)", forecast, err)
	}
}
