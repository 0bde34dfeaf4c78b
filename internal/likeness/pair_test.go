package likeness

import (
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// wholePassages are passages of whole paragraphs.
func wholePassages(list []Piece, most int) []Piece {
	var out []Piece
	for _, p := range list {
		cut, _ := atParagraphs([]Piece{p})
		out = append(out, cut...)
		if len(out) >= most {
			return out[:most]
		}
	}
	return out
}

func negationsIn(text string) int {
	n := 0
	for _, w := range lowerWords(text) {
		if isNegation(w) {
			n++
		}
	}
	return n
}

func TestPairs(t *testing.T) {
	table, err := reference.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"authors/lynch", "reference/goldman", "authors/wodehouse"} {
		pass := wholePassages(pieces(t, dir), 60)
		pairs, err := Pairs(pass, 1)
		if err != nil {
			t.Fatal(err)
		}
		count := map[PairKind]int{}
		for _, p := range pairs {
			count[p.Kind]++
			switch p.Kind {
			case PairOrder:
				checkOrder(t, p)
			case PairStance:
				if negationsIn(p.Original) != negationsIn(p.Changed) {
					t.Errorf("%d negations became %d: %v", negationsIn(p.Original), negationsIn(p.Changed), p.Edits)
				}
			}
			if p.Kind != PairOrder {
				checkEdits(t, p, table)
			}
		}
		t.Logf("%s: %d passages, %v", dir, len(pass), count)
		for _, k := range []PairKind{PairStance, PairComparison, PairQuantity} {
			if count[k] < 5 {
				t.Errorf("%s: %d pairs of %s in %d passages", dir, count[k], k, len(pass))
			}
		}
		again, err := Pairs(pass, 1)
		if err != nil || !slices.EqualFunc(pairs, again, func(a, b Pair) bool { return a.Changed == b.Changed && a.Kind == b.Kind }) {
			t.Errorf("%s: not the same pairs from the same seed (%v)", dir, err)
		}
	}
}

// checkOrder wants the same sentences, and none behind the one that it
// followed.
func checkOrder(t *testing.T, p Pair) {
	t.Helper()
	list := func(text string) (out []string) {
		for _, q := range prose.Paragraphs(text) {
			for _, s := range prose.Sentences(text, q) {
				out = append(out, s.Of(text))
			}
		}
		return out
	}
	was, is := list(p.Original), list(p.Changed)
	follows := map[string]string{}
	for i := range was[:len(was)-1] {
		follows[was[i]] = was[i+1]
	}
	for i := range is[:len(is)-1] {
		if follows[is[i]] == is[i+1] && is[i+1] != "" && slices.Index(was, is[i+1]) > 0 {
			t.Errorf("still neighbours: %q and %q", is[i], is[i+1])
		}
	}
	a, b := lowerWords(p.Original), lowerWords(p.Changed)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		t.Errorf("other words than before in %q", p.Changed)
	}
}

// checkEdits wants the edits to lead from the one text to the other, and every
// sentence changed to pass the second rules.
func checkEdits(t *testing.T, p Pair, table *reference.Table) {
	t.Helper()
	for _, e := range p.Edits {
		if !strings.HasPrefix(p.Original[e.At:], e.From) {
			t.Fatalf("%+v is not at its place", e)
		}
	}
	if got := edited(p.Original, slices.Clone(p.Edits)); got != p.Changed {
		t.Errorf("edits do not lead to the changed text")
	}
}

func TestPairRules(t *testing.T) {
	for _, c := range []struct {
		kind       PairKind
		text, want string // want is empty where no pair may be made
	}{
		{PairStance, "The road was long. He did not want to go home.", "The road was not long. He wanted to go home."},
		{PairStance, "The road wasn't long. It is a good road.", "The road was long. It isn't a good road."},
		{PairStance, "She never writes. The house is empty.", "She always writes. The house is not empty."},
		{PairStance, "The road was long.", ""},                              // nothing to take away
		{PairStance, "The road was long. I do not see any house.", ""},      // "see any house" is not English
		{PairStance, "The road was long. It is not a horse but a cow.", ""}, // "it is a horse but a cow"
		{PairStance, "Is the road long? He does not think so.", ""},         // a question cannot be negated so
		{PairStance, "The road was already long. He does not smoke.", ""},   // "was not already"
		{PairComparison, "Her work is better than mine.", "Her work is worse than mine."},
		{PairComparison, "You had better go now.", ""},
		{PairComparison, "He asked once more.", ""},
		{PairComparison, "She has more books than I.", "She has fewer books than I."},
		{PairComparison, "It is no longer here.", ""},
		{PairQuantity, "There were 24 men and 37 women on board.", "There were 37 men and 24 women on board."},
		{PairQuantity, "Many roads lead there.", "Few roads lead there."},
		{PairQuantity, "A few roads lead there.", ""},
		{PairQuantity, "He was born in 1867 and owed 37 pounds.", ""}, // a year is not an amount
	} {
		pairs, err := Pairs([]Piece{{"g", c.text}}, 3)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range pairs {
			if p.Kind == c.kind {
				got = p.Changed
			}
		}
		if got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.kind, c.text, got, c.want)
		}
	}
}

func TestFluent(t *testing.T) {
	table, err := reference.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before, after string
		want          bool
	}{
		{"He did not see the house.", "He saw the house.", true},
		{"He did not see the house.", "He seed the house.", true}, // a word, if not that one
		{"They did not plod on.", "They ploded on.", false},
		{"He never saw any of it.", "He always saw any of it.", false},
		{"He is a fool.", "He is not a fool.", true},
		{"He is never a fool.", "He is not never a fool.", false},
		{"It is still here.", "It is not still here.", false},
		{"It is an increase.", "It is an decrease.", false},
		{"He waited an hour.", "He never waited an hour.", true},
	} {
		if got := Fluent(c.before, c.after, table); got != c.want {
			t.Errorf("%q → %q: %v, want %v", c.before, c.after, got, c.want)
		}
	}
}
