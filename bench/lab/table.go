package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/twin"
)

// table says which cells there are: every recipe with every number of words, seed
// and writer, in this order, so that a run that is stopped leaves whole rows.
type table struct {
	Base        string    `toml:"base"`
	JudgeTokens int       `toml:"judge_tokens"` // of a writer's judge text that are scored, at the most
	Prompts     []int     `toml:"prompts"`      // bounds on the passages that what was learnt is measured with, beside its own
	Strengths   []float64 `toml:"strengths"`    // of the writer's own part, measured beside 1
	Texts       bool      `toml:"texts"`        // write from openings of judge documents, and measure that
	Samplings   []drawing `toml:"sampling"`     // with texts: how they are drawn, beside the default
	Words       []int     `toml:"words"`        // that a method gets
	Seeds       []uint64  `toml:"seeds"`
	Writers     []writer  `toml:"writer"`
	Recipes     []recipe  `toml:"recipe"`
}

// writer is one whose text methods are measured on.
type writer struct {
	Name  string `toml:"name"`
	Path  string `toml:"path"`  // below the data folder
	Words []int  `toml:"words"` // the table's, where empty
}

// recipe is what a cell changes of a recipe.
type recipe struct {
	Name      string         `toml:"name"`
	Like      string         `toml:"like"`      // recipe of the library that it begins with; the default for the words where empty
	Method    string         `toml:"method"`    // full or partial, with that method's settings; lora where empty
	Untrained bool           `toml:"untrained"` // only the start is measured
	Words     []int          `toml:"words"`     // the table's, where empty
	Set       map[string]any `toml:"set"`       // fields by the names that they have in a recipe's JSON
}

// drawing is how texts are drawn: engine.Sampling but for the seed.
type drawing struct {
	Name        string  `toml:"name" json:"name"`
	Temperature float64 `toml:"temperature" json:"temperature"`
	TopK        int     `toml:"top_k" json:"top_k,omitempty"`
	TopP        float64 `toml:"top_p" json:"top_p,omitempty"`
	MinP        float64 `toml:"min_p" json:"min_p,omitempty"`
	Repeat      float64 `toml:"repeat" json:"repeat,omitempty"`
}

// samplings are those of the table as a cell is asked for them.
func (t *table) samplings() (out []twin.CellSampling) {
	for _, d := range t.Samplings {
		out = append(out, twin.CellSampling{Name: d.Name, Sampling: engine.Sampling{Temperature: d.Temperature, TopK: d.TopK, TopP: d.TopP, MinP: d.MinP, Repeat: d.Repeat}})
	}
	return out
}

// beside is what the table has measured of each cell beside its gains; nil for nothing.
func (t *table) beside() (json.RawMessage, error) {
	b, err := json.Marshal(struct {
		Prompts   []int     `json:"prompts,omitempty"`
		Strengths []float64 `json:"strengths,omitempty"`
		Texts     bool      `json:"texts,omitempty"`
		Samplings []drawing `json:"samplings,omitempty"`
	}{t.Prompts, t.Strengths, t.Texts, t.Samplings})
	if err != nil {
		return nil, fmt.Errorf("what is measured beside: %w", err)
	}
	if string(b) == "{}" {
		return nil, nil
	}
	return b, nil
}

// readTable reads a table and says what is wrong with it.
func readTable(path string) (*table, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the table: %w", err)
	}
	t := &table{Base: "smollm2-135m-instruct", JudgeTokens: 6000, Seeds: []uint64{1}}
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(t)
	if err == nil {
		for _, k := range meta.Undecoded() {
			if len(k) < 2 || k[0] != "recipe" || k[1] != "set" { // those are looked at as fields of a recipe
				err = fmt.Errorf("the key %s is not known", k)
			}
		}
	}
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return nil, fmt.Errorf("read the table %s: %w", path, err)
	}
	return t, nil
}

