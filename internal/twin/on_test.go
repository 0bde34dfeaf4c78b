package twin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// TestLearntFrom knows an adapter that has learnt what judges now, itself or by what it
// began at.
func TestLearntFrom(t *testing.T) {
	f := toyTwin(t)
	withheld := put(t, f, 10, true)
	folded := &Version{Schema: schema, Twin: f.Name, Created: time.Unix(20, 0).UTC(), Base: BaseRef{Name: "toy"}, Recipe: DefaultRecipe(100), Verdict: verdict.Verdict{Folds: 3}}
	if err := f.publish(folded, &learnt{adapter: lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, 20, nil)}, func(int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	on := DefaultRecipe(100)
	on.Genre.On = []StandsOn{{Name: "mine", Learnt: true}}
	made := &Version{Schema: schema, Twin: f.Name, Created: time.Unix(25, 0).UTC(), Base: BaseRef{Name: "toy"}, Recipe: on}
	if err := f.publish(made, &learnt{adapter: lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, 25, nil)}, func(int64) error { return nil }); err != nil {
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
		{"one on a genre that was made from its writer's text", at(made), "3", true},
		{"new text and one on such a genre", at(made), "4", false},
		{"one that began at what had learnt it", at(again), "3", true},
		{"an adapter from elsewhere", t.TempDir(), "1", false},
	} {
		got, err := learntFrom(c.on)
		if err != nil || got.hashes[doc(c.judge).Hash] != c.want || got.hashes[doc("5").Hash] {
			t.Errorf("%s: %v, %v", c.what, got.hashes, err)
		}
	}
	if _, err := learntFrom(filepath.Join(f.Dir, manifestFile, "none")); stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
		t.Errorf("one that cannot be reached: %v", err)
	}
	// What lies below the one that is named may be out of reach or damaged, where its
	// hashes are known.
	bad := toyTwin(t)
	below := put(t, bad, 10, true)
	if err := os.WriteFile(filepath.Join(bad.Dir, ledgerFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		what, on string
		hashes   []string
		ok       bool
	}{
		{"gone", filepath.Join(t.TempDir(), "none"), []string{doc("3").Hash}, true},
		{"below a file", filepath.Join(f.Dir, manifestFile, "none"), []string{doc("3").Hash}, true},
		{"below a file, without hashes", filepath.Join(f.Dir, manifestFile, "none"), nil, false},
		{"of a damaged twin", filepath.Join(bad.Dir, versionsDir, below.ID, adapterDir), []string{doc("3").Hash}, true},
		{"of a damaged twin, without hashes", filepath.Join(bad.Dir, versionsDir, below.ID, adapterDir), nil, false},
	} {
		v := &Version{Schema: schema, Twin: f.Name, Created: time.Unix(int64(40+i), 0).UTC(), Base: BaseRef{Name: "toy"}, Recipe: DefaultRecipe(100), Below: c.hashes}
		v.Recipe.On = c.on
		if err := f.publish(v, &learnt{adapter: lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, 40, nil)}, func(int64) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got, err := learntFrom(at(v)); (err == nil) != c.ok || c.ok && !got.hashes[doc("3").Hash] {
			t.Errorf("what it began at is %s: %v, %v", c.what, got.hashes, err)
		} else if !c.ok && !got.hashes[doc("1").Hash] {
			t.Errorf("what it began at is %s, and its own text is not known: %v", c.what, got.hashes)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if os.Symlink(at(folded), link) == nil {
		if got, err := learntFrom(link); err != nil || !got.hashes[doc("3").Hash] {
			t.Errorf("by a link: %v, %v", got.hashes, err)
		}
	}
	// Of a twin that does not tell what it has learnt nothing is taken for granted.
	for _, name := range []string{ledgerFile, filepath.Join(versionsDir, withheld.ID, versionFile), manifestFile} {
		path := filepath.Join(f.Dir, name)
		whole, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte("{"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := learntFrom(at(withheld)); err == nil || !strings.Contains(err.Error(), "cannot be told") || stroke.HintOf(err) == "" {
			t.Errorf("with a damaged %s: %v", name, err)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What lies in a twin is its own also where it is on another disk.
	for _, name := range []string{filepath.Join(versionsDir, folded.ID, adapterDir), filepath.Join(versionsDir, folded.ID), versionsDir} {
		path, away := filepath.Join(f.Dir, name), filepath.Join(t.TempDir(), "away")
		if err := os.Rename(path, away); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(away, path); err != nil {
			t.Skip("links are not allowed here: ", err)
		}
		if got, err := learntFrom(at(folded)); err != nil || !got.hashes[doc("3").Hash] {
			t.Errorf("with %s on another disk: %v, %v", name, got.hashes, err)
		}
		if got := twinOf(filepath.Join(at(folded), lora.WeightsFile)); got != f.Dir {
			t.Errorf("with %s on another disk it is of the twin %q", name, got)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(away, path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestScoreOnMade holds that a version on a genre that was made from some of its writer's
// text is not taken to be new to what judged it or what it was chosen by.
func TestScoreOnMade(t *testing.T) {
	f := toyTwin(t)
	l := &corpus.Ledger{}
	for n, role := range map[string]stroke.Role{"1": stroke.RoleTrain, "2": stroke.RoleSelect, "3": stroke.RoleJudge} {
		l.Entries = append(l.Entries, corpus.Entry{Hash: strings.Repeat(n, 64), Role: role, Date: "2026-01-01T00:00:00Z"})
	}
	for _, made := range []bool{false, true} {
		v := &Version{Created: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Recipe: DefaultRecipe(100)}
		v.Recipe.Genre.On = []StandsOn{{Name: "notes", Learnt: made}}
		learnt := f.learntBy(v, l)
		for n, want := range map[string]bool{"1": true, "2": made, "3": made, "4": false} {
			if got := learnt(stroke.Document{Hash: strings.Repeat(n, 64)}); got != want {
				t.Errorf("made from it %v: document %s was trained on %v", made, n, got)
			}
		}
	}
}

// TestLearntOtherwise knows text that was learnt also where it is cut otherwise or was
// edited, and does not take what an adapter's twin withheld for that.
func TestLearntOtherwise(t *testing.T) {
	reading, err := corpus.Read(context.Background(), filepath.Join(testkit.Root(t), "examples", "notebook"), corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	document := func(text string) stroke.Document {
		return stroke.Document{Hash: stroke.HashText(text), Text: text, Words: len(strings.Fields(text))}
	}
	joined := func(docs []stroke.Document) stroke.Document {
		var texts []string
		for _, d := range docs {
			texts = append(texts, d.Text)
		}
		return document(strings.Join(texts, "\n\n"))
	}
	all := reading.Documents
	// Of the first essay blocks are learnt, all but one, the second is learnt whole, and the
	// third is new.
	first, second, third := joined(all[:5]), joined(all[5:10]), joined(all[10:14])
	blocks := corpus.CutTo(first, 120, 200)
	if len(blocks) < 4 {
		t.Fatalf("%d blocks", len(blocks))
	}
	f := toyTwin(t)
	v := put(t, f, 10, true)
	l := &corpus.Ledger{}
	enter := func(d stroke.Document, role stroke.Role, parent string, index int) {
		l.Entries = append(l.Entries, corpus.Entry{Hash: d.Hash, Source: "it", Role: role, Date: "2026-01-01T00:00:00Z", Words: d.Words, Why: "it", Parent: parent, Index: index})
		if err := f.keep([]stroke.Document{d}); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range blocks {
		role := stroke.RoleTrain
		if i == 2 {
			role = stroke.RoleJudge
		}
		enter(b.Document, role, first.Hash, b.Index)
	}
	enter(second, stroke.RoleTrain, "", 0)
	if err := f.saveLedger(ledgerFile, l); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STROKE_HOME", t.TempDir())
	b, err := openBase("toy", toyFile(t))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	// below is what a run on a version has as learnt, with those that judge.
	below := func(v *Version, judge ...stroke.Document) map[string]bool {
		t.Helper()
		r := &run{b: b, on: loud(b, 2, 0.01, 1), emit: func(stroke.Event) {}, judge: judge}
		r.recipe.On = filepath.Join(f.Dir, versionsDir, v.ID, adapterDir)
		got, err := r.learntBelow()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	others := corpus.CutTo(first, 200, 300)
	for _, c := range []struct {
		what  string
		judge stroke.Document
		want  bool
	}{
		{"a block", blocks[0].Document, true},
		{"the block that it withheld", blocks[2].Document, false},
		{"what its blocks were cut from", first, true},
		{"a block of another size", others[len(others)-1].Document, true},
		{"a block of what it learnt whole", corpus.CutTo(second, 120, 200)[1].Document, true},
		{"what it learnt, with a letter changed", document(strings.Replace(second.Text, "e", "a", 1)), true},
		{"new text", third, false},
	} {
		got := below(v, third, c.judge)
		if got[c.judge.Hash] != c.want || got[third.Hash] {
			t.Errorf("%s: %v, and new text %v", c.what, got[c.judge.Hash], got[third.Hash])
		}
	}

	// What judged a version and had been learnt by what that began at is known, too.
	enter(third, stroke.RoleJudge, "", 0)
	if err := f.saveLedger(ledgerFile, l); err != nil {
		t.Fatal(err)
	}
	later := &Version{Schema: schema, Twin: f.Name, Created: time.Unix(20, 0).UTC(), Base: BaseRef{Name: "toy"}, Recipe: DefaultRecipe(100), Below: []string{third.Hash}}
	if err := f.publish(later, &learnt{adapter: lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, 20, nil)}, func(int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	edited := document(strings.Replace(third.Text, "e", "a", 1))
	for v, want := range map[*Version]bool{v: false, later: true} {
		if got := below(v, edited); got[edited.Hash] != want {
			t.Errorf("an edit of what judged, where that had been learnt %v: %v", want, got[edited.Hash])
		}
	}
}

// TestJoinable refuses before training what could not be written after it.
func TestJoinable(t *testing.T) {
	below := lora.New(toyShape, lora.Options{Rank: lora.MaxRank - 8, Alpha: 1, Targets: []lora.Module{lora.KProj}}, 1, nil)
	for on, hint := range map[string]string{"": "--genre none", "x": "start from an adapter"} {
		for rank, ok := range map[int]bool{8: true, 9: false} {
			r := &run{below: []lora.Applied{{Adapter: below, Strength: 1}}}
			r.recipe.On, r.recipe.Options.LoRA.Rank = on, rank
			err := r.joinable()
			if got := stroke.HintOf(err); ok != (err == nil) || !ok && (stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(got, hint) || !strings.Contains(got, "--rank")) {
				t.Errorf("on %q, rank %d: %v (%s)", on, rank, err, got)
			}
		}
	}
}

// TestTrainJoinable begins no training whose adapter could not be written.
func TestTrainJoinable(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 14 }))
	b, err := openBase("toy", o.Base)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	o.On = t.TempDir()
	below := lora.New(b.model.Shape(), lora.Options{Rank: lora.MaxRank - 1, Alpha: 1, Targets: []lora.Module{lora.KProj}}, 1, nil)
	if err := lora.WriteDir(o.On, below.File(), tensor.F16); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err = Train(ctx, o, func(e stroke.Event) {
		if _, ok := e.(stroke.StepEvent); ok {
			cancel()
		}
	})
	code(t, err, stroke.CodeInput)
	if !strings.Contains(err.Error(), "have the rank 4097 together") {
		t.Error(err)
	}
}
