package twin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
)

// TestNamedRecipes holds the program's recipes to what they are for: each can be used
// and found, says for whom and why, and for every number of words and each start exactly
// one is the default.
func TestNamedRecipes(t *testing.T) {
	list, err := NamedRecipes()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	edges := []int{0, 1, 1 << 30}
	for _, n := range list {
		if names[n.Name] || n.For == "" || n.Why == "" {
			t.Errorf("%s: for %q, why %q", n.Name, n.For, n.Why)
		}
		names[n.Name] = true
		r := n.Recipe()
		if err := r.Validate(); err != nil || r.Name != n.Name {
			t.Errorf("%s, called %q: %v", n.Name, r.Name, err)
		}
		if found, err := FindRecipe(n.Name); err != nil || found.For != n.For {
			t.Errorf("find %s: %v", n.Name, err)
		}
		edges = append(edges, n.From, n.To, max(n.To, 1)-1)
	}
	if !names[plainName] {
		t.Errorf("there is no recipe %s, which hints name", plainName)
	}
	for _, start := range []string{StartBase, StartGenre} {
		for _, words := range edges {
			var fit []string
			for _, n := range list {
				if n.Start == start && words >= n.From && (n.To == 0 || words < n.To) {
					fit = append(fit, n.Name)
				}
			}
			if len(fit) != 1 {
				t.Errorf("%d words from a %s: %v", words, start, fit)
				continue
			}
			if n := pick(words, start); n.Name != fit[0] || !strings.Contains(n.Reason(words), n.Name) || strings.Contains(n.Reason(words), n.Why) {
				t.Errorf("%d words from a %s: %s because %s", words, start, n.Name, n.Reason(words))
			}
		}
	}
}

// TestRecipeFile reads a recipe of a file: what it does not name stays plain, what it
// stands on stays as it was, and what cannot be is an error with a hint.
func TestRecipeFile(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "r.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	n, err := FindRecipe(write("name = \"mine\"\n[set]\nepochs = 5\n[set.options.lora]\nrank = 4\n[set.mix]\ncontext = 0.3\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := plainRecipe()
	want.Name, want.Epochs, want.Options.LoRA.Rank, want.Mix.Context = "mine", 5, 4, 0.3
	want.On, want.OnHash, want.Genre.Ask = "folder", "hash", "novel"
	got := DefaultRecipe(500)
	got.On, got.OnHash, got.Genre.Ask = "folder", "hash", "novel"
	n.Apply(&got)
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("the recipe is\n%s\nand should be\n%s", a, b)
	}
	// What is gone on with keeps its shape, when it is known, and the rest is the recipe's.
	got.Options.LoRA = lora.Options{Rank: 2, Alpha: 4, RSLoRA: true, Dropout: 0.5}
	got.Genre = Stage{Ask: "notes", As: AsStart, Strength: 1, On: []StandsOn{{Name: "notes"}}}
	n.Apply(&got)
	if o := got.Options.LoRA; o.Rank != 2 || o.Alpha != 4 || !o.RSLoRA || o.Dropout != 0 || got.Epochs != 5 {
		t.Errorf("on a start: %+v, %d epochs", o, got.Epochs)
	}
	got.Genre.As = AsLayer
	if n.Apply(&got); got.Options.LoRA.Rank != 4 {
		t.Errorf("on a layer: %+v", got.Options.LoRA)
	}
	for name, text := range map[string]string{
		"no TOML":        "name = ",
		"no name":        "[set]\nepochs = 1\n",
		"a path":         "name = \"../x\"\n",
		"unknown key":    "name = \"x\"\ncolour = 1\n",
		"unknown field":  "name = \"x\"\n[set.options]\ncolour = 1\n",
		"wrong type":     "name = \"x\"\n[set]\nepochs = \"one\"\n",
		"out of range":   "name = \"x\"\n[set.options]\nrate = 2.0\n",
		"unknown start":  "name = \"x\"\nstart = \"nothing\"\n",
		"no words":       "name = \"x\"\nfrom = 10\nto = 10\n",
		"unknown method": "name = \"x\"\n[set]\nmethod = \"magic\"\n",
	} {
		if _, err := FindRecipe(write(text)); stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, stroke.HintOf(err))
		}
	}
	if _, err := FindRecipe("nobodys"); stroke.CodeOf(err) != stroke.CodeNotFound || !strings.Contains(stroke.HintOf(err), plainName) {
		t.Errorf("a recipe that is not there: %v", err)
	}
}

// TestRecipesHash demands that the hash of the recipes tells of a change to one for a
// genre, and not of what is said for it.
func TestRecipesHash(t *testing.T) {
	list, err := NamedRecipes()
	if err != nil {
		t.Fatal(err)
	}
	before, err := hashRecipes(list)
	if err != nil {
		t.Fatal(err)
	}
	n := *pick(1000, StartGenre)
	i := slices.IndexFunc(list, func(o *Named) bool { return o.Name == n.Name })
	list[i] = &n
	n.Why = "otherwise"
	if same, err := hashRecipes(list); err != nil || same != before {
		t.Errorf("another reason gives another hash, %v", err)
	}
	n.set = []byte(`{"epochs": 7}`)
	if other, err := hashRecipes(list); err != nil || other == before {
		t.Errorf("seven epochs on a genre give the same hash, %v", err)
	}
}

// TestRecipeFoundOut holds that a recipe's file says nothing of what only a run finds out.
func TestRecipeFoundOut(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 14 }))
	f, first := trained(t, o)
	on := filepath.Join(f.Dir, versionsDir, first.ID, adapterDir)
	hash, config, err := adapterHash(on)
	if err != nil {
		t.Fatal(err)
	}
	const stray = "stack = true\non_sha256 = \"00\"\non_config_sha256 = \"11\"\n"
	const genres = "[set.genre]\nask = \"none\"\n[[set.genre.on]]\nname = \"novel\"\nsha256 = \"22\"\nstrength = 1.0\n"
	for _, on := range []string{"", on} {
		path := filepath.Join(t.TempDir(), "r.toml")
		text := "name = \"mine\"\n[set]\nepochs = 1\n" + stray
		if on != "" {
			text += fmt.Sprintf("on = %q\n", on)
		}
		if err := os.WriteFile(path, []byte(text+"[set.options.lora]\nrank = 2\nalpha = 4.0\n"+genres), 0o600); err != nil {
			t.Fatal(err)
		}
		n, err := FindRecipe(path)
		if err != nil {
			t.Fatal(err)
		}
		o.Change = n.Apply
		_, v := trained(t, o)
		if r := &v.Recipe; r.Stack || len(r.Genre.On) > 0 || r.On != on || on == "" && r.OnHash+r.OnConfig != "" || on != "" && (r.OnHash != hash || r.OnConfig != config) {
			t.Errorf("on %q it was trained by %+v", on, r)
		}
	}
}
