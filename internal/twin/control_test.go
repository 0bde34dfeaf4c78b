package twin

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestControls puts the controls that come with the program on the real base: they
// fit, each computes something of its own, and all score the same tokens as the
// twin, as few as the bound allows.
func TestControls(t *testing.T) {
	path := testkit.Base(t) // which lies in the home that there is
	t.Setenv("STROKE_HOME", t.TempDir())
	b, err := openBase("smollm2-135m-instruct", path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	doc := func(text string) stroke.Document {
		return stroke.Document{Text: text, Hash: stroke.HashText(text), Words: 2000}
	}
	r := &run{b: b, o: &Options{}, recipe: DefaultRecipe(1800), ledger: &corpus.Ledger{}, words: map[stroke.Role]int{stroke.RoleTrain: 1800},
		emit: func(e stroke.Event) { t.Errorf("it tells %+v", e) }, train: []stroke.Document{doc("We walked to the harbour.")}, judge: []stroke.Document{doc("The bell rang twice.")}}
	s, err := r.controls()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.start) != 0 || len(s.controls) < 3 {
		t.Fatalf("%d controls, a start of %d", len(s.controls), len(s.start))
	}
	for _, c := range s.controls {
		if len(c.use) != 2 {
			t.Errorf("%s stands on %d adapters, and it was made on one", c.name, len(c.use)-1)
		}
	}
	// A genre of the user's that stands before the program's is not what they were made on.
	l, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	mine, dir := genreCard{genre.Card{Schema: 1, Name: "prose", Base: genre.Base{Name: b.name}}}, t.TempDir()
	if err := mine.putAdapter(dir, loud(b, 1, 0.01, 1), true); err != nil {
		t.Fatal(err)
	}
	if err := mine.put(dir, l.Dir(b.name, "prose"), false); err != nil {
		t.Fatal(err)
	}
	if g, err := l.Find(b.name, "prose"); err != nil || g.Embedded {
		t.Fatalf("the user's genre is not before the program's: %v", err)
	}
	again, err := r.controls()
	if err != nil || len(again.controls) != len(s.controls) {
		t.Fatalf("%d controls beside a user's genre of that name, and %d without: %v", len(again.controls), len(s.controls), err)
	}
	for i, c := range again.controls {
		if c.use[0].Adapter.Options.Rank != s.controls[i].use[0].Adapter.Options.Rank {
			t.Errorf("%s stands on a user's genre", c.name)
		}
	}
	pieceOf := func(text string) piece {
		return piece{plain: eval.Piece{Context: []int32{b.sep}, Tokens: b.tok.Encode(text), From: 3}}
	}
	pieces := []piece{pieceOf("The harbour was quiet in the morning, and the bell rang twice."), pieceOf("Nobody came out to look at it.")}
	first := len(pieces[0].plain.Tokens) + 1
	start, controls, err := b.beside(context.Background(), pieces, s, first*len(s.controls), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if start != nil || len(controls) != len(s.controls) {
		t.Fatalf("%d controls are scored, a start %v", len(controls), start)
	}
	var seen []float64
	for _, c := range controls {
		if len(c.Losses) != 1 || c.Losses[0].Tokens != len(pieces[0].plain.Tokens)-3 || math.IsNaN(c.Losses[0].Nats) {
			t.Errorf("%s: %+v", c.Name, c.Losses)
		}
		if slices.Contains(seen, c.Losses[0].Nats) {
			t.Errorf("%s computes what another does", c.Name)
		}
		seen = append(seen, c.Losses[0].Nats)
	}
	// On what a twin stands on, a control stands too, and what it stands on is scored.
	s.start = s.controls[0].use[:1]
	if start, _, err = b.beside(context.Background(), pieces, s, 1<<20, false, nil); err != nil || len(start) != 2 {
		t.Errorf("of the start there are %d: %v", len(start), err)
	}
	// What is trained otherwise has no controls.
	r.recipe.Method = Full
	if s, err := r.controls(); err != nil || len(s.controls) != 0 {
		t.Errorf("weights of the base have %d controls: %v", len(s.controls), err)
	}
}
