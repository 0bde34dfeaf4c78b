package twin

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/compare"
)

// TestCompareGoesOn stops a comparison in the middle of a training: what was
// finished is kept, the training goes on from its checkpoint, and all comes out
// as if it had never been stopped.
func TestCompareGoesOn(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts = []string{"lora", "full"}, -1
	whole, _, err := Compare(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.To = filepath.Join(t.TempDir(), "stopped")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	method, steps := "", 0
	_, _, err = Compare(ctx, o, func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.MethodEvent:
			method = e.Method
		case stroke.StepEvent:
			if steps = e.Steps; method == "full" && e.Step == 3 {
				cancel()
			}
		}
	})
	if code(t, err, stroke.CodeInterrupted); steps < 5 || !strings.Contains(stroke.HintOf(err), "goes on") {
		t.Fatalf("%d steps, %v", steps, err)
	}
	var h heard
	r, _, err := Compare(context.Background(), o, h.take)
	if err != nil {
		t.Fatal(err)
	}
	if trained, first := h.trained(); !slices.Equal(trained, []string{"full"}) || !slices.Equal(first, []int{4}) {
		t.Errorf("trained were %v, from the steps %v on", trained, first)
	}
	for i, m := range r.Methods {
		w := whole.Methods[i]
		if m.Likeness.Gain != w.Likeness.Gain || m.Setting != w.Setting || m.Takes.Tokens != w.Takes.Tokens {
			t.Errorf("%s came to %+v with %s, and never stopped to %+v with %s", m.Name, m.Likeness.Gain, m.Setting, w.Likeness.Gain, w.Setting)
		}
	}
}

// stopIn stops a comparison behind a step of a training, and gives what it says.
func stopIn(t *testing.T, o CompareOptions, step int) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, _, err := Compare(ctx, o, func(e stroke.Event) {
		if s, ok := e.(stroke.StepEvent); ok && s.Step == step {
			cancel()
		}
	})
	code(t, err, stroke.CodeInterrupted)
	return err
}

