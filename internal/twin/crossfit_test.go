package twin

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// crossed are options of a run that is cross-fitted.
func crossed(t *testing.T) Options {
	o := options(t, writing(t, filepath.Join(t.TempDir(), "writing"), func(i int) bool { return i%3 == 0 }))
	o.NoCrossFit = false
	return o
}

// TestFolds follows hashes: every document is judged once, by a twin that has not
// seen it in an example, among its passages or to choose by, and what stands before a
// text that is begun in it is not of it; what goes live is trained on all.
func TestFolds(t *testing.T) {
	o := crossed(t)
	t.Run("toy", func(t *testing.T) { followFolds(t, o) })
	o.Base = testkit.Base(t)
	t.Run("real", func(t *testing.T) { followFolds(t, o) })
}

func followFolds(t *testing.T, o Options) {
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	r.recall()
	if !r.crossFits() {
		t.Fatal("so little text is not cross-fitted")
	}
	said := ""
	within, emit := r.o.Within, r.emit
	r.o.Within, r.emit = time.Nanosecond, func(e stroke.Event) {
		if n, ok := e.(stroke.NoteEvent); ok {
			said = n.Text
		}
	}
	if r.crossFits() || !strings.Contains(said, "m, and --within is") {
		t.Errorf("where the time does not allow it, it is cross-fitted: %q", said)
	}
	r.o.Within = within
	ledger := r.ledger
	r.ledger = &corpus.Ledger{Entries: slices.Clone(ledger.Entries)}
	for i := range r.ledger.Entries {
		r.ledger.Entries[i].Cluster = r.ledger.Entries[0].Hash
	}
	if r.crossFits() || !strings.Contains(said, "do not part into three") {
		t.Errorf("where all documents share much, it is cross-fitted: %q", said)
	}
	r.ledger, r.emit = ledger, emit
	dealt := folds(r.all(), r.ledger)
	judged := map[string]int{}
	const long = 30
	for k := range dealt {
		p := r.fold(k, dealt)
		if len(p.train) == 0 || len(p.choose) == 0 || len(p.judge) == 0 {
			t.Fatalf("fold %d: %d, %d and %d documents", k, len(p.train), len(p.choose), len(p.judge))
		}
		if p.much() != wordsOf(r.all()) {
			t.Errorf("fold %d has the recipe for %d words, and what goes live that for %d", k, p.much(), wordsOf(r.all()))
		}
		seen := map[string]bool{}
		for _, d := range slices.Concat(p.train, p.choose) {
			seen[d.Hash] = true
		}
		epochs, err := p.examples()
		if err != nil {
			t.Fatal(err)
		}
		learnt := map[string]bool{}
		for _, e := range epochs {
			for _, x := range e {
				maps.Copy(learnt, runs(x.Tokens, long))
			}
		}
		places := foldOpenings(p.judge)
		if len(places) < 2 {
			t.Errorf("fold %d begins %d texts", k, len(places))
		}
		m := &measured{b: p.b, passages: p.passages}
		stood := 0
		for i, ids := range m.before(places, p.passages, 1<<20) {
			stood += len(ids)
			if o := places[i]; shared(runs(p.b.tok.Encode(o.doc.Text), long), runs(ids, long)) || seen[o.doc.Hash] || !slices.ContainsFunc(p.judge, func(d stroke.Document) bool { return d.Hash == o.doc.Hash }) {
				t.Errorf("fold %d begins a text in %s and is given of it", k, o.doc.Source)
			}
		}
		if stood == 0 {
			t.Errorf("fold %d is given no passages", k)
		}
		for _, d := range p.judge {
			judged[d.Hash]++
			text := runs(p.b.tok.Encode(d.Text), long)
			if seen[d.Hash] || shared(text, learnt) || shared(text, runs(p.passages.find(d.Text, nil, 1<<20), long)) {
				t.Errorf("fold %d judges %s and has seen it", k, d.Source)
			}
			if e, _ := r.ledger.Entry(d.Hash); e.Cluster != "" {
				for _, s := range slices.Concat(p.train, p.choose) {
					if x, _ := r.ledger.Entry(s.Hash); x.Cluster == e.Cluster {
						t.Errorf("fold %d judges %s and has seen its near duplicate", k, d.Source)
					}
				}
			}
		}
	}
	for _, d := range r.all() {
		if judged[d.Hash] != 1 {
			t.Errorf("%s is judged %d times", d.Source, judged[d.Hash])
		}
	}
	if again := folds(r.all(), r.ledger); !reflect.DeepEqual(again, dealt) {
		t.Error("folds are dealt otherwise the next time")
	}
}

