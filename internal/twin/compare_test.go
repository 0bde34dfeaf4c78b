package twin

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin/compare"
)

// comparing are the options of a comparison on a toy, with a home of its own.
func comparing(t *testing.T) CompareOptions {
	t.Helper()
	t.Setenv("STROKE_HOME", t.TempDir())
	return CompareOptions{Source: writing(t, filepath.Join(t.TempDir(), "notes"), func(i int) bool { return i < 14 }), Base: testkit.Toy(t, testkit.ToyShape{}),
		To: filepath.Join(t.TempDir(), "tables"), Settings: settings(1), Epochs: 1, Texts: 2, Genre: "none", CheckpointEvery: 1,
		Change: func(r *Recipe) {
			if r.Method == LoRA {
				r.Options.LoRA = lora.Options{Rank: 2, Alpha: 4}
			}
			r.Options.TokensPerStep = 512
		}}
}

// settings are n of every method that chooses.
func settings(n int) map[compare.Name]int {
	all := map[compare.Name]int{}
	for _, m := range compare.Names() {
		if m.Chooses() {
			all[m] = n
		}
	}
	return all
}

// heard are the events of a comparison.
type heard []stroke.Event

func (h *heard) take(e stroke.Event) { *h = append(*h, e) }

// trained are the methods that were trained, and the first step of each.
func (h heard) trained() (methods []string, steps []int) {
	fresh := false
	for _, e := range h {
		switch e := e.(type) {
		case stroke.MethodEvent:
			if e.Doing == "train" || e.Doing == "curve" {
				methods = append(methods, e.Method)
				fresh = true
			}
		case stroke.StepEvent:
			if fresh {
				steps = append(steps, e.Step)
				fresh = false
			}
		}
	}
	return methods, steps
}

// noted says whether a note holds a text.
func (h heard) noted(text string) bool {
	return slices.ContainsFunc(h, func(e stroke.Event) bool {
		n, ok := e.(stroke.NoteEvent)
		return ok && strings.Contains(n.Text, text)
	})
}

