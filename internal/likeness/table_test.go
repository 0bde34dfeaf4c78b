package likeness

import (
	"fmt"
	"testing"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// The table that ships is what today's rules make of the texts: where this
// fails, run go run ./internal/likeness/_tables.
func TestTableIsOfTheseRules(t *testing.T) {
	table, err := reference.Load()
	if err != nil {
		t.Fatal(err)
	}
	if table.Unit != Unit || len(table.Function) != prose.FunctionWords() {
		t.Fatalf("the table has passages of %d words and %d function words; the rules say %d and %d", table.Unit, len(table.Function), Unit, prose.FunctionWords())
	}
	for i, w := range table.Function {
		if prose.FunctionWordAt(i) != w {
			t.Fatalf("function word %d is %q in the table and %q in the rules", i, w, prose.FunctionWordAt(i))
		}
	}
	made := map[string]bool{}
	for _, p := range Cut(pieces(t, "reference/goldman"), Unit, 1) {
		made[fmt.Sprint(table.Count(p.Text))] = true
	}
	kept, found := 0, 0
	for _, p := range table.Passages {
		if table.Writers[p.Writer].ID == "goldman" {
			kept++
			if made[fmt.Sprint(p.Vector())] {
				found++
			}
		}
	}
	if kept == 0 || found != kept {
		t.Errorf("%d of %d passages in the table are those that the rules make", found, kept)
	}
}