func (t *table) check() error {
	names := map[string]bool{}
	once := func(kind, name string) error {
		key := kind + " " + name
		if name == "" || names[key] {
			return fmt.Errorf("a %s is called %q: each must have a name of its own", kind, name)
		}
		names[key] = true
		return nil
	}
	for _, w := range t.Writers {
		if err := once("writer", w.Name); err != nil {
			return err
		}
		if w.Path == "" {
			return fmt.Errorf("the writer %s has no path", w.Name)
		}
	}
	for _, s := range t.samplings() {
		if err := once("sampling", s.Name); err != nil {
			return err
		}
		if err := s.Sampling.Validate(); err != nil {
			return fmt.Errorf("the sampling %s: %w", s.Name, err)
		}
	}
	for _, r := range t.Recipes {
		if err := once("recipe", r.Name); err != nil {
			return err
		}
		change, err := r.change(1)
		if err != nil {
			return err
		}
		x := twin.DefaultRecipe(2000)
		change(&x)
		if err := x.Validate(); err != nil {
			return fmt.Errorf("the recipe %s: %w", r.Name, err)
		}
	}
	for _, n := range slices.Concat(t.Words, flat(t.Writers, func(w writer) []int { return w.Words }), flat(t.Recipes, func(r recipe) []int { return r.Words })) {
		if n < 2*blockLeast {
			return fmt.Errorf("%d words are too few: the least is %d", n, 2*blockLeast)
		}
	}
	switch {
	case slices.ContainsFunc(t.Prompts, func(n int) bool { return n < 0 }):
		return errors.New("a bound on the passages is below 0")
	case slices.ContainsFunc(t.Strengths, func(x float64) bool { return !(x >= 0 && x <= 4) }):
		return errors.New("a strength is not from 0 to 4")
	case len(t.Samplings) > 0 && !t.Texts:
		return errors.New("there are samplings, and no texts = true")
	case len(t.Writers) == 0 || len(t.Recipes) == 0 || len(t.Words) == 0 || len(t.Seeds) == 0:
		return errors.New("there are no writers, recipes, words or seeds")
	case t.JudgeTokens < 200:
		return fmt.Errorf("%d judge tokens are too few", t.JudgeTokens)
	}
	return nil
}

func flat[T, E any](list []T, of func(T) []E) (out []E) {
	for _, x := range list {
		out = append(out, of(x)...)
	}
	return out
}

// change makes the difference a function on a recipe.
func (r *recipe) change(seed uint64) (func(*twin.Recipe), error) {
	set, err := json.Marshal(r.Set)
	if err != nil {
		return nil, fmt.Errorf("the recipe %s: %w", r.Name, err)
	}
	// What does not fit a recipe is found here, once.
	var like *twin.Named
	if r.Like != "" {
		if like, err = twin.FindRecipe(r.Like); err != nil {
			return nil, fmt.Errorf("the recipe %s: %w", r.Name, err)
		}
	}
	apply := func(to *twin.Recipe) error {
		if like != nil {
			like.Apply(to)
		}
		if r.Method != "" {
			to.Tune(twin.Method(r.Method), model.Selection{})
		}
		return twin.SetRecipe(to, set)
	}
	if err := apply(&twin.Recipe{}); err != nil {
		return nil, fmt.Errorf("the recipe %s: %w", r.Name, err)
	}
	return func(to *twin.Recipe) {
		if err := apply(to); err != nil {
			panic(fmt.Sprintf("lab: a recipe that could be set cannot: %v", err))
		}
		to.Options.Seed = seed
	}, nil
}

// cell is one experiment of a table.
type cell struct {
	Writer writer
	Recipe recipe
	Words  int
	Seed   uint64
}

// cells are those of the table: for each number of words and seed all writers, and
// for each of them all recipes, since these are compared.
func (t *table) cells() []cell {
	has := func(list []int, n int) bool { return len(list) == 0 || slices.Contains(list, n) }
	all := slices.Concat(t.Words, flat(t.Writers, func(w writer) []int { return w.Words }), flat(t.Recipes, func(r recipe) []int { return r.Words }))
	slices.Sort(all)
	var out []cell
	for _, n := range slices.Compact(all) {
		for _, seed := range t.Seeds {
			for _, w := range t.Writers {
				for _, r := range t.Recipes {
					wanted := slices.Contains(t.Words, n) || slices.Contains(w.Words, n) || slices.Contains(r.Words, n)
					if wanted && has(w.Words, n) && has(r.Words, n) {
						out = append(out, cell{w, r, n, seed})
					}
				}
			}
		}
	}
	return out
}