// TestCompare measures all methods, and a second time none; no version and no
// training is left in the home.
func TestCompare(t *testing.T) {
	o := comparing(t)
	o.Settings = settings(2)
	o.Watts, o.Price = 30, &compare.Price{KWh: 0.25, Currency: "EUR"}
	var h heard
	r, dir, err := Compare(context.Background(), o, h.take)
	if err != nil {
		t.Fatal(err)
	}
	var names []compare.Name
	for i, m := range r.Methods {
		names = append(names, m.Name)
		l := m.Likeness
		trains := m.Name.Trains() != ""
		if !l.Gain.Known() || !(l.Gain.Low <= l.Gain.Mean && l.Gain.Mean <= l.Gain.High) || l.Leakage == nil || l.Leakage.Words == 0 {
			t.Errorf("%s: likeness %+v", m.Name, l)
		}
		if m.Serves.TokensPerSecond <= 0 || m.Serves.First <= 0 || m.Serves.Prompt == 0 {
			t.Errorf("%s: serves %+v", m.Name, m.Serves)
		}
		if trains && (m.Takes.Seconds <= 0 || m.Takes.Choosing <= m.Takes.Seconds || m.Takes.Tokens == 0 || m.Takes.Parameters == 0 || m.Takes.Memory == 0 ||
			m.Leaves.Bytes == 0 || m.Takes.WattHours == nil || m.Takes.Money == nil || m.ChosenBy != "select") {
			t.Errorf("%s: takes %+v, leaves %+v, chosen by %s", m.Name, m.Takes, m.Leaves, m.ChosenBy)
		}
		if rates, amounts := map[bool]int{true: 2}[trains], map[bool]int{true: 2}[m.Name.Prompts()]; m.Of(compare.Rate) != rates || m.Of(compare.Passages) != amounts {
			t.Errorf("%s: tried %+v", m.Name, m.Tried)
		}
		if m.Name == compare.Examples && !(m.Takes.Choosing > m.Takes.Seconds && m.Takes.Seconds > 0) || m.Name == compare.LoRAExamples && m.Takes.Choosing-m.Takes.Seconds <= r.Methods[i-1].Takes.Choosing-r.Methods[i-1].Takes.Seconds {
			t.Errorf("%s: %g s with the choice of passages, %g s without", m.Name, m.Takes.Choosing, m.Takes.Seconds)
		}
		if (m.Name == compare.Partial || m.Name == compare.Full) != (l.WithExamples != nil) {
			t.Errorf("%s: with examples %v", m.Name, l.WithExamples)
		}
		if i > 1 && m.Likeness.Gain.Mean == 0 {
			t.Errorf("%s gains exactly nothing over the base", m.Name)
		}
	}
	if r.OneDocument || r.Unit == compare.DocumentParts {
		t.Errorf("of many documents it is said that they are one: %s", r.Unit)
	}
	if !slices.Equal(names, compare.Names()) {
		t.Errorf("the methods are %v", names)
	}
	if g := r.Methods[0].Likeness.Gain; g.Mean != 0 || g.Low != 0 || g.High != 0 {
		t.Errorf("the base gains %+v over itself", g)
	}
	if full, partial := r.Methods[5], r.Methods[4]; full.Takes.Parameters <= partial.Takes.Parameters || full.Leaves.Bytes <= partial.Leaves.Bytes {
		t.Errorf("full trains %d weights into %d bytes, partial %d into %d", full.Takes.Parameters, full.Leaves.Bytes, partial.Takes.Parameters, partial.Leaves.Bytes)
	}
	if trained, _ := h.trained(); !slices.Equal(trained, []string{"lora", "lora", "partial", "partial", "full", "full"}) {
		t.Errorf("trained were %v", trained)
	}
	home, err := Home()
	if err != nil {
		t.Fatal(err)
	}
	if twins, err := List(); err != nil || len(twins) > 0 {
		t.Errorf("twins are left: %v, %v", twins, err)
	}
	if left, _ := filepath.Glob(filepath.Join(home, compareDir, workDir, "*", "[^.]*")); len(left) > 0 {
		t.Errorf("trainings are left: %v", left)
	}
	b, err := os.ReadFile(filepath.Join(dir, comparisonFile))
	var kept compare.Comparison
	if err == nil {
		err = json.Unmarshal(b, &kept)
	}
	if err != nil || kept.Writer != "notes" || len(kept.Methods) != 6 {
		t.Errorf("kept is %+v, %v", kept, err)
	}
	h = nil
	again, _, err := Compare(context.Background(), o, h.take)
	if err != nil {
		t.Fatal(err)
	}
	if trained, _ := h.trained(); len(trained) > 0 {
		t.Errorf("measured before, and trained again: %v", trained)
	}
	if again.Made = r.Made; !reflect.DeepEqual(again.Methods, r.Methods) {
		t.Error("what was kept is told otherwise")
	}
	// With another text everything is another.
	writing(t, o.Source, func(i int) bool { return i < 15 })
	h = nil
	o.Methods = []string{"lora"}
	if r, _, err = Compare(context.Background(), o, h.take); err != nil || len(r.Methods) != 3 {
		t.Fatal(r, err)
	}
	if trained, _ := h.trained(); len(trained) != 2 {
		t.Errorf("of another text trained were %v", trained)
	}
}

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
			r.Options.LoRA.Alpha = 1e30
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

