package twin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/twin/control"
)

// forget takes the prints out of a genre's card.
func forget(t *testing.T, g *genre.Genre) {
	t.Helper()
	card := g.Card
	card.Prints = nil
	b, err := json.Marshal(card)
	if err == nil {
		err = os.WriteFile(filepath.Join(g.Path, genre.CardFile), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestGenreLearnt holds that a genre which was made from the writer's own text is left
// out by auto, with all copies, that nothing is proven where it is named, and that what a
// twin has learnt is no genre.
func TestGenreLearnt(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	g := notes(t)
	made := build(t, g)
	b, err := openBase(g.Base, g.Base)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	a, err := b.genre(made)
	if err != nil {
		t.Fatal(err)
	}
	added(t, g.Base, "copy", a)
	if g, err := Library(); err != nil {
		t.Fatal(err)
	} else if c, err := g.Find(made.Base.Name, "copy"); err != nil || len(c.Prints) > 0 {
		t.Fatalf("of somebody else's text is known %v, %v", c.Prints, err)
	}
	source := writing(t, t.TempDir(), func(int) bool { return true })
	reading, err := corpus.Read(context.Background(), source, corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	other := *made
	other.Name, other.Prints = "other", control.Sample([]string{strings.Repeat("Nobody had told the gardener that the gate would be shut before the rain. ", 20)}, nil)
	if got := madeFrom([]genre.Genre{other, *made, {}}, reading.Documents); len(got) != 1 || got[0].Name != made.Name {
		t.Errorf("of three genres %d are made from this writing", len(got))
	}
	var h heard
	_, err = TryGenres(context.Background(), source, "", g.Base, h.take)
	code(t, err, stroke.CodeNotFound)
	if !strings.Contains(err.Error(), "were made from some of this writing") {
		t.Errorf("none is left, and it says %v", err)
	}
	for _, name := range []string{"notes", "copy"} {
		if !h.noted("left out the genre " + name + ": it was made from some of this writing") {
			t.Errorf("that %s is left out is not said", name)
		}
	}

	// Of a run that is cross-fitted it is said once, with what goes live.
	for _, ask := range []string{genre.Auto, "notes", "copy"} {
		o := options(t, source)
		o.Base, o.NoCrossFit = g.Base, false
		o.Change = func(r *Recipe) { small(r); r.Genre.Ask = ask }
		r, done, err := o.prepare(context.Background(), h.take)
		if err != nil {
			t.Fatal(err)
		}
		dealt := folds(r.all(), r.ledger)
		for p, want := range map[*run]bool{r.fold(0, dealt): false, r.part("all", r.all(), nil, nil): true} {
			h = nil
			p.emit = h.take
			if err := p.standOn(context.Background()); err != nil {
				t.Fatal(err)
			}
			if h.noted("made from some of this writing") != want {
				t.Errorf("--genre %s, judged by %d documents: %v", ask, len(p.judge), h)
			}
		}
		done()
	}

	// So it is where --on names the genre, or its adapter as somebody else would have it.
	exported := filepath.Join(t.TempDir(), "exported")
	if _, err := ExportGenre("notes", g.Base, exported); err != nil {
		t.Fatal(err)
	}
	alone := t.TempDir()
	if err := lora.WriteDir(alone, loud(b, 2, 0.01, 1).File(), tensor.F16); err != nil {
		t.Fatal(err)
	}
	for on, want := range map[string]bool{made.Path: true, exported: true, alone: false} {
		o := options(t, source)
		o.Base, o.On = g.Base, on
		h = nil
		r, done, err := o.prepare(context.Background(), h.take)
		if err != nil {
			t.Fatal(err)
		}
		below, err := r.learntBelow()
		if err != nil || (len(below) == len(r.all())) != want || (len(below) == 0) == want || h.noted("is a genre that was made from some of this writing") != want {
			t.Errorf("on %s: of %d documents %d were learnt, %v; %v", on, len(r.all()), len(below), err, h)
		}
		done()
	}

	o := options(t, source)
	o.Base = g.Base
	if got := events[stroke.GenreEvent](t, o); len(got) != 0 {
		t.Errorf("auto: %+v", got)
	}
	if testing.Short() {
		t.Skip("trains another twin")
	}
	o.To = filepath.Join(t.TempDir(), "named")
	o.Change = func(r *Recipe) { small(r); r.Genre.Ask = "notes" }
	var notes []stroke.NoteEvent
	var verdicts []stroke.VerdictEvent
	if err := Train(context.Background(), o, func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.NoteEvent:
			notes = append(notes, e)
		case stroke.VerdictEvent:
			verdicts = append(verdicts, e)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != 1 || !verdicts[0].Learnt {
		t.Errorf("the verdict does not say that judge text had been learnt: %+v", verdicts)
	}
	if !slices.ContainsFunc(notes, func(n stroke.NoteEvent) bool {
		return strings.Contains(n.Text, "the genre notes was made from some of this writing")
	}) {
		t.Errorf("it is not said before: %v", notes)
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Version("")
	if err != nil {
		t.Fatal(err)
	}
	if on := v.Recipe.Genre.On; len(on) != 1 || !on[0].Learnt || !v.Verdict.Unproven || !strings.Contains(v.Verdict.Why, "the genre notes was made from some of this writing, so that nothing of this is proven") {
		t.Errorf("it stands on %+v; %+v", on, v.Verdict)
	}

	h = nil
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction, ofLeakage, ofForgetting}}, h.take)
	if err != nil {
		t.Fatal(err)
	}
	if !h.noted("the genre notes, on which") || strings.Contains(r.Subtitle(), "never seen") || !strings.Contains(r.Subtitle(), "the genre notes that the twin stands on had learnt some") {
		t.Errorf("it says %q", r.Subtitle())
	}
	for _, line := range r.Lines() {
		if want := line.Measure != ofForgetting; strings.Contains(line.Answer, fmt.Sprintf(restsOnMade, "notes")) != want && line.State != "unsaid" {
			t.Errorf("%s: %q", line.Measure, line.Answer)
		}
	}
	if page, err := r.HTML(); err != nil || bytes.Contains(page, []byte("never saw")) {
		t.Errorf("the page says that training never saw what the genre was made from: %v", err)
	}
	h = nil
	blind, err := OpenBlind(context.Background(), BlindOptions{Name: f.Dir, Pairs: 1, Words: 6}, h.take)
	if err != nil {
		t.Fatal(err)
	}
	blind.Close()
	if !h.noted("the genre notes, on which") {
		t.Error("the blind test says nothing of it")
	}

	own := filepath.Join(f.Dir, versionsDir, v.ID, adapterDir)
	link := filepath.Join(t.TempDir(), "letters")
	from := []string{own, filepath.Dir(own), filepath.Join(own, genre.WeightsFile)}
	if os.Symlink(own, link) == nil {
		from = append(from, link)
	}
	for _, from := range from {
		_, err := AddGenre(context.Background(), AddOptions{From: from, Name: "letters", Base: g.Base}, nil)
		if stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(err.Error(), "has learnt of its writer, and no genre") {
			t.Errorf("%s is added: %v", from, err)
		}
	}
	for _, from := range []string{"https://example.com/versions/1/adapter.zip", filepath.Join(t.TempDir(), "none"), source} {
		if dir := twinOf(from); dir != "" {
			t.Errorf("%s is of the twin in %s", from, dir)
		}
	}
}
