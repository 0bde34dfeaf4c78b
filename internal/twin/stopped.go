package twin

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
)

// A run that was stopped waits in the twin's folder: the next that is asked for the
// same goes on with it, and one that is not lays it aside until there is something of
// its own to go on with.

const (
	askedFile = "asked"     // in run/: the key of what the run was asked for
	anyFile   = "asked-any" // in run/: that key, whatever the base
	asideDir  = "stopped"   // of a run, while the one that takes its place has no step yet
	givenUp   = "given-up"  // in it: the one that took its place has learnt something
)

// key is that of what a run is asked for, before a genre is found.
func (o *Options) key(identity []byte) string {
	return stroke.HashText(string(identity) + kernel.Name() + strconv.FormatBool(o.Exact))
}

// goesOn says whether a run goes on with the one that was stopped, if it takes its base:
// that is said, or it is asked for the same.
func (o *Options) goesOn(f *Folder) bool {
	return o.Resume || !o.Afresh && o.asked != "" && !f.Waiting().IsZero() && f.lastRun(anyFile) == o.asked
}

// Waiting is the time at which a run was stopped that can be gone on with; zero where
// there is none, or it goes on at this moment.
func (f *Folder) Waiting() time.Time {
	if f.Held() != "" {
		return time.Time{}
	}
	for _, dir := range []string{asideDir, runDir} {
		if at := stoppedIn(filepath.Join(f.Dir, dir)); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// stoppedIn is when a run in that folder kept the last that it can go on from; zero
// where there is nothing, or it was given up.
func stoppedIn(dir string) time.Time {
	if _, err := os.Stat(filepath.Join(dir, givenUp)); err == nil {
		return time.Time{}
	}
	if info, err := os.Stat(filepath.Join(dir, checkpointFile)); err == nil {
		return info.ModTime()
	}
	left, err := os.ReadDir(dir)
	if err != nil || !slices.ContainsFunc(left, isFold) {
		return time.Time{}
	}
	if info, err := os.Stat(dir); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}

// isFold says whether something in a run's folder is of a fold.
func isFold(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "fold-") }

// takeBack puts a run that was laid aside in its place again, where the one that took
// it came to nothing.
func (f *Folder) takeBack() error {
	aside, path := filepath.Join(f.Dir, asideDir), filepath.Join(f.Dir, runDir)
	if stoppedIn(aside).IsZero() {
		if err := os.RemoveAll(aside); err != nil {
			return writeError(aside, err)
		}
		return nil
	}
	if err := os.RemoveAll(path); err != nil {
		return writeError(path, err)
	}
	if err := os.Rename(aside, path); err != nil {
		return writeError(path, err)
	}
	return nil
}

// goOn decides what becomes of a run that was stopped, where that was not said: it is
// gone on with where it was asked for the same, and otherwise given up, unless somebody
// is there who says no. One that was cross-fitted is gone on with by nothing else.
func (r *run) goOn(ctx context.Context) error {
	r.key = r.o.key(r.identity())
	if r.o.Resume && r.crossFitting() && !r.mayCrossFit() {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the run that was stopped is cross-fitted, and this one is not", Hint: "resume with the arguments of that run, or begin anew with --afresh in place of --resume"}
	}
	if r.o.Resume || r.o.Afresh || !r.begun() && !r.crossFitting() {
		return nil
	}
	was, err := readAtMost(r.path(askedFile), 4096)
	if err == nil && slices.ContainsFunc(r.identities(), func(id []byte) bool { return string(was) == r.o.key(id) }) {
		r.o.Resume, r.unasked = true, true
		r.emit(stroke.NoteEvent{Text: "it goes on where the run was stopped; --afresh begins anew"})
		return nil
	}
	if r.o.Ask == nil {
		return nil
	}
	r.emit(stroke.NoteEvent{Text: "a run of this twin was stopped that had other text, another recipe, base or kernel; what it has learnt so far would be lost"})
	return r.o.ask(ctx, "give it up and begin again?", "the arguments and files of that run go on with it; --afresh gives it up without asking")
}

// giveUp makes of a run that goes on without being told to, and cannot, one from the
// beginning, unless somebody is there who says no.
func (r *run) giveUp(ctx context.Context, why error) error {
	r.emit(stroke.NoteEvent{Text: why.Error()})
	if r.o.Ask != nil {
		if err := r.o.ask(ctx, "give it up and begin again?", "--afresh gives it up without asking"); err != nil {
			return err
		}
	}
	r.o.Resume, r.unasked, r.recalled = false, false, false
	r.recipe, r.genre, r.below = r.asked, lora.Applied{}, nil
	return nil
}

// afresh makes way for a run from the beginning. One that was stopped is laid aside
// until this one has learnt something, and that is said.
func (r *run) afresh() error {
	path := r.path("")
	if r.begun() || r.crossFitting() {
		r.emit(stroke.NoteEvent{Text: "the run that was stopped is given up and begun again"})
		if r.key != "" && !r.o.Afresh {
			aside := filepath.Join(r.f.Dir, asideDir)
			err := os.RemoveAll(aside)
			if err == nil {
				err = os.Rename(path, aside)
			}
			if err != nil {
				return writeError(aside, err)
			}
			r.aside = aside
		}
	}
	if err := os.RemoveAll(path); err != nil {
		return writeError(path, err)
	}
	return nil
}

// forgetAside deletes the run that was laid aside. It is marked first: what could not be
// deleted, or not wholly, does not come back.
func (r *run) forgetAside() {
	if r.aside == "" {
		return
	}
	if f, err := os.Create(filepath.Join(r.aside, givenUp)); err == nil {
		f.Close()
	}
	os.RemoveAll(r.aside)
}

// keepAsked keeps what a run is on, and what it was asked for, where another can be
// asked for the same.
func (r *run) keepAsked() error {
	err := writeFile(r.path(baseFile), []byte(r.b.name+"\n"))
	if err != nil || r.key == "" {
		return err
	}
	if err := writeFile(r.path(anyFile), []byte(r.o.asked)); err != nil {
		return err
	}
	return writeFile(r.path(askedFile), []byte(r.key))
}