// TestFoldTexts lets the real base write from a document of a fold: it goes on from the
// opening, is given passages of the other folds, and writes the same again.
func TestFoldTexts(t *testing.T) {
	o := crossed(t)
	o.Base = testkit.Base(t)
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	p := r.fold(1, folds(r.all(), r.ledger))
	short := slices.MaxFunc(p.judge, func(a, b stroke.Document) int { return cmp.Compare(a.Words, b.Words) })
	short.Text = likeness.Head(short.Text, textGiven+textLeast)
	p.judge = []stroke.Document{short}
	l := &learnt{adapter: lora.New(r.b.model.Shape(), lora.Options{Rank: 2, Alpha: 2}, 1, nil)}
	list, err := p.foldTexts(context.Background(), l, 1)
	if err != nil {
		t.Fatal(err)
	}
	one := func(s string) string { return strings.Join(strings.Fields(s), " ") } // line
	if len(list) != 1 || list[0].Fold != 1 || list[0].Group != short.Hash || !strings.Contains(one(short.Text), one(list[0].Opening+" "+list[0].Own)) {
		t.Fatalf("%+v", list)
	}
	if n := len(strings.Fields(list[0].Twin)); n < textLeast {
		t.Errorf("it wrote %d words: %q", n, list[0].Twin)
	}
	if again, err := p.foldTexts(context.Background(), l, 1); err != nil || !reflect.DeepEqual(again, list) {
		t.Errorf("again it wrote %+v, %v", again, err)
	}
}

// TestCrossFit runs one whole, and one that is stopped in every part and gone on
// with, and wants the same adapter and the same verdict of both.
func TestCrossFit(t *testing.T) {
	if testing.Short() {
		t.Skip("trains four twins")
	}
	o := crossed(t)
	var forecast []stroke.ForecastEvent
	var last stroke.VerdictEvent
	told := &stepsTold{t: t}
	watch := func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.ForecastEvent:
			forecast = append(forecast, e)
			told = &stepsTold{t: t, forecast: e}
		case stroke.VerdictEvent:
			last = e
		case stroke.StepEvent:
			told.step(e)
		}
	}
	if err := Train(context.Background(), o, watch); err != nil {
		t.Fatal(err)
	}
	told.end()
	steps := told.count
	if off := float64(forecast[0].Steps) / float64(steps); off < 0.8 || off > 2 { // the last part may end at an earlier epoch
		t.Errorf("of %d steps %d were forecast", steps, forecast[0].Steps)
	}
	if len(forecast) != 1 || forecast[0].Folds != crossFolds || forecast[0].Seconds <= 0 {
		t.Errorf("the forecasts are %+v", forecast)
	}
	if last.Folds != crossFolds || last.Look != 1 || last.Level != 0.95 || last.Units < 3 {
		t.Errorf("the verdict is %+v", last)
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Version("")
	if err != nil {
		t.Fatal(err)
	}
	l, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.Entries {
		if len(e.Verdicts) != 1 {
			t.Errorf("by %s %d verdicts were given", e.Source, len(e.Verdicts))
		}
	}
	if left, _ := os.ReadDir(filepath.Join(f.Dir, runDir)); len(left) > 4 {
		t.Errorf("%d files are left of the run", len(left))
	}

	p := o
	p.To = filepath.Join(t.TempDir(), "twin")
	stops := 0
	for n := 1; ; n++ {
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		var again stroke.VerdictEvent
		told := &stepsTold{t: t}
		err := Train(ctx, p, func(e stroke.Event) {
			switch e := e.(type) {
			case stroke.ForecastEvent:
				told.forecast = e
			case stroke.StepEvent:
				told.step(e)
				if seen++; seen == max(steps/3, 1) {
					cancel()
				}
			case stroke.VerdictEvent:
				again = e
			}
		})
		cancel()
		p.Resume = true
		if err == nil {
			told.end()
			if again.Gain != last.Gain || again.Why != last.Why || again.Units != last.Units {
				t.Errorf("stopped and gone on with it is %+v, in one go %+v", again, last)
			}
			break
		}
		if stroke.CodeOf(err) != stroke.CodeInterrupted {
			t.Fatal(err)
		}
		if stops++; stops > 20 {
			t.Fatal("it never ends")
		}
		if stops == 1 {
			withheld := p
			withheld.NoCrossFit = true
			err := Train(context.Background(), withheld, func(stroke.Event) {})
			if code(t, err, stroke.CodeInput); !strings.Contains(err.Error(), "is cross-fitted") {
				t.Errorf("without folds it goes on: %v", err)
			}
		}
	}
	if stops < 2 {
		t.Errorf("it was stopped %d times only", stops)
	}
	g, err := Open(p.To)
	if err != nil {
		t.Fatal(err)
	}
	w, err := g.Version("")
	if err != nil {
		t.Fatal(err)
	}
	for name := range v.Adapter {
		a, err := os.ReadFile(filepath.Join(f.Dir, versionsDir, v.ID, adapterDir, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(g.Dir, versionsDir, w.ID, adapterDir, name))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s has other bytes after the stops: %v", name, err)
		}
	}

	// Another run on the same text is another look; the same once more is none.
	q := o
	q.Change = func(r *Recipe) { small(r); r.Options.Seed = 5 }
	for look := 2; look <= 2; look++ {
		if err := Train(context.Background(), q, watch); err != nil {
			t.Fatal(err)
		}
		if last.Look != look || !(last.Level > 0.95) {
			t.Errorf("another recipe is look %d at %g", last.Look, last.Level)
		}
	}
	if err := Train(context.Background(), o, watch); err != nil {
		t.Fatal(err)
	}
	if last.Look != 1 {
		t.Errorf("the first again is look %d", last.Look)
	}
}

