package reference

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(embedded) > 3<<20 {
		t.Errorf("the table has %d bytes, over 3 MiB", len(embedded))
	}
	single := 0
	kinds := map[string]int{}
	for _, w := range table.Writers {
		if !w.Group {
			single++
		}
		kinds[w.Kind]++
	}
	if single < 19 || kinds["blog"] < 3 || kinds["fiction"] < 5 || kinds["essay"] < 3 {
		t.Errorf("%d writers, by kind %v", single, kinds)
	}
	by := make([]int, len(table.Writers))
	for _, p := range table.Passages {
		by[p.Writer]++
	}
	if slices.Min(by) < 30 {
		t.Errorf("passages by writer: %v", by)
	}
	for _, w := range []string{"the", "house", "software", "i'm"} {
		if !table.Known(w) {
			t.Errorf("%q is no common word", w)
		}
	}
	for _, w := range []string{"london", "jeeves", "qqqq"} {
		if table.Known(w) {
			t.Errorf("%q is a common word", w)
		}
	}
	if r, rarer := table.RarityOf("the"), table.RarityOf("qqqq"); r < 3 || r > 6 || rarer < table.RarityOf("house")+3 {
		t.Errorf("rarities %g and %g bits", r, rarer)
	}
	// No run of characters can give a text back: none is longer than GramMax.
	for _, g := range table.Grams {
		if n := len([]rune(g)); n < GramMin || n > GramMax {
			t.Errorf("run %q", g)
		}
	}
}

func TestCountAndPack(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	v := table.Count("The cat and the dog. Then the cat.")
	the := slices.Index(table.Function, "the")
	at := slices.Index(v.Index, int32(the))
	if at < 0 || v.Value[at] != 3 {
		t.Fatalf("three times the: %v", v)
	}
	p := Pack(2, 7, v)
	if got := p.Vector(); p.Writer != 2 || p.Piece != 7 || !slices.Equal(got.Index, v.Index) || !slices.Equal(got.Value, v.Value) {
		t.Errorf("packed and unpacked it differs")
	}
	table.Hellinger(v)
	var sums [Blocks]float64
	for k, i := range v.Index {
		sums[table.Block(i)] += float64(v.Value[k]) * float64(v.Value[k])
	}
	for b, s := range sums {
		if math.Abs(s-1) > 1e-5 {
			t.Errorf("block %d has length %g, want 1", b, s)
		}
	}
}

func TestDecodeDamage(t *testing.T) {
	if _, err := Decode(strings.NewReader("not a table")); err == nil {
		t.Error("no error for what is no table")
	}
	for _, bad := range []Table{
		{Writers: []Writer{{}}, Function: []string{"a"}, Passages: []Passage{{Deltas: []uint16{5}, Counts: []uint8{1}}}},
		{Writers: []Writer{{}}, Function: []string{"a"}, Passages: []Passage{{Deltas: []uint16{0}}}},
		{Function: []string{"a"}, Passages: []Passage{{}}},
		{Words: []string{"a"}},
	} {
		var b bytes.Buffer
		if err := bad.Encode(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(&b); err == nil {
			t.Errorf("no error for %+v", bad)
		}
	}
}
