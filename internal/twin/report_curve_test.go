package twin

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/twin/report"
)

// TestCurve demands twins of a quarter and a half of the train text, the smaller
// within the larger, judged by the documents of the version; that a curve that was
// stopped goes on; and that nothing of it is there unless it is asked for.
func TestCurve(t *testing.T) {
	if testing.Short() {
		t.Skip("trains several twins")
	}
	f, _ := trained(t, options(t, writing(t, t.TempDir(), func(int) bool { return true })))
	o := ReportOptions{Name: f.Dir, Measures: []string{ofPrediction}}
	r, _, err := Report(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Curve != nil {
		t.Error("a curve was not asked for")
	}
	o.Curve = true
	ctx, cancel := context.WithCancel(context.Background())
	made := map[string]int{}
	emit := func(e stroke.Event) {
		if m, ok := e.(stroke.MeasureEvent); ok && !m.Kept {
			if made[m.Measure]++; m.Measure == "curve-25" && made[m.Measure] == 2 {
				cancel()
			}
		}
	}
	if _, _, err := Report(ctx, o, emit); stroke.CodeOf(err) != stroke.CodeInterrupted {
		t.Fatalf("stopped: %v", err)
	}
	if r, _, err = Report(context.Background(), o, func(e stroke.Event) {
		if m, ok := e.(stroke.MeasureEvent); ok && m.Measure == "curve-50" && !m.Kept {
			t.Error("half of the text is trained on again")
		}
	}); err != nil {
		t.Fatal(err)
	}
	c := r.Curve
	if c == nil || len(c.Points) != 3 {
		t.Fatalf("%+v", c)
	}
	for i, p := range c.Points {
		if i > 0 && p.Words <= c.Points[i-1].Words || math.IsNaN(p.Both.Mean) {
			t.Errorf("point %d: %+v", i, p)
		}
	}
	if all := c.Points[2]; all.Both.Mean != r.Prediction.Both.Gain.Mean || all.Words != r.Words.Train {
		t.Errorf("all of the text gains %v, the version %v", all.Both, r.Prediction.Both.Gain)
	}
	if c.Doubling.Mean == 0 || c.More.Mean/c.Doubling.Mean <= 0 {
		t.Errorf("doubling %v, more %v", c.Doubling, c.More)
	}
}

// TestCurveOfLittle wants it said why there is none.
func TestCurveOfLittle(t *testing.T) {
	for why, p := range map[string]*reporter{
		"too little":    {measured: &measured{v: &Version{Recipe: DefaultRecipe(400)}, train: []stroke.Document{{Words: 400}}, ledger: &corpus.Ledger{}}},
		"one paragraph": {measured: &measured{b: &baseModel{}, v: &Version{Recipe: DefaultRecipe(900), Words: 900}, train: []stroke.Document{{Words: 900, Text: strings.Repeat("word ", 900)}}, ledger: &corpus.Ledger{}}},
		"adapters":      {measured: &measured{v: &Version{Recipe: Recipe{Method: Full}}, train: []stroke.Document{{Words: 9000}}, ledger: &corpus.Ledger{}}},
	} {
		p.r = &report.Report{}
		if list := p.curve(nil); list != nil {
			t.Errorf("%s: %d stages", why, len(list))
		}
		if u := p.r.Unsaid; len(u) != 1 || u[0].Measure != ofCurve || !strings.Contains(u[0].Why, why) {
			t.Errorf("%s: %v", why, u)
		}
	}
}

// TestCurveOnAGenre holds that the twins of a curve have the recipe of the version,
// also where that stands on a genre: they take as many steps.
func TestCurveOnAGenre(t *testing.T) {
	if testing.Short() {
		t.Skip("trains several twins")
	}
	t.Setenv("STROKE_HOME", t.TempDir())
	g := notes(t)
	build(t, g)
	source := writing(t, t.TempDir(), func(int) bool { return true })
	steps := map[string]int{}
	for _, ask := range []string{"none", "notes"} {
		o := options(t, source)
		o.Base = g.Base
		o.Change = func(r *Recipe) {
			small(r)
			r.Genre.Ask, r.Options.TokensPerStep = ask, 700
		}
		f, v := trained(t, o)
		if len(v.Recipe.Genre.On) != map[string]int{"notes": 1}[ask] {
			t.Fatalf("asked for %s, it stands on %v", ask, v.Recipe.Genre.On)
		}
		if _, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction}, Curve: true}, func(e stroke.Event) {
			if m, ok := e.(stroke.MeasureEvent); ok && m.Measure == "curve-50" {
				steps[ask] = m.Total
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if steps["none"] == 0 || steps["notes"] != steps["none"] {
		t.Errorf("steps and what is scored: %v", steps)
	}
	// Without the genre there is no curve, and all else is measured.
	o := options(t, source)
	o.Base = g.Base
	o.Change = func(r *Recipe) {
		small(r)
		r.Genre.Ask = "notes"
	}
	f, _ := trained(t, o)
	if _, err := RemoveGenre("notes", g.Base, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction}, Curve: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	why := ""
	for _, u := range r.Unsaid {
		if u.Measure == ofCurve {
			why += u.Why + "."
		}
	}
	if r.Prediction == nil || r.Curve != nil || why != "the genre notes that the version stands on is gone, or another now." {
		t.Errorf("without the genre: %+v, and of the curve %q", r.Curve, why)
	}
}

// TestCurveOfFolds holds that a version that was cross-fitted, and so has seen what
// judges, is not a point of its curve: a twin of the train text alone is.
func TestCurveOfFolds(t *testing.T) {
	if testing.Short() {
		t.Skip("trains several twins")
	}
	f, _ := trained(t, crossed(t))
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction}, Curve: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Folds == 0 {
		t.Fatal("it was not cross-fitted")
	}
	l, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	train := wordsOf(f.Documents(l, stroke.RoleTrain))
	if r.Curve == nil || len(r.Curve.Points) != 3 || r.Curve.Points[2].Words != train || r.Curve.Points[2].Seconds == 0 {
		t.Errorf("of %d words to train on: %+v", train, r.Curve)
	}
}

// TestCurveOfParts draws the curve of a book by chapters, of which a few judge in
// several pieces each: twins of less text are judged by the same pieces.
func TestCurveOfParts(t *testing.T) {
	if testing.Short() {
		t.Skip("trains several twins")
	}
	dir := t.TempDir()
	for i := range 12 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.md", i)), []byte(chapter(uint64(i), longWords+400).Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, v := trained(t, options(t, dir))
	if v.Documents["judge"] >= fewUnits || v.Verdict.Units <= v.Documents["judge"] || v.Verdict.Unit != "blocks" {
		t.Fatalf("%v documents, judged by %d %s: %+v", v.Documents, v.Verdict.Units, v.Verdict.Unit, v.HeldOut)
	}
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction}, Curve: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := r.Curve
	if c == nil || len(c.Points) < 2 {
		t.Fatalf("%+v", c)
	}
	if all := c.Points[len(c.Points)-1]; all.Both.Mean != r.Prediction.Both.Gain.Mean {
		t.Errorf("all of the text gains %v, the version %v", all.Both, r.Prediction.Both.Gain)
	}
	if c.Units <= v.Documents["judge"] || c.Unit != "blocks" {
		t.Errorf("by %d %s", c.Units, c.Unit)
	}
}
