package twin

import (
	"testing"

	"github.com/getstroke/stroke/internal/model"
)

// TestLookName tells trainings apart by what they were asked for and by what judges
// them, and not by what is measured on the way.
func TestLookName(t *testing.T) {
	named := func(change func(*Recipe), crossed bool) string {
		r := &run{recipe: DefaultRecipe(5000), b: &baseModel{model: &model.Model{}}, o: &Options{}}
		r.recipe.Genre.On = []StandsOn{{Name: "notes", SHA256: "1", Strength: 1, Gain: 0.1}}
		if change != nil {
			change(&r.recipe)
		}
		return r.lookName(crossed)
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
