package twin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/testkit"
)

// writing copies pieces of the notebook into a folder: those whose place in the
// list of its files keep says yes to.
func writing(t *testing.T, dir string, keep func(i int) bool) string {
	t.Helper()
	from := filepath.Join(testkit.Root(t), "examples", "notebook")
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		path := filepath.Join(dir, f.Name())
		if !keep(i) {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func small(r *Recipe) {
	r.Epochs = 1
	r.Options.LoRA = lora.Options{Rank: 2, Alpha: 4}
}

func options(t *testing.T, source string) Options {
	t.Helper()
	return Options{Source: source, Name: "me", To: filepath.Join(t.TempDir(), "twin"), Base: testkit.Toy(t, testkit.ToyShape{}), NoCrossFit: true, Change: small}
}

// trained runs Train and gives the twin and its newest version.
func trained(t *testing.T, o Options) (*Folder, *Version) {
	t.Helper()
	var last stroke.Event
	if err := Train(context.Background(), o, func(e stroke.Event) { last = e }); err != nil {
		t.Fatal(err)
	}
	if _, ok := last.(stroke.DoneEvent); !ok {
		t.Fatalf("the last event is %#v", last)
	}
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Version("")
	if err != nil {
		t.Fatal(err)
	}
	return f, v
}

// runs are all runs of n tokens of a text, as strings.
func runs(ids []int32, n int) map[string]bool {
	out := map[string]bool{}
	for i := 0; i+n <= len(ids); i++ {
		out[fmt.Sprint(ids[i:i+n])] = true
	}
	return out
}

func shared(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

// TestNothingLeaks follows the texts of withheld documents: none is in an
// example, nor among the passages; and what stands before a document that is
// scored is neither of it nor of its neighbours, and asked for with words that
// are not scored. It does so for many pieces, and for few that are cut into
// blocks.
func TestNothingLeaks(t *testing.T) {
	for name, keep := range map[string]func(int) bool{
		"many": func(int) bool { return true },
		"few":  func(i int) bool { return i%6 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, writing(t, t.TempDir(), keep))
			r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			if len(r.train) == 0 || len(r.choose) == 0 || len(r.judge) < 2 {
				t.Fatalf("%d, %d and %d documents", len(r.train), len(r.choose), len(r.judge))
			}
			const long = 30
			learnt := map[string]bool{}
			epochs, err := r.examples()
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range epochs {
				for _, x := range e {
					maps.Copy(learnt, runs(x.Tokens, long))
				}
			}
			for _, d := range r.train {
				if ids := r.b.tok.Encode(d.Text); len(ids) > 3*long && !shared(runs(ids, long), learnt) {
					t.Errorf("the train document %s is in no example", d.Source)
				}
			}
			for _, d := range append(append([]stroke.Document(nil), r.choose...), r.judge...) {
				text := runs(r.b.tok.Encode(d.Text), long)
				if shared(text, learnt) {
					t.Errorf("%s is withheld, and in an example", d.Source)
				}
				for _, query := range []string{d.Title, d.Text} {
					if shared(text, runs(r.passages.find(query, nil, 1<<20), long)) {
						t.Errorf("%s is withheld, and among the passages", d.Source)
					}
				}
				for _, n := range r.ledger.Neighbours(d.Hash) {
					near, ok := r.f.Text(n)
					if !ok {
						continue
					}
					for _, p := range r.passages.pieces([]stroke.Document{d}, 0) {
						if shared(runs(r.b.tok.Encode(near), long), runs(p.prompted.Context, long)) {
							t.Errorf("before %s stands its neighbour", d.Source)
						}
					}
				}
			}
			scored(t, r, r.judge)
			// A train document is never found for itself, and neither are the blocks
			// of one that was cut for the whole.
			for _, d := range r.train {
				text := runs(r.b.tok.Encode(d.Text), long)
				whole := stroke.Document{Hash: stroke.HashText(d.Text + "\n\nMore."), Title: d.Title, Text: d.Text + "\n\nMore."}
				for _, p := range r.passages.pieces([]stroke.Document{d, whole}, 0) {
					if shared(text, runs(p.prompted.Context, long)) {
						t.Errorf("before %s stands its own text", d.Source)
					}
				}
			}
		})
	}
}

// scored checks which tokens of documents count: all behind the first 100
// words, under every condition the same.
func scored(t *testing.T, r *run, docs []stroke.Document) {
	t.Helper()
	pieces := r.passages.pieces(docs, 0)
	found := false
	i := 0
	for _, d := range docs {
		if d.Words <= askWords {
			continue
		}
		p := pieces[i]
		i++
		if !slices.Equal(p.plain.Tokens, p.prompted.Tokens) || p.plain.From != p.prompted.From || len(p.plain.Context) != 1 {
			t.Errorf("%s: the conditions differ in more than the passages", d.Source)
		}
		asked, rest := r.b.tok.Decode(p.plain.Tokens[:p.plain.From]), r.b.tok.Decode(p.plain.Tokens[p.plain.From:])
		if n := len(strings.Fields(asked)); n != askWords || asked+rest != d.Text {
			t.Errorf("%s: %d words are asked with, and the text is cut at %q", d.Source, n, asked[max(0, len(asked)-20):])
		}
		if n := len(p.prompted.Context); n > 1 {
			found = true
			if n > 1+r.recipe.Prompt.Tokens {
				t.Errorf("%s: %d tokens of passages", d.Source, n-1)
			}
		}
	}
	if !found {
		t.Error("no passages stand before any judge document")
	}
}

// TestRolesStay trains a twin again after files came and went: every role once
// given stays, and the new version names its parent.
func TestRolesStay(t *testing.T) {
	dir := t.TempDir()
	o := options(t, writing(t, dir, func(i int) bool { return i < 16 }))
	f, first := trained(t, o)
	was, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	writing(t, dir, func(i int) bool { return i > 2 })
	f, second := trained(t, o)
	now, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range was.Entries {
		if now.Role(e.Hash) != e.Role {
			t.Errorf("%s was %s and is %q", e.Source, e.Role, now.Role(e.Hash))
		}
	}
	if len(now.Entries) <= len(was.Entries) {
		t.Error("the new files are not in the ledger")
	}
	if first.Parent != "" || second.Parent != first.ID || !slices.Equal(f.Versions, []string{first.ID, second.ID}) {
		t.Errorf("versions %v, parents %q and %q", f.Versions, first.Parent, second.Parent)
	}
	if left, _ := filepath.Glob(filepath.Join(f.Dir, "*", halfWritten+"*")); len(left) > 0 {
		t.Errorf("half written files are left: %v", left)
	}

	// The same run again, with --resume, repeats its last event and makes nothing.
	o.Resume = true
	if f, v := trained(t, o); v.ID != second.ID || len(f.Versions) != 2 {
		t.Errorf("a run that had ended made the version %s of %v", v.ID, f.Versions)
	}
	// So does one that was killed between the version and the manifest.
	f.Versions, f.Newest, f.Live = f.Versions[:1], first.ID, first.ID
	if err := f.save(); err != nil {
		t.Fatal(err)
	}
	if f, v := trained(t, o); v.ID != second.ID || !slices.Equal(f.Versions, []string{first.ID, second.ID}) {
		t.Errorf("a run killed before its version was listed made %s of %v", v.ID, f.Versions)
	}
	// And one that was killed before the version was there makes it.
	f.Versions, f.Newest, f.Live = f.Versions[:1], first.ID, first.ID
	if err := errors.Join(f.save(), os.RemoveAll(filepath.Join(f.Dir, versionsDir, second.ID))); err != nil {
		t.Fatal(err)
	}
	f, second = trained(t, o)
	if second.Parent != first.ID || len(f.Versions) != 2 {
		t.Errorf("a run killed before its version was there made %s of %v", second.ID, f.Versions)
	}
	// With other files it is another run.
	writing(t, dir, func(i int) bool { return i > 3 })
	if f, v := trained(t, o); v.Parent != second.ID || len(f.Versions) != 3 {
		t.Errorf("another run made the version %s with the parent %s", v.ID, v.Parent)
	}
}

// TestOn starts from an adapter: one of the same shape is gone on with, another
// is kept below the new one and joined with it.
func TestOn(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 14 }))
	f, first := trained(t, o)
	o.On = filepath.Join(f.Dir, versionsDir, first.ID, adapterDir)
	rank := func(v *Version) int {
		file, err := lora.ReadDir(filepath.Join(f.Dir, versionsDir, v.ID, adapterDir))
		if err != nil {
			t.Fatal(err)
		}
		return file.Config.Rank
	}
	_, same := trained(t, o)
	if same.Recipe.Stack || rank(same) != 2 || same.Adapter[lora.WeightsFile] == first.Adapter[lora.WeightsFile] {
		t.Errorf("of the same shape: stacked %v, rank %d", same.Recipe.Stack, rank(same))
	}
	o.Change = func(r *Recipe) {
		small(r)
		r.Options.LoRA.Rank = 3
	}
	_, other := trained(t, o)
	if !other.Recipe.Stack || rank(other) != 5 {
		t.Errorf("of another shape: stacked %v, rank %d", other.Recipe.Stack, rank(other))
	}
	// What it began at is what its adapter is held against, and has not learnt what judges.
	for _, v := range []*Version{same, other} {
		l, err := f.Ledger()
		if err != nil {
			t.Fatal(err)
		}
		if v.Verdict.Specificity == nil || len(v.Below) == 0 || len(v.Below) != len(f.Documents(l, stroke.RoleTrain))+len(f.Documents(l, stroke.RoleSelect)) {
			t.Errorf("held against %v, which had learnt %d documents", v.Verdict.Specificity, len(v.Below))
		}
	}
	if first.Verdict.Specificity != nil || first.Below != nil {
		t.Errorf("from the base it is held against %v, which had learnt %d documents", first.Verdict.Specificity, len(first.Below))
	}

	o.Base = testkit.Toy(t, testkit.ToyShape{Layers: 3}) // of the same name
	err := Train(context.Background(), o, func(stroke.Event) {})
	code(t, err, stroke.CodeInput)
	if !strings.Contains(err.Error(), "does not fit the base") {
		t.Errorf("an adapter for another base: %v", err)
	}
	o.On = t.TempDir()
	code(t, Train(context.Background(), o, func(stroke.Event) {}), stroke.CodeInput)
}

