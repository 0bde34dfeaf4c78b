package twin

import (
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/model"
)

// TestLookName tells trainings apart by what they were asked for and by what judges
// them, and not by what is measured on the way.
func TestLookName(t *testing.T) {
	named := func(change func(*Recipe), crossed bool) string {
		r := &run{recipe: DefaultRecipe(5000), b: &baseModel{model: &model.Model{}}, o: &Options{}, ledger: &corpus.Ledger{}}
		r.recipe.Genre.On = []StandsOn{{Name: "notes", SHA256: "1", Strength: 1, Gain: 0.1}}
		if change != nil {
			change(&r.recipe)
		}
		return r.lookName(nil, crossed)
	}
	name := named(nil, false)
	for what, c := range map[string]struct {
		change  func(*Recipe)
		crossed bool
		same    bool
	}{
		"again":               {nil, false, true},
		"another gain":        {func(r *Recipe) { r.Genre.On[0].Gain = 0.2 }, false, true},
		"another prompt":      {func(r *Recipe) { r.Prompt.Tokens = 7 }, false, true},
		"another genre":       {func(r *Recipe) { r.Genre.On[0].SHA256 = "2" }, false, false},
		"another seed":        {func(r *Recipe) { r.Options.Seed++ }, false, false},
		"judged by its folds": {nil, true, false},
	} {
		if got := named(c.change, c.crossed); (got == name) != c.same {
			t.Errorf("%s: %s beside %s", what, got, name)
		}
	}
}

// TestLookNameOfEarlier takes a training for the one that judged the same documents before
// its base was known by a sample, and for that alone.
func TestLookNameOfEarlier(t *testing.T) {
	judges := []stroke.Document{{Hash: "1"}, {Hash: "2"}}
	r := &run{recipe: DefaultRecipe(5000), b: &baseModel{model: &model.Model{}}, o: &Options{}, ledger: &corpus.Ledger{Entries: []corpus.Entry{{Hash: "1"}, {Hash: "2"}, {Hash: "3"}}}}
	for _, crossed := range []bool{false, true} {
		r.b.sample = ""
		earlier := r.lookName(judges, crossed)
		r.b.sample = "a"
		if got := r.lookName(judges, crossed); got == earlier {
			t.Errorf("a first look, crossed %v, has the name of no sample", crossed)
		}
		r.ledger.Judged([]string{"3"}, earlier)
		if got := r.lookName(judges, crossed); got == earlier {
			t.Errorf("a look at other documents, crossed %v, has its name", crossed)
		}
		r.ledger.Judged([]string{"2"}, earlier)
		if got := r.lookName(judges, crossed); got != earlier {
			t.Errorf("the same training, crossed %v, is called %s and was %s", crossed, got, earlier)
		}
	}
}
