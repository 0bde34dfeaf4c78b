package twin

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/testkit"
)

// methods are ways to train the same twin.
var methods = map[string]func(*Recipe){
	"lora": small,
	"full": func(r *Recipe) {
		r.Epochs = 1
		r.Tune(Full, model.Selection{})
		r.Options.Rate = 1e-2
	},
	"partial": func(r *Recipe) {
		r.Epochs = 1
		r.Tune(Partial, model.Selection{Layers: []int{1}, Modules: []string{"k_proj", "norm"}})
		r.Options.Rate = 1e-2
	},
}

// logits of the last of some tokens.
func logits(t *testing.T, m *model.Model, use []lora.Applied) []float32 {
	t.Helper()
	ids := []int32{5, 60, 7, 120, 33, 9}
	s, err := m.NewSession(model.Limits{Tokens: len(ids), Rows: 1, Context: len(ids), Pad: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Forward([]model.Row{{Tokens: ids, Adapters: use}}); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, m.Vocab)
	if err := s.Logits(out, []int32{int32(len(ids) - 1)}); err != nil {
		t.Fatal(err)
	}
	return out
}

// apart is the largest difference, relative to the largest of b.
func apart(a, b []float32) float64 {
	var worst, size float64
	for i := range b {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
		size = max(size, math.Abs(float64(b[i])))
	}
	return worst / size
}

// TestExport writes versions of every method as a GGUF file and as a folder, reads
// them as bases, and finds the logits that the version has on its base.
func TestExport(t *testing.T) {
	for name, change := range methods {
		t.Run(name, func(t *testing.T) {
			o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
			o.Change = change
			f, v := trained(t, o)
			b, err := openBase(o.Base, o.Base)
			if err != nil {
				t.Fatal(err)
			}
			defer b.close()
			l, err := f.learnt(v, b)
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			m, use, done, err := l.at(b.model, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			want, plain := logits(t, m, use), logits(t, b.model, nil)
			if apart(plain, want) < 1e-6 {
				t.Error("the version is as the base")
			}
			limit := 0.0
			if name == "lora" {
				limit = 2e-3 // merged weights are rounded to F16
			}
			dir := t.TempDir()
			for _, to := range []string{"model.gguf", "folder"} {
				to = filepath.Join(dir, to)
				e, err := Export(context.Background(), ExportOptions{Twin: o.To, To: to}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if e.Version != v.ID || e.Path != to || e.Bytes == 0 || e.Changed == 0 {
					t.Errorf("it says %+v", e)
				}
				x, err := openBase(to, to)
				if err != nil {
					t.Fatal(err)
				}
				defer x.close()
				if d := apart(logits(t, x.model, nil), want); d > limit {
					t.Errorf("%s: logits are off by %g", to, d)
				}
				text := "It rained all week, and the 12 gutters ran over."
				if got, want := x.tok.Decode(x.tok.Encode(text)), text; got != want || len(x.tok.Encode(text)) != len(b.tok.Encode(text)) {
					t.Errorf("%s: the tokenizer makes %q of %q", to, got, want)
				}
				_, err = Export(context.Background(), ExportOptions{Twin: o.To, To: to}, nil)
				if code(t, err, stroke.CodeInput); !strings.Contains(err.Error(), "there already") {
					t.Errorf("over what is there: %v", err)
				}
			}
			if _, err := Export(context.Background(), ExportOptions{Twin: o.To, To: filepath.Join(dir, "model.gguf"), Force: true}, nil); err != nil {
				t.Error(err)
			}
			// What was written is a base like any other.
			x, err := openBase("folder", filepath.Join(dir, "folder"))
			if err != nil {
				t.Fatal(err)
			}
			defer x.close()
			y, err := x.model.Merged(lora.Applied{Adapter: lora.New(x.model.Shape(), lora.Options{Rank: 2, Alpha: 4}, 1, nil), Strength: 1})
			if err != nil || len(y) != 14 {
				t.Errorf("an adapter on what was written changes %d weights: %v", len(y), err)
			}
			cancelled, cancel := context.WithCancel(context.Background())
			cancel()
			_, err = Export(cancelled, ExportOptions{Twin: o.To, To: filepath.Join(dir, "late")}, nil)
			code(t, err, stroke.CodeInterrupted)
			if left, _ := filepath.Glob(filepath.Join(dir, ".write-*")); len(left) > 0 {
				t.Errorf("half written: %v", left)
			}
			if _, err := os.Stat(filepath.Join(dir, "late")); err == nil {
				t.Error("it was written all the same")
			}
		})
	}
}

// TestWeightsElsewhere opens a version with weights on another base, on one that
// is gone, and as an adapter.
func TestWeightsElsewhere(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	o.Change = methods["full"]
	f, v := trained(t, o)
	other := testkit.Toy(t, testkit.ToyShape{Layers: 3, Hidden: 64})
	_, err := OpenVoice(context.Background(), o.To+"@"+v.ID, VoiceOptions{Base: other}, nil)
	if err == nil {
		_, err = Export(context.Background(), ExportOptions{Twin: o.To, Base: other, To: filepath.Join(t.TempDir(), "x")}, nil)
	}
	if code(t, err, stroke.CodeInput); !strings.Contains(stroke.HintOf(err), "--base ") {
		t.Errorf("on another base: %v (%s)", err, stroke.HintOf(err))
	}
	_, err = f.Adapter(v, lora.Shape{})
	code(t, err, stroke.CodeInput)
	path := filepath.Join(f.Dir, versionsDir, v.ID, weightsFile)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = Export(context.Background(), ExportOptions{Twin: o.To, To: filepath.Join(t.TempDir(), "x")}, nil)
	if code(t, err, stroke.CodeFailure); !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("without its weights: %v", err)
	}
}