// TestPool puts parts together so that what was scored under the controls comes
// first.
func TestPool(t *testing.T) {
	losses := func(xs ...float64) (out []eval.Loss) {
		for _, x := range xs {
			out = append(out, eval.Loss{Nats: x, Tokens: 1})
		}
		return out
	}
	a := &evidence{Groups: []string{"i", "j", "j"}, Start: losses(10), Controls: []verdict.Control{{Name: "x", Losses: losses(20)}, {Name: "y", Losses: losses(30)}}}
	b := &evidence{Groups: []string{"k", "l"}, Controls: []verdict.Control{{Name: "x", Losses: losses(21, 22)}}}
	for c := range a.Losses {
		a.Losses[c], b.Losses[c] = losses(1, 2, 3), losses(4, 5)
	}
	p := pool([]*evidence{a, b})
	want := losses(1, 4, 5, 2, 3)
	for c := range p.Losses {
		if !reflect.DeepEqual(p.Losses[c], want) {
			t.Errorf("%v", p.Losses[c])
		}
	}
	if want := []string{"i", "k", "l", "j", "j"}; !slices.Equal(p.Groups, want) {
		t.Errorf("documents %q, want %q", p.Groups, want)
	}
	if !reflect.DeepEqual(p.Start, losses(10, 4, 5)) {
		t.Errorf("starts %v", p.Start)
	}
	if len(p.Controls) != 1 || !reflect.DeepEqual(p.Controls[0].Losses, losses(20, 21, 22)) {
		t.Errorf("controls %v", p.Controls)
	}
}