// TestCompareDamaged demands that a training whose checkpoint cannot be used begins
// anew, and says so.
func TestCompareDamaged(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts = []string{"lora"}, -1
	stopIn(t, o, 3)
	home, err := Home()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(home, compareDir, workDir, "*", "lora-*", runDir, checkpointFile))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err == nil {
		err = os.WriteFile(files[0], b[:len(b)/2], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	var h heard
	if _, _, err := Compare(context.Background(), o, h.take); err != nil {
		t.Fatal(err)
	}
	if trained, first := h.trained(); !slices.Equal(trained, []string{"lora"}) || !slices.Equal(first, []int{1}) || !h.noted("begins anew: the checkpoint cannot be used") {
		t.Errorf("trained were %v, from the steps %v on", trained, first)
	}
}

// TestCompareAfresh demands that a comparison that begins afresh goes on from no
// checkpoint, and that after a stop the same without --afresh measures what was to be
// measured again, and that alone.
func TestCompareAfresh(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts = []string{"lora", "full"}, -1
	stopIn(t, o, 3)
	o.Afresh = true
	if err := stopIn(t, o, 3); !strings.Contains(stroke.HintOf(err), "goes on without --afresh") {
		t.Errorf("the hint is %q", stroke.HintOf(err))
	}
	var h heard
	if _, _, err := Compare(context.Background(), o, h.take); err != nil {
		t.Fatal(err)
	}
	if trained, first := h.trained(); !slices.Equal(trained, []string{"lora", "full"}) || !slices.Equal(first, []int{1, 1}) {
		t.Errorf("trained were %v, from the steps %v on", trained, first)
	}
	stopIn(t, o, 3)
	o.Afresh, h = false, nil
	if _, _, err := Compare(context.Background(), o, h.take); err != nil {
		t.Fatal(err)
	}
	if trained, first := h.trained(); !slices.Equal(trained, []string{"lora", "full"}) || !slices.Equal(first, []int{4, 1}) {
		t.Errorf("trained were %v, from the steps %v on", trained, first)
	}
}

// TestCompareLost demands that a setting whose loss is no number any more is lost, and
// ends the comparison only where there is no other.
func TestCompareLost(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts, o.Settings = []string{"lora"}, -1, settings(2)
	change, astray := o.Change, func(setting string) bool { return setting != "1 times the rate of the recipe" }
	now := false
	o.Change = func(r *Recipe) {
		if change(r); now {
			goAstray(r)
		}
	}
	var h heard
	listen := func(e stroke.Event) {
		if e, ok := e.(stroke.MethodEvent); ok {
			now = e.Doing != "measure" && astray(e.Setting)
		}
		h.take(e)
	}
	r, _, err := Compare(context.Background(), o, listen)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Methods[2]
	if len(r.Lost) != 1 || len(m.Tried) != 1 || m.Takes.Choosing <= m.Takes.Seconds || !h.noted("the training of lora, 2 times the rate of the recipe, is lost: the loss is no longer a number") {
		t.Errorf("lost are %+v, tried %+v, taken %+v", r.Lost, m.Tried, m.Takes)
	}
	if notes := strings.Join(r.Notes(), "\n"); !strings.Contains(notes, "The training of lora, 2 times the rate of the recipe, came to nothing") {
		t.Errorf("the notes are %s", notes)
	}
	h, now = nil, false
	if _, _, err := Compare(context.Background(), o, listen); err != nil {
		t.Fatal(err)
	}
	if trained, _ := h.trained(); len(trained) > 0 {
		t.Errorf("trained again were %v", trained)
	}
	astray = func(string) bool { return true }
	o.Settings, o.Afresh = settings(1), true
	_, _, err = Compare(context.Background(), o, listen)
	if err == nil || !strings.Contains(err.Error(), "the method lora came to nothing") || !strings.Contains(stroke.HintOf(err), "--settings lora=5") || strings.Contains(stroke.HintOf(err), "--rate") {
		t.Errorf("%v (%s)", err, stroke.HintOf(err))
	}
}

// goAstray makes a recipe one whose loss is soon no number.
func goAstray(r *Recipe) {
	r.Options.Rate, r.Options.Warmup, r.Options.LoRA.Alpha = 0.45, 0, lora.MaxAlpha
	r.Options.Beta2, r.Options.Eps = 0, 1e-30 // a step may be as large as one likes
}

// TestCompareLostPoint demands that a curve has no point of a training that is lost.
func TestCompareLostPoint(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts, o.Curve = []string{"lora"}, -1, []int{300}
	change, planned := o.Change, 0
	o.Change = func(r *Recipe) {
		change(r)
		if planned++; planned == 3 { // after the recipe for all words, and that for the point before its own words counted
			goAstray(r)
			r.Options.TokensPerStep = 64
		}
	}
	r, _, err := Compare(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Lost) != 1 || r.Lost[0].Setting != "1 times the rate of the recipe, 300 words" || len(r.Curve) != 3 {
		t.Errorf("lost are %+v, the curve is %+v", r.Lost, r.Curve)
	}
}

// TestCompareForgets demands that trainings nobody goes on with are deleted, and no
// results, whatever their folder is called.
func TestCompareForgets(t *testing.T) {
	o := comparing(t)
	o.Source = writing(t, filepath.Join(t.TempDir(), "work-0123456789ab"), func(i int) bool { return i < 14 })
	o.Methods, o.Texts, o.To = []string{"examples"}, -1, ""
	_, kept, err := Compare(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	home, err := Home()
	if err != nil {
		t.Fatal(err)
	}
	old, all := time.Now().Add(-2*abandoned), filepath.Join(home, compareDir)
	for dir, stays := range map[string]bool{kept: true, filepath.Join(all, "work-diary"): true, filepath.Join(all, "work-fedcba987654"): false, filepath.Join(all, workDir, "fedcba987654"): false} {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if err := os.MkdirAll(filepath.Join(dir, "lora-1x"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
				return errors.Join(err, os.Chtimes(path, old, old))
			}); err != nil {
				t.Fatal(err)
			}
			o.Source = writing(t, filepath.Join(t.TempDir(), "notes"), func(i int) bool { return i < 15 })
			if _, _, err := Compare(context.Background(), o, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(dir); (err == nil) != stays {
				t.Errorf("%s: %v", dir, err)
			}
		})
	}
}

// TestCompareAtOnce demands that of two comparisons of one text the second says
// that the first is running, wherever its tables are to be.
func TestCompareAtOnce(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts = []string{"lora"}, -1
	asked := false
	if _, _, err := Compare(context.Background(), o, func(e stroke.Event) {
		if _, ok := e.(stroke.StepEvent); !ok || asked {
			return
		}
		asked = true
		second := o
		second.To = filepath.Join(t.TempDir(), "others")
		_, _, err := Compare(context.Background(), second, nil)
		if code(t, err, stroke.CodeBusy); !strings.HasPrefix(err.Error(), "another comparison of this text is running: process ") || stroke.HintOf(err) == "" {
			t.Errorf("%v (%s)", err, stroke.HintOf(err))
		}
		// Of another text, to the same folder.
		second = o
		second.Source = writing(t, filepath.Join(t.TempDir(), "notes"), func(i int) bool { return i < 15 })
		_, _, err = Compare(context.Background(), second, nil)
		if code(t, err, stroke.CodeBusy); !strings.HasPrefix(err.Error(), "another comparison writes its tables to "+o.To+": process ") {
			t.Error(err)
		}
	}); err != nil || !asked {
		t.Fatal(asked, err)
	}
}

// TestCompareElsewhere demands that what is measured with another number of workers, or
// with other memory, is measured by itself, since these decide how fast it is; and that
// what another version measured is called so.
func TestCompareElsewhere(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts, o.Program = []string{"lora"}, -1, "v1"
	if _, _, err := Compare(context.Background(), o, nil); err != nil {
		t.Fatal(err)
	}
	o.Program = "v2"
	var h heard
	r, _, err := Compare(context.Background(), o, h.take)
	if err != nil {
		t.Fatal(err)
	}
	if trained, _ := h.trained(); len(trained) > 0 || !strings.Contains(strings.Join(r.Notes(), "\n"), "Kept as Stroke v1 measured it") {
		t.Errorf("trained were %v; the notes are %q", trained, r.Notes())
	}
	o.Memory, h = 700e6, nil
	if _, _, err = Compare(context.Background(), o, h.take); err != nil {
		t.Fatal(err)
	}
	if trained, _ := h.trained(); len(trained) != 1 {
		t.Errorf("with less memory trained were %v", trained)
	}
	workers := kernel.Workers()
	kernel.SetWorkers(workers + 1)
	defer kernel.SetWorkers(workers)
	h = nil
	if r, _, err = Compare(context.Background(), o, h.take); err != nil {
		t.Fatal(err)
	}
	if trained, _ := h.trained(); len(trained) != 1 || strings.Contains(strings.Join(r.Notes(), "\n"), "Kept as") {
		t.Errorf("with another worker trained were %v; the notes are %q", trained, r.Notes())
	}
}

// TestCompareMoreSettings demands that parts are counted from 1 to their number, also
// where a setting of before stays the best beside a new one; that it is not trained
// again where all that is wanted of it was measured, and once where it was not.
func TestCompareMoreSettings(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts = []string{"lora"}, -1
	change, slow := o.Change, false
	o.Change = func(r *Recipe) {
		if change(r); slow {
			r.Options.Rate = 1e-9
		}
	}
	if _, _, err := Compare(context.Background(), o, nil); err != nil {
		t.Fatal(err)
	}
	o.Settings = settings(2)
	for i, want := range [][]string{{"lora 2 times the rate of the recipe"}, {"lora 1 times the rate of the recipe"}} {
		var trained []string
		number, total := 0, 0
		r, _, err := Compare(context.Background(), o, func(e stroke.Event) {
			if e, ok := e.(stroke.MethodEvent); ok {
				slow = e.Setting == "2 times the rate of the recipe"
				if e.Doing == "train" {
					trained = append(trained, e.Method+" "+e.Setting)
				}
				if e.Number <= number || e.Number > e.Total || total != 0 && e.Total != total {
					t.Errorf("%d: behind %d of %d comes %+v", i, number, total, e)
				}
				number, total = e.Number, e.Total
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(trained, want) || number != total {
			t.Errorf("%d: trained were %v; the last part is %d of %d", i, trained, number, total)
		}
		if m := r.Methods[2]; m.Of(compare.Rate) != 2 || !strings.HasPrefix(m.Setting, "rate 0.001,") {
			t.Errorf("%d: %s was taken of %+v", i, m.Setting, m.Tried)
		}
		o.Methods, slow = []string{"lora", "lora+examples"}, false
	}
	// All at once: the new setting, and the old one again for what was not measured.
	if err := os.RemoveAll(o.To); err != nil {
		t.Fatal(err)
	}
	o.Settings = settings(1)
	if _, _, err := Compare(context.Background(), o, nil); err != nil {
		t.Fatal(err)
	}
	o.Settings = settings(2)
	var trained, last int
	if _, _, err := Compare(context.Background(), o, func(e stroke.Event) {
		if e, ok := e.(stroke.MethodEvent); ok {
			if slow = e.Setting == "2 times the rate of the recipe"; e.Doing == "train" {
				trained++
			}
			if last++; e.Number != last || e.Number > e.Total {
				t.Errorf("part %d is %+v", last, e)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if trained != 2 || last != 6 {
		t.Errorf("%d trainings, %d parts", trained, last)
	}
}

// TestCompareOtherwise stops a comparison in a training, and asks for it with other
// settings: it begins that training anew.
func TestCompareOtherwise(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts = []string{"full"}, -1
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, _, err := Compare(ctx, o, func(e stroke.Event) {
		if s, ok := e.(stroke.StepEvent); ok && s.Step == 3 {
			cancel()
		}
	})
	code(t, err, stroke.CodeInterrupted)
	o.Epochs = 2
	var h heard
	if _, _, err := Compare(context.Background(), o, h.take); err != nil {
		t.Fatal(err)
	}
	if trained, first := h.trained(); !slices.Equal(trained, []string{"full"}) || !slices.Equal(first, []int{1}) {
		t.Errorf("trained were %v, from the steps %v on", trained, first)
	}
}
