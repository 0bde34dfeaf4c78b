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

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
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
	return map[compare.Name]int{"": n}
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

// TestCompareWithoutBase compares writing that no twin was made of on a base that is
// not named: one is looked for, and where none can be had that is said.
func TestCompareWithoutBase(t *testing.T) {
	o := comparing(t)
	t.Setenv("HF_HUB_OFFLINE", "1")
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
	for _, base := range []string{"", "auto"} {
		o.Base, o.Memory = base, 1
		if _, _, err := Compare(context.Background(), o, nil); err == nil || !strings.HasPrefix(err.Error(), "no base ") {
			t.Errorf("on the base %q: %v", base, err)
		}
	}
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

// TestServes demands that beside the median time stands what was read in it.
func TestServes(t *testing.T) {
	got := serves([]served{{first: 3, read: 500, rate: 10}, {first: 1, read: 1400}, {first: 2, read: 90, rate: 30}})
	if want := (compare.Serves{First: 2, Prompt: 90, TokensPerSecond: 30}); got != want {
		t.Errorf("served as %+v, not %+v", got, want)
	}
	if got := serves(nil); got != (compare.Serves{}) {
		t.Errorf("of no texts %+v", got)
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
		"9 settings of each method":             func(o *CompareOptions) { o.Settings = settings(9) },
		"there are settings of full, and that":  func(o *CompareOptions) { o.Methods = []string{"lora"}; o.Settings[compare.Full] = 2 },
		"there are settings of lora, and that":  func(o *CompareOptions) { o.Methods = []string{"full"}; o.Settings[compare.LoRA] = 2 },
		"the genre prose is named, and no":      func(o *CompareOptions) { o.Methods = []string{"full"}; o.Genre = "prose" },
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