// TestCompareLostPoint demands that a curve has no point of a training that is lost.
func TestCompareLostPoint(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts, o.Curve = []string{"lora"}, -1, []int{300}
	change, planned := o.Change, 0
	o.Change = func(r *Recipe) {
		change(r)
		if planned++; planned == 3 { // after the recipe for all words, and that for the point before its own words counted
			r.Options.LoRA.Alpha, r.Options.TokensPerStep = 1e30, 64
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

// TestRecipesHash demands that the hash of the recipes tells of a change to one for a
// genre, and not of what is said for it.
func TestRecipesHash(t *testing.T) {
	list, err := NamedRecipes()
	if err != nil {
		t.Fatal(err)
	}
	before, err := hashRecipes(list)
	if err != nil {
		t.Fatal(err)
	}
	n := *pick(1000, StartGenre)
	i := slices.IndexFunc(list, func(o *Named) bool { return o.Name == n.Name })
	list[i] = &n
	n.Why = "otherwise"
	if same, err := hashRecipes(list); err != nil || same != before {
		t.Errorf("another reason gives another hash, %v", err)
	}
	n.set = []byte(`{"epochs": 7}`)
	if other, err := hashRecipes(list); err != nil || other == before {
		t.Errorf("seven epochs on a genre give the same hash, %v", err)
	}
}

// TestCompareOneDocument demands that parts of one document are not called documents.
func TestCompareOneDocument(t *testing.T) {
	o := comparing(t)
	files, err := filepath.Glob(filepath.Join(o.Source, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, strings.Fields(string(b))...)
	}
	// A book long enough for several parts to judge it by.
	var book []byte
	for i, draw := 0, rand.New(rand.NewPCG(1, 2)); i < 40_000; i++ {
		book = append(append(book, words[draw.IntN(len(words))]...), ' ')
		if i%100 == 99 {
			book = append(book, "\n\n"...)
		}
	}
	o.Source = filepath.Join(t.TempDir(), "book.md")
	if err := os.WriteFile(o.Source, book, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Methods, o.Texts = []string{"examples"}, -1
	r, _, err := Compare(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OneDocument || r.Unit != compare.DocumentParts || !strings.Contains(strings.Join(r.Notes(), "\n"), "All that judges is cut from one document") {
		t.Errorf("%d %s, the notes are %q", r.Units, r.Unit, r.Notes())
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

// TestCompareCurveOnAGenre holds that less text on a genre is trained by the recipe for
// that.
func TestCompareCurveOnAGenre(t *testing.T) {
	o, g := comparing(t), notes(t)
	build(t, g)
	o.Base, o.Genre, o.Methods, o.Texts, o.Curve = g.Base, "notes", []string{"lora"}, -1, []int{300}
	change, staged := o.Change, 0
	o.Change = func(r *Recipe) {
		if len(r.Genre.On) > 0 {
			if staged++; !strings.HasPrefix(r.Name, "genre-") {
				t.Errorf("on a genre the recipe is %q", r.Name)
			}
		}
		change(r)
	}
	if _, _, err := Compare(context.Background(), o, nil); err != nil {
		t.Fatal(err)
	}
	if staged < 2 {
		t.Errorf("%d trainings stood on the genre", staged)
	}
}

// TestCompareTwin compares on a twin's documents: they keep their roles, and the
// twin its versions; the tables lie in its folder and go with it.
func TestCompareTwin(t *testing.T) {
	o := comparing(t)
	train := options(t, o.Source)
	train.Base, train.To, train.Name = o.Base, "", "me"
	home, err := Home()
	if err != nil {
		t.Fatal(err)
	}
	twinDir := filepath.Join(home, "twins", "me")
	if err := Train(context.Background(), train, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	before, err := Open(twinDir)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := os.ReadFile(filepath.Join(twinDir, ledgerFile))
	if err != nil {
		t.Fatal(err)
	}
	o.Source, o.Name, o.To, o.Base, o.Methods, o.Texts = "", "me", "", "", []string{"lora"}, -1
	r, dir, err := Compare(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := before.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	judge := before.Documents(l, stroke.RoleJudge)
	if r.Writer != "me" || dir != filepath.Join(twinDir, compareDir) || r.Words.Judge != wordsOf(judge) {
		t.Errorf("the tables of %s lie in %s; %d words to judge by", r.Writer, dir, r.Words.Judge)
	}
	after, err := Open(twinDir)
	if err != nil || !reflect.DeepEqual(after.Manifest, before.Manifest) {
		t.Errorf("the twin was %+v and is %+v, %v", before, after, err)
	}
	if now, err := os.ReadFile(filepath.Join(twinDir, ledgerFile)); err != nil || string(now) != string(ledger) {
		t.Errorf("its ledger is another, %v", err)
	}
	if err := Remove(twinDir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(twinDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something of it is left: %v", err)
	}
}

// TestCompareCurve measures methods on less text: select and judge documents are
// the same, and nothing withheld is among what is trained on.
func TestCompareCurve(t *testing.T) {
	o := comparing(t)
	o.Methods, o.Texts, o.Curve = []string{"lora"}, -1, []int{500, 100000, 300}
	var h heard
	r, _, err := Compare(context.Background(), o, h.take)
	if err != nil {
		t.Fatal(err)
	}
	var at []int
	for _, p := range r.Curve {
		at = append(at, p.Words)
		if !p.Gain.Known() || p.Name == compare.LoRA && p.Seconds <= 0 || p.Name == compare.Examples && p.Over.Mean != 0 && p.Words < r.Words.Train {
			t.Errorf("point %+v", p)
		}
	}
	if w := r.Words.Train; !slices.Equal(at, []int{300, 300, 500, 500, w, w}) {
		t.Errorf("the amounts are %v of %d", at, w)
	}
	said := false
	for _, e := range h {
		n, ok := e.(stroke.NoteEvent)
		said = said || ok && strings.Contains(n.Text, "100000 words is left out")
	}
	if !said {
		t.Error("that there are no 100,000 words is not said")
	}
}

// TestSome holds that less text is whole documents and one cut at a paragraph,
// and that more of it holds less.
func TestSome(t *testing.T) {
	reading, err := corpus.Read(context.Background(), writing(t, t.TempDir(), func(i int) bool { return i < 14 }), corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	docs := reading.Documents
	texts := map[string]string{}
	for _, d := range docs {
		texts[d.Hash] = d.Text
	}
	was := 0
	for _, words := range []int{1, 300, 900, 2000, 1 << 20} {
		got := some(docs, words, 7)
		n := wordsOf(got)
		if n < min(words, wordsOf(docs)) || n < was {
			t.Errorf("of %d words there are %d", words, n)
		}
		was = n
		for i, d := range got {
			whole := texts[d.Hash]
			if d.Text != whole && (i < len(got)-1 || !strings.HasPrefix(whole, d.Text+"\n\n")) || len(strings.Fields(d.Text)) != d.Words {
				t.Errorf("%d words: document %d is no beginning of one", words, i)
			}
		}
	}
}

// TestCompareInput holds what is said of what cannot be asked for.
func TestCompareInput(t *testing.T) {
	for want, change := range map[string]func(*CompareOptions){
		"it is not said whose writing":          func(o *CompareOptions) { o.Source = "" },
		`there is no method "rag"`:              func(o *CompareOptions) { o.Methods = []string{"rag"} },
		"the method partial, which would train": func(o *CompareOptions) { o.Methods = []string{"lora"}; o.Partial.Layers = []int{1} },
		"layers or modules are named":           func(o *CompareOptions) { o.Methods = []string{"full"}; o.Partial.Modules = []string{"q_proj"} },
		"no adapter is compared":                func(o *CompareOptions) { o.Methods = []string{"partial"}; o.Controls = []string{"smith"} },
		"lora+examples has as many settings":    func(o *CompareOptions) { o.Settings = map[compare.Name]int{compare.LoRAExamples: 2} },
		"there are no settings of base":         func(o *CompareOptions) { o.Settings = map[compare.Name]int{compare.Base: 2} },
		"9 settings of":                         func(o *CompareOptions) { o.Settings = settings(9) },
		"cannot draw -1 watts":                  func(o *CompareOptions) { o.Watts = -1 },
		"10 words are no amount":                func(o *CompareOptions) { o.Curve = []int{10} },
		"cannot cost NaN":                       func(o *CompareOptions) { o.Price = &compare.Price{KWh: math.NaN()} },
		`there is no twin "nobody"`:             func(o *CompareOptions) { o.Name = "nobody" },
		"lies in the folder of the writing":     func(o *CompareOptions) { o.To = filepath.Join(o.Source, "new", "tables") },
		"there is no layer 7":                   func(o *CompareOptions) { o.Methods = []string{"partial"}; o.Partial.Layers = []int{7} },
		"takes at least":                        func(o *CompareOptions) { o.Methods = []string{"full"}; o.Memory = 1e6 },
		"there is no layer 8":                   func(o *CompareOptions) { o.Partial.Layers = []int{8} },
		"the adapter in nowhere cannot be":      func(o *CompareOptions) { o.Controls = []string{"nowhere"} },
		"are too few to train on and to judge":  func(o *CompareOptions) { o.Source = filepath.Join(o.Source, "hurry.md") },
	} {
		t.Run(want, func(t *testing.T) {
			o := comparing(t)
			if want == "are too few to train on and to judge" {
				if err := os.WriteFile(filepath.Join(o.Source, "hurry.md"), []byte(strings.Repeat("A short word on time. ", 20)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			change(&o)
			_, _, err := Compare(context.Background(), o, nil)
			if err == nil || !strings.Contains(err.Error(), want) || stroke.HintOf(err) == "" {
				t.Errorf("%v (%s)", err, stroke.HintOf(err))
			}
		})
	}
}

// TestCompareMemory leaves a method out that does not fit, and says what would.
func TestCompareMemory(t *testing.T) {
	o := comparing(t)
	o.Base = testkit.Toy(t, testkit.ToyShape{Hidden: 256, FFN: 1024, Layers: 6})
	o.Memory, o.DryRun = 170e6, true
	var h heard
	r, _, err := Compare(context.Background(), o, h.take)
	if err != nil || r != nil {
		t.Fatal(r, err)
	}
	e, ok := h[len(h)-1].(stroke.MethodsEvent)
	if !ok || e.Seconds <= 0 || e.Memory <= 0 || e.Memory > 170e6 {
		t.Fatalf("the last event is %+v", h[len(h)-1])
	}
	if !slices.ContainsFunc(h, func(e stroke.Event) bool {
		n, ok := e.(stroke.NoteEvent)
		return ok && strings.HasPrefix(n.Text, "the method full is left out: ")
	}) {
		t.Error("nothing is said of full")
	}
	for _, m := range e.Methods {
		if m.Method == "full" {
			t.Errorf("full is to be measured: %+v", m)
		}
	}
}