// TestElsewhere copies a twin, scores with the copy as with the original, by
// version, and writes with it while no version is live.
func TestElsewhere(t *testing.T) {
	source := writing(t, t.TempDir(), func(i int) bool { return i < 14 })
	o := options(t, source)
	f, first := trained(t, o)
	o.Change = func(r *Recipe) {
		small(r)
		r.Options.Rate = 1e-2
	}
	_, second := trained(t, o)
	copied := filepath.Join(t.TempDir(), "a copy@home")
	if err := os.CopyFS(copied, os.DirFS(f.Dir)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(source, "*.md"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	score := func(name string) (total FileScore) {
		t.Helper()
		n := 0
		figures, err := Score(context.Background(), name, "", files[:2], nil, func(FileScore) { n++ }, nil)
		if err != nil || n != 2 {
			t.Fatalf("%s: %d files, %v", name, n, err)
		}
		return FileScore{Figures: figures}
	}
	newest := score(f.Dir)
	if newest != score(copied) || newest != score(copied+"@"+second.ID) {
		t.Error("a copy does not score as the original, or not with its newest version")
	}
	older := score(f.Dir + "@" + first.ID)
	if older.Figures.Adapter == newest.Figures.Adapter || older.Figures.Base != newest.Figures.Base {
		t.Errorf("the version %s scores %+v and the newest %+v", first.ID, older.Figures, newest.Figures)
	}

	c, err := Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	c.Live = ""
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	v, err := OpenVoice(context.Background(), copied, VoiceOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if v.Version != nil || v.learnt != nil {
		t.Error("no version is live, and one serves")
	}
	if got := v.passages.find("the boiler", nil, 1000); len(got) == 0 {
		t.Error("no version is live, and the passages do not serve either")
	}
	written := ""
	s := &Speech{Sampling: DefaultSampling(), Max: 5, Strength: 1, Passages: true}
	if _, err := v.Write(context.Background(), "It rained", s, func(t string) error { written += t; return nil }); err != nil || written == "" {
		t.Errorf("wrote %q, %v", written, err)
	}
}

// TestScoreOfAnEdit scores an edited train document: it is told that the version was
// trained on it, and what stands before it is not of it.
func TestScoreOfAnEdit(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	f, v := trained(t, o)
	l, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	score := func(text string) (learnt bool) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "edit.md")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Score(context.Background(), f.Dir, "", []string{path}, nil, func(s FileScore) { learnt = s.Learnt }, nil); err != nil {
			t.Fatal(err)
		}
		return learnt
	}
	edit := func(d stroke.Document) string {
		return strings.Replace(d.Text, "the", "that", 3) + "\n\nI have changed my mind about some of this."
	}
	train := f.Documents(l, stroke.RoleTrain)
	long := slices.MaxFunc(train, func(a, b stroke.Document) int { return a.Words - b.Words })
	if !score(edit(long)) {
		t.Error("nothing is said of an edited train document")
	}
	if score(edit(f.Documents(l, stroke.RoleJudge)[0])) {
		t.Error("an edited judge document passes for one that was trained on")
	}
	b, err := f.openBase(context.Background(), v.Base.Name, "", nil, OpenBase)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	p := newPassages(train, l, b, v.Recipe.Prompt)
	edited := stroke.Document{Hash: stroke.HashText(edit(long)), Text: edit(long)}
	p.near = corpus.NearDuplicates(p.docs, []stroke.Document{edited})
	if own := p.own(edited); !own[long.Hash] {
		t.Errorf("what must not stand before an edit is %v, and it is of %s", own, long.Hash)
	}
}

// TestNotANumber drives a run astray: it stops, names its rate, and leaves the
// last checkpoint as it was.
func TestNotANumber(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 14 }))
	o.CheckpointEvery = 1
	o.Change = func(r *Recipe) {
		small(r)
		r.Options.Rate, r.Options.Warmup, r.Options.LoRA.Alpha, r.Options.TokensPerStep = 0.9, 0, lora.MaxAlpha, 512
		r.Options.Beta2, r.Options.Eps = 0, 1e-30 // a step may be as large as one likes
	}
	err := Train(context.Background(), o, func(stroke.Event) {})
	if err == nil || !strings.Contains(err.Error(), "no longer a number") || !strings.Contains(err.Error(), "rate of 0.") || !strings.Contains(stroke.HintOf(err), "--rate 0.") {
		t.Fatalf("got %v (%s)", err, stroke.HintOf(err))
	}
	f, err := Open(o.To)
	if err != nil || f.Newest != "" {
		t.Fatalf("%+v, %v", f, err)
	}
}

