package twin

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// TestLearntBelow knows an adapter that has learnt what judges now, itself or by what it
// began at.
func TestLearntBelow(t *testing.T) {
	f := toyTwin(t)
	withheld := put(t, f, 10, true)
	folded := &Version{Schema: schema, Twin: f.Name, Created: time.Unix(20, 0).UTC(), Base: BaseRef{Name: "toy"}, Recipe: DefaultRecipe(100), Verdict: verdict.Verdict{Folds: 3}}
	if err := f.publish(folded, &learnt{adapter: lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, 20, nil)}, func(int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	again := &Version{Schema: schema, Twin: f.Name, Created: time.Unix(30, 0).UTC(), Base: BaseRef{Name: "toy"}, Recipe: DefaultRecipe(100), Below: []string{strings.Repeat("3", 64)}}
	if err := f.publish(again, &learnt{adapter: lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, 30, nil)}, func(int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	doc := func(n string) stroke.Document { return stroke.Document{Hash: strings.Repeat(n, 64)} }
	l := &corpus.Ledger{}
	for n, role := range map[string]stroke.Role{"1": stroke.RoleTrain, "2": stroke.RoleSelect, "3": stroke.RoleJudge} {
		l.Entries = append(l.Entries, corpus.Entry{Hash: doc(n).Hash, Source: n, Role: role, Date: "2026-01-01T00:00:00Z", Words: 1, Why: "it"})
	}
	if err := f.saveLedger(ledgerFile, l); err != nil {
		t.Fatal(err)
	}
	at := func(v *Version) string { return filepath.Join(f.Dir, versionsDir, v.ID, adapterDir) }
	for _, c := range []struct {
		what, on, judge string
		want            bool
	}{
		{"what it withheld", at(withheld), "3", false},
		{"what it was trained on", at(withheld), "1", true},
		{"what it was chosen by", at(withheld), "2", true},
		{"what it does not know", at(withheld), "4", false},
		{"one that was cross-fitted", at(folded), "3", true},
		{"new text and one that was cross-fitted", at(folded), "4", false},
		{"one that began at what had learnt it", at(again), "3", true},
		{"an adapter from elsewhere", t.TempDir(), "1", false},
	} {
		if got := learntBelow(c.on); got[doc(c.judge).Hash] != c.want || got[doc("5").Hash] {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