// TestSampled finds what repeats its text, and does not find one that does not.
func TestSampled(t *testing.T) {
	o := options(t, writing(t, filepath.Join(t.TempDir(), "writing"), func(i int) bool { return i%2 == 0 }))
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	l := &learnt{adapter: lora.New(r.b.model.Shape(), lora.Options{Rank: 2, Alpha: 2}, 1, nil)}
	copier, _, looked, err := r.b.sampled(context.Background(), l, r.train, r.judge, 1, false)
	if err != nil || copier != "" || !looked {
		t.Errorf("one that has learnt nothing copies: %q, %v, %v", copier, looked, err)
	}
	if _, _, looked, err := r.b.sampled(context.Background(), l, nil, r.judge, 1, false); err != nil || looked {
		t.Errorf("without openings: %v, %v", looked, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, _, err := r.b.sampled(ctx, l, r.train, r.judge, 1, false); err == nil || !strings.Contains(err.Error(), "cancel") {
		t.Errorf("stopped: %v", err)
	}
}

// crossedOnGenre is a cross-fitted run with one genre to choose from, "fine", and its base.
func crossedOnGenre(t *testing.T) (Options, *baseModel) {
	t.Helper()
	o := crossed(t)
	b, err := openBase(o.Base, o.Base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	added(t, o.Base, "fine", loud(b, 2, 0.01, 9))
	o.Change = func(r *Recipe) {
		small(r)
		r.Genre = Stage{Ask: genre.Auto, As: AsLayer, Strength: 1}
	}
	return o, b
}

// TestCrossFitGenre: each fold chooses what it stands on by its own text, and what goes
// live by all of it.
func TestCrossFitGenre(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	o, _ := crossedOnGenre(t)
	told := events[stroke.GenreEvent](t, o)
	if len(told) != crossFolds+1 {
		t.Fatalf("of %d folds and all text %d chose", crossFolds, len(told))
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Version("")
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Recipe.Genre; got.Ask != genre.Auto || got.title() == "" || got.title() != told[crossFolds].Name {
		t.Errorf("%s was chosen by all text, and what goes live stands on %+v", told[crossFolds].Name, got)
	}
	o.Resume = true
	if steps := events[stroke.StepEvent](t, o); len(steps) > 0 {
		t.Errorf("a run that had ended trained %d steps more", len(steps))
	}
}

// TestCrossFitRecipe: between the words to train on and all of them lies the bound of two
// recipes, and the one that is shown is the one that is told and used, also by what goes on
// with a run that had ended.
func TestCrossFitRecipe(t *testing.T) {
	o := options(t, writing(t, filepath.Join(t.TempDir(), "writing"), func(i int) bool { return i < 13 }))
	o.NoCrossFit = false
	o.Change = func(r *Recipe) {
		small(r)
		r.Genre.Ask = genre.None
	}
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	all := wordsOf(r.all())
	done()
	if r.recipe.Name != "base-little" || r.ofAll.Name != "base-much" {
		t.Fatalf("of %d words, %d of them to train on", all, wordsOf(r.train))
	}
	shown, err := ShowRecipe(context.Background(), o, func(stroke.Event) {})
	if err != nil || shown.Name != r.ofAll.Name {
		t.Errorf("%s is shown: %v", shown.Name, err)
	}
	told := events[stroke.ForecastEvent](t, o)
	if len(told) != 1 || told[0].Recipe != r.ofAll.Name || !strings.Contains(told[0].Why, fmt.Sprintf("here are %d", all)) {
		t.Errorf("of %d words is told %+v", all, told)
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Version(""); err != nil || v.Recipe.Name != r.ofAll.Name || !reflect.DeepEqual(v.Recipe.Mix, shown.Mix) {
		t.Errorf("trained by %+v: %v", v, err)
	}
	o.Resume = true
	if steps := events[stroke.StepEvent](t, o); len(steps) > 0 {
		t.Errorf("a run that had ended trained %d steps more", len(steps))
	}
}

// TestShowFewDocuments shows the recipe of what is trained on alone where so few documents
// of a writer are left that they are not cross-fitted.
func TestShowFewDocuments(t *testing.T) {
	o := options(t, t.TempDir())
	o.Change = func(r *Recipe) { small(r); r.Genre.Ask = genre.None }
	for i := range 14 {
		if err := os.WriteFile(filepath.Join(o.Source, fmt.Sprintf("%d.md", i)), []byte(chapter(uint64(i), 890).Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	done()
	all := slices.Concat(r.judge[:2], r.choose[:1], r.train, r.choose[1:], r.judge[2:])
	for len(all) > 2*crossFolds-1 {
		if err := os.Remove(filepath.Join(o.Source, all[len(all)-1].Source)); err != nil {
			t.Fatal(err)
		}
		all = all[:len(all)-1]
	}
	o.NoCrossFit = false
	if r, done, err = o.prepare(context.Background(), func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	done()
	if len(r.all()) != len(all) || r.crossFits() || r.recipe.Name == r.ofAll.Name {
		t.Fatalf("%d documents of %d words, %s and %s", len(r.all()), wordsOf(r.all()), r.recipe.Name, r.ofAll.Name)
	}
	if shown, err := ShowRecipe(context.Background(), o, func(stroke.Event) {}); err != nil || shown.Name != r.recipe.Name {
		t.Errorf("%s is shown, and %s is used: %v", shown.Name, r.recipe.Name, err)
	}
}

// TestUnitsForetold holds what is foretold of units against what they are.
func TestUnitsForetold(t *testing.T) {
	for _, every := range []int{1, 2, 3} {
		o := crossed(t)
		writing(t, o.Source, func(i int) bool { return i%every == 0 })
		r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		done()
		if is, told := r.units(), unitsForetold(r.judge); told < is*2/3 || told > is*3/2 {
			t.Errorf("%d units are foretold, and there are %d", told, is)
		}
	}
}

// TestCrossFitGenreResume stops a cross-fitted run, changes the library, and goes on:
// what was added since is not looked at, what was deleted is asked for where it is still
// to be chosen from, and not where all has been chosen.
func TestCrossFitGenreResume(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	o, b := crossedOnGenre(t)
	// stop trains until so many parts have chosen and the last of them trains.
	stop := func(parts int) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		err := Train(ctx, o, func(e stroke.Event) {
			switch e.(type) {
			case stroke.GenreEvent:
				parts--
			case stroke.StepEvent:
				if parts <= 0 {
					cancel()
				}
			}
		})
		if stroke.CodeOf(err) != stroke.CodeInterrupted {
			t.Fatalf("stopped: %v", err)
		}
	}
	remove := func() {
		t.Helper()
		if _, err := RemoveGenre("fine", o.Base, func(stroke.Event) {}); err != nil {
			t.Fatal(err)
		}
	}
	stop(2)
	o.Resume = true
	remove()
	for _, what := range []string{"which is not there any more", "which is another now"} {
		if err := Train(context.Background(), o, func(stroke.Event) {}); stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(err.Error(), "fine, "+what) || stroke.HintOf(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
		if what == "which is not there any more" {
			added(t, o.Base, "fine", loud(b, 2, 0.02, 9))
		}
	}
	remove()
	added(t, o.Base, "fine", loud(b, 2, 0.01, 9))
	added(t, o.Base, "late", loud(b, 2, 0.01, 7))
	chose := 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := Train(ctx, o, func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.GenreEvent:
			if e.By == "" {
				return // that of a part which was begun
			}
			if chose++; len(e.Tried) != 1 || e.Tried[0].Name != "fine" {
				t.Errorf("after %d parts were told of: %+v", chose, e.Tried)
			}
		case stroke.StepEvent:
			if chose == 2 { // the last fold and all text
				cancel()
			}
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted {
		t.Fatalf("stopped again: %v", err)
	}
	remove()
	if told := events[stroke.GenreEvent](t, o); len(told) != 1 || told[0].Name != "fine" || told[0].By != "" {
		t.Errorf("all has been chosen, and it is told of: %+v", told)
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(f.Dir, runDir, amongFile)); !os.IsNotExist(err) {
		t.Errorf("what there was to choose from is still kept: %v", err)
	}
}

// TestFirstUnit keeps near duplicates together where one is to choose by.
func TestFirstUnit(t *testing.T) {
	l := &corpus.Ledger{Entries: []corpus.Entry{{Hash: "a", Cluster: "a"}, {Hash: "b"}, {Hash: "c", Cluster: "a"}}}
	first, others := firstUnit([]stroke.Document{{Hash: "a"}, {Hash: "b"}, {Hash: "c"}}, l)
	if len(first) != 2 || first[1].Hash != "c" || len(others) != 1 || others[0].Hash != "b" {
		t.Errorf("%v and %v", first, others)
	}
}

// TestTaken holds that no epoch is trained behind the one that is taken.
func TestTaken(t *testing.T) {
	source := writing(t, t.TempDir(), func(int) bool { return true })
	learn := func(take int) (l *learnt, epoch, last int) {
		o := options(t, source)
		o.Change = func(r *Recipe) { small(r); r.Epochs = 3 }
		r, done, err := o.prepare(context.Background(), func(e stroke.Event) {
			if s, ok := e.(stroke.StepEvent); ok {
				last = s.Epoch
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		r.recall()
		r.take = take
		if l, epoch, _, err = r.learn(context.Background()); err != nil {
			t.Fatal(err)
		}
		return l, epoch, last
	}
	one, epoch, last := learn(1)
	if epoch != 1 || last != 1 {
		t.Errorf("epoch %d is taken, and %d were trained", epoch, last)
	}
	two, epoch, last := learn(2)
	if epoch != 2 || last != 2 {
		t.Errorf("epoch %d is taken, and %d were trained", epoch, last)
	}
	if reflect.DeepEqual(one.adapter.Pairs, two.adapter.Pairs) {
		t.Error("the first epoch and the second have the same bytes")
	}
}
