package twin

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/index"
)

// TestWorth takes the fewest passages that are as good as the best.
func TestWorth(t *testing.T) {
	for _, c := range []struct {
		loss []float64
		want int
	}{
		{[]float64{3}, 0},
		{[]float64{3, 2.99, 2.9}, 2},
		{[]float64{3, 2.9, 2.9 - promptWorth/2}, 1},
		{[]float64{2.9, 2.95, 3}, 0},
		{[]float64{math.NaN(), 2, 1}, 0},
	} {
		if got := worth(c.loss); got != c.want {
			t.Errorf("of %v it takes %d, not %d", c.loss, got, c.want)
		}
	}
}

// TestMostPrompt follows the folds.
func TestMostPrompt(t *testing.T) {
	for _, c := range []struct {
		folds []int
		want  int
	}{{[]int{350}, 350}, {[]int{0, 1400, 1400}, 1400}, {[]int{1400, 350, 0}, 0}, {[]int{1400, 350, 350}, 350}} {
		var list []foldResult
		for _, n := range c.folds {
			list = append(list, foldResult{Prompt: n})
		}
		if got := mostPrompt(list); got != c.want {
			t.Errorf("of %v it takes %d, not %d", c.folds, got, c.want)
		}
	}
}

// TestRival holds that a base without an adapter has passages whatever a recipe says:
// the library's where it knows of none.
func TestRival(t *testing.T) {
	for _, c := range []struct {
		p    Prompt
		want int
	}{{Prompt{Tokens: 1400, Choose: []int{0, 350}}, 1400}, {Prompt{Choose: []int{1400, 0, 350}}, 350}, {Prompt{}, 350}, {Prompt{Each: 8, Choose: []int{0}}, 350}} {
		if got := c.p.rival().Tokens; got != c.want {
			t.Errorf("%+v: %d tokens, not %d", c.p, got, c.want)
		}
	}
	if got, want := (&Prompt{Each: 8}).rival(), DefaultRecipe(0).Prompt; !reflect.DeepEqual(got, want) {
		t.Errorf("without any it has %+v, and what has no twin writes with %+v", got, want)
	}
}

// TestApart holds that what chooses a bound sees no block of its own document, where
// there are others.
func TestApart(t *testing.T) {
	doc := func(hash string) stroke.Document { return stroke.Document{Hash: hash, Text: "the text of " + hash} }
	l := &corpus.Ledger{Entries: []corpus.Entry{{Hash: "a1", Parent: "a", Index: 1}, {Hash: "a2", Parent: "a", Index: 2}, {Hash: "a3", Parent: "a", Index: 3}, {Hash: "a4", Parent: "a", Index: 4}, {Hash: "b"}}}
	p := &passages{docs: []stroke.Document{doc("a1"), doc("a3"), doc("a4"), doc("b")}, ledger: l}
	if !p.severalDocuments() {
		t.Error("blocks of a document and another are one document")
	}
	barred := func() string { return strings.Join(slices.Sorted(maps.Keys(p.own(doc("a1")))), " ") }
	if s := barred(); s != "a1 a2" {
		t.Errorf("barred are %s", s)
	}
	p.apart = true
	if s := barred(); s != "a1 a2 a3 a4" {
		t.Errorf("apart, barred are %s", s)
	}
	p.docs = p.docs[:3]
	if p.severalDocuments() {
		t.Error("blocks of one document are several documents")
	}
}

// TestHolding holds that the passages of a text that a document holds are others.
func TestHolding(t *testing.T) {
	var docs []stroke.Document
	for _, text := range []string{
		"The heron stood in the river all morning and did not move until the boat came past the mill, and then it rose.",
		"In the river there is a heron, says the miller, who has seen it stand there before the boats come.",
	} {
		docs = append(docs, stroke.Document{Hash: stroke.HashText(text), Text: text, Words: len(strings.Fields(text))})
	}
	var all []index.Passage
	for _, d := range docs {
		all = append(all, index.Passages(d, passageWords, passageMostWords)...)
	}
	p := &passages{ix: index.New(all), docs: docs}
	for text, want := range map[string]int{
		"The heron stood in the river all morning\nand did not move until":      1,
		"The heron stood in the river all morning, and a heron is in the river": 0,
		"a heron": 0,
		"":        0,
	} {
		if got := p.holding(text); len(got) != want || want == 1 && !got[docs[0].Hash] {
			t.Errorf("%q is held by %v", text, got)
		}
	}
}
