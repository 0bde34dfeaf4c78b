package twin

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
)

// TestGenreMixture takes genres that are nearly as good as the best with it, one where
// one can start or the others are far behind, and none where none helps.
func TestGenreMixture(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	g := notes(t)
	b, err := openBase(g.Base, g.Base)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	good, err := b.genre(build(t, g))
	if err != nil {
		t.Fatal(err)
	}
	// What leads astray in one leads as far the other way in the other.
	astray := loud(b, 2, 10, 3)
	join := func(far, s float32) *lora.Adapter {
		a, err := lora.Join(lora.Applied{Adapter: good, Strength: far}, lora.Applied{Adapter: astray, Strength: s})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	// wide is as far on as join, of as many ranks as are mixed.
	wide := func(far float32) *lora.Adapter {
		parts := make([]lora.Applied, mostRanks/2)
		for i := range parts {
			parts[i] = lora.Applied{Adapter: good, Strength: far / float32(len(parts))}
		}
		a, err := lora.Join(parts...)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	docs, err := Withheld(context.Background(), g.Recipe, g.Data)
	if err != nil {
		t.Fatal(err)
	}
	docs = slices.Repeat(docs, 20) // more than all that genres are tried on
	name := func(n string, a *lora.Adapter) trial {
		return trial{genre: &genre.Genre{Card: genre.Card{Name: n}}, adapter: a}
	}
	layer, start := defaultStage(), defaultStage()
	layer.As, layer.Strength, start.As = AsLayer, 1, AsStart
	for what, c := range map[string]struct {
		list  []trial
		stage Stage
		want  int
	}{
		"nearly as good": {[]trial{name("a", join(8, 0)), name("b", join(7.8, 0))}, layer, 2},
		"far behind":     {[]trial{name("a", join(8, 0)), name("b", join(1, 2))}, layer, 1},
		"one harms":      {[]trial{name("a", join(0.5, 0)), name("b", join(-0.01, 0))}, layer, 1},
		"one can start":  {[]trial{name("a", join(8, 0)), name("b", join(7.8, 0))}, start, 1},
		"the same often": {slices.Repeat([]trial{name("a", good)}, 8), layer, 8},
		"the same twice": {[]trial{name("a", good), name("b", good)}, layer, 2},
		"too many ranks": {[]trial{name("a", join(8, 0)), name("b", wide(7.9)), name("c", join(7.8, 0))}, layer, 2},
		"a wide one":     {[]trial{name("a", wide(8)), name("b", join(7.8, 0))}, layer, 1},
		"alone":          {[]trial{name("a", good)}, layer, 1},
		"none helps":     {[]trial{name("a", join(-3, 0)), name("b", join(-2, 0))}, layer, 0},
	} {
		if _, _, _, err := b.try(context.Background(), docs, c.list, 1, false); err != nil {
			t.Fatal(err)
		}
		told := ""
		got, on, err := b.take(context.Background(), docs, c.list, &c.stage, false, func(e stroke.Event) {
			if n, ok := e.(stroke.NoteEvent); ok {
				told = n.Text
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(told, "left out of the mixture: b") != (what == "too many ranks" || what == "a wide one") {
			t.Errorf("%s: %q is told", what, told)
		}
		if (on.Adapter == nil) != (c.want == 0) {
			t.Errorf("%s: %d genres, and what is used of them is %+v", what, len(got), on)
		}
		if len(got) != c.want {
			t.Errorf("%s: %d genres, want %d; gains of each %g and %g", what, len(got), c.want, c.list[0].gain, c.list[len(c.list)-1].gain)
		}
		if strings.HasPrefix(what, "the same") && math.Abs(got[0].gain-c.list[0].gain) > 1e-4 {
			t.Errorf("%s: together %g and alone %g", what, got[0].gain, c.list[0].gain)
		}
		if len(got) == 2 && (got[0].gain < c.list[0].gain-shareWorse || got[0].gain != got[1].gain || math.Abs(got[0].share+got[1].share-1) > 1e-9) {
			t.Errorf("%s: together %g and %g, alone %g", what, got[0].gain, got[1].gain, c.list[0].gain)
		}
	}
	added(t, g.Base, "wide", wide(1))
	for ask, want := range map[string]string{"wide+notes": "more ranks together than the 128", "wide": ""} {
		s := Stage{Ask: ask, As: AsLayer, Strength: 1}
		if err := s.there(b); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", ask, err)
		}
	}
}

// TestGenreParts asks for parts of genres by name, and for those that were found again.
func TestGenreParts(t *testing.T) {
	s := Stage{Ask: "a:3+b", As: AsLayer, Strength: 1}
	names, parts, err := s.names()
	if err != nil || !slices.Equal(names, []string{"a", "b"}) || !slices.Equal(parts, []float64{0.75, 0.25}) {
		t.Errorf("%s is %v of %v, %v", s.Ask, parts, names, err)
	}
	s.On = []StandsOn{{Name: "a", Strength: 0.6}, {Name: "b", Strength: 0.2}}
	s.Ask = s.again()
	names, again, err := s.names()
	if err != nil || !slices.Equal(names, []string{"a", "b"}) || math.Abs(again[0]-0.75) > 1e-3 {
		t.Errorf("%s is %v of %v, %v", s.Ask, again, names, err)
	}
	s.On = s.On[:1]
	if s.again() != "a" {
		t.Errorf("one genre is asked for as %s", s.again())
	}
	for _, ask := range []string{"a:", "a:x", "a:0+b", "a:-1", "a:nan", "a:inf", "a:2+a", "auto:2", "auto:1+b"} {
		s := Stage{Ask: ask, As: AsLayer, Strength: 1}
		if err := s.check(LoRA, ""); err == nil {
			t.Errorf("%s can be asked for", ask)
		}
	}
}

// TestGenreTriedOn looks at select documents and then at those to train on, and at none
// that judges.
func TestGenreTriedOn(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	path := toyFile(t)
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	added(t, path, "fine", loud(b, 2, 0.01, 9))
	doc := func(text string) []stroke.Document {
		return []stroke.Document{{Hash: stroke.HashText(text), Text: text, Words: len(strings.Fields(text))}}
	}
	train, choose := doc(strings.Repeat("It rained all week, and nobody said so. ", 9)), doc(strings.Repeat("The bus was late. ", 5))
	tokens := func(docs []stroke.Document) int { return len(b.tok.Encode(docs[0].Text)) }
	for _, c := range []struct {
		train, choose []stroke.Document
		by            string
		want          int
	}{
		{train, nil, "train", tokens(train)},
		{nil, choose, "select", tokens(choose)},
		{train, choose, "select and train", tokens(train) + tokens(choose)},
	} {
		for _, ask := range []string{genre.Auto, "fine"} {
			var told []stroke.GenreEvent
			r := &run{o: &Options{}, b: b, recipe: DefaultRecipe(100), words: map[stroke.Role]int{stroke.RoleTrain: 100}, emit: func(e stroke.Event) {
				if e, ok := e.(stroke.GenreEvent); ok {
					told = append(told, e)
				}
			}}
			r.train, r.choose, r.judge = c.train, c.choose, doc("Nothing of this is looked at.")
			r.recipe.Genre.Ask = ask
			if err := r.standOn(context.Background()); err != nil {
				t.Fatal(err)
			}
			if len(told) != 1 || told[0].By != c.by || told[0].Tokens != c.want {
				t.Errorf("%s: %+v, want %d tokens of %s", ask, told, c.want, c.by)
			}
		}
	}
}

// TestNoGenreResume stops a run that found no genre, makes one that helps, and goes on
// without it.
func TestNoGenreResume(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	g := notes(t)
	o := options(t, writing(t, t.TempDir(), func(int) bool { return true }))
	o.Base = g.Base
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := Train(ctx, o, func(e stroke.Event) {
		if s, ok := e.(stroke.StepEvent); ok && s.Step == 3 {
			cancel()
		}
	})
	code(t, err, stroke.CodeInterrupted)
	build(t, g)
	o.Resume = true
	if chose := events[stroke.GenreEvent](t, o); len(chose) != 0 {
		t.Errorf("it chooses again: %+v", chose)
	}
	if again := events[stroke.StepEvent](t, o); len(again) != 0 {
		t.Errorf("a run that had ended took %d steps", len(again))
	}
}
