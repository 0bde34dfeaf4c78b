package twin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/testkit"
)

// chapter is a document of so many words, no two sentences of which are the same.
func chapter(number, words int) stroke.Document {
	var text strings.Builder
	for n := 0; n < words; n += 10 {
		fmt.Fprintf(&text, "In chapter %d nobody had counted the %d steps yet.", number, n)
		text.WriteString([]string{" ", "\n\n"}[n/10%5/4])
	}
	d := stroke.Document{Text: strings.TrimSpace(text.String())}
	d.Hash, d.Words = stroke.HashText(d.Text), len(strings.Fields(d.Text))
	return d
}

// TestParts looks at all of a few long documents by turns, and at the beginnings of
// many: a novel's two chapters that judge are no two pieces.
func TestParts(t *testing.T) {
	b, err := openBase("toy", testkit.Toy(t, testkit.ToyShape{}))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	p := newPassages(nil, &corpus.Ledger{}, b, Prompt{})
	long := []stroke.Document{chapter(1, 4000), chapter(2, 2500), chapter(3, longWords-10)}
	pieces := p.parts(long, pieceTokens)
	count := map[string]int{}
	for i, x := range pieces {
		count[x.doc]++
		if i < 3 && x.doc != long[i].Hash {
			t.Errorf("piece %d is not of document %d: they take turns", i, i+1)
		}
		k := slices.IndexFunc(long, func(d stroke.Document) bool { return d.Hash == x.doc })
		if x.of.Hash != x.doc || !strings.HasPrefix(x.asked, "In chapter") || !strings.Contains(long[k].Text, x.asked) {
			t.Errorf("piece %d is asked with %q", i, x.asked)
		}
		if n := len(x.plain.Tokens); n > pieceTokens || x.plain.From >= n {
			t.Errorf("piece %d has %d tokens, scored from %d on", i, n, x.plain.From)
		}
		for _, y := range pieces[:i] {
			if x.asked == y.asked {
				t.Errorf("%q stands in two pieces", x.asked)
			}
		}
	}
	if a, b, c := count[long[0].Hash], count[long[1].Hash], count[long[2].Hash]; a < 8 || b < 5 || c != 1 {
		t.Errorf("%d, %d and %d pieces", a, b, c)
	}
	var many []stroke.Document
	for i := range fewUnits {
		many = append(many, chapter(10+i, 2000))
	}
	if n := len(p.parts(many, pieceTokens)); n != fewUnits {
		t.Errorf("%d pieces of %d documents", n, fewUnits)
	}
	// Enough to judge by, so that nothing is cross-fitted.
	r := &run{b: b, o: &Options{}, passages: p, recipe: DefaultRecipe(20000), judge: long[:2]}
	if n := r.units(); n < crossUnits {
		t.Errorf("%d units of two chapters", n)
	}
}

// TestCutFrom counts the documents that what judges comes from, where they are few.
func TestCutFrom(t *testing.T) {
	blocks := &corpus.Ledger{}
	var cut, whole []stroke.Document
	for i := range 9 {
		d := chapter(i, 300)
		whole = append(whole, d)
		cut = append(cut, d)
		blocks.Entries = append(blocks.Entries, corpus.Entry{Hash: d.Hash, Parent: fmt.Sprint(i % 2), Index: i})
	}
	for name, c := range map[string]struct {
		l    *corpus.Ledger
		docs []stroke.Document
		want int
	}{
		"whole":          {&corpus.Ledger{}, whole, 0},
		"few, each once": {&corpus.Ledger{}, whole[:3], 0},
		"blocks of two":  {blocks, cut, 2},
		"two chapters":   {&corpus.Ledger{}, []stroke.Document{chapter(20, 3000), chapter(21, 3000)}, 2},
	} {
		if got := cutFrom(c.l, c.docs); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
