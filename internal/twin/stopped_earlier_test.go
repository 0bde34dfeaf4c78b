package twin

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
)

// TestStoppedByEarlier goes on with what a program left that had no sample of its base: a
// run that was stopped, a cross-fitted one, and one that had ended.
func TestStoppedByEarlier(t *testing.T) {
	for what, crossFit := range map[string]bool{"withheld": false, "cross-fitted": true} {
		t.Run(what, func(t *testing.T) {
			o := crossed(t)
			o.NoCrossFit = !crossFit
			o.CheckpointEvery = 1
			behind := &run{f: &Folder{Dir: o.To}}
			_, _, err := trainUntil(t, o, func(e stroke.Event) bool {
				s, ok := e.(stroke.StepEvent)
				if _, err := os.Stat(behind.foldFile(0)); crossFit && err != nil {
					return false
				}
				return ok && s.Step >= 2
			})
			code(t, err, stroke.CodeInterrupted)

			// What is known by the base's sample is then known without it.
			r, done, err := (&o).prepare(context.Background(), func(stroke.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			done()
			o.Resume = false
			now, once := r.identities()[0], r.identities()[1]
			if bytes.Equal(now, once) {
				t.Fatal("the base has no sample")
			}
			put := map[string][2]string{askedFile: {r.o.key(now), r.o.key(once)}}
			if crossFit {
				keys := r.foldKeys(folds(r.all(), r.ledger))
				put[amongFile], put["fold-1.json"] = [2]string{keys[0], keys[1]}, [2]string{keys[0], keys[1]}
			}
			as := func(name, old, now string) {
				t.Helper()
				path := filepath.Join(o.To, runDir, name)
				b, err := os.ReadFile(path)
				if err != nil || !bytes.Contains(b, []byte(old)) {
					t.Fatalf("%s is not kept as it was: %v", name, err)
				}
				if err := os.WriteFile(path, bytes.Replace(b, []byte(old), []byte(now), 1), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for name, keys := range put {
				as(name, keys[0], keys[1])
			}

			resumed, told, err := trainUntil(t, o, func(e stroke.Event) bool { _, ok := e.(stroke.ForecastEvent); return ok })
			code(t, err, stroke.CodeInterrupted)
			if !strings.Contains(told, "goes on where the run was stopped") || strings.Contains(told, "given up") || strings.Contains(told, "fold 1 of") || resumed < 1 {
				t.Errorf("it goes on from step %d and tells %q", resumed, told)
			}
			if crossFit {
				return
			}
			trained(t, o)
			as(identityFile, string(now), string(once))
			o.Resume = true
			if _, told, err := trainUntil(t, o, func(e stroke.Event) bool { _, ok := e.(stroke.StepEvent); return ok }); err != nil || !strings.Contains(told, "the run had ended") {
				t.Errorf("one that had ended is begun again: %v, and it tells %q", err, told)
			}
		})
	}
}
