package twin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
)

// trainUntil trains until stop, which may be nil, says so, and gives the step that it went
// on from, less than 0 where it did not come to that, and what it told.
func trainUntil(t *testing.T, o Options, stop func(stroke.Event) bool) (resumed int, told string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resumed = -1
	err = Train(ctx, o, func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.ForecastEvent:
			resumed = e.Resumed
		case stroke.NoteEvent:
			told += e.Text + "\n"
		}
		if stop != nil && stop(e) {
			cancel()
		}
	})
	return resumed, told, err
}

// TestStoppedRun stops runs: the same is gone on with, another takes its place once it
// has taken a step, and nothing is lost where somebody says no.
func TestStoppedRun(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i > 0 }))
	o.CheckpointEvery = 1
	step := func(e stroke.Event) bool { s, ok := e.(stroke.StepEvent); return ok && s.Step >= 2 }
	planned := func(e stroke.Event) bool { _, ok := e.(stroke.ForecastEvent); return ok }
	interrupted := func(err error) {
		t.Helper()
		if stroke.CodeOf(err) != stroke.CodeInterrupted {
			t.Fatalf("it was to be stopped, and ends with %v", err)
		}
	}
	waits := func(want bool) {
		t.Helper()
		f, err := Open(o.To)
		if err != nil {
			t.Fatal(err)
		}
		if got := !f.Waiting().IsZero(); got != want {
			t.Errorf("a stopped run waits: %v", got)
		}
	}
	_, _, err := trainUntil(t, o, step)
	interrupted(err)
	waits(true)
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	l, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	known := len(l.Entries)
	if left := Others(o.To); len(left) > 0 {
		t.Errorf("not the twin's: %v", left)
	}

	// One that asks for something else, with a text more, and somebody who keeps what
	// there is: the twin knows as much as before.
	other := o
	other.Source = writing(t, t.TempDir(), func(int) bool { return true })
	other.Change = func(r *Recipe) { small(r); r.Epochs = 2 }
	asked := ""
	other.Ask = func(_ context.Context, question string) (bool, error) { asked += question; return false, nil }
	_, _, err = trainUntil(t, other, nil)
	if interrupted(err); !strings.Contains(asked, "give it up") {
		t.Errorf("asked: %q", asked)
	}
	if f, err := Open(o.To); err != nil {
		t.Error(err)
	} else if l, err := f.Ledger(); err != nil || len(l.Entries) != known {
		t.Errorf("of %d documents that it knew it knows %d after a run that was refused: %v", known, len(l.Entries), err)
	}

	// With nobody to ask it takes the other's place, and comes to nothing.
	other.Ask, other.Source = nil, o.Source
	resumed, told, err := trainUntil(t, other, planned)
	if interrupted(err); resumed != 0 || !strings.Contains(told, "is given up") {
		t.Errorf("another run goes on from step %d and tells %q", resumed, told)
	}
	waits(true)
	resumed, told, err = trainUntil(t, o, planned)
	if interrupted(err); resumed < 2 || !strings.Contains(told, "goes on where the run was stopped") {
		t.Errorf("the same goes on from step %d and tells %q", resumed, told)
	}

	// What cannot be gone on with is no hindrance.
	path := filepath.Join(o.To, runDir, checkpointFile)
	if err := os.WriteFile(path, []byte("no checkpoint"), 0o600); err != nil {
		t.Fatal(err)
	}
	resumed, told, err = trainUntil(t, o, step)
	if interrupted(err); resumed != 0 || !strings.Contains(told, "the checkpoint cannot be used") {
		t.Errorf("with a damaged checkpoint it goes on from step %d and tells %q", resumed, told)
	}
	if _, err := os.Stat(filepath.Join(o.To, asideDir)); err == nil {
		t.Error("what was laid aside is there after a step")
	}

	afresh := o
	afresh.Afresh = true
	if resumed, _, err = trainUntil(t, afresh, step); stroke.CodeOf(err) != stroke.CodeInterrupted || resumed != 0 {
		t.Errorf("afresh it goes on from step %d: %v", resumed, err)
	}
	if resumed, _, err = trainUntil(t, o, nil); err != nil || resumed < 2 {
		t.Errorf("the last goes on from step %d: %v", resumed, err)
	}
	waits(false)
}

// TestStoppedBase: with no base named, a run that was stopped is gone on with on its base
// where it was asked for the same, and one that asks for something else has its own.
func TestStoppedBase(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(int) bool { return true }))
	toy := o.Base
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := Train(ctx, o, func(e stroke.Event) {
		if _, ok := e.(stroke.StepEvent); ok {
			cancel()
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted {
		t.Fatalf("it was to be stopped, and ends with %v", err)
	}
	o.Base = "auto"
	same := o
	r, done, err := same.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	if r.b.name != toy {
		t.Errorf("it goes on on %s", r.b.name)
	}
	done()
	f, err := Open(o.To)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Options){
		"other epochs": func(o *Options) { o.Change = func(r *Recipe) { small(r); r.Epochs = 2 } },
		"other text":   func(o *Options) { o.Source = writing(t, t.TempDir(), func(i int) bool { return i > 0 }); o.Yes = true },
		"float32":      func(o *Options) { o.Exact = true },
		"afresh":       func(o *Options) { o.Afresh = true },
	} {
		other := o
		other.Base = toy
		change(&other)
		_, done, err := other.prepare(context.Background(), func(stroke.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		done()
		if other.goesOn(f) {
			t.Errorf("%s: it takes the base of the run that was stopped", what)
		}
	}
}

// TestStoppedFold says of a run that was laid aside that it goes on for as long as it is
// there: a fold that has learnt something ends that for those behind it.
func TestStoppedFold(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(int) bool { return true }))
	r, done, err := o.prepare(context.Background(), func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	r.recall()
	if err := r.plan(); err != nil {
		t.Fatal(err)
	}
	defer r.trainer.Close()
	r.aside = filepath.Join(r.f.Dir, asideDir)
	fill(t, r.aside, checkpointFile)
	if hint := stroke.HintOf(r.stopped(context.Canceled)); !strings.Contains(hint, "goes on with its own arguments") {
		t.Errorf("beside a run that was laid aside: %q", hint)
	}
	r.forgetAside()
	if hint := stroke.HintOf(r.stopped(context.Canceled)); !strings.Contains(hint, "step 0 of") {
		t.Errorf("when that was given up: %q", hint)
	}
}
