package twin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/train"
)

// notes is a genre of the notebook's pieces, in steps enough to be stopped in.
func notes(t *testing.T) GenreOptions {
	t.Helper()
	r, err := genre.ParseRecipe("notes", []byte(`name = "notes"
for = "short pieces"
licence = "MIT"
rank = 2
epochs = 2
tokens_per_step = 1024
openings = ["It rained all week, and"]
[[source]]
folder = "notebook"
files = ["*.md"]
words = 6000
terms = "MIT"
attribution = "the project"
`))
	if err != nil {
		t.Fatal(err)
	}
	return GenreOptions{Recipe: r, Data: filepath.Join(testkit.Root(t), "examples"), Base: toyFile(t)}
}

// toyFile is the toy base under a name of its own, by which genres are found.
func toyFile(t *testing.T) string { return testkit.Toy(t, testkit.ToyShape{}) }

func build(t *testing.T, o GenreOptions) *genre.Genre {
	t.Helper()
	g, err := BuildGenre(context.Background(), o, func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// files are the contents of a folder's files.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(b)
	}
	return out
}

// TestGenreBytes makes a genre in two homes, from two copies of the base, and a
// third time with a stop in the middle: all four files are the same.
func TestGenreBytes(t *testing.T) {
	var first map[string]string
	for _, kind := range []string{"once", "again", "stopped"} {
		t.Setenv("STROKE_HOME", t.TempDir())
		o := notes(t)
		if kind == "stopped" {
			ctx, cancel := context.WithCancel(context.Background())
			_, err := BuildGenre(ctx, o, func(e stroke.Event) {
				if s, ok := e.(stroke.StepEvent); ok && s.Step == s.Steps/2+2 {
					cancel()
				}
			})
			cancel()
			if stroke.CodeOf(err) != stroke.CodeInterrupted {
				t.Fatalf("stopped: %v", err)
			}
			o.Resume = true
		}
		g := build(t, o)
		got := files(t, g.Path)
		if first == nil {
			first = got
			if len(got) != 4 || got[genre.CardFile] == "" || got[genre.ReadmeFile] == "" {
				t.Fatalf("%d files", len(got))
			}
			continue
		}
		for name, want := range first {
			if got[name] != want {
				t.Errorf("%s: %s has other bytes", kind, name)
			}
		}
		home, err := Home()
		if err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(filepath.Join(home, "genres", ".build", "*", "*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v %v", kind, left, err)
		}
	}
	var card genre.Card
	if err := json.Unmarshal([]byte(first[genre.CardFile]), &card); err != nil {
		t.Fatal(err)
	}
	if card.Figures == nil || !(card.Figures.Gain.Low <= card.Figures.Gain.Mean) || card.Figures.Documents == 0 || len(card.Samples) != 1 || card.Words == 0 || card.Sources[0].Taken < 6000 {
		t.Errorf("%s", first[genre.CardFile])
	}
	for _, dir := range []string{os.Getenv("STROKE_HOME"), testkit.Root(t), os.TempDir()} {
		if strings.Contains(first[genre.CardFile]+first[genre.ReadmeFile], dir) {
			t.Errorf("the card names the folder %s of this machine", dir)
		}
	}
}

