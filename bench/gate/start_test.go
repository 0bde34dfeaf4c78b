package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin"
)

// TestStart judges twins on what they were trained on: the genre at the strength that it
// had in training.
func TestStart(t *testing.T) {
	ctx := context.Background()
	t.Setenv("STROKE_HOME", t.TempDir())
	o := &options{data: testkit.Shared(t, "reference"), work: t.TempDir(), base: testkit.Toy(t, testkit.ToyShape{}), start: "notes", strength: 0.5, words: 1000, memorised: 2, tokens: 6000, each: twin.MostEach, seed: 1}
	r, err := genre.ParseRecipe("notes", []byte(`name = "notes"
for = "short pieces"
licence = "MIT"
rank = 2
epochs = 1
tokens_per_step = 1024
openings = ["It rained all week, and"]
[[source]]
folder = "notebook"
files = ["*.md"]
words = 3000
terms = "MIT"
attribution = "the project"
`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := twin.BuildGenre(ctx, twin.GenreOptions{Recipe: r, Data: filepath.Join(testkit.Root(t), "examples"), Base: o.base}, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	l, err := open(ctx, o, []string{"goldman=goldman"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d, err := l.texts["goldman"].give(o.words, o.seed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := l.Text(&d, twin.Prompt{}, o.tokens, o.each)
	if err != nil {
		t.Fatal(err)
	}
	score := func(use ...lora.Applied) ([]float64, []int) {
		t.Helper()
		losses, err := l.Score(ctx, text, false, use...)
		if err != nil {
			t.Fatal(err)
		}
		return nats(losses)
	}
	half := lora.Applied{Adapter: l.start, Strength: 0.5}
	whole, _ := score(lora.Applied{Adapter: l.start, Strength: 1})
	j := &judged{dealt: d, text: text}
	j.line.Bare, j.line.Tokens = score()
	j.line.On, _ = score(half)
	j.line.Examples = j.line.Bare
	measure := func(kind string) []float64 {
		t.Helper()
		c := line{Writer: "goldman", Words: o.words, Case: kind}
		if err := l.measure(ctx, map[string]*judged{"goldman": j}, nil, &c); err != nil {
			t.Fatal(err)
		}
		return c.Adapter
	}
	if got := measure("prose"); !slices.Equal(got, j.line.On) || slices.Equal(got, whole) {
		t.Errorf("the genre alone costs %v; at half strength %v, and at all of it %v", got, j.line.On, whole)
	}
	got := measure(hardly)
	f, cell, err := l.train(ctx, "goldman", hardly, o.words)
	if err != nil {
		t.Fatal(err)
	}
	if on := cell.Recipe.Genre.On; len(on) != 1 || on[0].Strength != 0.5 {
		t.Errorf("it was trained on %+v", on)
	}
	a, err := l.Fit(f)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := score(half, lora.Applied{Adapter: a, Strength: 1}); !slices.Equal(got, want) {
		t.Errorf("a twin costs %v, and on the genre at the strength that it was trained on %v", got, want)
	}
}

// TestDir keeps adapters apart that were trained otherwise, and cases too.
func TestDir(t *testing.T) {
	o := options{work: "work", base: "b", start: "prose", strength: 0.9, memorised: 15, seed: 1}
	seen := map[string]bool{}
	for name, change := range map[string]func(*options){
		"nothing": func(*options) {}, "base": func(o *options) { o.base = "c" }, "start": func(o *options) { o.start = "novel" },
		"strength": func(o *options) { o.strength = 1 }, "epochs": func(o *options) { o.memorised = 5 }, "seed": func(o *options) { o.seed = 2 },
	} {
		x := o
		change(&x)
		dir := x.dir("lynch", memorised, 2000)
		if seen[dir] {
			t.Errorf("with another %s it is kept in %s too", name, dir)
		}
		seen[dir] = true
		if same := x.dir("lynch", good, 2000) == o.dir("lynch", good, 2000); same != (name == "nothing" || name == "epochs") {
			t.Errorf("a good twin with another %s is the same: %v", name, same)
		}
	}
	c := made("a", memorised, "", 0, 0)
	for name, change := range map[string]func(*line){
		"strength": func(l *line) { l.Strength = 0.9 }, "epochs": func(l *line) { l.Epochs = 5 }, "text": func(l *line) { l.Most = 9 }, "documents": func(l *line) { l.Each = 9 },
	} {
		x := made("a", memorised, "", 0, 0)
		change(&x)
		if x.key() == c.key() {
			t.Errorf("a case with other %s is the same", name)
		}
		if name != "epochs" && shared([]line{x}, &c, c.Groups) != nil {
			t.Errorf("what was scored with other %s is taken", name)
		}
	}
}