// TestVacant holds that a new twin takes no folder with other files, and that a
// twin that is deleted takes none of them along.
func TestVacant(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 14 }))
	o.To = t.TempDir()
	theirs := filepath.Join(o.To, readmeFile)
	if err := os.WriteFile(theirs, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	code(t, Train(context.Background(), o, func(stroke.Event) {}), stroke.CodeInput)
	if b, err := os.ReadFile(theirs); err != nil || string(b) != "mine" {
		t.Fatalf("the writer's file is %q, %v", b, err)
	}
	o.To = filepath.Join(o.To, "twin")
	f, _ := trained(t, o)
	other := filepath.Join(f.Dir, "letter.txt")
	if err := os.WriteFile(other, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Remove(f.Dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(f.Dir)
	if err != nil || len(left) != 1 || left[0].Name() != "letter.txt" {
		t.Errorf("left are %v, %v", left, err)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
}

// TestMeanOfEpochs holds the adapter of each epoch to the mean of what training came to
// after it and those before, and a run that was stopped in its last epoch to the bytes of
// one that was not; a checkpoint is not gone on with by a recipe that takes the other.
func TestMeanOfEpochs(t *testing.T) {
	source := writing(t, t.TempDir(), func(int) bool { return true })
	learn := func(mean bool) (list []*lora.File) {
		o := options(t, source)
		o.Change = func(r *Recipe) {
			small(r)
			r.Epochs, r.Mean = 3, mean
		}
		var r *run
		r, done, err := o.prepare(context.Background(), func(e stroke.Event) {
			s, ok := e.(stroke.SelectEvent)
			if !ok || s.Epoch == 0 {
				return
			}
			f, err := lora.ReadDir(r.epochDir(s.Epoch - 1))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, f)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		if err := r.plan(); err != nil {
			t.Fatal(err)
		}
		defer r.trainer.Close()
		if err := r.steps(context.Background()); err != nil {
			t.Fatal(err)
		}
		for e := range r.recipe.Epochs {
			_, err := os.Stat(r.epochDir(e))
			if there, want := err == nil, e == r.best()-1 || e == r.recipe.Epochs-1; there != want {
				t.Errorf("epoch %d is on the disk: %v, and %d is the best of %d", e+1, there, r.best(), r.recipe.Epochs)
			}
		}
		return list
	}
	each := learn(false)
	means := learn(true)
	for e, f := range means {
		for i, p := range f.Pairs {
			for k, x := range p.B {
				want := 0.0
				for _, g := range each[:e+1] {
					want += float64(g.Pairs[i].B[k]) / float64(e+1)
				}
				if math.Abs(float64(x)-want) > 1e-7+1e-5*math.Abs(want) {
					t.Fatalf("epoch %d, pair %d, number %d is %g and not %g", e+1, i, k, x, want)
				}
			}
		}
	}
	o := options(t, source)
	o.Change = func(r *Recipe) {
		small(r)
		r.Epochs, r.Mean = 3, true
	}
	whole, v := trained(t, o)
	want := files(t, filepath.Join(whole.Dir, versionsDir, v.ID, adapterDir))
	o.To = filepath.Join(t.TempDir(), "twin")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := Train(ctx, o, func(e stroke.Event) {
		if s, ok := e.(stroke.StepEvent); ok && s.Epoch == 3 {
			cancel()
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted {
		t.Fatalf("stopped: %v", err)
	}
	o.Resume = true
	with := o.Change
	o.Change = func(r *Recipe) {
		with(r)
		r.Mean = false
	}
	if err := Train(context.Background(), o, func(stroke.Event) {}); stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
		t.Errorf("gone on with by another recipe: %v", err)
	}
	o.Change = with
	f, v := trained(t, o)
	for name, b := range files(t, filepath.Join(f.Dir, versionsDir, v.ID, adapterDir)) {
		if want[name] != b {
			t.Errorf("%s has other bytes than that of a run that was not stopped", name)
		}
	}
}

// TestKeepDone holds that the last event of another run does not stand beside the
// identity of this one: where it cannot be taken away, nothing is written.
func TestKeepDone(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if err := os.MkdirAll(filepath.Join(r.path(doneFile), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	code(t, r.keepDone(stroke.DoneEvent{}), stroke.CodeFailure)
	if _, err := os.Stat(r.path(identityFile)); !os.IsNotExist(err) {
		t.Errorf("the identity is written: %v", err)
	}
	if err := os.RemoveAll(r.path(doneFile)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.keepDone(stroke.DoneEvent{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOtherBaseResume puts another base in the place of the one that a run was stopped on,
// of another shape or of the same one: it does not go on. A checkpoint that does not say what its base was is gone on with.
func TestOtherBaseResume(t *testing.T) {
	source := writing(t, t.TempDir(), func(i int) bool { return i < 10 })
	for _, c := range []struct {
		says  bool
		other testkit.ToyShape
	}{{true, testkit.ToyShape{FFN: 128}}, {true, testkit.ToyShape{Seed: 1}}, {false, testkit.ToyShape{FFN: 128}}} {
		says := c.says
		o := options(t, source)
		o.Change = func(r *Recipe) {
			small(r)
			r.Options.LoRA.Targets = []lora.Module{lora.QProj, lora.VProj} // which are of one size in both
		}
		func() {
			r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			if err := r.plan(); err != nil {
				t.Fatal(err)
			}
			defer r.trainer.Close()
			if _, _, err := r.trainer.Step(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := r.save(); err != nil {
				t.Fatal(err)
			}
			if !says {
				r.progress.Base = BaseRef{}
				if err := writeWith(r.path(checkpointFile), func(w io.Writer) error { return r.trainer.Save(w, r.progress) }); err != nil {
					t.Fatal(err)
				}
			}
		}()
		o.Resume = true
		if err := testkit.WriteToy(o.Base, c.other); err != nil {
			t.Fatal(err)
		}
		resumed := 0
		err := Train(context.Background(), o, func(e stroke.Event) {
			if f, ok := e.(stroke.ForecastEvent); ok {
				resumed = f.Resumed
			}
		})
		if says {
			if code(t, err, stroke.CodeInput); !strings.Contains(err.Error(), "its base was") || stroke.HintOf(err) == "" {
				t.Errorf("on another base: %v", err)
			}
		} else if err != nil || resumed != 1 {
			t.Errorf("from a checkpoint that does not say what its base was it goes on from step %d: %v", resumed, err)
		}
	}
}