// TestGenreStart makes a genre that goes on from another: at a rate of nearly
// nothing it is that, and what it went on from is in its card.
func TestGenreStart(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	first := notes(t)
	first.To = t.TempDir()
	was := build(t, first)
	next := notes(t)
	next.To = first.To
	next.Recipe.Name, next.Recipe.Start, next.Recipe.Rate, next.Recipe.Epochs = "more", "notes", 1e-12, 1
	g := build(t, next)
	if g.Start == nil || g.Start.Name != "notes" || g.Start.SHA256 != was.SHA256() || !g.Compact() || g.Recipe.Start != "notes" {
		t.Errorf("%+v", g.Card)
	}
	f := g.Figures
	if f.OverStart == nil || math.Abs(f.OverStart.Mean) > 1e-6 || f.Start != was.Figures.Genre || f.Gain != was.Figures.Gain {
		t.Errorf("%+v, and of the start %+v", f, was.Figures)
	}
	if s := g.Readme(); !strings.Contains(s, "It went on from the genre notes") || !strings.Contains(s, "Over notes, which it went on from") || !strings.Contains(s, "stroke genre export more FOLDER") {
		t.Error(s)
	}
	exported(t, first.To, g)
	next.Force, next.Recipe.Rate = true, 1e-3
	if g = build(t, next); g.Figures.Genre == was.Figures.Genre {
		t.Error("at a rate nothing was learnt")
	}
	next.Recipe.Rank, next.Recipe.Alpha = 3, 6
	if _, err := BuildGenre(context.Background(), next, func(stroke.Event) {}); stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(err.Error(), "has the rank 2 and alpha 4") {
		t.Errorf("another rank: %v", err)
	}
	next.Recipe.Start = "nobody"
	if _, err := BuildGenre(context.Background(), next, func(stroke.Event) {}); stroke.CodeOf(err) != stroke.CodeNotFound || !strings.Contains(err.Error(), "starts from nobody, which is not there") {
		t.Errorf("no start: %v", err)
	}
}

// exported writes a genre as PEFT has it, and reads the same numbers there.
func exported(t *testing.T, library string, g *genre.Genre) {
	t.Helper()
	home, err := Home()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(home, "genres"), os.DirFS(library)); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "out")
	e, err := ExportGenre(g.Name, "", to)
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, to); len(got) != 3 || e.Bytes != int64(len(got[lora.ConfigFile])+len(got[lora.WeightsFile])) {
		t.Errorf("%+v", e)
	}
	if s := files(t, to)[genre.ReadmeFile]; !strings.Contains(s, "library_name: peft\n") || strings.Contains(s, "eight bits") || !strings.Contains(s, fmt.Sprintf("%d bytes in all, in PEFT's format", e.Bytes)) {
		t.Error(s)
	}
	whole, err := lora.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := lora.ReadDir(g.Path)
	if err != nil {
		t.Fatal(err)
	}
	if sum, config, err := adapterHash(g.Path); err != nil || sum != g.SHA256() || config != g.Files[genre.ConfigFile] {
		t.Errorf("the folder as an adapter to start from: %s, %v", sum, err)
	}
	for i := range whole.Pairs {
		if !slices.Equal(whole.Pairs[i].A, compact.Pairs[i].A) || !slices.Equal(whole.Pairs[i].B, compact.Pairs[i].B) {
			t.Errorf("pair %d has other numbers", i)
		}
	}
	if _, err := ExportGenre(g.Name, "", to); stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a folder that is there: %v", err)
	}
}

// loud gives an adapter of the base's shape whose B is not zero.
func loud(b *baseModel, rank int, scale float64, seed uint64) *lora.Adapter {
	a := lora.New(b.model.Shape(), lora.Options{Rank: rank, Alpha: float64(rank)}, seed, nil)
	a.Each(func(l int, m lora.Module, p *op.Pair) {
		for i := range p.Rank * p.Out {
			p.B[i] = float32(scale * math.Sin(float64(i)*0.7+float64(l)+float64(m)))
		}
	})
	return a
}

// logitsOf are those of every token of a text.
func logitsOf(t *testing.T, b *baseModel, use []lora.Applied) []float32 {
	t.Helper()
	ids := append([]int32{b.sep}, b.tok.Encode(soundText)...)
	pad := 0
	for _, a := range use {
		pad += a.Adapter.Pad()
	}
	s, err := b.model.NewSession(model.Limits{Tokens: len(ids), Rows: 1, Context: len(ids), Pad: pad})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Forward([]model.Row{{Tokens: ids, Adapters: use}}); err != nil {
		t.Fatal(err)
	}
	at := make([]int32, len(ids))
	for i := range at {
		at[i] = int32(i)
	}
	out := make([]float32, len(ids)*b.model.Vocab)
	if err := s.Logits(out, at); err != nil {
		t.Fatal(err)
	}
	return out
}

// between is the largest difference of two logits.
func between(t *testing.T, a, b []float32) float64 {
	t.Helper()
	most := 0.0
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			t.Fatal("a logit is no number")
		}
		most = max(most, d)
	}
	return most
}

