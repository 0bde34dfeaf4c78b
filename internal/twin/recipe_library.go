package twin

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/model"
)

// Recipes are data: each file says what it changes of the plain one, for whom it
// is, and why.

//go:embed recipes/*.toml
var recipeFiles embed.FS

// Named is a recipe of the library, or of a file.
type Named struct {
	Name string `toml:"name" json:"name"`
	For  string `toml:"for" json:"for"`
	Why  string `toml:"why" json:"why"`
	// Start is what it is the default from: StartBase or StartGenre; empty for
	// none.
	Start string `toml:"start" json:"start,omitempty"`
	// From and To bound the words of train text it is the default for: from From
	// to below To, which is 0 for no end.
	From int `toml:"from" json:"from"`
	To   int `toml:"to" json:"to"`
	// Set has fields of the recipe by the names that they have in its JSON.
	Set map[string]any `toml:"set" json:"set,omitempty"`

	set []byte // Set as JSON
}

// Where a twin's adapter begins.
const (
	StartBase  = "base"
	StartGenre = "genre"
)

// parseRecipe reads a named recipe; file is what errors call it.
func parseRecipe(file string, b []byte) (*Named, error) {
	n := &Named{}
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(n)
	for _, k := range meta.Undecoded() {
		if err == nil && k[0] != "set" { // those are looked at as fields of a recipe
			err = fmt.Errorf("it has the key %s, which is not known", k)
		}
	}
	if err == nil {
		n.set, err = json.Marshal(n.Set)
	}
	if err == nil {
		err = n.check()
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe " + file + " cannot be used", Err: err,
			Hint: "stroke recipe show " + plainName + " prints every field; docs/RECIPES.md describes the file"}
	}
	return n, nil
}

func (n *Named) check() error {
	switch {
	case n.Name == "" || strings.ContainsAny(n.Name, "/\\ \t\n"):
		return fmt.Errorf("its name is %q: it must be one word", n.Name)
	case n.Start != "" && n.Start != StartBase && n.Start != StartGenre:
		return fmt.Errorf("it starts from %q: it can start from base or genre", n.Start)
	case n.From < 0 || n.To < 0 || n.To != 0 && n.To <= n.From:
		return fmt.Errorf("it is for %d to %d words", n.From, n.To)
	}
	r := n.changed()
	if err := SetRecipe(&r, n.set); err != nil {
		return err
	}
	return r.Validate()
}

// changed is what the file changes: the plain recipe, or that of the method it names
// where that trains weights of the base.
func (n *Named) changed() Recipe {
	r := plainRecipe()
	if m, ok := n.Set["method"].(string); ok && Method(m) != LoRA {
		r.Tune(Method(m), model.Selection{})
	}
	return r
}

// SetRecipe sets the fields of a recipe that a JSON object names, by the names
// that they have in a recipe's JSON; one that is not known is an error.
func SetRecipe(r *Recipe, set []byte) error {
	if len(set) == 0 || string(set) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(set))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		return fmt.Errorf("set the recipe: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("set the recipe: something stands behind it")
	}
	return nil
}

// Apply makes r the recipe: the plain one, changed as its file says. What r is to
// stand on stays where the file says nothing of it, and the shape of the adapter that it
// starts from whatever the file says; weights of the base stand on no genre.
func (n *Named) Apply(r *Recipe) {
	next := n.changed()
	next.On, next.OnHash, next.OnConfig = r.On, r.OnHash, r.OnConfig
	if next.Method == LoRA {
		next.Genre = r.Genre
	}
	if err := SetRecipe(&next, n.set); err != nil {
		panic(fmt.Sprintf("twin: the recipe %s was checked and cannot be set: %v", n.Name, err))
	}
	if s := &r.Genre; next.Method == LoRA && s.As == AsStart && len(s.On) > 0 {
		next.Options.LoRA = next.Options.LoRA.Like(r.Options.LoRA)
	}
	next.Name = n.Name
	*r = next
}

// Recipe is the whole recipe.
func (n *Named) Recipe() Recipe {
	r := plainRecipe()
	n.Apply(&r)
	return r
}

// NamedRecipes are those of the program, in the order of their files.
func NamedRecipes() ([]*Named, error) {
	entries, err := fs.ReadDir(recipeFiles, "recipes")
	if err != nil {
		return nil, fmt.Errorf("read recipes: %w", err)
	}
	var out []*Named
	for _, e := range entries {
		b, err := fs.ReadFile(recipeFiles, path.Join("recipes", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read recipes: %w", err)
		}
		n, err := parseRecipe(e.Name(), b)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// recipesHash is the hash of all that the program's recipes come to, whatever is said
// for them.
func recipesHash() (string, error) {
	list, err := NamedRecipes()
	if err != nil {
		return "", err
	}
	return hashRecipes(list)
}

func hashRecipes(list []*Named) (string, error) {
	var all []any
	for _, n := range list {
		all = append(all, n.Name, n.Start, n.From, n.To, n.Recipe())
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("hash the recipes: %w", err)
	}
	return stroke.HashText(string(b)), nil
}

// mostRecipeFile is the largest file of a recipe, in bytes.
const mostRecipeFile = 1 << 20

// FindRecipe is the recipe of that name, or in the file at that path.
func FindRecipe(name string) (*Named, error) {
	list, err := NamedRecipes()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range list {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	b, err := readAtMost(name, mostRecipeFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("there is no recipe %q", name), Hint: "name a file, or one of " + strings.Join(names, ", ")}
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe " + name + " cannot be read", Err: err, Hint: "see whether it is a file that can be read, or name one of " + strings.Join(names, ", ")}
	}
	return parseRecipe(name, b)
}

// pick is the default recipe for a start and a number of words of train text.
func pick(words int, start string) *Named {
	list, err := NamedRecipes()
	if err != nil {
		panic(fmt.Sprintf("twin: the program's own recipes: %v", err))
	}
	for _, n := range list {
		if n.Start == start && words >= n.From && (n.To == 0 || words < n.To) {
			return n
		}
	}
	panic(fmt.Sprintf("twin: no recipe is for %d words from a %s", words, start))
}

// Reason says why the recipe is taken, for a writer; Why has the reasons for what it sets.
func (n *Named) Reason(words int) string {
	if n.Start == "" {
		return n.Why
	}
	span := "any number of words"
	switch {
	case n.To != 0 && n.From == 0:
		span = fmt.Sprintf("fewer than %d words", n.To)
	case n.To != 0:
		span = fmt.Sprintf("%d to %d words", n.From, n.To)
	case n.From != 0:
		span = fmt.Sprintf("%d words and more", n.From)
	}
	on := "the bare base"
	if n.Start == StartGenre {
		on = "a genre"
	}
	return fmt.Sprintf("the one for %s on %s, and here are %d; stroke recipe show %s gives the reasons", span, on, words, n.Name)
}

// why says for what reason a run has its recipe; nothing where that is none of the
// library's.
func (r *run) why() string {
	list, err := NamedRecipes()
	i := slices.IndexFunc(list, func(n *Named) bool { return n.Name == r.recipe.Name })
	if err != nil || i < 0 {
		return ""
	}
	return list[i].Reason(r.much())
}