// TestGenreStack holds that a stack of genres and a writer's adapter, and the one
// adapter that it leaves as, give the same logits; that the genre's part of the
// joined one can still be made stronger, weaker and be left out; and that none of
// this is so because the adapters do nothing.
func TestGenreStack(t *testing.T) {
	path := toyFile(t)
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	one, two, own := loud(b, 3, 0.05, 1), loud(b, 2, 0.04, 2), loud(b, 4, 0.05, 3)
	for l := range two.Pairs { // a genre may leave linears alone
		two.Pairs[l][lora.QProj], two.Pairs[l][lora.DownProj] = nil, nil
	}
	stack := func(strength float32) []lora.Applied {
		return []lora.Applied{{Adapter: one, Strength: 0.5 * strength}, {Adapter: two, Strength: 0.25 * strength}, {Adapter: own, Strength: 1}}
	}
	joined, err := lora.Join(stack(1)...)
	if err != nil {
		t.Fatal(err)
	}
	r := DefaultRecipe(0)
	r.Options.LoRA = lora.Options{Rank: 4, Alpha: 4}
	r.Genre.On = []StandsOn{{Name: "one"}, {Name: "two"}}
	bare := logitsOf(t, b, nil)
	for _, s := range []float32{1, 0, -0.5, 2} {
		a, err := r.atGenre(joined, s)
		if err != nil {
			t.Fatal(err)
		}
		want := logitsOf(t, b, stack(s))
		if d := between(t, want, logitsOf(t, b, []lora.Applied{{Adapter: a, Strength: 1}})); d > 1e-5 {
			t.Errorf("strength %g: the joined adapter is %g from the stack", s, d)
		}
		if d := between(t, want, bare); d < 0.01 {
			t.Errorf("strength %g: the stack is %g from the base, and shows nothing", s, d)
		}
		if d := between(t, want, logitsOf(t, b, stack(1))); s != 1 && d < 0.001 {
			t.Errorf("strength %g: %g from strength 1, and shows nothing", s, d)
		}
	}
	// A rank that cannot be, as a stranger's version may say, changes what there is at most.
	for _, rank := range []int{-1000, math.MinInt, math.MaxInt, 1 << 40} {
		r.Options.LoRA.Rank = rank
		if _, err := r.atGenre(joined, 0.5); err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	r.Genre.As = AsStart
	if _, err := r.atGenre(joined, 1); !errors.Is(err, errNoLayer) {
		t.Errorf("a start has a strength: %v", err)
	}
}

// added puts an adapter into the library as a genre.
func added(t *testing.T, path, name string, a *lora.Adapter) {
	t.Helper()
	dir := t.TempDir()
	if err := lora.WriteDir(dir, a.File(), tensor.F32); err != nil {
		t.Fatal(err)
	}
	if _, err := AddGenre(context.Background(), AddOptions{From: dir, Name: name, Base: path}, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
}

// events runs Train and gives the events of one type.
func events[E stroke.Event](t *testing.T, o Options) []E {
	t.Helper()
	var out []E
	if err := Train(context.Background(), o, func(e stroke.Event) {
		if x, ok := e.(E); ok {
			out = append(out, x)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestGenreInTraining follows a genre into a version: auto takes what helps and
// nothing that does not, one that is forced is measured and named all the same,
// what is written is stack and not writer alone, and a twin outlives its genre.
func TestGenreInTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("trains several twins")
	}
	t.Setenv("STROKE_HOME", t.TempDir())
	g := notes(t)
	o := options(t, writing(t, t.TempDir(), func(int) bool { return true }))
	o.Base = g.Base
	if got := events[stroke.GenreEvent](t, o); len(got) != 0 {
		t.Errorf("without a library: %+v", got)
	}
	b, err := openBase(g.Base, g.Base)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	made := build(t, g)
	ga, err := b.genre(made)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := RemoveGenre("notes", g.Base, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	// Away from such pieces, and further than the genre goes towards them.
	noise := lora.New(b.model.Shape(), ga.Options, 0, nil)
	noise.Copy(ga)
	noise.Each(func(_ int, _ lora.Module, p *op.Pair) {
		for i := range p.B {
			p.B[i] *= -3
		}
	})
	added(t, g.Base, "noise", noise)
	o.To = filepath.Join(t.TempDir(), "none")
	if got := events[stroke.GenreEvent](t, o); len(got) != 1 || got[0].Name != "" || len(got[0].Tried) != 1 || got[0].Tried[0].Gain >= 0 {
		t.Errorf("where none helps: %+v", got)
	}
	made = build(t, g)
	forget(t, made)
	o.To = filepath.Join(t.TempDir(), "auto")
	got := events[stroke.GenreEvent](t, o)
	if len(got) != 1 || got[0].Name != "notes" || !(got[0].Gain > 0) || got[0].By != "select and train" || got[0].Tokens == 0 || len(got[0].Tried) != 2 || got[0].Tried[1].Name != "noise" {
		t.Errorf("auto: %+v", got)
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Version("")
	if err != nil {
		t.Fatal(err)
	}
	on := v.Recipe.Genre.On
	if len(on) != 1 || on[0].SHA256 != made.SHA256() || on[0].Strength != LayerStrength || on[0].Gain != got[0].Gain || !strings.Contains(v.Verdict.Why, "stands on the genre notes") {
		t.Errorf("the version records %+v; %s", v.Recipe.Genre, v.Verdict.Why)
	}
	if want := pick(v.Words, StartGenre).Recipe(); v.Recipe.Name != want.Name || v.Recipe.Options.Rate != want.Options.Rate || v.Recipe.Options.LoRA.Rank != 2 {
		t.Errorf("the recipe: %+v", v.Recipe.Options)
	}

	forced := o
	forced.To = filepath.Join(t.TempDir(), "forced")
	forced.Change = func(r *Recipe) { small(r); r.Genre.Ask, r.Genre.Strength = "noise+notes", 0.5 }
	if got := events[stroke.VerdictEvent](t, forced); len(got) != 1 || got[0].Genre != "noise+notes" || !(got[0].GenreGain < 0) || !strings.Contains(got[0].Why, "predicts you worse") || !strings.Contains(got[0].Why, "the genre notes fits you better") {
		t.Errorf("forced: %+v", got)
	}
	start := o
	start.To = filepath.Join(t.TempDir(), "start")
	start.Change = func(r *Recipe) { r.Epochs = 1; r.Genre.Ask, r.Genre.As = "notes", AsStart }
	if got := events[stroke.VerdictEvent](t, start); len(got) != 1 || !strings.Contains(got[0].Why, "as its start") || strings.Contains(got[0].Why, "fits you better") {
		t.Errorf("start: %+v", got)
	}
	named, err := FindRecipe("genre-little")
	if err != nil {
		t.Fatal(err)
	}
	start.Change = func(r *Recipe) { named.Apply(r); r.Epochs = 1; r.Genre.Ask, r.Genre.As = "notes", AsStart }
	if got := events[stroke.VerdictEvent](t, start); len(got) != 1 || !strings.Contains(got[0].Why, "as its start") {
		t.Errorf("start by a recipe that is named: %+v", got)
	}
	start.Change = func(r *Recipe) { small(r); r.Options.LoRA.Rank = 3; r.Genre.Ask, r.Genre.As = "notes", AsStart }
	if err := Train(context.Background(), start, func(stroke.Event) {}); stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(err.Error(), "another shape") {
		t.Errorf("a start of another shape: %v", err)
	}

	whole, err := f.Adapter(v, b.model.Shape())
	if err != nil {
		t.Fatal(err)
	}
	if whole.Options.Rank != 4 {
		t.Errorf("the version's adapter has rank %d: genre and writer have 2 each", whole.Options.Rank)
	}
	without, err := v.Recipe.atGenre(whole, 0)
	if err != nil {
		t.Fatal(err)
	}
	// What is kept of B in other forms must not outlive it: few rows read those.
	whole.Each(func(l int, m lora.Module, p *op.Pair) {
		if q := without.Pairs[l][m]; p.HalfB == nil || q.HalfB != nil || q.TileB != nil {
			t.Errorf("%s of layer %d: F16 of B %v, and after it was changed %v", m, l, p.HalfB != nil, q.HalfB != nil)
		}
	})
	again, err := lora.Join(lora.Applied{Adapter: ga, Strength: LayerStrength}, lora.Applied{Adapter: without, Strength: 1})
	if err != nil {
		t.Fatal(err)
	}
	// Of the genre's part only B times its scale was rounded to F16 again.
	if d := between(t, logitsOf(t, b, []lora.Applied{{Adapter: whole, Strength: 1}}), logitsOf(t, b, []lora.Applied{{Adapter: again, Strength: 1}})); d > 1e-3 {
		t.Errorf("the genre below the writer's part is %g from what was written", d)
	}

	if _, err := RemoveGenre("notes", g.Base, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Adapter(v, b.model.Shape()); err != nil {
		t.Errorf("without its genre: %v", err)
	}
}

// TestGenreResume stops a run that stands on a genre, deletes the genre, and goes
// on to the bytes of a run that was not stopped.
func TestGenreResume(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	g := notes(t)
	build(t, g)
	source := writing(t, t.TempDir(), func(int) bool { return true })
	o := options(t, source)
	o.Base = g.Base
	whole, v := trained(t, o)
	want := files(t, filepath.Join(whole.Dir, versionsDir, v.ID, adapterDir))
	o.To = filepath.Join(t.TempDir(), "twin")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := Train(ctx, o, func(e stroke.Event) {
		if s, ok := e.(stroke.StepEvent); ok && s.Step == 3 {
			cancel()
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted {
		t.Fatalf("stopped: %v", err)
	}
	if _, err := RemoveGenre("notes", g.Base, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	f, v := trained(t, o)
	for name, b := range files(t, filepath.Join(f.Dir, versionsDir, v.ID, adapterDir)) {
		if want[name] != b {
			t.Errorf("%s has other bytes than that of a run that was not stopped", name)
		}
	}
	again := events[stroke.StepEvent](t, o)
	if len(again) != 0 {
		t.Errorf("a run that had ended took %d steps", len(again))
	}
}

// TestStageCheck says what does not go together.
func TestStageCheck(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Recipe)
		want   string
	}{
		"twice":           {func(r *Recipe) { r.Genre.Ask = "a+a" }, "named twice"},
		"auto and one":    {func(r *Recipe) { r.Genre.Ask = "auto+a" }, "auto goes with no other"},
		"two starts":      {func(r *Recipe) { r.Genre.Ask, r.Genre.As = "a+b", AsStart }, "and one a start"},
		"strong start":    {func(r *Recipe) { r.Genre.Ask, r.Genre.As, r.Genre.Strength = "a", AsStart, 2 }, "has no strength"},
		"no way":          {func(r *Recipe) { r.Genre.As = "below" }, "a layer or a start"},
		"no strength":     {func(r *Recipe) { r.Genre.Strength = math.NaN() }, "strength of the genre"},
		"a path":          {func(r *Recipe) { r.Genre.Ask = "../a" }, "cannot be a genre's name"},
		"another adapter": {func(r *Recipe) { r.Genre.Ask, r.On = "a", "x" }, "do not go together"},
		"weights":         {func(r *Recipe) { r.Tune(Full, model.Selection{}); r.Genre.Ask = "a" }, "goes with the method lora"},
	} {
		r := DefaultRecipe(100)
		r.Options.Arithmetic = train.F32
		c.change(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// BenchmarkLoadGenre reads each genre that comes with the program, from the
// program's own file to an adapter that rows can be computed with.
func BenchmarkLoadGenre(b *testing.B) {
	list := genre.Open(b.TempDir()).List("smollm2-135m-instruct", nil)
	if len(list) == 0 {
		b.Skip("the program comes with no genre for the base")
	}
	shape := lora.Shape{Layers: 30, In: [lora.Modules]int{576, 576, 576, 576, 576, 576, 1536},
		Out: [lora.Modules]int{576, 192, 192, 576, 1536, 1536, 576}}
	for _, g := range list {
		b.Run(g.Name, func(b *testing.B) {
			for b.Loop() {
				config, tensors, err := g.Adapter()
				if err != nil {
					b.Fatal(err)
				}
				file, err := lora.Read(g.Path, config, tensors)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := file.Adapter(shape); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
